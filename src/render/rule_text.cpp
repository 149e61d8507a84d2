#include "render/rule_text.h"

#include "base/text.h"

#include <algorithm>

namespace gpuwhy {
namespace {

constexpr std::size_t kIndent = 2;
constexpr std::size_t kLeast = 20; // columns of text, however narrow the terminal

std::string_view effect_words(Effect effect) {
  switch (effect) {
  case Effect::hides: return "the GPU is not listed, and the program runs on the CPU";
  case Effect::breaks: return "the GPU is listed, and the program fails when it uses it";
  case Effect::slows: return "the GPU is used, but not as well as it could be";
  }
  return {};
}

std::string spaces(std::size_t count) {
  return std::string(count, ' ');
}

void add_wrapped(std::string& out, const Style& style, std::string_view text, std::size_t first,
                 std::size_t rest) {
  std::size_t indent = first;
  for (const auto& line : wrap(text, style.width > rest + kLeast ? style.width - rest : kLeast)) {
    out += spaces(indent) + line + "\n";
    indent = rest;
  }
}

/// [words](address) becomes "words: address", **words** becomes words; `code` keeps its marks,
/// which tell where what is to be typed begins and ends.
std::string plain(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const auto code_end = text[at] == '`' ? text.find('`', at + 1) : std::string_view::npos;
    if (code_end != std::string_view::npos) {
      result.append(text.substr(at, code_end + 1 - at));
      at = code_end + 1;
      continue;
    }
    const auto middle = text[at] == '[' ? text.find("](", at) : std::string_view::npos;
    const auto end = middle == std::string_view::npos ? middle : text.find(')', middle);
    if (end != std::string_view::npos) {
      result.append(text.substr(at + 1, middle - at - 1));
      result += ": ";
      result.append(text.substr(middle + 2, end - middle - 2));
      at = end + 1;
      continue;
    }
    if (text.substr(at, 2) == "**") {
      at += 2;
      continue;
    }
    result += text[at++];
  }
  return result;
}

/// Gathers the lines of a paragraph or of one point of a list.
class Reader {
public:
  Reader(const Style& style, std::size_t indent) : style_(style), indent_(indent) {}

  void read(std::string_view line) {
    if (line.starts_with("```")) {
      flush();
      fenced_ = !fenced_;
    } else if (fenced_) {
      out_ += spaces(indent_ + kIndent + 2) + std::string(line) + "\n";
    } else if (trim(line).empty()) {
      flush();
      if (!out_.empty() && !out_.ends_with("\n\n")) out_ += "\n";
    } else {
      if (line.starts_with("- ")) {
        flush();
        point_ = true;
        line.remove_prefix(2);
      }
      if (!text_.empty()) text_ += ' ';
      text_ += trim(line);
    }
  }

  std::string take() {
    flush();
    while (out_.ends_with("\n\n")) out_.pop_back();
    return std::move(out_);
  }

private:
  void flush() {
    if (!text_.empty()) {
      const auto words = plain(text_);
      add_wrapped(out_, style_, point_ ? "- " + words : words, indent_,
                  indent_ + (point_ ? kIndent : 0));
    }
    text_.clear();
    point_ = false;
  }

  const Style& style_;
  std::size_t indent_;
  std::string out_;
  std::string text_;
  bool point_ = false;
  bool fenced_ = false;
};

void add_section(std::string& out, const Style& style, std::string_view heading,
                 std::string_view markdown) {
  if (trim(markdown).empty()) return;
  out += "\n" + paint(style, Ink::strong, heading) + "\n" + markdown_text(markdown, style, kIndent);
}

std::string name_of_rule(const RuleText& rule) {
  return std::string(rule.id) + " " + std::string(rule.slug);
}

} // namespace

std::string markdown_text(std::string_view markdown, const Style& style, std::size_t indent) {
  Reader reader(style, indent);
  for (const auto line : split_lines(markdown)) reader.read(line);
  return reader.take();
}

std::string rule_text(const RuleText& rule, const Style& style) {
  std::string out;
  for (const auto& line :
       wrap(name_of_rule(rule) + ": " + std::string(rule.title), std::max(style.width, kLeast))) {
    out += paint(style, Ink::strong, line) + "\n";
  }
  const std::size_t label = 10;
  const auto row = [&](std::string_view name, std::string_view words) {
    std::string text;
    add_wrapped(text, style, words, label, label);
    text.replace(0, label,
                 spaces(kIndent) + std::string(name) + spaces(label - kIndent - name.size()));
    out += text;
  };
  out += "\n";
  row("effect", effect_words(rule.effect));
  row("gate", std::string(name_of(rule.gate)) + ": " +
                  std::string(kGates[static_cast<std::size_t>(rule.gate)].question));
  add_section(out, style, "What it is", rule.explanation);
  add_section(out, style, "What to do", rule.fix);
  add_section(out, style, "Read more", rule.references);
  return out;
}

std::string rules_text(std::span<const RuleText> rules, const Style& style) {
  std::size_t names = 0;
  std::size_t gates = 0;
  for (const auto& rule : rules) {
    names = std::max(names, name_of_rule(rule).size());
    gates = std::max(gates, name_of(rule.gate).size());
  }
  const std::size_t title = names + 2 + gates + 2;
  const bool narrow = style.width < title + 2 * kLeast;
  std::string out;
  for (const auto& rule : rules) {
    const auto name = name_of_rule(rule);
    const std::string gate(name_of(rule.gate));
    if (narrow) {
      out += paint(style, Ink::strong, name) + "\n";
      add_wrapped(out, style, rule.title, kIndent, kIndent);
      continue;
    }
    std::string line;
    add_wrapped(line, style, rule.title, title, title);
    line.replace(0, title,
                 name + spaces(names + 2 - name.size()) + gate + spaces(gates + 2 - gate.size()));
    out += line;
  }
  return out;
}

std::string rule_page_name(const RuleText& rule) {
  return std::string(rule.id) + "-" + std::string(rule.slug) + ".md";
}

std::string rule_page(const RuleText& rule) {
  std::string out = "# " + std::string(rule.id) + ": " + std::string(rule.title) + "\n\n";
  out += "`" + std::string(rule.slug) + "`, since gpuwhy " + std::string(rule.since) + "\n\n";
  out += "- Effect: " + std::string(effect_words(rule.effect)) + ".\n";
  out += "- Gate of the route: " + std::string(name_of(rule.gate)) + " (" +
         std::string(kGates[static_cast<std::size_t>(rule.gate)].question) + ")\n";
  const auto section = [&](std::string_view heading, std::string_view markdown) {
    if (trim(markdown).empty()) return;
    out += "\n## " + std::string(heading) + "\n\n" + std::string(trim(markdown)) + "\n";
  };
  section("What it is", rule.explanation);
  section("What to do", rule.fix);
  section("Read more", rule.references);
  return out + "\n[All causes](README.md)\n";
}

std::string rules_page(std::span<const RuleText> rules) {
  std::string out = "# Why a program does not use the GPU\n\n"
                    "The causes that gpuwhy knows, by the gates of the route to the GPU, in the "
                    "order in which a program "
                    "meets them.\n`gpuwhy rule ID` shows each of these pages in a terminal.\n";
  for (const auto& gate : kGates) {
    std::string rows;
    for (const auto& rule : rules) {
      if (rule.gate != gate.gate) continue;
      rows += "- [" + name_of_rule(rule) + "](" + rule_page_name(rule) +
              "): " + std::string(rule.title) + "\n";
    }
    if (!rows.empty())
      out += "\n## " + std::string(gate.name) + ": " + std::string(gate.question) + "\n\n" + rows;
  }
  return out;
}

} // namespace gpuwhy
