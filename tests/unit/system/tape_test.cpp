#include "support/memory_system.h"
#include "system/base64.h"
#include "system/live.h"
#include "system/tape.h"

#include "base/text.h"

#include <cerrno>
#include <gtest/gtest.h>
#include <random>
#include <sstream>

namespace gpuwhy {
namespace {

using Kind = Unavailable::Kind;
using std::chrono::seconds;

const std::string kElf("\x7f"
                       "ELF\x02\x01\x01 /home/ada \xff\x00\x80",
                       22);

std::string written(const RecordingSystem& recording) {
  std::ostringstream out;
  recording.write(out);
  return out.str();
}

std::unique_ptr<System> replayed(const std::string& tape) {
  auto system = read_tape(tape);
  EXPECT_TRUE(system) << system.error().message;
  return system ? std::move(*system) : nullptr;
}

/// An answer in words, so that any two can be compared.
std::string words(const std::string& value) {
  return "text " + value;
}
std::string words(bool value) {
  return value ? "yes" : "no";
}
std::string words(const FileStatus& s) {
  std::ostringstream out;
  out << static_cast<int>(s.type) << ' ' << s.size << ' ' << s.mode << ' ' << s.user << ' '
      << s.group << ' ' << s.device_major << ' ' << s.device_minor << ' ' << s.device << ' '
      << s.inode << ' ' << s.modified;
  return out.str();
}
std::string words(const std::vector<DirectoryEntry>& entries) {
  std::string text;
  for (const auto& entry : entries) text += entry.name + (entry.directory ? "/ " : " ");
  return text;
}
std::string words(const ProcessResult& r) {
  return std::to_string(r.exit_status) + ' ' + std::to_string(r.signal) + ' ' + words(r.timed_out) +
         r.output + '|' + r.errors;
}
template <class T> std::string words(const Answer<T>& answer) {
  if (answer) return words(*answer);
  const auto& none = answer.error();
  return "none " + std::to_string(static_cast<int>(none.kind)) + ' ' + none.reason + ' ' +
         std::to_string(none.error);
}

/// Question number `number` about one of a few names, put to `system`.
std::string ask(System& system, unsigned number, const std::vector<std::string>& names) {
  const auto& path = names[number / 16 % names.size()];
  const auto size = number / 64 % 40;
  switch (number % 13) {
  case 0: return words(system.status(path));
  case 1: return words(system.status_of_link(path));
  case 2: return words(system.real_path(path));
  case 3: return words(system.read_link(path));
  case 4: return words(system.list(path));
  case 5: return words(system.read(path, size));
  case 6: return words(system.read(path));
  case 7: return words(system.read_at(path, size / 3, size));
  case 8: return words(system.open_device(path));
  case 9: return join(system.hardware_capabilities(), " ");
  case 10: return words(system.kernel_log());
  case 11: return words(system.run_probe(path, {{"A", path}}, seconds(1)));
  default: {
    std::string text = system.identity().home + system.identity().host;
    for (const auto group : system.identity().groups) text += std::to_string(group) + ',';
    for (const auto& [name, value] : system.environment()) text += name + '=' + value + ';';
    return text;
  }
  }
}

void fill(MemorySystem& machine, std::mt19937& random) {
  machine.add_file("/etc/passwd", "root:x:0:0::/root:/bin/sh\n");
  machine.add_file("/lib/libcuda.so.1", kElf);
  machine.add_link("/lib/libcuda.so", "libcuda.so.1");
  machine.add_link("/loop", "loop");
  machine.add_fifo("/lib/fifo");
  machine.add_directory("/lib/empty");
  machine.add_device("/dev/nvidia0", 0666, 195, 0, EPERM);
  machine.add_file("/name\xff with\n\"quotes\"", "x");
  machine.add_file("/proc/1/environ", std::string("A=1\0B=\xff\0", 8));
  machine.details("/etc/passwd").modified = -5;
  machine.details("/etc/passwd").inode = ~0ULL;
  machine.set_environment({{"PATH", "/bin"}, {"LATIN", "caf\xe9"}, {"EMPTY", ""}});
  machine.set_kernel_log(std::string("NVRM: \x1b[31m line\n"));
  machine.set_probe("nvml", ProcessResult{0, 11, true, "{}\n", "\xfe"});
  for (int i = 0; i < 20; ++i) {
    std::string bytes(random() % 50, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random() % 256);
    machine.add_file("/random/" + std::to_string(i), bytes);
  }
}

TEST(Tape, answers_every_recorded_question_equally) {
  for (unsigned seed = 0; seed < 30; ++seed) {
    std::mt19937 random(seed);
    MemorySystem machine;
    fill(machine, random);
    std::vector<std::string> names{"/etc/passwd",
                                   "/lib/libcuda.so.1",
                                   "/lib/libcuda.so",
                                   "/loop",
                                   "/lib/fifo",
                                   "/lib",
                                   "/dev/nvidia0",
                                   "/",
                                   "",
                                   "/none",
                                   "nvml",
                                   "/name\xff with\n\"quotes\"",
                                   "/proc/1/environ"};
    for (int i = 0; i < 20; ++i) names.push_back("/random/" + std::to_string(i));
    const auto recording = make_recording_system(machine);
    std::map<unsigned, std::string> asked;
    for (int i = 0; i < 400; ++i) {
      const unsigned question = static_cast<unsigned>(random() % 100'000);
      asked[question] = ask(*recording, question, names);
    }
    const auto tape = written(*recording);
    const auto replay = replayed(tape);
    ASSERT_TRUE(replay);
    const auto again = make_recording_system(*replay);
    for (const auto& [question, answer] : asked) {
      EXPECT_EQ(ask(*replay, question, names), answer) << question;
      static_cast<void>(ask(*again, question, names));
    }
    EXPECT_EQ(written(*again), tape); // and recording the replay gives the same tape
  }
}

TEST(Tape, asks_the_machine_once) {
  MemorySystem machine;
  machine.add_file("/a", "first");
  const auto recording = make_recording_system(machine);
  EXPECT_EQ(recording->read("/a").value(), "first");
  machine.add_file("/a", "second");
  EXPECT_EQ(recording->read("/a").value(), "first");
  EXPECT_EQ(machine.touched("/a"), 1);
  EXPECT_EQ(replayed(written(*recording))->read("/a").value(), "first");
}

TEST(Tape, what_was_not_asked_is_not_looked) {
  MemorySystem machine;
  machine.add_file("/a", "text");
  const auto recording = make_recording_system(machine);
  ASSERT_TRUE(recording->read("/a"));
  const auto replay = replayed(written(*recording));
  EXPECT_EQ(replay->status("/a").error().kind, Kind::not_looked);
  EXPECT_EQ(replay->read("/b").error().kind, Kind::not_looked);
  EXPECT_EQ(replay->read("/b").error().reason, "/b: is not on the tape");
  EXPECT_EQ(replay->open_device("/a").error().kind, Kind::not_looked);
  EXPECT_EQ(replay->kernel_log().error().kind, Kind::not_looked);
  EXPECT_EQ(replay->run_probe("nvml", {}, seconds(1)).error().kind, Kind::not_looked);
  EXPECT_TRUE(replay->environment().empty());
  EXPECT_TRUE(replay->hardware_capabilities().empty());
}

TEST(Tape, answers_ranges_and_limits_that_it_can_know) {
  MemorySystem machine;
  machine.add_file("/lib.so", "0123456789");
  const auto recording = make_recording_system(machine);
  ASSERT_TRUE(recording->read_at("/lib.so", 2, 4));
  ASSERT_TRUE(recording->read_at("/lib.so", 8, 100));
  ASSERT_TRUE(recording->read("/lib.so", 10));
  const auto replay = replayed(written(*recording));
  EXPECT_EQ(replay->read_at("/lib.so", 3, 2).value(), "34");
  EXPECT_EQ(replay->read_at("/lib.so", 3, 4).error().kind, Kind::not_looked);
  EXPECT_EQ(replay->read_at("/lib.so", 9, 50).value(), "9"); // the end was seen
  EXPECT_EQ(replay->read_at("/lib.so", 0, 1).error().kind, Kind::not_looked);
  EXPECT_EQ(replay->read("/lib.so", 500).value(), "0123456789");
  EXPECT_EQ(replay->read("/lib.so", 9).error().kind, Kind::unsuitable);
}

class Redaction : public testing::Test {
protected:
  Redaction() {
    machine_.set_environment({{"PATH", "/home/ada/bin"}, {"AWS_SECRET", "hunter2"}});
    policy_.redact = [](std::string text) {
      return replace_all(replace_all(std::move(text), "ada", "user"), "engine", "host");
    };
    policy_.allow_variable = [](std::string_view name) { return name == "PATH"; };
  }
  MemorySystem machine_;
  TapePolicy policy_;
};

TEST_F(Redaction, covers_every_text) {
  machine_.add_file("/home/ada/.bashrc", "export X=/home/ada/x # caf\xe9\n");
  machine_.add_link("/home/ada/link", "/home/ada/.bashrc");
  machine_.add_file("/home/zed/x");
  machine_.set_kernel_log(std::string("engine kernel: ada\n"));
  machine_.set_probe("nvml", ProcessResult{0, 0, false, "ada", "engine"});
  machine_.add_file("/proc/7/cmdline", std::string("python\0/home/ada/x.py\0\xff", 23));
  const auto recording = make_recording_system(machine_, policy_);
  ASSERT_TRUE(recording->read("/home/ada/.bashrc"));
  ASSERT_TRUE(recording->read("/proc/7/cmdline"));
  ASSERT_TRUE(recording->read_link("/home/ada/link"));
  ASSERT_TRUE(recording->list("/home"));
  ASSERT_FALSE(recording->status("/home/ada/none"));
  ASSERT_TRUE(recording->kernel_log());
  ASSERT_TRUE(recording->run_probe("nvml", recording->environment(), seconds(1)));
  EXPECT_EQ(recording->identity().home, "/home/ada"); // the answers stay as they are
  EXPECT_TRUE(machine_.probe_environment("nvml").contains("AWS_SECRET"));

  const auto tape = written(*recording);
  EXPECT_FALSE(contains(tape, "ada"));
  EXPECT_FALSE(contains(tape, "engine"));
  EXPECT_FALSE(contains(tape, "hunter2"));
  EXPECT_FALSE(contains(tape, "AWS_SECRET"));
  const auto replay = replayed(tape);
  EXPECT_EQ(replay->identity().home, "/home/user");
  EXPECT_EQ(replay->read("/home/user/.bashrc").value(), "export X=/home/user/x # caf\xe9\n");
  EXPECT_EQ(replay->read("/proc/7/cmdline")->substr(7, 15), "/home/user/x.py");
  EXPECT_EQ(replay->list("/home")->front().name, "user");
  EXPECT_EQ(replay->run_probe("nvml", replay->environment(), seconds(1))->output, "user");
}

TEST_F(Redaction, leaves_binaries_alone) {
  machine_.add_file("/lib.so", kElf);
  machine_.add_file("/etc/ld.so.cache", "glibc-ld.so.cache1.1 /home/ada/lib");
  const auto recording = make_recording_system(machine_, policy_);
  ASSERT_TRUE(recording->read_at("/lib.so", 0, 4));
  ASSERT_EQ(recording->read_at("/lib.so", 8, 9).value(), "/home/ada"); // text, but of an ELF file
  ASSERT_TRUE(recording->read("/etc/ld.so.cache"));
  const auto replay = replayed(written(*recording));
  EXPECT_EQ(replay->read_at("/lib.so", 8, 9).value(), "/home/ada");
  EXPECT_EQ(replay->read("/etc/ld.so.cache").value(), "glibc-ld.so.cache1.1 /home/ada/lib");
}

TEST_F(Redaction, sorts_out_the_variables_of_other_processes) {
  const std::string variables("PATH=/home/ada/bin\0AWS_SECRET=hunter2\0", 38);
  machine_.add_file("/proc/7/environ", variables);
  const auto recording = make_recording_system(machine_, policy_);
  EXPECT_EQ(recording->read("/proc/7/../7/environ").value(), variables);
  EXPECT_EQ(recording->read_at("/proc/7/environ", 20, 100).value(), variables.substr(20));
  const auto tape = written(*recording);
  EXPECT_FALSE(contains(tape, "hunter2"));
  EXPECT_EQ(replayed(tape)->read("/proc/7/../7/environ").value(),
            std::string("PATH=/home/user/bin\0", 20));
}

std::string error_of(const std::string& tape) {
  const auto system = read_tape(tape);
  return system ? "" : system.error().message;
}

TEST(BrokenTape, says_where) {
  const std::string header = "{\"schema\":\"gpuwhy.tape/1\"}\n";
  EXPECT_EQ(error_of(header), "");
  EXPECT_EQ(error_of(header + "\n\r\n"), "");
  EXPECT_EQ(error_of(""), "tape line 1, column 1: not a gpuwhy tape, which begins "
                          "{\"schema\":\"gpuwhy.tape/1\"}");
  EXPECT_EQ(error_of("[]"), error_of(""));
  EXPECT_EQ(error_of("{\"schema\":1}"), error_of(""));
  EXPECT_EQ(error_of("{\"schema\":\"gpuwhy.tape/2\"}"),
            "tape: written as gpuwhy.tape/2, this gpuwhy reads gpuwhy.tape/1");
  EXPECT_EQ(error_of(header + "{\"op\":\"read\",,"), "tape line 2, column 14: broken JSON");
  EXPECT_EQ(error_of(header + "\n{\"op\":"), "tape line 3, column 7: broken JSON");
  EXPECT_EQ(error_of(header + "{\"op\":1e999}"),
            "tape line 2, column 1: a value that does not fit");
  EXPECT_EQ(error_of(header + "{\"op\":\"fly\"}"),
            "tape line 2, column 1: \"op\" is not a word that this gpuwhy knows");
  EXPECT_EQ(error_of(header + "{\"op\":\"read\",\"path\":\"/a\",\"limit\":-1,\"answer\":\"\"}"),
            "tape line 2, column 1: \"limit\" is not a number that fits");
  EXPECT_EQ(error_of(header + "{\"op\":\"read\",\"path\":\"/a\",\"limit\":1}"),
            "tape line 2, column 1: \"answer\" is not text");
  EXPECT_EQ(error_of(header + std::string(1'000'000, '[')).substr(0, 19), "tape line 2, column");
  const std::string deep = std::string(300'000, '[') + std::string(300'000, ']');
  EXPECT_NE(error_of(header + deep), "");
}

TEST(BrokenTape, never_crashes) {
  MemorySystem machine;
  std::mt19937 random(7);
  fill(machine, random);
  const auto recording = make_recording_system(machine);
  const std::vector<std::string> names{"/etc/passwd", "/lib", "nvml", "/dev/nvidia0", "/loop"};
  for (unsigned i = 0; i < 400; ++i) static_cast<void>(ask(*recording, i, names));
  const auto tape = written(*recording);
  for (int round = 0; round < 3000; ++round) {
    auto broken = tape;
    for (int i = 0; i < 3; ++i) {
      const auto at = random() % broken.size();
      switch (random() % 4) {
      case 0: broken[at] = static_cast<char>(random() % 256); break;
      case 1: broken.erase(at, random() % 20); break;
      case 2: broken.insert(at, broken.substr(random() % broken.size(), random() % 20)); break;
      default: broken.resize(at + 1); break;
      }
    }
    const auto system = read_tape(broken);
    if (!system) continue;
    for (unsigned i = 0; i < 40; ++i) static_cast<void>(ask(**system, i * 7, names));
  }
}

TEST(Tape, carries_the_live_machine) {
  const auto live = make_live_system();
  const auto recording = make_recording_system(*live);
  const std::vector<std::string> names{"/etc/passwd", "/proc/self/status", "/usr", "/dev/null",
                                       "/none"};
  std::map<unsigned, std::string> asked;
  for (unsigned i = 0; i < 200; ++i) asked[i] = ask(*recording, i, names);
  const auto replay = replayed(written(*recording));
  for (const auto& [question, answer] : asked) EXPECT_EQ(ask(*replay, question, names), answer);
}

TEST(Base64, follows_the_rfc) {
  const std::vector<std::pair<std::string, std::string>> kVectors{{"", ""},
                                                                  {"f", "Zg=="},
                                                                  {"fo", "Zm8="},
                                                                  {"foo", "Zm9v"},
                                                                  {"foob", "Zm9vYg=="},
                                                                  {"fooba", "Zm9vYmE="},
                                                                  {"foobar", "Zm9vYmFy"},
                                                                  {"\xff\xfe", "//4="}};
  for (const auto& [bytes, text] : kVectors) {
    EXPECT_EQ(encode_base64(bytes), text);
    EXPECT_EQ(decode_base64(text), bytes);
  }
  for (const char* wrong :
       {"Z", "Zg=", "Zg", "Zh==", "Zm9=", "====", "Z===", "Zg==Zg==", "Zm 9", "-_8="}) {
    EXPECT_FALSE(decode_base64(wrong)) << wrong;
  }
}

} // namespace
} // namespace gpuwhy
