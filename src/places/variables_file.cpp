#include "places/variables_file.h"

#include "base/text.h"
#include "places/json.h"

#include <algorithm>

namespace gpuwhy::places {
namespace {

constexpr std::size_t kMostVariables = 4'000;
constexpr std::size_t kMostLines = 500; // looked for in a file; the others have none

bool is_name(std::string_view text) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !text.empty() && letter(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

class Reader {
public:
  Reader(std::string_view text, std::string path, const Environment& shell)
      : text_(text), path_(std::move(path)), shell_(shell) {}

  Result<VariablesFile> read() {
    const auto head = trim(text_.substr(0, 4096));
    if (head.starts_with('{') || head.starts_with('[')) {
      const auto json = parse_json(text_);
      if (!json) return fail("starts like JSON and is none");
      read_json(*json);
    } else if (text_.find('\0') != std::string_view::npos) {
      for (const auto entry : split(text_, '\0')) assign(entry, 0);
    } else {
      read_lines();
    }
    if (found_.environment.empty()) return fail("no NAME=VALUE in it");
    return std::move(found_);
  }

private:
  void set(std::string_view name, std::string_view value, int line) {
    if (name.empty() || found_.environment.size() >= kMostVariables) return;
    VariableOrigin origin;
    origin.path = path_;
    origin.line = line;
    origin.text = printable((std::string(name) + "=" + std::string(value)).substr(0, 200));
    origin.certain = true;
    found_.environment.insert_or_assign(std::string(name), std::string(value));
    found_.origins.insert_or_assign(std::string(name), std::move(origin));
  }

  bool assign(std::string_view entry, int line) {
    const auto equals = entry.find('=');
    if (equals == std::string_view::npos || equals == 0) return false;
    set(entry.substr(0, equals), entry.substr(equals + 1), line);
    return true;
  }

  void read_lines() {
    int line = 0;
    std::string last; // a line that sets nothing goes on with its value: `env` prints it so
    for (auto entry : split_lines(text_)) {
      ++line;
      if (entry.ends_with('\r')) entry.remove_suffix(1);
      const auto name = entry.substr(0, entry.find('='));
      if (is_name(name)) {
        if (name.size() < entry.size()) {
          assign(entry, line);
          last = name;
        } else if (const auto outside = shell_.find(name); outside != shell_.end()) {
          set(name, outside->second, line);
        }
      } else if (entry.starts_with("BASH_FUNC_")) {
        last.clear();
      } else if (!last.empty() && !entry.starts_with('#') && !trim(entry).empty()) {
        auto& value = found_.environment.at(last);
        if (value.size() < (128U << 10U)) value += "\n" + std::string(entry);
      }
    }
  }

  /// {"NAME": "VALUE"}, ["NAME=VALUE"], and where the formats of containers hide such a list.
  void read_json(const Json& json) {
    if (json.is_array() && !json.empty() && json.front().is_object())
      return read_json(json.front());
    if (json.is_array()) {
      for (const auto& entry : texts_of(json)) assign(entry, line_of_text(entry));
      return;
    }
    for (const auto* owner : {"Config", "config", "process", "container_config"}) {
      const auto* inner = member(json, owner);
      if (inner == nullptr || !inner->is_object()) continue;
      for (const auto* list : {"Env", "env"}) {
        if (const auto* entries = member(*inner, list); entries != nullptr && entries->is_array())
          return read_json(*entries);
      }
    }
    for (const auto* list : {"Env", "env"}) {
      if (const auto* entries = member(json, list); entries != nullptr && entries->is_array())
        return read_json(*entries);
    }
    if (!json.is_object()) return;
    for (const auto& [name, value] : json.items()) {
      if (value.is_string()) set(name, value.get<std::string>(), line_of_text(name));
      if (value.is_number()) set(name, value.dump(), line_of_text(name));
    }
  }

  int line_of_text(const std::string& entry) {
    if (++looked_for_ > kMostLines) return 0;
    const auto at = text_.find("\"" + entry);
    if (at == std::string_view::npos) return 0;
    const auto before = text_.substr(0, at);
    return 1 + static_cast<int>(std::count(before.begin(), before.end(), '\n'));
  }

  std::string_view text_;
  const std::string path_;
  const Environment& shell_;
  VariablesFile found_;
  std::size_t looked_for_ = 0;
};

} // namespace

Result<VariablesFile> read_variables(std::string_view text, const std::string& path,
                                     const Environment& shell) {
  return Reader(text, path, shell).read();
}

} // namespace gpuwhy::places
