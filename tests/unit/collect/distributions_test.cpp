// What is installed: dist-info, egg-info, conda-meta, leftovers, and metadata that is broken.
#include "collect/software.h"
#include "machines.h"
#include "support/software.h"

#include <gtest/gtest.h>

namespace gpuwhy::test {
namespace {

struct Shelf {
  Shelf() { system.add_directory(kVenvSite); }
  const std::vector<Distribution>& look(std::vector<std::string> sites = {kVenvSite},
                                        const std::string& prefix = kVenv) {
    facts = {};
    facts.pythons.emplace_back();
    facts.pythons[0].prefix = prefix;
    facts.pythons[0].site_directories = std::move(sites);
    kDistributions.collect(system, {}, facts);
    return facts.pythons[0].distributions;
  }
  MemorySystem system;
  Facts facts;
};

TEST(Distributions, DistInfo) {
  Shelf shelf;
  add_dist_info(
      shelf.system, kVenvSite, "tensorflow", "2.18.0",
      "Requires-Python: >=3.9\nRequires-Dist: nvidia-cudnn-cu12 (==9.3.0.75) ; extra == "
      "'and-cuda'\n"
      "Requires-Dist: nvidia-nccl-cu12==2.21.5; extra == \"and-cuda\"\nRequires-Dist: numpy<2\n"
      "Requires-Dist: pytest ; extra == 'test'\n",
      "uv");
  add_dist_info(shelf.system, kVenvSite, "requests", "2.32.0");
  const auto& found = shelf.look();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].name, "tensorflow");
  EXPECT_EQ(found[0].version, "2.18.0");
  EXPECT_EQ(found[0].installer, "uv");
  EXPECT_EQ(found[0].requires_python, ">=3.9");
  EXPECT_EQ(found[0].cuda_pins,
            (std::vector<std::string>{"nvidia-cudnn-cu12==9.3.0.75", "nvidia-nccl-cu12==2.21.5"}));
  EXPECT_EQ(found[0].location, kVenvSite + "/tensorflow-2.18.0.dist-info");
}

TEST(Distributions, NamesAreNormalised) {
  Shelf shelf;
  for (const auto* name :
       {"TensorFlow_CPU-2.18.0", "nvidia_cudnn.cu12-9.3.0.75", "tf__nightly-2.20.0.dev20250101"}) {
    shelf.system.add_file(kVenvSite + "/" + name + ".dist-info/METADATA", "Version: 0\n");
  }
  std::string names;
  for (const auto& each : shelf.look()) names += each.name + " ";
  EXPECT_EQ(names, "tensorflow-cpu nvidia-cudnn-cu12 tf-nightly ");
}

TEST(Distributions, EggInfoAsFileAndAsDirectory) {
  Shelf shelf;
  shelf.system.add_file(kVenvSite + "/tensorflow-1.13.1-py3.7.egg-info",
                        "Name: tensorflow\nVersion: 1.13.1\n");
  shelf.system.add_file(kVenvSite + "/Keras-2.2.4-py3.7.egg-info/PKG-INFO",
                        "Version: 2.2.4\nRequires-Python: >=2.7\n");
  const auto& found = shelf.look();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].name + found[0].version, "keras2.2.4");
  EXPECT_EQ(found[0].requires_python, ">=2.7");
  EXPECT_EQ(found[1].name + found[1].version, "tensorflow1.13.1");
}

TEST(Distributions, Conda) {
  Shelf shelf;
  for (const auto* name :
       {"tensorflow-2.11.0-cuda112py310he87a039_0", "cudatoolkit-11.8.0-h4ba93d1_13",
        "zlib-1.3-h0_0", "_tflow_select-2.3.0-mkl", "broken", "x-y"}) {
    shelf.system.add_file(kVenv + std::string("/conda-meta/") + name + ".json", "{}");
  }
  // conda writes a dist-info too: one installation is one row.
  add_dist_info(shelf.system, kVenvSite, "tensorflow", "2.11.0", {}, "conda");
  std::string text;
  for (const auto& each : shelf.look())
    text += each.name + " " + each.version + " " + each.build + " " + each.installer + "\n";
  EXPECT_EQ(text, "tensorflow 2.11.0 cuda112py310he87a039_0 conda\n"
                  "-tflow-select 2.3.0 mkl conda\n"
                  "cudatoolkit 11.8.0 h4ba93d1_13 conda\n");
}

TEST(Distributions, PipOverCondaIsTwoRows) {
  Shelf shelf;
  shelf.system.add_file(kVenv + "/conda-meta/tensorflow-2.11.0-cuda112py310_0.json", "{}");
  add_dist_info(shelf.system, kVenvSite, "tensorflow", "2.18.0");
  EXPECT_EQ(shelf.look().size(), 2U);
}

TEST(Distributions, DuplicatesAndLeftovers) {
  Shelf shelf;
  add_dist_info(shelf.system, kVenvSite, "tensorflow", "2.17.0");
  add_dist_info(shelf.system, kVenvSite, "tensorflow", "2.18.0");
  add_dist_info(shelf.system, "/usr/lib/python3/dist-packages", "tensorflow", "2.15.0");
  shelf.system.add_file(kVenvSite + "/~ensorflow/__init__.py");
  shelf.system.add_file(kVenvSite + "/~ensorflow-2.16.1.dist-info/METADATA", "Version: 2.16.1\n");
  std::string text;
  for (const auto& each : shelf.look({kVenvSite, "/usr/lib/python3/dist-packages"}))
    text += each.name + " " + each.version + ";";
  EXPECT_EQ(text,
            "tensorflow 2.17.0;tensorflow 2.18.0;~ensorflow ;~ensorflow 2.16.1;tensorflow 2.15.0;");
}

TEST(Distributions, BrokenMetadata) {
  Shelf shelf;
  const auto directory = [](const std::string& name) {
    return kVenvSite + "/" + name + ".dist-info";
  };
  shelf.system.add_directory(directory("tensorflow-2.18.0"));              // no METADATA
  shelf.system.add_fifo(directory("tensorflow_cpu-2.17.0") + "/METADATA"); // would block
  shelf.system.add_file(directory("tf_nightly-2.19.0") + "/METADATA",
                        "no colon\n:\n::\nVersion:\x1b[31m9\n\nVersion: 1\n");
  shelf.system.add_file(directory("keras-3.0") + "/METADATA", std::string(1U << 20U, 'x'));
  shelf.system.add_directory(kVenvSite + "/tensorflow.dist-info"); // no version
  shelf.system.add_directory(kVenvSite + "/-.dist-info");
  std::string text;
  for (const auto& each : shelf.look()) text += each.name + " " + each.version + ";";
  EXPECT_EQ(text,
            "keras 3.0;tensorflow 2.18.0;tensorflow ;tensorflow-cpu 2.17.0;tf-nightly \\x1b[31m9;");
}

TEST(Distributions, AnUnreadableSiteIsAProblemOfTheEnvironment) {
  Shelf shelf;
  shelf.system.unreadable(kVenvSite);
  EXPECT_TRUE(shelf.look().empty());
  EXPECT_TRUE(contains(shelf.facts.pythons[0].problem, "Permission denied"))
      << shelf.facts.pythons[0].problem;
}

} // namespace
} // namespace gpuwhy::test
