// requirements files and the packages of command lines. Truth: pip's requirements file format, PEP
// 508, conda's match specifications.
#include "program/requirements.h"

#include "base/text.h"

namespace gpuwhy::program {
namespace {

bool name_letter(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9') || letter == '-' || letter == '_' || letter == '.';
}

std::string_view unquoted(std::string_view word) {
  while (word.size() >= 2 && (word.front() == '"' || word.front() == '\'') &&
         word.back() == word.front()) {
    word = word.substr(1, word.size() - 2);
  }
  return word;
}

/// Words of a command, with the quotes of the outside gone.
std::vector<std::string> words_of_command(std::string_view command) {
  std::vector<std::string> words;
  std::string word;
  char quote = 0;
  bool any = false;
  for (const char letter : command) {
    if (quote != 0) {
      if (letter == quote) {
        quote = 0;
      } else {
        word += letter;
      }
    } else if (letter == '"' || letter == '\'') {
      quote = letter;
      any = true;
    } else if (letter == ' ' || letter == '\t') {
      if (any || !word.empty()) words.push_back(word);
      word.clear();
      any = false;
    } else if (letter == ';' || letter == '|' || letter == '&') {
      if (any || !word.empty()) words.push_back(word);
      word.clear();
      any = false;
      if (words.empty() || words.back() != ";") words.emplace_back(";");
    } else {
      word += letter;
    }
  }
  if (any || !word.empty()) words.push_back(word);
  return words;
}

/// Options of pip install that take a value.
bool takes_value(std::string_view option) {
  return option == "-r" || option == "--requirement" || option == "-c" ||
         option == "--constraint" || option == "-f" || option == "--find-links" || option == "-t" ||
         option == "--target" || option == "-i" || option == "--index-url" ||
         option == "--extra-index-url" || option == "-e" || option == "--python" ||
         option == "-p" || option == "-n" || option == "--name" || option == "-c" ||
         option == "--channel" || option == "--index" || option == "--prefix" ||
         option == "--default-timeout" || option == "--timeout" || option == "--platform" ||
         option == "--trusted-host";
}

} // namespace

std::string normal_name(std::string_view name) {
  std::string result;
  for (const char letter : lower(name)) {
    const bool separator = letter == '_' || letter == '.' || letter == '-';
    if (!separator) {
      result += letter;
    } else if (!result.empty() && result.back() != '-') {
      result += '-';
    }
  }
  return result;
}

std::optional<Requirement> parse_requirement(std::string_view text) {
  text = trim(text.substr(0, text.find(" #")));
  if (text.empty() || text.front() == '#' || text.front() == '-' || text.front() == '.' ||
      text.front() == '/') {
    return std::nullopt;
  }
  Requirement requirement;
  std::size_t at = 0;
  while (at < text.size() && name_letter(text[at])) ++at;
  if (at == 0) return std::nullopt;
  requirement.name = normal_name(text.substr(0, at));
  auto rest = trim(text.substr(at));
  if (rest.starts_with('[')) {
    const auto end = rest.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    requirement.extras = lower(replace_all(std::string(rest.substr(1, end - 1)), " ", ""));
    rest = trim(rest.substr(end + 1));
  }
  if (rest.starts_with(':') || rest.starts_with('/')) return std::nullopt; // a URL or a path
  if (const auto marker = rest.find(';'); marker != std::string_view::npos) {
    requirement.marker = trim(rest.substr(marker + 1));
    rest = trim(rest.substr(0, marker));
  }
  if (const auto option = rest.find(" --"); option != std::string_view::npos)
    rest = trim(rest.substr(0, option));
  if (rest.starts_with('(') && rest.ends_with(')')) rest = rest.substr(1, rest.size() - 2);
  if (!rest.empty() && !contains("=<>!~@", rest.substr(0, 1))) return std::nullopt;
  requirement.version =
      rest.starts_with('@') ? std::string() : replace_all(std::string(rest), " ", "");
  return requirement;
}

std::optional<Requirement> parse_conda(std::string_view text) {
  text = trim(unquoted(trim(text.substr(0, text.find('#')))));
  if (const auto channel = text.find("::"); channel != std::string_view::npos)
    text = text.substr(channel + 2);
  std::size_t at = 0;
  while (at < text.size() && name_letter(text[at])) ++at;
  if (at == 0) return std::nullopt;
  Requirement requirement;
  requirement.name = normal_name(text.substr(0, at));
  auto rest = trim(text.substr(at));
  // name=version=build, or name version build
  const auto build = rest.find_last_of("= ");
  if (build != std::string_view::npos && build > 1 && rest[build - 1] != '=' &&
      rest[build - 1] != '>' && rest[build - 1] != '<' && rest[build - 1] != '!' &&
      rest[build - 1] != '~' && rest[build - 1] != ',') {
    requirement.build = rest.substr(build + 1);
    rest = trim(rest.substr(0, build));
  }
  requirement.version = rest;
  return requirement;
}

Document read_requirements(std::string_view text) {
  Document document;
  document.kind = Document::Kind::requirements;
  std::uint32_t number = 0;
  for (const auto raw : split_lines(text)) {
    ++number;
    const auto line = trim(raw);
    for (const std::string_view option :
         {"--index-url", "--extra-index-url", "-i", "--find-links", "-f"}) {
      if (line.starts_with(option)) {
        document.indexes.push_back({std::string(option),
                                    std::string(trim(trim(line.substr(option.size())).substr(0))),
                                    number});
        break;
      }
    }
    if (auto requirement = parse_requirement(line)) {
      requirement->line = number;
      requirement->group = "file";
      document.requirements.push_back(std::move(*requirement));
    }
  }
  return document;
}

void requirements_of_command(std::string_view command, std::uint32_t line, Document& document) {
  const auto words = words_of_command(command);
  for (std::size_t at = 0; at + 1 < words.size(); ++at) {
    const auto tool = base_name(words[at]);
    const bool pip = tool == "pip" || tool == "pip3" || tool.starts_with("pip3.") || tool == "uv" ||
                     tool == "poetry";
    const bool conda = tool == "conda" || tool == "mamba" || tool == "micromamba";
    if (!pip && !conda) continue;
    std::size_t verb = at + 1;
    if (tool == "uv" && words[verb] == "pip") ++verb;
    if (verb >= words.size()) return;
    if (words[verb] != "install" && words[verb] != "add" && words[verb] != "create") continue;
    const auto group = "command " + std::to_string(line) + "." + std::to_string(at);
    for (std::size_t word = verb + 1; word < words.size() && words[word] != ";"; ++word) {
      const std::string_view text = words[word];
      if (text.starts_with('-')) {
        const bool index = text.starts_with("--index-url") ||
                           text.starts_with("--extra-index-url") || text == "-i" ||
                           text.starts_with("--find-links") || text == "-f";
        const auto equals = text.find('=');
        if (index && (equals != std::string_view::npos || word + 1 < words.size())) {
          document.indexes.push_back({group,
                                      equals != std::string_view::npos
                                          ? std::string(text.substr(equals + 1))
                                          : words[word + 1],
                                      line});
        }
        if (equals == std::string_view::npos && takes_value(text)) ++word;
        continue;
      }
      auto requirement = conda ? parse_conda(text) : parse_requirement(text);
      if (!requirement) continue;
      requirement->line = line;
      requirement->group = group;
      document.requirements.push_back(std::move(*requirement));
    }
  }
}

} // namespace gpuwhy::program
