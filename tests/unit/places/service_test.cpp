// What systemd makes of these texts was seen with version 252 (tests/commands/place_test.py asks it
// where it is installed).
#include "places/service.h"

#include "places/unit_file.h"
#include "support/memory_system.h"

#include <gtest/gtest.h>

namespace gpuwhy::places {
namespace {

using Words = std::vector<std::string>;

TEST(UnitSyntax, settings_and_their_lines) {
  const auto settings =
      parse_unit("# c\n[Service]\nExecStart=/a \\\n# inside\n  b\n;c\nUser = u\nbroken\n"
                 "[X-Other]\nKey=",
                 "/u");
  ASSERT_EQ(settings.size(), 3U);
  EXPECT_EQ(settings[0].key, "ExecStart");
  EXPECT_EQ(unit_words(settings[0].value).words, (Words{"/a", "b"}));
  EXPECT_EQ(settings[0].line, 3);
  EXPECT_EQ(settings[1].value, "u");
  EXPECT_EQ(settings[1].line, 7);
  EXPECT_EQ(settings[2].section, "X-Other");
  EXPECT_EQ(settings[2].value, "");
}

TEST(UnitSyntax, words_are_unquoted) {
  // The example of systemd.exec(5).
  EXPECT_EQ(unit_words(R"("VAR1=word1 word2" VAR2=word3 "VAR3=$word 5 6")").words,
            (Words{"VAR1=word1 word2", "VAR2=word3", "VAR3=$word 5 6"}));
  EXPECT_EQ(unit_words(R"(A='b c' D=e\x20f "\t" '' \101)").words,
            (Words{"A=b c", "D=e f", "\t", "", "A"}));
  EXPECT_EQ(unit_words("  ").words, Words{});
  for (const char* end : {"\"open", "B=\\q C=1", "B=\\"}) {
    const auto words = unit_words(std::string("A=1 ") + end);
    EXPECT_TRUE(words.broken);
    EXPECT_EQ(words.words, Words{"A=1"}); // what stands before it counts
  }
}

std::string value(std::string_view text, std::string_view name) {
  for (const auto& line : parse_environment_file(text)) {
    if (line.name == name) return line.value;
  }
  return "(none)";
}

TEST(UnitSyntax, environment_files) {
  EXPECT_EQ(value("# A=0\n; B=0\nA=plain text  \n", "A"), "plain text");
  EXPECT_EQ(value("A=\"two words\" \nB=1", "A"), "two words");
  EXPECT_EQ(value("A='single $x \\'", "A"), "single $x \\");
  EXPECT_EQ(value("A=\"a\\\"b\\x\\\nc\"", "A"), "a\"b\\xc");
  EXPECT_EQ(value("A=one\\\ntwo", "A"), "onetwo");
  EXPECT_EQ(value("A=in\"ner\"", "A"), "in\"ner\"");
  EXPECT_EQ(value("A=", "A"), "");
  EXPECT_EQ(value("A=1\rB=2\r\n", "B"), "2");
  EXPECT_EQ(value("A=\"a\" b", "A"), "ab");
  EXPECT_EQ(value("A=\"over\nlines\"\nB=2", "B"), "2");
  EXPECT_EQ(parse_environment_file("\n\nA=1\nexport B=2\n")[1].name, "export B");
  EXPECT_EQ(parse_environment_file("\n\nA=1\n")[0].line, 3);
  EXPECT_TRUE(parse_environment_file("no equals\n").empty());
}

class Service : public testing::Test {
protected:
  Service() {
    Identity identity;
    identity.user = 1000;
    identity.user_name = "u";
    identity.home = "/home/u";
    identity.working_directory = "/home/u";
    system_.set_identity(identity);
    system_.add_file("/etc/passwd",
                     "root:x:0:0::/root:/bin/sh\ntrainer:x:990:991::/srv/t:/bin/sh\n");
    system_.add_file("/etc/group", "video:x:44:someone,trainer\nrender:x:105:\n");
    system_.add_file("/opt/gpu/bin/python", "\x7f"
                                            "ELF");
    system_.details("/opt/gpu/bin/python").mode = 0755;
  }
  void unit(const std::string& name, const std::string& text) {
    system_.add_file("/etc/systemd/system/" + name, text);
  }
  Result<FoundPlace> find(const std::string& name) {
    return find_service({system_, variables_, {}, {}}, name);
  }
  /// The only unit, with this [Service].
  FoundPlace service(const std::string& text) {
    unit("t.service", "[Service]\nExecStart=/opt/gpu/bin/python /srv/train.py\n" + text);
    auto place = find("t");
    EXPECT_TRUE(place) << place.error().message;
    return place.value_or(FoundPlace{});
  }

  MemorySystem system_;
  Environment variables_{{"CUDA_HOME", "of the shell"}};
};

TEST_F(Service, its_own_variables_and_no_other) {
  system_.add_file("/etc/default/t", "B=file\nC=file\nexport D=1\n");
  const auto place =
      service("Environment=A=1 \"B=two words\" CUDA=%i\nEnvironment=PATH=/x\n"
              "EnvironmentFile=-/etc/default/missing\nEnvironmentFile=/etc/default/t\n"
              "UnsetEnvironment=C A=2\n");
  EXPECT_EQ(place.environment,
            (Environment{{"A", "1"}, {"B", "file"}, {"CUDA", ""}, {"PATH", "/x"}}));
  EXPECT_EQ(place.origins.at("A").line, 3);
  EXPECT_EQ(place.origins.at("B").path, "/etc/default/t");
  EXPECT_EQ(place.origins.at("B").line, 1);
  EXPECT_FALSE(place.inherits_shell);
  EXPECT_EQ(place.interpreter, "/opt/gpu/bin/python");
  EXPECT_EQ(place.place.origin, "/etc/systemd/system/t.service");
  ASSERT_EQ(place.problems.size(), 1U);
  EXPECT_EQ(place.problems[0],
            "/etc/default/t:3: systemd ignores the line: 'export D' is no variable's name");
}

TEST_F(Service, drop_ins_override_in_the_order_of_their_names) {
  unit("t.service.d/20-b.conf", "[Service]\nEnvironment=A=b\n");
  system_.add_file("/run/systemd/system/t.service.d/10-a.conf", "[Service]\nEnvironment=A=a B=a\n");
  system_.add_file("/usr/lib/systemd/system/service.d/30-c.conf", "[Service]\nEnvironment=C=c\n");
  unit("t.service.d/40-none.conf", "");
  system_.add_file("/usr/lib/systemd/system/t.service.d/40-none.conf", "[Service]\nEnvironment=\n");
  const auto place = service("Environment=A=0\n");
  EXPECT_EQ(place.environment.at("A"), "b");
  EXPECT_EQ(place.environment.at("B"), "a");
  EXPECT_EQ(place.environment.at("C"), "c");
}

TEST_F(Service, drop_ins_of_every_name) {
  unit("real-one.service", "[Service]\nExecStart=/opt/gpu/bin/python\n");
  system_.add_link("/etc/systemd/system/other.service", "/etc/systemd/system/real-one.service");
  unit("other.service.d/a.conf", "[Service]\nEnvironment=A=alias\n");
  unit("real-.service.d/b.conf", "[Service]\nEnvironment=B=prefix\n");
  for (const auto* name : {"real-one", "other"}) {
    const auto place = find(name);
    ASSERT_TRUE(place) << place.error().message;
    EXPECT_EQ(place->environment.at("A"), "alias") << name;
    EXPECT_EQ(place->environment.at("B"), "prefix") << name;
  }
}

TEST_F(Service, an_empty_value_takes_back) {
  unit("t.service.d/x.conf",
       "[Service]\nEnvironment=\nExecStart=\nExecStart=/opt/gpu/bin/python\n");
  const auto place = service("Environment=A=0\n");
  EXPECT_FALSE(place.environment.contains("A"));
}

TEST_F(Service, instances_of_templates) {
  unit("train@.service", "[Service]\nEnvironment=GPU=%i WHO=%p\nExecStart=/opt/gpu/bin/python\n"
                         "EnvironmentFile=/etc/train/%i.env\n");
  system_.add_file("/etc/train/a.env", "CUDA_VISIBLE_DEVICES=3");
  const auto place = find("train@a");
  ASSERT_TRUE(place) << place.error().message;
  EXPECT_EQ(place->environment.at("GPU"), "a");
  EXPECT_EQ(place->environment.at("WHO"), "train");
  EXPECT_EQ(place->environment.at("CUDA_VISIBLE_DEVICES"), "3");
  EXPECT_EQ(find("train@").error().message,
            "train@.service is a template: name an instance, train@NAME.service");
}

TEST_F(Service, runs_as_its_user) {
  const auto place = service("User=trainer\nSupplementaryGroups=render\nWorkingDirectory=~\n");
  EXPECT_EQ(place.identity.user, 990U);
  EXPECT_EQ(place.identity.groups, (std::vector<std::uint32_t>{991, 44, 105}));
  EXPECT_EQ(place.environment.at("HOME"), "/srv/t");
  EXPECT_EQ(place.identity.working_directory, "/srv/t");
  EXPECT_EQ(service("").identity.user, 0U);
  EXPECT_EQ(service("User=ghost\n").devices.kind, DeviceRules::Kind::unknown);
}

TEST_F(Service, device_rules) {
  using Kind = DeviceRules::Kind;
  EXPECT_EQ(service("").devices.kind, Kind::as_ours);
  const auto hidden = service("PrivateDevices=yes\n").devices;
  EXPECT_EQ(hidden.kind, Kind::hidden);
  EXPECT_EQ(hidden.source.line, 3);
  EXPECT_EQ(service("DevicePolicy=closed\n").devices.kind, Kind::listed);
  EXPECT_EQ(service("DeviceAllow=/dev/nvidia0 rw\nDeviceAllow=/dev/nvidiactl r\n").devices.allowed,
            Words{"/dev/nvidia0"});
  EXPECT_EQ(service("DeviceAllow=/dev/nvidia0 rw\nDeviceAllow=\n").devices.kind, Kind::as_ours);
}

TEST_F(Service, what_it_starts) {
  system_.add_file("/opt/gpu/bin/jupyter-lab", "#!/opt/gpu/bin/python\n");
  system_.details("/opt/gpu/bin/jupyter-lab").mode = 0755;
  EXPECT_EQ(service("ExecStart=\nExecStart=@-/opt/gpu/bin/jupyter-lab lab --port 1\n").interpreter,
            "/opt/gpu/bin/python");
  const auto shell = service("ExecStart=\nExecStart=/bin/bash -lc 'python train.py'\n");
  EXPECT_EQ(shell.interpreter, "");
  EXPECT_FALSE(shell.python_unknown.empty());
  unit("n.service", "[Service]\nType=oneshot\n");
  EXPECT_EQ(find("n").error().message, "n.service (/etc/systemd/system/n.service): has no "
                                       "ExecStart=, so that it starts no program");
}

TEST_F(Service, errors_are_one_line) {
  unit("train.service", "[Service]\nExecStart=/x\n");
  EXPECT_EQ(find("trian").error().message,
            "no unit 'trian.service' in the folders of systemd: did you mean 'train.service'?");
  system_.add_link("/etc/systemd/system/off.service", "/dev/null");
  EXPECT_EQ(find("off").error().message,
            "off.service is masked (/etc/systemd/system/off.service): it cannot be started");
  EXPECT_FALSE(find("../x"));
  EXPECT_FALSE(find(""));
  system_.add_fifo("/etc/systemd/system/pipe.service");
  EXPECT_FALSE(find("pipe"));
}

} // namespace
} // namespace gpuwhy::places
