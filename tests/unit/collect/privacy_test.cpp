// What may leave a machine: no name of user, home or host, no variable and no line that is not
// allowed. And a tape that was cleaned so gives the verdict that the machine gave.
#include "collect/privacy.h"
#include "collect/software.h"
#include "facts/json.h"
#include "judge/judge.h"
#include "machines.h"
#include "support/software.h"

#include <gtest/gtest.h>
#include <sstream>

namespace gpuwhy::test {
namespace {

Facts look_at_all(System& system) {
  Facts facts;
  for (const auto& collector : all_collectors()) collector.collect(system, {}, facts);
  return facts;
}

std::string summary(const Facts& facts) {
  std::string text;
  for (const auto& each : judge(facts).frameworks) {
    text += each.framework + " " + each.version + " " +
            std::to_string(static_cast<int>(each.answer)) + "\n";
    for (const auto& cause : each.causes) text += "  " + cause.id + " " + cause.summary + "\n";
    for (const auto& missing : each.unknown) text += "  ? " + missing + "\n";
    for (const auto& step : each.plan)
      text += "  > " + step.words + " " + join(step.commands, "; ") + "\n";
  }
  return text;
}

/// The H100, with TensorFlow in a venv of ada's, secrets in her files, and `breaks` done to it.
void add_private_machine(MemorySystem& system, const std::string& breaks) {
  add_h100(system);
  auto identity = identity_of("6.18.44-fc-v657-gpu", 0);
  identity.user_name = "ada";
  identity.home = "/home/ada";
  identity.host = "engine.lovelace.example";
  system.set_identity(identity);
  system.remove("/lib"); // a link, as the loader's directories need more than the driver's
  add_loader(system);
  add_python(system);
  add_venv(system);
  add_tensorflow(system, breaks != "no wheels");
  system.set_variable("PATH", "/home/ada/tf/bin:/usr/bin");
  system.set_variable("VIRTUAL_ENV", "/home/ada/tf");
  system.set_variable("API_TOKEN", "hunter2");
  system.set_variable("HOME", "/home/ada");
  system.add_file("/home/ada/.bashrc",
                  "export API_TOKEN=hunter2\nmysql -phunter2\n"
                  "export CUDA_HOME=/home/ada/cuda PASSWORD=hunter2\n"
                  "export DB=\"hunter2 and hunter2\" CUDA_HOME=/home/ada/cuda # hunter2\n"
                  "LD_LIBRARY_PATH=/opt/x:$LD_LIBRARY_PATH; export TOKEN='hunter2;hunter2'\n");
  system.add_file("/home/ada/.secrets", "export CUDA_DEVICE_ORDER=PCI_BUS_ID\nPASSWORD=hunter2\n");
  system.add_file("/home/ada/.profile", ". ~/.secrets\n");
  system.set_variable("CUDA_DEVICE_ORDER", "PCI_BUS_ID");
  system.set_variable("CUDA_HOME", "/home/ada/cuda");
  system.add_file("/proc/self/environ", std::string("API_TOKEN=hunter2\0PATH=/usr/bin\0", 32));
  system.add_file("/proc/1/environ", std::string("container=docker\0API_TOKEN=hunter2\0", 35));
  system.set_kernel_log(
      std::string("NVRM: loading on engine\naudit: ada logged in with hunter2\n"));
  if (breaks == "shadowed") {
    system.add_file("/home/ada/old/libcudnn.so.9", "\x7f"
                                                   "ELF");
    system.set_variable("LD_LIBRARY_PATH", "/home/ada/old:/usr/local/nvidia/lib64");
  }
  if (breaks == "hidden") system.set_variable("CUDA_VISIBLE_DEVICES", "-1");
}

const std::vector<std::string> kBreaks = {"nothing", "no wheels", "shadowed", "hidden"};

std::string tape_of(MemorySystem& machine, Facts* facts = nullptr) {
  const auto recorder = make_recording_system(machine, private_tape(machine.identity()));
  auto seen = look_at_all(*recorder);
  if (facts != nullptr) *facts = std::move(seen);
  std::ostringstream out;
  recorder->write(out);
  return out.str();
}

TEST(Privacy, NeitherTapeNorSnapshotTellsWhoseMachineItIs) {
  for (const auto& breaks : kBreaks) {
    MemorySystem machine;
    add_private_machine(machine, breaks);
    Facts facts;
    const auto tape = tape_of(machine, &facts);
    const auto snapshot = write_snapshot(facts, make_redactor(machine.identity()));
    for (const auto& [name, text] : {std::pair{"tape", tape}, std::pair{"snapshot", snapshot}}) {
      for (const auto* secret :
           {"hunter2", "/ada", "ada\"", "on engine", "lovelace", "API_TOKEN=h"}) {
        const auto at = text.find(secret);
        EXPECT_EQ(at, std::string::npos) << name << " of " << breaks << " tells " << secret << ": "
                                         << text.substr(at < 60 ? 0 : at - 60, 160);
      }
    }
    EXPECT_TRUE(contains(snapshot, "/home/user/tf"));
  }
}

TEST(Privacy, TheTapeGivesTheMachinesVerdict) {
  for (const auto& breaks : kBreaks) {
    MemorySystem machine;
    add_private_machine(machine, breaks);
    Facts facts;
    const auto tape = tape_of(machine, &facts);
    auto replay = read_tape(tape);
    ASSERT_TRUE(replay) << replay.error().message;
    const auto redact = make_redactor(machine.identity());
    EXPECT_EQ(summary(look_at_all(**replay)), redact(summary(facts))) << breaks;
    const auto snapshot = read_snapshot(write_snapshot(facts, redact));
    ASSERT_TRUE(snapshot);
    EXPECT_EQ(summary(*snapshot), redact(summary(facts))) << breaks;
    EXPECT_EQ(summary(look_at_all(machine)), summary(facts))
        << breaks << ": recording changes nothing";
  }
}

TEST(Redactor, WholeWordsOnly) {
  Identity identity;
  identity.user_name = "ada";
  identity.home = "/home/ada";
  identity.host = "engine";
  const auto redact = make_redactor(identity);
  EXPECT_EQ(redact("/home/ada/x adapter ada's ADA engine.local engines"),
            "/home/user/x adapter user's ADA host.local engines");
  identity.user_name = "root";
  identity.home = "/root";
  identity.host = "localhost";
  EXPECT_EQ(make_redactor(identity)("/root/x localhost"),
            "/root/x localhost"); // says nothing about anybody
}

TEST(AllowedLines, KeepTheirNumbersAndLoseTheRest) {
  EXPECT_EQ(only_allowed_lines("alias x=y\n\nexport PATH=/a:$PATH\nsource ~/.x\n"),
            "\n\nexport PATH=/a:$PATH\nsource ~/.x\n");
  EXPECT_EQ(only_allowed_lines("A=1\nexport PATH=/a:\\\n/b\nB=2\nset -gx PATH /c\n"),
            "\nexport PATH=/a:\\\n/b\n\nset -gx PATH /c\n");
  EXPECT_EQ(only_allowed_lines("if [ -d /x ]; then export PATH=/x; fi"), "then export PATH=/x\n");
}

TEST(AllowedLines, OtherValuesGo) {
  EXPECT_EQ(only_allowed_lines("export A=1 PATH=/a B=2"), "export A= PATH=/a B=\n");
  EXPECT_EQ(only_allowed_lines("export A=\"1 2; 3\" PATH=/a"), "export A= PATH=/a\n");
  EXPECT_EQ(only_allowed_lines("export A='1 \"2' PATH=\"/a b\""), "export A= PATH=\"/a b\"\n");
  EXPECT_EQ(only_allowed_lines("A=a\\ b PATH=/a"), "A= PATH=/a\n");
  EXPECT_EQ(only_allowed_lines("A=\"$(cat x \"y z\")\" PATH=/a"), "A= PATH=/a\n");
  EXPECT_EQ(only_allowed_lines("export PATH=/a # my password is x"), "export PATH=/a\n");
  EXPECT_EQ(only_allowed_lines("mysql -px; export PATH=/a && PATH=/b mysql -px"),
            "export PATH=/a\n");
  EXPECT_EQ(only_allowed_lines("PATH DEFAULT=/a OVERRIDE=/b\nTOKEN DEFAULT=x"),
            "PATH DEFAULT=/a OVERRIDE=/b\n");
  EXPECT_EQ(only_allowed_lines("cat <<E\nexport PATH=secret\nE\n"), "");
}

} // namespace
} // namespace gpuwhy::test
