#include "mend/mender.h"

#include "base/text.h"
#include "mend/packages.h"
#include "mend/text_edits.h"

namespace gpuwhy::mend {
namespace {

std::string value(const Environment& environment, std::string_view name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

/// `earlier`: what is done before it, perhaps to the same file.
Result<Work> file_work(const std::string& path, const std::vector<Work>& earlier,
                       const std::function<Result<std::string>(const std::string&)>& edit) {
  auto original = read_original(path);
  if (!original) return tl::unexpected(original.error());
  for (const auto& work : earlier) {
    if (work.path != path) continue;
    original->existed = true;
    original->bytes = work.after;
  }
  auto text = edit(original->bytes);
  if (!text) return fail(printable(path) + ": " + text.error().message);
  Work work;
  work.path = path;
  work.before = std::move(*original);
  work.after = std::move(*text);
  return work;
}

Result<Work> variables_work(const std::string& path, const std::vector<Action>& actions) {
  return file_work(path, {}, [&](const std::string& text) -> Result<std::string> {
    if (path.ends_with(".json")) return with_kernel_variables(text, actions);
    return with_block(text, actions, path.ends_with(".fish") ? Shell::fish : Shell::posix);
  });
}

Result<void> run_all(const std::vector<std::vector<std::string>>& commands,
                     const Environment& environment, const Say& say) {
  for (const auto& words : commands) {
    say("running " + join(words, " "));
    const auto status = run_command(words, environment);
    if (!status) return tl::unexpected(status.error());
    if (*status != 0)
      return fail(join(words, " ") + ": ended with status " + std::to_string(*status));
  }
  return {};
}

Result<void> make_file(const Work& work, Journal& journal, const Say& say) {
  Step step;
  step.path = work.path;
  step.before = work.before;
  step.after = work.after;
  if (auto added = journal.add(step); !added) return added;
  say((work.before.existed ? "changing " : "making ") + work.path);
  return replace(work.path, work.before, work.after);
}

Result<void> make_packages(const Work& work, Journal& journal, const Environment& environment,
                           const Say& say) {
  Step step;
  step.kind = Step::Kind::packages;
  step.interpreter = work.packages.interpreter;
  step.uv = work.packages.uv;
  auto before = frozen(step, environment);
  if (!before) return tl::unexpected(before.error());
  step.packages = std::move(*before);
  if (auto added = journal.add(step); !added) return added;
  return run_all({work.packages.words}, environment, say);
}

Result<void> undo_file(const Step& step, const Say& say) {
  const auto now = read_original(step.path);
  if (!now) return tl::unexpected(now.error());
  const bool untouched = now->existed == step.before.existed && now->bytes == step.before.bytes;
  if (untouched) {
    say(step.path + " is as it was");
    return {};
  }
  if (!now->existed || now->bytes != step.after) {
    return fail(printable(step.path) +
                ": was changed since; what it was is in the backup, see below");
  }
  say((step.before.existed ? "restoring " : "removing ") + step.path);
  return restore(step.path, *now, step.before);
}

Result<void> undo_packages(const Step& step, const Environment& environment, const Say& say) {
  const auto now = frozen(step, environment);
  if (!now) return tl::unexpected(now.error());
  std::vector<std::string> lost;
  const auto commands = way_back(step, step.packages, *now, lost);
  if (commands.empty() && lost.empty()) {
    say("the packages of " + step.interpreter + " are as they were");
    return {};
  }
  if (auto done = run_all(commands, environment, say); !done) return done;
  if (lost.empty()) return {};
  return fail("no index gives these again: " + join(lost, ", "));
}

} // namespace

std::string variables_file(const Environment& environment, const std::string& into) {
  if (!into.empty()) return into;
  const auto home = value(environment, "HOME");
  const auto shell = std::string(base_name(value(environment, "SHELL")));
  if (shell == "zsh") {
    const auto directory = value(environment, "ZDOTDIR");
    return (directory.starts_with('/') ? directory : home) + "/.zshrc";
  }
  if (shell == "fish") return home + "/.config/fish/config.fish";
  if (shell == "bash" || shell.empty()) return home + "/.bashrc";
  return home + "/.profile";
}

Result<std::vector<Work>> plan_work(const std::vector<Action>& actions, const std::string& file) {
  std::vector<Work> all;
  std::vector<Action> variables;
  std::size_t place = 0;
  for (const auto& action : actions) {
    if (action.kind == Action::Kind::variable) {
      if (variables.empty()) place = all.size();
      variables.push_back(action);
    } else if (action.kind == Action::Kind::packages) {
      Work work;
      work.kind = Step::Kind::packages;
      work.packages = action;
      all.push_back(std::move(work));
    } else if (action.kind == Action::Kind::word) {
      auto work = file_work(action.file, all,
                            [&](const std::string& text) { return with_word(text, action); });
      if (!work) return tl::unexpected(work.error());
      all.push_back(std::move(*work));
    }
  }
  if (variables.empty()) return all;
  auto work = variables_work(file, variables);
  if (!work) return tl::unexpected(work.error());
  all.insert(all.begin() + static_cast<std::ptrdiff_t>(place), std::move(*work));
  return all;
}

Result<void> make(const std::vector<Work>& work, Journal& journal, const Environment& environment,
                  const Say& say) {
  for (const auto& each : work) {
    auto done = each.kind == Step::Kind::file ? make_file(each, journal, say)
                                              : make_packages(each, journal, environment, say);
    if (!done) return done;
  }
  return {};
}

Result<void> undo(Journal& journal, const Environment& environment, const Say& say) {
  for (auto index = journal.steps().size(); index-- > 0;) {
    const auto step = journal.steps()[index];
    if (step.undone) continue;
    auto done = step.kind == Step::Kind::file ? undo_file(step, say)
                                              : undo_packages(step, environment, say);
    if (!done) return done;
    if (auto marked = journal.mark_undone(index); !marked) return marked;
  }
  return {};
}

} // namespace gpuwhy::mend
