// The words of a command line, the texts of help, and what the program exits with.
#include "commands/command.h"
#include "commands/schema.h"
#include "facts/json.h"
#include "support/machine_bench.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <set>
#include <sstream>
#include <unistd.h>

namespace gpuwhy::test {
namespace {

constexpr std::array kOptions{Option{"python", 'p', "PATH", "the interpreter"},
                              Option{"verbose", 'v', "", "more"}};
const Command kCommand{.name = "try",
                       .operands = "[PATH]",
                       .most_operands = 1,
                       .takes_program = true,
                       .summary = "try it",
                       .details = "A paragraph.\n  as it stands",
                       .options = kOptions,
                       .run = [](const Arguments&, Console&) { return Exit::gpu; }};

/// "python=x verbose= | operands | program", or the error.
std::string parsed(const std::vector<std::string>& words) {
  const auto arguments = parse_arguments(kCommand, words);
  if (!arguments) return arguments.error().message;
  std::string text;
  for (const auto& [name, values] : arguments->options) {
    for (const auto& value : values) text += name + "=" + value + " ";
  }
  return text + "| " + join(arguments->operands, " ") + " | " + join(arguments->program, " ");
}

TEST(Arguments, forms) {
  EXPECT_EQ(parsed({}), "|  | ");
  EXPECT_EQ(parsed({"--python", "x", "a.py"}), "python=x | a.py | ");
  EXPECT_EQ(parsed({"--python=x=y"}), "python=x=y |  | ");
  EXPECT_EQ(parsed({"-px", "-v"}), "python=x verbose= |  | ");
  EXPECT_EQ(parsed({"-p", "-v"}), "python=-v |  | ");
  EXPECT_EQ(parsed({"-vv"}), "verbose= verbose= |  | ");
  EXPECT_EQ(parsed({"-"}), "| - | ");
  EXPECT_EQ(parsed({"--", "python", "--python"}), "|  | python --python");
  EXPECT_EQ(parsed({"-h"}), "help= |  | ");
}

TEST(Arguments, errors_name_the_word) {
  EXPECT_EQ(parsed({"--pyhton", "x"}), "unknown option '--pyhton': did you mean '--python'?");
  EXPECT_EQ(parsed({"--zzzzzz"}), "unknown option '--zzzzzz': see 'gpuwhy try --help'");
  EXPECT_EQ(parsed({"--verbose=1"}), "option '--verbose' takes no value");
  EXPECT_EQ(parsed({"--python"}), "option '--python' needs a value: --python PATH");
  EXPECT_EQ(parsed({"a", "b"}), "unexpected word 'b': see 'gpuwhy try --help'");
  EXPECT_EQ(parsed({"--\x1b[31m"}), "unknown option '--\\x1b[31m': see 'gpuwhy try --help'");
  EXPECT_EQ(parsed({"--="}), "unknown option '--': see 'gpuwhy try --help'");
}

struct Ran {
  int exit = 0;
  std::string out;
  std::string errors;
};

Ran run(const std::vector<std::string>& words) {
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream errors;
  Console console{in, out, errors, {}};
  console.style.width = 80;
  const auto exit = run_gpuwhy(words, console);
  return {static_cast<int>(exit), out.str(), errors.str()};
}

TEST(RunGpuwhy, did_you_mean) {
  EXPECT_EQ(run({"chekc"}).errors, "gpuwhy: unknown command 'chekc': did you mean 'check'?\n");
  EXPECT_EQ(run({"chekc"}).exit, 2);
  EXPECT_EQ(run({"frobnicate"}).errors, "gpuwhy: unknown command 'frobnicate': see 'gpuwhy "
                                        "--help'; for a file write './frobnicate'\n");
  EXPECT_EQ(run({"check", "--jsno"}).errors,
            "gpuwhy: unknown option '--jsno': did you mean '--json'?\n");
  EXPECT_EQ(run({"rule", "L44"}).exit, 2);
  EXPECT_EQ(run({"rule", "cudnn-misisng"}).errors,
            "gpuwhy: no cause 'cudnn-misisng': did you mean 'cudnn-missing'?\n");
  EXPECT_EQ(run({"rule"}).exit, 2);
}

TEST(RunGpuwhy, help_names_every_command_and_option) {
  const auto all = run({"--help"});
  EXPECT_EQ(all.exit, 0);
  for (const auto* command : all_commands()) {
    EXPECT_TRUE(contains(all.out, "\n  " + std::string(command->name))) << command->name;
    const auto one = run({std::string(command->name), "--help"});
    EXPECT_EQ(one.exit, 0);
    EXPECT_EQ(one.out, run({"help", std::string(command->name)}).out);
    for (const auto& option : command->options) {
      EXPECT_TRUE(contains(one.out, "--" + std::string(option.name)))
          << command->name << " " << option.name;
    }
    for (const auto line : split_lines(one.out)) EXPECT_LE(display_width(line), 80U) << line;
  }
}

TEST(RunGpuwhy, options_are_not_ambiguous) {
  for (const auto* command : all_commands()) {
    std::set<std::string_view> names{"help"};
    std::set<char> letters{'h'};
    for (const auto& option : command->options) {
      EXPECT_TRUE(names.insert(option.name).second) << command->name << " --" << option.name;
      if (option.letter != 0) {
        EXPECT_TRUE(letters.insert(option.letter).second) << command->name << " -" << option.letter;
      }
    }
  }
}

TEST(RunGpuwhy, texts) {
  EXPECT_TRUE(contains(run({"--version"}).out, GPUWHY_VERSION));
  EXPECT_TRUE(contains(run({"rules"}).out, "L04"));
  EXPECT_TRUE(contains(run({"rule", "l04"}).out, "cudnn-version-mismatch"));
}

TEST(RunGpuwhy, schemas) {
  const auto help = run({"schema", "--help"}).out;
  for (const auto& name : schema_names()) {
    const auto page = run({"schema", name});
    EXPECT_EQ(page.exit, 0) << name;
    EXPECT_TRUE(contains(page.out, name == "facts" ? "# " : "\"$schema\"")) << name;
    EXPECT_TRUE(contains(help, name)) << name;
  }
  EXPECT_EQ(run({"schema"}).out, run({"schema", "snapshot"}).out);
  EXPECT_EQ(run({"schema", "check"}).out, run({"schema", "report"}).out);
  EXPECT_EQ(run({"schema", "rule"}).exit, 2);
}

TEST(RunGpuwhy, pages_name_every_command_and_option) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"man"}, {"completions", "bash"}, {"completions", "zsh"}}) {
    const auto page = run(words);
    EXPECT_EQ(page.exit, 0);
    const auto text = replace_all(page.out, "\\-", "-");
    for (const auto* command : all_commands()) {
      EXPECT_TRUE(contains(text, command->name)) << command->name;
      for (const auto& option : command->options)
        EXPECT_TRUE(contains(text, "--" + std::string(option.name))) << option.name;
    }
  }
  const auto fish = run({"completions", "fish"}).out;
  for (const auto* command : all_commands()) {
    for (const auto& option : command->options)
      EXPECT_TRUE(contains(fish, " -l " + std::string(option.name))) << option.name;
  }
  EXPECT_EQ(run({"completions", "csh"}).exit, 2);
  EXPECT_EQ(run({"completions"}).errors, "gpuwhy: which shell? bash, zsh or fish\n");
  EXPECT_FALSE(contains(run({"--help"}).out, "completions")); // for packages
}

class RecordedMachine : public testing::Test {
protected:
  std::string record(const std::string& text) {
    const auto path = folder_ / ("record" + std::to_string(count_++) + ".json");
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
  }
  ~RecordedMachine() override { std::filesystem::remove_all(folder_); }

private:
  std::filesystem::path folder_ = [] {
    auto pattern = (std::filesystem::temp_directory_path() / "gpuwhy-commands-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    return std::filesystem::path(pattern);
  }();
  int count_ = 0;
};

TEST_F(RecordedMachine, exit_status_is_the_answer) {
  Machine healthy;
  EXPECT_EQ(run({"--from", record(write_snapshot(healthy.facts))}).exit, 0);
  Machine broken;
  broken.remove_driver();
  EXPECT_EQ(run({"check", "--from", record(write_snapshot(broken.facts))}).exit, 1);
  Machine breaks;
  breaks.wheel_file("cudnn/lib/libcudnn.so.9").version = Fact<std::string>::known("9.1.0");
  EXPECT_EQ(run({"--from", record(write_snapshot(breaks.facts))}).exit, 1);
  EXPECT_EQ(run({"--from", record(write_snapshot(Facts{}))}).exit, 3);
  EXPECT_EQ(run({"--from", "/gone/x.json"}).exit, 2);
  EXPECT_EQ(run({"--from", record("{\n")}).exit, 2);
}

TEST_F(RecordedMachine, require_is_one_line) {
  Machine healthy;
  const auto good =
      run({"check", "--require", "gpu", "--from", record(write_snapshot(healthy.facts))});
  EXPECT_EQ(good.exit, 0);
  EXPECT_TRUE(good.out.starts_with("gpuwhy: TensorFlow ")) << good.out;
  EXPECT_TRUE(good.out.ends_with(" will use the GPU\n")) << good.out;
  Machine broken;
  broken.remove_driver();
  const auto bad = run({"--require=gpu", "--from", record(write_snapshot(broken.facts))});
  EXPECT_EQ(bad.exit, 1);
  EXPECT_TRUE(contains(bad.out, "will run on the CPU, not on the GPU: ")) << bad.out;
  EXPECT_TRUE(bad.out.ends_with(")\n")) << bad.out; // the cause's id
  EXPECT_EQ(std::count(bad.out.begin(), bad.out.end(), '\n'), 1);
  const auto nothing = run({"--require", "gpu", "--from", record(write_snapshot(Facts{}))});
  EXPECT_EQ(nothing.exit, 3);
  EXPECT_EQ(std::count(nothing.out.begin(), nothing.out.end(), '\n'), 1);
  EXPECT_EQ(run({"--require", "tpu"}).errors, "gpuwhy: --require: 'tpu' is not 'gpu'\n");
  EXPECT_EQ(run({"--require", "tpu"}).exit, 2);
}

TEST_F(RecordedMachine, errors_name_file_and_place) {
  const auto path = record("{\n \"schema\": x}");
  EXPECT_EQ(run({"--from", path}).errors,
            "gpuwhy: " + path + ": broken JSON at line 2, column 12\n");
  const auto tape = record("{\"schema\": \"gpuwhy.tape/1\"}\nrubbish\n");
  const auto ran = run({"--from", tape});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_TRUE(ran.errors.starts_with("gpuwhy: " + tape + ": ")) << ran.errors;
  EXPECT_TRUE(ran.out.empty());
}

} // namespace
} // namespace gpuwhy::test
