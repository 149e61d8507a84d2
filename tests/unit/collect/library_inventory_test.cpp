// The inventory holds all that a later search may ask for, and says of each file what the loader
// would.
#include "collect/loader_configuration.h"
#include "collect/software.h"
#include "judge/judge.h"
#include "machines.h"
#include "support/software.h"

#include <gtest/gtest.h>

namespace gpuwhy::test {
namespace {

using Status = LibraryFile::Status;

struct Venv {
  Venv() {
    system.set_identity(identity_of("6.1.0"));
    system.set_variable("PATH", kVenv + "/bin:/usr/bin");
    add_loader(system);
    add_python(system);
    add_venv(system);
    add_tensorflow(system);
  }
  const Facts& look() {
    facts = {};
    for (const auto* collector : {&kEnvironmentVariables, &kInterpreters, &kDistributions,
                                  &kFrameworkBuild, &kLibraryInventory}) {
      collector->collect(system, {}, facts);
    }
    return facts;
  }
  /// Where each library that TensorFlow opens is found, or how the search ends.
  std::string where(const std::string& product) {
    const auto cases = cases_of(look());
    const auto* need = cases.at(0).library(product);
    if (need == nullptr) return "not asked for";
    if (need->found.outcome == loader::Outcome::found) return need->found.path;
    return need->found.outcome == loader::Outcome::unknown ? "unknown" : "not found";
  }
  MemorySystem system;
  Facts facts;
};

TEST(LibraryInventory, WheelsAreFoundAndNothingIsLeftOpen) {
  Venv venv;
  EXPECT_EQ(venv.where("cudnn"), kVenvSite + "/nvidia/cudnn/lib/libcudnn.so.9");
  const auto cases = cases_of(venv.facts);
  for (const auto& need : cases.at(0).libraries) {
    EXPECT_EQ(need.found.outcome, loader::Outcome::found) << need.soname;
    EXPECT_TRUE(need.found.not_looked.empty()) << need.soname;
  }
  const auto& file = venv.facts.libraries.files.at(kVenvSite + "/nvidia/cudnn/lib/libcudnn.so.9");
  EXPECT_EQ(file.version.value_or(""), "9.3.0.75"); // the wheel's
  EXPECT_EQ(file.status, Status::good);
}

TEST(LibraryInventory, TheSearchCanBeRepeatedAfterAChange) {
  Venv venv;
  venv.system.set_variable("LD_LIBRARY_PATH", "/opt/cudnn8");
  venv.system.add_file("/opt/cudnn8/libcudnn.so.9", elf({{DT_SONAME, "libcudnn.so.9"}}));
  EXPECT_EQ(venv.where("cudnn"), "/opt/cudnn8/libcudnn.so.9");
  auto facts = venv.facts;
  edit::unset_variable(facts, "LD_LIBRARY_PATH");
  EXPECT_EQ(cases_of(facts).at(0).library("cudnn")->found.outcome, loader::Outcome::found);
}

TEST(LibraryInventory, EachKindOfBadFile) {
  Venv venv;
  const std::string folder = "/opt/bad/";
  TinyElf arm;
  arm.machine = EM_AARCH64;
  auto thirty_two = elf();
  thirty_two[EI_CLASS] = ELFCLASS32;
  venv.system.set_variable("LD_LIBRARY_PATH", "/opt/bad");
  venv.system.add_file(folder + "libcudnn.so.9", arm.bytes());
  venv.system.add_file(folder + "libcufft.so.11", thirty_two);
  venv.system.add_file(folder + "libcublas.so.12", "\x7f"
                                                   "ELF");
  venv.system.add_file(
      folder + "libcusparse.so.12",
      "version https://git-lfs.github.com/spec/v1\noid sha256:0000\nsize 123456789\n");
  venv.system.add_link(folder + "libcusolver.so.11", "libcusolver.so.11.gone");
  venv.system.add_link(folder + "libnvJitLink.so.12", "libnvJitLink.so.12");
  venv.system.add_fifo(folder + "libcudart.so.12");
  venv.system.add_directory(folder + "libcublasLt.so.12");
  venv.system.add_file(folder + "libnccl.so.2", elf());
  venv.system.unreadable(folder + "libnccl.so.2");
  auto cut = elf({{DT_SONAME, "libcurand.so.10"}});
  venv.system.add_file(folder + "libcurand.so.10", cut.substr(0, cut.size() - 20));
  const auto& files = venv.look().libraries.files;
  const std::map<std::string, Status> expected = {
      {"libcudnn.so.9", Status::wrong_machine}, {"libcufft.so.11", Status::wrong_class},
      {"libcublas.so.12", Status::too_short},   {"libcusparse.so.12", Status::not_elf},
      {"libcusolver.so.11", Status::dangling},  {"libnvJitLink.so.12", Status::dangling},
      {"libcudart.so.12", Status::special},     {"libcublasLt.so.12", Status::directory},
      {"libnccl.so.2", Status::unreadable},     {"libcurand.so.10", Status::truncated}};
  for (const auto& [name, status] : expected) {
    ASSERT_TRUE(files.contains(folder + name)) << name;
    EXPECT_EQ(files.at(folder + name).status, status)
        << name << ": " << files.at(folder + name).detail;
  }
}

TEST(LibraryInventory, UnreadableAndAbsentDirectories) {
  Venv venv;
  venv.system.set_variable("LD_LIBRARY_PATH", "/opt/closed:/opt/gone::relative");
  venv.system.add_file("/opt/closed/libcudnn.so.9", elf());
  venv.system.unreadable("/opt/closed");
  const auto& directories = venv.look().libraries.directories;
  EXPECT_EQ(directories.at("/opt/closed").status, LibraryDirectory::Status::unreadable);
  EXPECT_EQ(directories.at("/opt/gone").status, LibraryDirectory::Status::absent);
}

TEST(LibraryInventory, AnEndlessPathIsBounded) {
  Venv venv;
  std::string path;
  for (int i = 0; i < 2'500; ++i) path += "/d" + std::to_string(i) + ":";
  venv.system.set_variable("LD_LIBRARY_PATH", path);
  EXPECT_LE(venv.look().libraries.directories.size(), 3'000U);
  EXPECT_NE(venv.where("cudnn"), "not found"); // unknown at worst
}

TEST(LoaderConfiguration, GlibcAndItsDirectories) {
  Venv venv;
  venv.system.add_file("/etc/ld.so.conf", "include /etc/ld.so.conf.d/*.conf\n/opt/a # note\n");
  venv.system.add_file("/etc/ld.so.conf.d/b.conf", "/opt/b\n");
  Libraries libraries;
  read_loader_configuration(venv.system, libraries);
  EXPECT_EQ(libraries.libc.value_or(""), "glibc 2.36");
  EXPECT_EQ(libraries.lib_token, "lib/x86_64-linux-gnu");
  EXPECT_EQ(libraries.default_directories,
            (std::vector<std::string>{"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib",
                                      "/usr/lib"}));
  EXPECT_EQ(libraries.configured_directories, (std::vector<std::string>{"/opt/b", "/opt/a"}));
}

TEST(LoaderConfiguration, MuslAndNoLoader) {
  MemorySystem musl;
  musl.add_file("/lib/ld-musl-x86_64.so.1", elf());
  musl.add_file("/etc/ld-musl-x86_64.path", "/lib:/usr/local/lib\n/usr/lib\n");
  Libraries libraries;
  read_loader_configuration(musl, libraries);
  EXPECT_EQ(libraries.libc.value_or(""), "musl");
  EXPECT_EQ(libraries.default_directories,
            (std::vector<std::string>{"/lib", "/usr/local/lib", "/usr/lib"}));
  MemorySystem empty;
  Libraries none;
  read_loader_configuration(empty, none);
  EXPECT_TRUE(none.libc.open());
}

TEST(LoaderConfiguration, ACacheThatIsNoneIsLikeNoCache) {
  MemorySystem system;
  EXPECT_TRUE(read_loader_cache(system).absent());
  system.add_file("/etc/ld.so.cache", "rubbish");
  EXPECT_TRUE(read_loader_cache(system).absent());
  system.unreadable("/etc/ld.so.cache");
  EXPECT_TRUE(read_loader_cache(system).open());
}

} // namespace
} // namespace gpuwhy::test
