#include "mend/journal.h"

#include "base/text.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <sys/file.h>

namespace gpuwhy::mend {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSchema = "gpuwhy.fix/1";

std::string value(const Environment& environment, std::string_view name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

Result<void> put(const std::string& path, std::string_view bytes) {
  auto original = read_original(path);
  if (!original) return tl::unexpected(original.error());
  if (!original->existed) original->mode = 0600;
  return replace(path, *original, bytes);
}

std::string name_of(std::size_t index, std::string_view end) {
  return "/" + std::to_string(index) + "." + std::string(end);
}

Json json_of(const Step& step) {
  if (step.kind == Step::Kind::packages) {
    return {{"kind", "packages"},
            {"undone", step.undone},
            {"interpreter", step.interpreter},
            {"uv", step.uv},
            {"packages", step.packages}};
  }
  return {{"kind", "file"},
          {"undone", step.undone},
          {"path", step.path},
          {"existed", step.before.existed},
          {"mode", step.before.mode},
          {"user", step.before.user},
          {"group", step.before.group}};
}

/// A member of the type of `otherwise`; that value where there is no such member.
template <class T> T member(const Json& json, const char* name, T otherwise) {
  const auto found = json.find(name);
  if (found == json.end()) return otherwise;
  if constexpr (std::is_same_v<T, bool>) {
    return found->is_boolean() ? found->template get<bool>() : otherwise;
  } else if constexpr (std::is_same_v<T, std::string>) {
    return found->is_string() ? found->template get<std::string>() : otherwise;
  } else {
    return found->is_number_unsigned() ? found->template get<T>() : otherwise;
  }
}

} // namespace

Result<Journal> Journal::open(const Environment& environment) {
  Journal journal;
  auto state = value(environment, "XDG_STATE_HOME");
  if (!state.starts_with('/')) {
    const auto home = value(environment, "HOME");
    if (!home.starts_with('/')) return fail("HOME is not set, so there is no place for a backup");
    state = home + "/.local/state";
  }
  journal.top_ = state + "/gpuwhy/fix";
  if (auto made = make_private_directory(journal.top_); !made) return tl::unexpected(made.error());
  journal.lock_ =
      Descriptor(::open(journal.top_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!journal.lock_ || ::flock(journal.lock_.get(), LOCK_EX | LOCK_NB) != 0)
    return fail(printable(journal.top_) + ": another gpuwhy is at work there");
  return journal;
}

Result<std::vector<std::string>> Journal::runs() const {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(top_.c_str()), ::closedir);
  if (!directory) return fail(printable(top_) + ": " + std::strerror(errno));
  while (const auto* entry = ::readdir(directory.get())) {
    if (to_number(entry->d_name)) names.emplace_back(entry->d_name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<void> Journal::begin() {
  const auto all = runs();
  if (!all) return tl::unexpected(all.error());
  const auto last = all->empty() ? 0 : to_number(all->back()).value_or(0);
  auto number = std::to_string(last + 1);
  number.insert(0, number.size() < 6 ? 6 - number.size() : 0, '0');
  run_ = top_ + "/" + number;
  steps_.clear();
  if (auto made = make_private_directory(run_); !made) return made;
  return write();
}

Result<void> Journal::add(const Step& step) {
  const auto index = steps_.size();
  if (step.kind == Step::Kind::file) {
    if (auto kept = put(run_ + name_of(index, "before"), step.before.bytes); !kept) return kept;
    if (auto kept = put(run_ + name_of(index, "after"), step.after); !kept) return kept;
  }
  steps_.push_back(step);
  return write();
}

Result<void> Journal::write() const {
  Json steps = Json::array();
  for (const auto& step : steps_) steps.push_back(json_of(step));
  const Json json{{"schema", kSchema}, {"steps", steps}};
  return put(run_ + "/journal.json",
             json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

Result<void> Journal::read(const std::string& run) {
  run_ = run;
  steps_.clear();
  const auto path = run + "/journal.json";
  const auto text = read_original(path);
  if (!text) return tl::unexpected(text.error());
  if (!text->existed) return {}; // cut short before anything was done
  const auto json = Json::parse(text->bytes, nullptr, false);
  if (!json.is_object() || member(json, "schema", std::string()) != kSchema ||
      !json.contains("steps") || !json["steps"].is_array())
    return fail(printable(path) + ": not a journal of gpuwhy");
  for (const auto& each : json["steps"]) {
    Step step;
    const auto index = steps_.size();
    step.undone = member(each, "undone", false);
    if (member(each, "kind", std::string()) == "packages") {
      step.kind = Step::Kind::packages;
      step.interpreter = member(each, "interpreter", std::string());
      step.uv = member(each, "uv", false);
      if (each.contains("packages") && each["packages"].is_array()) {
        for (const auto& line : each["packages"]) {
          if (line.is_string()) step.packages.push_back(line.get<std::string>());
        }
      }
    } else {
      step.path = member(each, "path", std::string());
      const auto before = read_original(run + name_of(index, "before"));
      const auto after = read_original(run + name_of(index, "after"));
      if (!before || !after || !before->existed || !after->existed)
        return fail(printable(run) + ": the backup of " + printable(step.path) + " is gone");
      step.before = {
          member(each, "existed", false), before->bytes, member(each, "mode", std::uint32_t{0600}),
          member(each, "user", std::uint32_t{0}), member(each, "group", std::uint32_t{0})};
      step.after = after->bytes;
    }
    steps_.push_back(std::move(step));
  }
  return {};
}

Result<bool> Journal::take_last() {
  const auto all = runs();
  if (!all) return tl::unexpected(all.error());
  for (auto run = all->rbegin(); run != all->rend(); ++run) {
    if (auto done = read(top_ + "/" + *run); !done) return tl::unexpected(done.error());
    const bool open =
        std::any_of(steps_.begin(), steps_.end(), [](const Step& step) { return !step.undone; });
    if (open) return true;
  }
  return false;
}

Result<void> Journal::mark_undone(std::size_t index) {
  steps_[index].undone = true;
  return write();
}

} // namespace gpuwhy::mend
