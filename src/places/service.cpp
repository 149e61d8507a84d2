#include "places/service.h"

#include "base/text.h"
#include "places/accounts.h"
#include "places/executable.h"
#include "places/unit_file.h"

#include <algorithm>

namespace gpuwhy::places {
namespace {

constexpr std::size_t kLargestFile = 1U << 20U;
constexpr std::size_t kMostFiles = 100;
/// systemd-path search-binaries-default; an administrator's DefaultEnvironment= may say otherwise.
constexpr std::string_view kManagerPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

bool is_yes(std::string_view value) {
  const auto word = lower(value);
  return word == "1" || word == "yes" || word == "y" || word == "true" || word == "t" ||
         word == "on";
}

bool is_variable_name(std::string_view name) {
  return !name.empty() && !(name.front() >= '0' && name.front() <= '9') &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_';
         });
}

class Composer {
public:
  Composer(const Here& here, const Unit& unit, bool of_user)
      : system_(here.system), unit_(unit), of_user_(of_user) {}

  Result<FoundPlace> compose() {
    auto& place = found_.place;
    place.kind = "service";
    place.name = printable(unit_.name.whole);
    place.origin = printable(unit_.path);
    found_.identity = system_.identity();
    if (of_user_) {
      found_.identity.working_directory = found_.identity.home;
    } else {
      found_.identity.user = 0;
      found_.identity.user_name = "root";
      found_.identity.groups = {0};
      found_.identity.home = "/root";
      found_.identity.working_directory = "/";
    }
    manager_environment();
    user();
    variables();
    folders();
    devices();
    if (auto done = program(); !done) return tl::unexpected(done.error());
    return std::move(found_);
  }

private:
  // --- settings

  /// The last assignment of a key; an empty one takes back what was said before.
  const UnitSetting* last(std::string_view key) const {
    const UnitSetting* found = nullptr;
    for (const auto& setting : unit_.settings) {
      if (setting.section == "Service" && setting.key == key) found = &setting;
    }
    return found != nullptr && !found->value.empty() ? found : nullptr;
  }

  /// All assignments of a list since the last empty one.
  std::vector<const UnitSetting*> all(std::string_view key) const {
    std::vector<const UnitSetting*> found;
    for (const auto& setting : unit_.settings) {
      if (setting.section != "Service" || setting.key != key) continue;
      if (setting.value.empty()) {
        found.clear();
      } else {
        found.push_back(&setting);
      }
    }
    return found;
  }

  static std::vector<std::string> words_of(const UnitSetting& setting) {
    return unit_words(setting.value).words;
  }

  static std::string where(const UnitSetting& setting) {
    return printable(setting.path) + ":" + std::to_string(setting.line);
  }

  /// "%i" and its kin: systemd.unit(5), SPECIFIERS. What only a running manager knows stays.
  std::string specified(std::string_view text) const {
    std::string result;
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (text[at] != '%' || at + 1 >= text.size()) {
        result += text[at];
        continue;
      }
      const char letter = text[++at];
      const auto home = of_user_ ? system_.identity().home : std::string("/root");
      switch (letter) {
      case '%': result += '%'; break;
      case 'n': result += unit_.name.whole; break;
      case 'N': result += unit_.name.stem; break;
      case 'p': result += unit_.name.prefix; break;
      case 'P': result += unescaped(unit_.name.prefix); break;
      case 'i': result += unit_.name.instance; break;
      case 'I': result += unescaped(unit_.name.instance); break;
      case 'h': result += home; break;
      case 'u': result += of_user_ ? system_.identity().user_name : "root"; break;
      case 'U': result += of_user_ ? std::to_string(system_.identity().user) : "0"; break;
      case 'H': result += system_.identity().host; break;
      case 't':
        result += of_user_ ? "/run/user/" + std::to_string(system_.identity().user) : "/run";
        break;
      case 'S': result += of_user_ ? home + "/.config" : "/var/lib"; break;
      case 'C': result += of_user_ ? home + "/.cache" : "/var/cache"; break;
      case 'E': result += of_user_ ? home + "/.config" : "/etc"; break;
      case 'T': result += "/tmp"; break;
      case 'V': result += "/var/tmp"; break;
      default: result.append({'%', letter}); break;
      }
    }
    return result;
  }

  /// systemd-escape(1): "-" is "/", "\x2d" is "-".
  static std::string unescaped(std::string_view text) {
    std::string result;
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (text[at] == '-') {
        result += '/';
      } else if (text.substr(at).starts_with("\\x") && at + 3 < text.size() &&
                 hex_to_number(text.substr(at + 2, 2))) {
        result += static_cast<char>(*hex_to_number(text.substr(at + 2, 2)));
        at += 3;
      } else {
        result += text[at];
      }
    }
    return result;
  }

  // --- variables

  void set(std::string_view name, std::string_view value, const std::string& path, int line,
           std::string_view text) {
    if (!is_variable_name(name)) return;
    VariableOrigin origin{printable(path), line, printable(text.substr(0, 200)), true, {}};
    found_.environment.insert_or_assign(std::string(name), std::string(value));
    found_.origins.insert_or_assign(std::string(name), std::move(origin));
  }

  void assign(std::string_view word, const UnitSetting& setting) {
    const auto equals = word.find('=');
    if (equals == std::string_view::npos || equals == 0) return;
    set(word.substr(0, equals), word.substr(equals + 1), setting.path, setting.line,
        setting.key + "=" + setting.value);
  }

  void manager_environment() {
    found_.environment["PATH"] = kManagerPath;
    for (const auto* file : {"/etc/systemd/system.conf", "/etc/systemd/user.conf"}) {
      if (contains(file, "user.conf") != of_user_) continue;
      const auto text = system_.read(file, kLargestFile);
      if (!text) continue;
      for (const auto& setting : parse_unit(*text, file)) {
        if (setting.section != "Manager" || setting.key != "DefaultEnvironment") continue;
        for (const auto& word : words_of(setting)) assign(specified(word), setting);
      }
    }
    if (of_user_) {
      found_.problems.push_back(
          "which variables the user's service manager hands on is not known ('systemctl --user "
          "show-environment' lists them)");
    }
  }

  void variables() {
    pass();
    for (const auto* setting : all("Environment")) {
      const auto [words, broken] = unit_words(setting->value);
      if (broken) {
        found_.problems.push_back(
            where(*setting) + ": a quote or an escape is broken: systemd ignores it from there on");
      }
      for (const auto& word : words) assign(specified(word), *setting);
    }
    for (const auto* setting : all("EnvironmentFile")) read_file(*setting);
    for (const auto* setting : all("UnsetEnvironment")) {
      for (const auto& word : words_of(*setting)) unset(specified(word));
    }
  }

  void unset(std::string_view word) {
    const auto equals = word.find('=');
    const auto found = found_.environment.find(word.substr(0, equals));
    if (found == found_.environment.end()) return;
    if (equals != std::string_view::npos && found->second != word.substr(equals + 1)) return;
    found_.origins.erase(found->first);
    found_.environment.erase(found);
  }

  /// From the environment of process 1, which is the manager of system services.
  void pass() {
    const auto settings = all("PassEnvironment");
    if (settings.empty() || of_user_) return;
    const auto text = system_.read("/proc/1/environ", kLargestFile);
    if (!text) {
      found_.problems.push_back(where(*settings.front()) + ": what it passes on is not known: " +
                                printable(text.error().reason));
      return;
    }
    for (const auto* setting : settings) {
      for (const auto& word : words_of(*setting)) {
        for (const auto entry : split(*text, '\0')) {
          if (entry.starts_with(word + "=")) assign(entry, *setting);
        }
      }
    }
  }

  void read_file(const UnitSetting& setting) {
    auto path = specified(setting.value);
    const bool optional = path.starts_with('-');
    if (optional) path.erase(0, 1);
    if (!path.starts_with('/')) {
      found_.problems.push_back(where(setting) + ": systemd ignores a path that is not absolute");
      return;
    }
    const auto files = matching(path);
    if (files.empty() && !optional)
      found_.problems.push_back(where(setting) + ": " + printable(path) +
                                " is not there, so the service does not start");
    for (const auto& file : files) {
      if (++files_ > kMostFiles) return;
      const auto text = system_.read(file, kLargestFile);
      if (!text) {
        if (!optional || text.error().kind != Unavailable::Kind::absent)
          found_.problems.push_back(where(setting) + ": " + printable(text.error().reason));
        continue;
      }
      for (const auto& line : parse_environment_file(*text)) {
        if (!is_variable_name(line.name)) {
          found_.problems.push_back(printable(file) + ":" + std::to_string(line.line) +
                                    ": systemd ignores the line: '" +
                                    printable(line.name.substr(0, 60)) + "' is no variable's name");
          continue;
        }
        set(line.name, line.value, file, line.line, line.name + "=" + line.value);
      }
    }
  }

  /// A path, or the files whose names a pattern of * and ? in its last part matches.
  std::vector<std::string> matching(const std::string& path) {
    const std::string name(base_name(path));
    if (name.find_first_of("*?") == std::string::npos) {
      return system_.status(path) || !contains(path, "*") ? std::vector<std::string>{path}
                                                          : std::vector<std::string>();
    }
    std::vector<std::string> files;
    const std::string folder(parent_path(path));
    const auto entries = system_.list(folder);
    for (const auto& entry : entries.value_or(std::vector<DirectoryEntry>())) {
      if (fits(name, entry.name)) files.push_back(join_path(folder, entry.name));
    }
    return files;
  }

  static bool fits(std::string_view pattern, std::string_view name) {
    std::size_t star = std::string_view::npos;
    std::size_t mark = 0;
    std::size_t p = 0;
    std::size_t n = 0;
    while (n < name.size()) {
      if (p < pattern.size() && pattern[p] == '*') {
        star = p++;
        mark = n;
      } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
        ++p;
        ++n;
      } else if (star != std::string_view::npos) {
        p = star + 1;
        n = ++mark;
      } else {
        return false;
      }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
  }

  // --- user, folders, devices

  void user() {
    auto& identity = found_.identity;
    const auto* setting = last("User");
    if (setting != nullptr && !of_user_) {
      const auto name = specified(setting->value);
      if (const auto known = identity_of(system_, name)) {
        const auto directory = identity.working_directory;
        identity = *known;
        identity.working_directory = directory;
        login_variables(*setting);
      } else {
        found_.problems.push_back(where(*setting) + ": user '" + printable(name) +
                                  "' is not in /etc/passwd");
        unknown_user_ = true;
      }
    }
    if (const auto* dynamic = last("DynamicUser"); dynamic != nullptr && is_yes(dynamic->value))
      unknown_user_ = true;
    for (const auto* key : {"Group", "SupplementaryGroups"}) {
      for (const auto* each : all(key)) {
        for (const auto& group : words_of(*each)) {
          if (const auto number = group_number(system_, specified(group)))
            identity.groups.push_back(*number);
        }
      }
    }
  }

  void login_variables(const UnitSetting& setting) {
    const auto text = setting.key + "=" + setting.value;
    const auto& identity = found_.identity;
    set("HOME", identity.home, setting.path, setting.line, text);
    for (const auto* name : {"USER", "LOGNAME"})
      set(name, identity.user_name, setting.path, setting.line, text);
  }

  void folders() {
    if (const auto* root = last("RootDirectory")) {
      const auto path = normalize_path(specified(root->value));
      if (path != "/") found_.root = path;
    }
    if (const auto* image = last("RootImage"))
      found_.problems.push_back(where(*image) + ": what is in the disk image is not looked at");
    if (const auto* directory = last("WorkingDirectory")) {
      auto path = specified(directory->value);
      if (path.starts_with('-')) path.erase(0, 1);
      found_.identity.working_directory = path == "~" ? found_.identity.home : path;
    }
  }

  void devices() {
    auto& rules = found_.devices;
    const auto* private_devices = last("PrivateDevices");
    if (private_devices != nullptr && is_yes(private_devices->value)) {
      rules.kind = DeviceRules::Kind::hidden;
      tell(rules, *private_devices);
      for (const auto* key : {"BindPaths", "BindReadOnlyPaths"}) {
        for (const auto* setting : all(key)) {
          for (const auto& word : words_of(*setting)) {
            auto path = specified(word);
            if (path.starts_with('-')) path.erase(0, 1);
            rules.allowed.push_back(path.substr(0, path.find(':')));
          }
        }
      }
      return;
    }
    const auto allows = all("DeviceAllow");
    const auto* policy = last("DevicePolicy");
    const bool closed =
        policy != nullptr && (policy->value == "closed" || policy->value == "strict");
    if (closed || !allows.empty()) {
      rules.kind = DeviceRules::Kind::listed;
      tell(rules, closed ? *policy : *allows.front());
      for (const auto* setting : allows) {
        const auto words = words_of(*setting);
        if (words.empty()) continue;
        const bool writes =
            words.size() < 2 || (contains(words[1], "r") && contains(words[1], "w"));
        if (writes) rules.allowed.push_back(specified(words[0]));
      }
      return;
    }
    rules.source = {printable(unit_.path), 0};
    if (!unknown_user_) return;
    rules.kind = DeviceRules::Kind::unknown;
    rules.why = "as which user the service runs is not known";
  }

  static void tell(DeviceRules& rules, const UnitSetting& setting) {
    rules.why = printable(setting.key + "=" + setting.value);
    rules.source = {printable(setting.path), setting.line};
  }

  // --- the program

  Result<void> program() {
    const auto commands = all("ExecStart");
    if (commands.empty())
      return fail(printable(unit_.name.whole) + " (" + printable(unit_.path) +
                  "): has no ExecStart=, so that it starts no program");
    const auto& command = *commands.back();
    found_.chosen_by = "ExecStart of " + printable(unit_.name.whole) + " (" + where(command) + ")";
    std::string_view line = command.value;
    bool renamed = false; // "@": the second word is what the program sees as its name
    while (!line.empty() && contains("@-:+!|", line.substr(0, 1))) {
      renamed = renamed || line.front() == '@';
      line.remove_prefix(1);
    }
    auto [words, broken] = unit_words(line);
    if (words.empty() || broken) {
      found_.python_unknown = where(command) + ": systemd cannot read the command line";
      return {};
    }
    if (renamed && words.size() > 1) words.erase(words.begin() + 1);
    for (auto& word : words) word = specified(word);
    auto environment = found_.environment;
    if (!contains(words.front(), "/")) environment["PATH"] = search_path();
    auto started = started_python(system_, words, environment);
    found_.interpreter = std::move(started.interpreter);
    for (const auto& [name, value] : started.variables)
      set(name, value, command.path, command.line, command.key + "=" + command.value);
    if (!started.problem.empty()) found_.python_unknown = where(command) + ": " + started.problem;
    return {};
  }

  std::string search_path() const {
    const auto* setting = last("ExecSearchPath");
    return setting == nullptr ? std::string(kManagerPath) : specified(setting->value);
  }

  System& system_;
  const Unit& unit_;
  const bool of_user_;
  bool unknown_user_ = false;
  std::size_t files_ = 0;
  FoundPlace found_;
};

} // namespace

Result<FoundPlace> find_service(const Here& here, const std::string& name) {
  const auto parsed = UnitName::parse(name);
  if (!parsed)
    return fail("'" + printable(name) +
                "' is no name of a service: write it as in 'systemctl "
                "status NAME'");
  const auto folders = system_unit_folders();
  const auto user_folders = user_unit_folders(here.system.identity().home);
  bool of_user = false;
  auto unit = find_unit(here.system, *parsed, folders);
  if (!unit) {
    unit = find_unit(here.system, *parsed, user_folders);
    of_user = unit.has_value();
  }
  if (!unit) {
    auto names = unit_names(here.system, folders);
    const auto more = unit_names(here.system, user_folders);
    names.insert(names.end(), more.begin(), more.end());
    const auto near = nearest(parsed->whole, names);
    return fail("no unit '" + printable(parsed->whole) + "' in the folders of systemd" +
                (near ? ": did you mean '" + printable(*near) + "'?"
                      : " (" + folders[4] + ", " + folders[11] + ", " + user_folders[1] + ")"));
  }
  if (!unit->masked.empty())
    return fail(printable(parsed->whole) + " is masked (" + printable(unit->masked) +
                "): it cannot be started");
  if (parsed->templated && parsed->instance.empty())
    return fail(printable(parsed->whole) + " is a template: name an instance, " +
                printable(parsed->prefix) + "@NAME.service");
  return Composer(here, *unit, of_user).compose();
}

} // namespace gpuwhy::places
