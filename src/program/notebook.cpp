// Jupyter notebooks, cell by cell. Truth: the nbformat 3 and 4 documents; IPython's own list of
// magics
// (%env, %set_env, %%bash, %%writefile, ...) and its `!` and `?`.
#include "program/source.h"

#include "base/text.h"

#include <array>
#include <nlohmann/json.hpp>

namespace gpuwhy::program {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostLines = 200'000;

/// Cell magics whose cell is still Python of this kernel.
constexpr auto kPythonCellMagics = std::to_array<std::string_view>(
    {"time", "timeit", "capture", "prun", "matplotlib", "memit", "snakeviz"});

bool is_python_magic(std::string_view name) {
  for (const auto known : kPythonCellMagics) {
    if (known == name) return true;
  }
  return false;
}

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') result += '\\';
    result += letter;
  }
  return result + "\"";
}

/// `%env NAME=VALUE` and `%env NAME VALUE` as the assignment that they are; `pass` for every other
/// magic.
std::string magic_statement(std::string_view magic) {
  const auto end = magic.find_first_of(" \t");
  const auto name = magic.substr(0, end);
  const auto rest = end == std::string_view::npos ? std::string_view() : trim(magic.substr(end));
  if (name != "env" && name != "set_env") return "pass";
  auto split_at = rest.find('=');
  if (split_at == std::string_view::npos) split_at = rest.find(' ');
  if (split_at == std::string_view::npos || split_at == 0) return "pass";
  const auto value = trim(rest.substr(split_at + 1));
  if (value.starts_with('$') || contains(value, "{")) return "pass";
  return "__import__('os').environ[" + quoted(trim(rest.substr(0, split_at))) +
         "] = " + quoted(value);
}

class Writer {
public:
  explicit Writer(Source& source) : source_(source) {}

  void cell(std::uint32_t number, std::string_view code) {
    bool foreign = false;  // a cell for another interpreter
    bool in_shell = false; // a shell line that goes on
    std::uint32_t line = 0;
    for (const auto text : split_lines(code)) {
      ++line;
      if (source_.shown.size() >= kMostLines) return;
      source_.shown.emplace_back(text);
      source_.places.push_back({number, line});
      const auto body = trim(text);
      const auto indent = std::string(text.substr(0, text.size() - trim_left(text).size()));
      if (foreign) {
        if (shell_cell_) shell(body);
        source_.text += '\n';
      } else if (in_shell) {
        source_.shell.back().words += " " + std::string(without_backslash(body));
        in_shell = body.ends_with('\\');
        source_.text += '\n';
      } else if (!started_ && body.starts_with("%%")) {
        const auto name = body.substr(2, body.find_first_of(" \t") - 2);
        foreign = !is_python_magic(name);
        shell_cell_ = name == "bash" || name == "sh" || name == "shell" || name == "script";
        source_.text += '\n';
      } else if (body.starts_with('!')) {
        shell(body.substr(1));
        in_shell = body.ends_with('\\');
        source_.text += indent + "pass\n";
      } else if (body.starts_with('%')) {
        if (body.starts_with("%pip") || body.starts_with("%conda")) shell(body.substr(1));
        source_.text += indent + magic_statement(body.substr(1)) + "\n";
      } else if (body.starts_with('?') || (body.ends_with('?') && !body.starts_with('#'))) {
        source_.text += indent + "pass\n";
      } else {
        source_.text += std::string(text) + "\n";
      }
      started_ = started_ || (!body.empty() && !body.starts_with('#'));
    }
    started_ = false;
    shell_cell_ = false;
  }

private:
  static std::string_view trim_left(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    return first == std::string_view::npos ? std::string_view() : text.substr(first);
  }
  static std::string_view without_backslash(std::string_view text) {
    if (text.ends_with('\\')) text.remove_suffix(1);
    return text;
  }
  void shell(std::string_view words) {
    source_.shell.push_back({static_cast<std::uint32_t>(source_.shown.size()),
                             std::string(trim(without_backslash(words)))});
  }

  Source& source_;
  bool started_ = false;
  bool shell_cell_ = false;
};

/// `source` is a string, or a list of lines.
std::string code_of(const Json& cell) {
  auto found = cell.find("source");
  if (found == cell.end()) found = cell.find("input"); // nbformat 3
  if (found == cell.end()) return {};
  if (found->is_string()) return found->get<std::string>();
  std::string code;
  if (!found->is_array()) return code;
  for (const auto& line : *found) {
    if (line.is_string()) code += line.get_ref<const std::string&>();
  }
  return code;
}

const Json* cells_of(const Json& notebook) {
  if (const auto found = notebook.find("cells"); found != notebook.end()) {
    return found->is_array() ? &*found : nullptr;
  }
  const auto sheets = notebook.find("worksheets"); // nbformat 3
  if (sheets == notebook.end() || !sheets->is_array() || sheets->empty()) return nullptr;
  const auto found = sheets->front().find("cells");
  return found != sheets->front().end() && found->is_array() ? &*found : nullptr;
}

/// Depth counted first: the parser's own recursion is not bounded.
bool nests_too_deep(std::string_view bytes) {
  int depth = 0;
  bool string = false;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const char letter = bytes[at];
    if (string) {
      if (letter == '\\') ++at;
      if (letter == '"') string = false;
    } else if (letter == '"') {
      string = true;
    } else if (letter == '[' || letter == '{') {
      if (++depth > 200) return true;
    } else if (letter == ']' || letter == '}') {
      --depth;
    }
  }
  return false;
}

std::string word_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? lower(found->get_ref<const std::string&>())
                                                     : std::string();
}

/// Colab writes metadata.accelerator ("GPU", "TPU"; "NONE", or nothing for a CPU); Kaggle
/// metadata.kaggle.accelerator ("none", "gpu", "nvidiaTeslaT4", "tpu1vmV38") and isGpuEnabled.
std::string accelerator_of(const Json& metadata) {
  const auto kaggle = metadata.find("kaggle");
  if (kaggle == metadata.end() || !kaggle->is_object()) return word_of(metadata, "accelerator");
  auto named = word_of(*kaggle, "accelerator");
  const auto enabled = kaggle->find("isGpuEnabled");
  if (named.empty() && enabled != kaggle->end() && enabled->is_boolean())
    named = enabled->get<bool>() ? "gpu" : "none";
  return named;
}

} // namespace

Result<Source> read_notebook(std::string_view bytes) {
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  if (nests_too_deep(bytes)) return fail("a notebook nested deeper than 200 levels");
  const Json notebook = Json::parse(bytes, nullptr, false);
  if (notebook.is_discarded()) return fail("not a notebook: its text is not JSON");
  const Json* cells = notebook.is_object() ? cells_of(notebook) : nullptr;
  if (cells == nullptr) return fail("not a notebook: JSON without a list of cells");
  Source source;
  if (const auto metadata = notebook.find("metadata");
      metadata != notebook.end() && metadata->is_object()) {
    source.colab = metadata->contains("colab");
    source.kaggle = metadata->contains("kaggle");
    source.accelerator = accelerator_of(*metadata);
  }
  Writer writer(source);
  std::uint32_t number = 0;
  for (const auto& cell : *cells) {
    ++number;
    if (!cell.is_object() || cell.value("cell_type", Json()) != Json("code")) continue;
    writer.cell(number, code_of(cell));
  }
  return source;
}

Source read_cell(std::string_view code) {
  Source source;
  Writer(source).cell(0, code);
  return source;
}

} // namespace gpuwhy::program
