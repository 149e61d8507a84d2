#include "commands/observe.h"
#include "commands/table.h"

#include "base/text.h"
#include "judge/judge.h"
#include "judge/what_if.h"
#include "mend/mender.h"
#include "mend/text_edits.h"
#include "render/mending_json.h"
#include "render/plan_text.h"
#include "render/wording.h"
#include "system/live.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ostream>

namespace gpuwhy {
namespace {

constexpr std::array kOptions{
    Option{"apply", 0, "", "do the steps that need no root and can be undone"},
    Option{"undo", 0, "", "take the last --apply back"},
    Option{"dry-run", 'n', "", "show what --apply would write and run"},
    Option{"plan", 0, "N", "take the plan of this number, as listed (default 1)"},
    Option{"framework", 0, "NAME",
           "which one, where the environment holds several: keras, jax, torch, ..."},
    Option{"into", 0, "FILE",
           "set variables there: a shell's start-up file, or a Jupyter kernel's kernel.json"},
    kPythonOption,
    kAllOption,
    Option{"from", 'f', "FILE", "the plan for a recorded machine; - is standard input"},
    Option{"json", 0, "", "one JSON document for programs"},
    kNoProbesOption,
};

struct Prepared {
  Mending mending;
  std::vector<mend::Action> actions; // of the steps that gpuwhy does
};

/// The environment as the steps so far leave it, for what later commands make of $NAME.
void follow(Facts& facts, const mend::Action& action) {
  for (const auto& variable : action.variables) {
    if (variable.set) {
      edit::set_variable(facts, variable.name, variable.value);
    } else {
      edit::unset_variable(facts, variable.name);
    }
  }
}

/// The one that was named, else the first; where that is well, the Keras on top of it.
Result<FrameworkVerdict> choose(const Verdict& verdict, const Arguments& arguments) {
  const auto& all = verdict.frameworks;
  const auto& first = all.front();
  if (arguments.has("framework")) {
    const auto name = arguments.value("framework");
    std::vector<std::string> names;
    for (const auto& each : all) {
      if (each.framework == name) return each;
      names.push_back(each.framework);
    }
    return fail("--framework " + printable(name) + ": it is not here; there is " +
                join(names, ", "));
  }
  const auto keras = std::find_if(all.begin(), all.end(), [&](const FrameworkVerdict& each) {
    return each.framework == "keras" && each.interpreter == first.interpreter &&
           !each.causes.empty();
  });
  return first.causes.empty() && keras != all.end() ? *keras : first;
}

Result<Prepared> prepare(const Facts& facts, const Verdict& verdict, const Arguments& arguments) {
  Prepared prepared;
  auto& mending = prepared.mending;
  auto one = choose(verdict, arguments);
  if (!one) return tl::unexpected(one.error());
  mending.verdict = std::move(*one);
  const auto& chosen = mending.verdict;
  if (arguments.has("plan")) {
    const auto number = to_number(arguments.value("plan"));
    const auto most = chosen.alternatives.size() + 1;
    if (!number || *number < 1 || static_cast<std::size_t>(*number) > most)
      return fail("--plan " + printable(arguments.value("plan")) + ": there " +
                  (most == 1 ? "is one plan" : "are " + std::to_string(most) + " plans"));
    mending.chosen = static_cast<std::size_t>(*number);
  }
  const auto& steps =
      mending.chosen == 1 ? chosen.plan : chosen.alternatives[mending.chosen - 2].steps;
  const bool own = !chosen.environment_kind.empty() && chosen.environment_kind != "system";
  Facts after = facts;
  for (const auto& fix : steps) {
    MendStep step{fix, {}};
    std::vector<mend::Action> actions;
    if (fix.commands.empty()) step.by_hand = "there is nothing to type here";
    for (const auto& command : fix.commands) {
      const auto words = simple_words(after, command);
      auto action = mend::action_of(command, words.value_or(std::vector<std::string>()), own);
      if (step.by_hand.empty()) step.by_hand = action.why;
      follow(after, action);
      actions.push_back(std::move(action));
    }
    if (step.by_hand.empty())
      prepared.actions.insert(prepared.actions.end(), actions.begin(), actions.end());
    mending.steps.push_back(std::move(step));
  }
  const bool variables =
      std::any_of(prepared.actions.begin(), prepared.actions.end(), [](const mend::Action& each) {
        return each.kind == mend::Action::Kind::variable;
      });
  if (variables) {
    const auto environment = make_live_system()->environment();
    mending.file = mend::variables_file(environment, arguments.value("into"));
  }
  return prepared;
}

Exit exit_of(const FrameworkVerdict& verdict) {
  if (verdict.answer == Usable::unknown) return Exit::unknown;
  return verdict.answer == Usable::gpu && tone_of(verdict) != Tone::bad ? Exit::gpu
                                                                        : Exit::findings;
}

Exit show_dry_run(const std::vector<mend::Work>& work, Console& console) {
  for (const auto& each : work) {
    if (each.kind == mend::Step::Kind::file) {
      const auto diff = mend::unified_diff(each.path, each.before.bytes, each.after);
      for (const auto line : split_lines(std::string_view(trim(diff))))
        console.out << printable(line) << "\n";
    } else {
      console.out << "run: " << printable(each.packages.command) << "\n";
    }
  }
  return Exit::gpu;
}

/// This process gets what a new shell will have, so that the machine is looked at as it will be.
void take_over(const std::vector<mend::Action>& actions) {
  for (const auto& action : actions) {
    for (const auto& variable : action.variables) {
      if (variable.set) {
        ::setenv(variable.name.c_str(), variable.value.c_str(), 1);
      } else {
        ::unsetenv(variable.name.c_str());
      }
    }
  }
}

const FrameworkVerdict* same(const Verdict& verdict, const FrameworkVerdict& wanted) {
  for (const auto& each : verdict.frameworks) {
    if (each.framework == wanted.framework && each.interpreter == wanted.interpreter) return &each;
  }
  return verdict.frameworks.empty() ? nullptr : &verdict.frameworks.front();
}

Exit judge_again(const Arguments& arguments, const Prepared& prepared, Console& console) {
  const auto& mending = prepared.mending;
  const bool json = arguments.has("json");
  const auto facts = observe(arguments);
  if (!facts) return wrong_usage(console, facts.error().message);
  const auto verdict = judge(*facts);
  const auto* now = same(verdict, mending.verdict);
  if (now == nullptr) return Exit::unknown;
  const bool held = now->answer == Usable::gpu && tone_of(*now) != Tone::bad;
  const bool left = std::any_of(mending.steps.begin(), mending.steps.end(),
                                [](const MendStep& step) { return !step.by_hand.empty(); });
  if (json) {
    console.out << mending_json(
        mending, Applied{.done = true, .gpu = held, .left_to_you = left, .problem = {}});
    return exit_of(*now);
  }
  console.out << "looked again: " << printable(answer_words(*now)) << "\n";
  if (held) {
    console.out << "the promise held\n";
  } else if (left) {
    console.out << "the steps that were left to you are still to be done\n";
  } else {
    console.out << "the promise did not hold: 'gpuwhy' shows what is left, 'gpuwhy fix --undo' "
                   "takes it back\n";
  }
  if (!mending.file.empty() && !mending.file.ends_with(".json")) {
    console.out << "shells that start from now on have it; in this one type:\n";
    for (const auto& action : prepared.actions) {
      if (action.kind == mend::Action::Kind::variable)
        console.out << "    " << printable(action.command) << "\n";
    }
  }
  return exit_of(*now);
}

Exit apply(const Arguments& arguments, const Prepared& prepared, Console& console) {
  const auto& mending = prepared.mending;
  if (!mending.verdict.plan_reaches_gpu) {
    console.errors << "gpuwhy: no plan was proven, so nothing is done\n";
    return exit_of(mending.verdict);
  }
  if (prepared.actions.empty()) {
    console.errors << "gpuwhy: every step of this plan is left to you, so nothing is done\n";
    return exit_of(mending.verdict);
  }
  const auto work = mend::plan_work(prepared.actions, mending.file);
  if (!work) return wrong_usage(console, work.error().message);
  if (arguments.has("dry-run")) return show_dry_run(*work, console);
  const auto environment = make_live_system()->environment();
  auto journal = mend::Journal::open(environment);
  if (!journal) return wrong_usage(console, journal.error().message);
  if (const auto begun = journal->begin(); !begun)
    return wrong_usage(console, begun.error().message);
  auto& told = arguments.has("json") ? console.errors : console.out;
  const auto done = mend::make(*work, *journal, environment, [&](const std::string& line) {
    told << printable(line) << std::endl; // before what it announces
  });
  if (!done) {
    console.errors << "gpuwhy: " << printable(done.error().message)
                   << "\ngpuwhy: stopped there; 'gpuwhy fix --undo' takes back what was done\n";
    if (arguments.has("json"))
      console.out << mending_json(
          mending,
          Applied{.done = false, .gpu = {}, .left_to_you = {}, .problem = done.error().message});
    return Exit::findings;
  }
  take_over(prepared.actions);
  return judge_again(arguments, prepared, console);
}

Exit undo(Console& console) {
  const auto environment = make_live_system()->environment();
  auto journal = mend::Journal::open(environment);
  if (!journal) return wrong_usage(console, journal.error().message);
  const auto there = journal->take_last();
  if (!there) return wrong_usage(console, there.error().message);
  if (!*there) return wrong_usage(console, "there is nothing to undo");
  const auto done = mend::undo(*journal, environment, [&](const std::string& line) {
    console.out << printable(line) << std::endl;
  });
  if (!done) {
    console.errors << "gpuwhy: " << printable(done.error().message) << "\ngpuwhy: the backup is in "
                   << printable(journal->directory()) << "\n";
    return Exit::findings;
  }
  const auto& steps = journal->steps();
  const bool packages = std::any_of(steps.begin(), steps.end(), [](const mend::Step& step) {
    return step.kind == mend::Step::Kind::packages;
  });
  console.out << "undone: files are as they were, byte for byte, with mode and owner\n";
  if (packages)
    console.out << "packages have the versions of before; their files were written anew\n";
  return Exit::gpu;
}

Exit run(const Arguments& arguments, Console& console) {
  const bool changes = arguments.has("apply") || arguments.has("dry-run");
  if (arguments.has("undo")) {
    if (changes || arguments.has("from")) return wrong_usage(console, "--undo stands alone");
    return undo(console);
  }
  if (changes && arguments.has("from"))
    return wrong_usage(console, "--from is another machine: there is nothing to apply here");
  const auto facts = observe(arguments);
  if (!facts) return wrong_usage(console, facts.error().message);
  const auto verdict = judge(*facts);
  if (verdict.frameworks.empty()) return Exit::unknown;
  const auto prepared = prepare(*facts, verdict, arguments);
  if (!prepared) return wrong_usage(console, prepared.error().message);
  if (changes) return apply(arguments, *prepared, console);
  console.out << (arguments.has("json") ? mending_json(prepared->mending)
                                        : plan_text(prepared->mending, console.style));
  return exit_of(prepared->mending.verdict);
}

} // namespace

const Command kFixCommand{
    .name = "fix",
    .operands = "[PATH]",
    .most_operands = 1,
    .summary = "the proven plan that makes the GPU be used; --apply does it",
    .details =
        "Without an option it prints the plan and changes nothing. --apply does the steps that "
        "need no root and can be undone, in order, and stops at the first failure: pip or uv in "
        "the environment in question, a marked block in the start-up file of your shell, a word "
        "in keras.json, variables of a Jupyter kernel. Each step is printed before it is done, "
        "and what was there is kept in ~/.local/state/gpuwhy. Then the machine is looked at "
        "again.\n"
        "\n"
        "--undo takes the last --apply back: files byte for byte, with mode and owner; packages by "
        "name and version, installed anew.",
    .options = kOptions,
    .run = run,
};

} // namespace gpuwhy
