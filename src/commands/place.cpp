#include "commands/place.h"

#include "base/text.h"
#include "collect/collector.h"
#include "commands/observe.h"
#include "places/image.h"
#include "places/json.h"
#include "places/kernelspec.h"
#include "places/process.h"
#include "places/service.h"
#include "places/variables_file.h"
#include "system/input.h"
#include "system/live.h"
#include "system/placed.h"
#include "system/rooted.h"

#include <array>
#include <memory>
#include <optional>

namespace gpuwhy {
namespace {

using places::FoundPlace;

constexpr std::size_t kLargestVariables = 2U << 20U;
constexpr std::size_t kLargestNotebook = 64U << 20U;

std::string program_of(const Arguments& arguments) {
  return arguments.operands.empty() ? std::string() : arguments.operands.front();
}

/// Two answers to one question are a mistake.
Result<void> check_options(const Arguments& arguments) {
  constexpr std::array<std::pair<const char*, const char*>, 10> kContradictions{{
      {"kernel", "pid"},
      {"kernel", "service"},
      {"pid", "service"},
      {"pid", "root"},
      {"pid", "env"},
      {"service", "env"},
      {"from", "kernel"},
      {"from", "pid"},
      {"from", "service"},
      {"from", "root"},
  }};
  for (const auto& [one, other] : kContradictions) {
    if (arguments.has(one) && arguments.has(other))
      return fail("--" + std::string(one) + " and --" + other + " contradict each other");
  }
  if (arguments.has("from") && arguments.has("env"))
    return fail("--from and --env contradict each other");
  if (arguments.has("tape"))
    return fail("--tape records the machine as this shell sees it: it goes with no --kernel, "
                "--pid, --service, --root and --env");
  return {};
}

/// The kernel that a notebook names in its metadata; empty: none.
std::string kernel_of_notebook(System& system, const std::string& program) {
  if (!program.ends_with(".ipynb")) return {};
  const auto path = normalize_path(join_path(system.identity().working_directory, program));
  const auto text = system.read(path, kLargestNotebook);
  const auto notebook = text ? places::parse_json(*text) : std::nullopt;
  const auto* metadata = notebook ? places::member(*notebook, "metadata") : nullptr;
  const auto* kernel = metadata != nullptr ? places::member(*metadata, "kernelspec") : nullptr;
  return kernel != nullptr ? places::text_member(*kernel, "name") : std::string();
}

class Search {
public:
  explicit Search(const Arguments& arguments)
      : arguments_(arguments), live_(make_live_system()), ground_(live_.get()) {}

  Result<Observation> look() {
    if (auto done = check_options(arguments_); !done) return tl::unexpected(done.error());
    if (auto done = enter_root(); !done) return tl::unexpected(done.error());
    if (auto done = read_variables(); !done) return tl::unexpected(done.error());
    if (auto done = check_program(*ground_, program_of(arguments_)); !done)
      return tl::unexpected(done.error());
    if (auto done = find(); !done) return tl::unexpected(done.error());
    return collect();
  }

private:
  Result<void> enter_root() {
    if (!arguments_.has("root")) return {};
    const auto given = arguments_.value("root");
    const auto path = normalize_path(join_path(live_->identity().working_directory, given));
    if (path == "/" && !given.empty()) return {}; // this machine
    auto image = places::find_image(*live_, given.empty() ? given : path);
    if (!image) return tl::unexpected(image.error());
    found_ = std::move(*image);
    own_root_ = true;
    return {};
  }

  Result<void> read_variables() {
    if (arguments_.has("env")) {
      const auto path = arguments_.value("env");
      const auto text = read_input(path, kLargestVariables);
      if (!text) return tl::unexpected(text.error());
      const auto shown = path == "-" ? std::string("standard input") : printable(path);
      auto file = places::read_variables(*text, shown, live_->environment());
      if (!file) return fail(shown + ": " + file.error().message);
      if (own_root_ && !file->environment.contains("PATH"))
        file->environment["PATH"] = found_.environment["PATH"];
      found_.environment = std::move(file->environment);
      found_.origins = std::move(file->origins);
      found_.environment_known = true;
      if (!own_root_) {
        found_.place.kind = "variables";
        found_.place.name = found_.place.origin = shown;
        found_.identity = live_->identity();
        if (const auto home = found_.environment.find("HOME"); home != found_.environment.end())
          found_.identity.home = home->second;
      }
    } else if (!own_root_) {
      found_.environment = live_->environment();
      found_.identity = live_->identity();
      found_.inherits_shell = true;
    }
    if (!own_root_) return {};
    rooted_ = make_rooted_system(*live_, found_.root, found_.environment, KernelTrees::never);
    ground_ = rooted_.get();
    const auto directory = found_.identity.working_directory;
    found_.identity = ground_->identity();
    found_.identity.working_directory = directory;
    found_.root.clear(); // from here on the ground is its root
    return {};
  }

  /// What Jupyter and a plain `python` would find here.
  places::Here here() {
    places::Here here{*ground_, found_.environment, {}, {}};
    const auto plain = make_placed_system(*ground_, *ground_,
                                          {found_.environment, found_.identity, 0, !own_root_});
    Facts facts;
    for (const auto& collector : all_collectors()) {
      if (collector.name == "interpreters") collector.collect(*plain, Scope{}, facts);
    }
    for (const auto& python : facts.pythons) {
      if (!python.prefix.empty()) here.prefixes.push_back(python.prefix);
      if (python.selected) here.python = python.interpreter;
    }
    return here;
  }

  Result<void> find() {
    if (arguments_.has("kernel")) return take(find_kernel(here(), arguments_.value("kernel")));
    if (arguments_.has("service")) return take(find_service(here(), arguments_.value("service")));
    if (arguments_.has("pid")) {
      const auto pid = to_number(arguments_.value("pid"));
      if (!pid || *pid < 1 || *pid > 1 << 30)
        return fail("not the number of a process: '" + printable(arguments_.value("pid")) + "'");
      return take(find_process(here(), static_cast<int>(*pid)));
    }
    const auto named = kernel_of_notebook(*ground_, program_of(arguments_));
    if (named.empty() || arguments_.has("python")) return {};
    auto kernel = find_kernel(here(), named);
    if (kernel && kernel->python_unknown.empty()) return take(std::move(kernel));
    if (kernel) {
      found_.problems.push_back(kernel->python_unknown);
    } else if (named != "python3") {
      found_.problems.push_back(printable(program_of(arguments_)) + ": names the kernel '" +
                                printable(named) + "', which was not found here");
    }
    return {};
  }

  Result<void> take(Result<FoundPlace> result) {
    if (!result) return tl::unexpected(result.error());
    auto before = std::move(found_);
    found_ = std::move(*result);
    for (auto& [name, origin] : before.origins) found_.origins.try_emplace(name, origin);
    if (found_.place.kind != "service" && found_.place.kind != "process") {
      found_.environment_known = before.environment_known;
      found_.inherits_shell = before.inherits_shell;
    }
    if (!found_.interpreter.empty() && arguments_.has("python"))
      return fail("--python contradicts " + found_.chosen_by + ", which runs " +
                  printable(found_.interpreter));
    if (!found_.python_unknown.empty() && !arguments_.has("python"))
      return fail(found_.python_unknown);
    return {};
  }

  Result<Observation> collect() {
    std::unique_ptr<System> inner;
    if (!found_.root.empty()) inner = make_rooted_system(*ground_, found_.root, found_.environment);
    System& files = inner ? *inner : *ground_;
    const bool as_ours = found_.devices.kind == places::DeviceRules::Kind::as_ours;
    const auto placed = make_placed_system(
        *ground_, files, {found_.environment, found_.identity, found_.process, as_ours});
    Scope scope = scope_of(arguments_);
    if (!found_.interpreter.empty()) {
      scope.python = found_.interpreter;
      scope.chosen_by = found_.chosen_by;
    }
    Observation observation;
    observation.identity = found_.identity;
    for (const auto& collector : all_collectors())
      collector.collect(*placed, scope, observation.facts);
    places::complete_facts(found_, observation.facts);
    const bool comparable = !own_root_ && found_.root.empty() && !found_.place.kind.empty();
    if (comparable) places::compare_with(look_at_shell(), observation.facts);
    return observation;
  }

  Facts look_at_shell() {
    Scope scope = scope_of(arguments_);
    scope.python.clear();
    Facts facts;
    for (const auto& collector : all_collectors()) collector.collect(*live_, scope, facts);
    return facts;
  }

  const Arguments& arguments_;
  std::unique_ptr<System> live_;
  std::unique_ptr<System> rooted_;
  System* ground_; // this machine, or the image
  bool own_root_ = false;
  FoundPlace found_;
};

} // namespace

bool names_place(const Arguments& arguments) {
  for (const auto* name : {"kernel", "pid", "service", "root", "env"}) {
    if (arguments.has(name)) return true;
  }
  return program_of(arguments).ends_with(".ipynb") && !arguments.has("from") &&
         !arguments.has("tape");
}

Result<Observation> look_at_place(const Arguments& arguments) {
  return Search(arguments).look();
}

} // namespace gpuwhy
