// The build, from its own files: build_info.py in its two forms, headers, device code, what is
// broken.
#include "collect/python_literal.h"
#include "collect/software.h"
#include "collect/tensorflow_build_info.h"
#include "machines.h"
#include "support/software.h"

#include <gtest/gtest.h>

namespace gpuwhy::test {
namespace {

TEST(PythonLiteral, values) {
  const auto value =
      parse_literal(" {'a': [1, -2.5e3, True, None], \"b\\n\": ('x', r'y'), 'c': {}}  # rest");
  ASSERT_TRUE(value);
  EXPECT_EQ(value->find("a")->items.size(), 4U);
  EXPECT_EQ(value->find("a")->items[1].text, "-2.5e3");
  EXPECT_EQ(value->find("b\n")->items[1].text, "y");
  EXPECT_EQ(value->find("d"), nullptr);
  const auto pairs = parse_literal("collections.OrderedDict([('k', 'v'), ('w', False)])");
  ASSERT_TRUE(pairs);
  EXPECT_EQ(pairs->find("k")->text, "v");
}

TEST(PythonLiteral, what_is_none) {
  for (const auto* text : {"", "import os", "[1, 2", "{'a' 1}", "'open", "'a\nb'", "f(1, 2)", "[",
                           "(", "{", "\\", "'\\", "1 if x else 2 for"}) {
    const auto value = parse_literal(text);
    EXPECT_TRUE(!value || value->kind == Literal::Kind::number) << text;
  }
  EXPECT_FALSE(parse_literal(std::string(100'000, '[')));
  EXPECT_FALSE(parse_literal(std::string(100'000, '{')));
}

FrameworkBuild build_of(std::string_view text, bool readable = true) {
  FrameworkBuild build;
  EXPECT_EQ(read_build_info(text, "/b.py", build), readable) << text;
  return build;
}

TEST(BuildInfo, OfToday) {
  const auto build = build_of(
      "# Copyright\nimport collections\n\nbuild_info = collections.OrderedDict([('cpu_compiler', "
      "'clang'), "
      "('cuda_compute_capabilities', ['sm_60', 'compute_90']), ('cuda_version', '12.5.1'), "
      "('cudnn_version', '9'), ('is_cuda_build', True), ('is_rocm_build', False), "
      "('is_tensorrt_build', False)])\n");
  EXPECT_TRUE(build.cuda.value());
  EXPECT_FALSE(build.rocm.value());
  EXPECT_EQ(build.cuda_version.value(), "12.5.1");
  EXPECT_EQ(build.cuda_version.source().str(), "/b.py:4");
  EXPECT_EQ(build.cudnn_version.value(), "9");
  EXPECT_EQ(build.compute_capabilities, (std::vector<std::string>{"sm_60", "compute_90"}));
}

TEST(BuildInfo, OfBefore2_3) {
  const auto build = build_of("is_rocm_build = False\nis_cuda_build = True\ncuda_version_number = "
                              "\"10.1\"\ncudnn_version_number = '7'\n");
  EXPECT_TRUE(build.cuda.value());
  EXPECT_EQ(build.cuda_version.value(), "10.1");
  EXPECT_EQ(build.cudnn_version.value(), "7");
}

TEST(BuildInfo, ForTheCpu) {
  const auto build = build_of("build_info = collections.OrderedDict([('is_cuda_build', False), "
                              "('is_rocm_build', False)])\n");
  EXPECT_FALSE(build.cuda.value());
  EXPECT_TRUE(build.cuda_version.absent());
}

TEST(BuildInfo, OfAnotherForm) {
  build_of("", false);
  build_of("build_info = compute()\n", false);
  build_of("build_info = collections.OrderedDict([('is_cuda_build', True), \n", false);
  build_of(std::string(100'000, '='), false);
}

struct Venv {
  explicit Venv(bool with_cuda = true) {
    system.set_identity(identity_of("6.1.0"));
    system.set_variable("PATH", kVenv + "/bin:/usr/bin");
    add_python(system);
    add_venv(system);
    add_tensorflow(system, with_cuda);
  }
  const PythonEnvironment& look(const Scope& scope = {}) {
    facts = {};
    for (const auto* collector : {&kInterpreters, &kDistributions, &kFrameworkBuild})
      collector->collect(system, scope, facts);
    return facts.pythons.front();
  }
  MemorySystem system;
  Facts facts;
};

TEST(FrameworkBuild, OfAWheel) {
  Venv venv;
  const auto& python = venv.look();
  ASSERT_EQ(python.frameworks.size(), 1U);
  const auto& framework = python.frameworks[0];
  EXPECT_EQ(framework.version.value_or(""), "2.18.0");
  EXPECT_EQ(framework.distributions, std::vector<std::string>{"tensorflow"});
  EXPECT_TRUE(framework.broken.empty());
  const auto& build = framework.build.value();
  EXPECT_EQ(build.opener, kVenvSite + "/tensorflow/libtensorflow_framework.so.2");
  EXPECT_EQ(build.loader_chain,
            (std::vector<std::string>{
                kVenvSite + "/tensorflow/python/_pywrap_tensorflow_internal.so", kUsrPython}));
  EXPECT_EQ(build.sass.value(), (std::vector<std::string>{"8.0", "9.0"}));
  EXPECT_EQ(build.ptx.value(), std::vector<std::string>{"9.0"});
}

TEST(FrameworkBuild, VersionFromTheHeadersWhereMetadataIsSilent) {
  Venv venv;
  venv.system.remove(kVenvSite + "/tensorflow-2.18.0.dist-info");
  EXPECT_TRUE(venv.look().frameworks[0].version.open());
  venv.system.add_file(
      kVenvSite + "/tensorflow/include/tensorflow/core/public/version.h",
      "#define TF_MAJOR_VERSION 2\n#define TF_MINOR_VERSION 17\n#define TF_PATCH_VERSION 1\n");
  EXPECT_EQ(venv.look().frameworks[0].version.value_or(""), "2.17.1");
}

TEST(FrameworkBuild, TwoDistributionsInOnePackage) {
  Venv venv;
  add_dist_info(venv.system, kVenvSite, "tensorflow-cpu", "2.18.0");
  EXPECT_EQ(venv.look().frameworks[0].distributions,
            (std::vector<std::string>{"tensorflow", "tensorflow-cpu"}));
}

TEST(FrameworkBuild, BrokenFiles) {
  const auto package = kVenvSite + "/tensorflow/";
  Venv missing;
  missing.system.remove(package + "libtensorflow_framework.so.2");
  EXPECT_FALSE(missing.look().frameworks[0].broken.empty());
  Venv cut;
  cut.system.add_file(package + "libtensorflow_framework.so.2", "\x7f"
                                                                "EL");
  ASSERT_FALSE(cut.look().frameworks[0].broken.empty());
  EXPECT_TRUE(
      contains(cut.facts.pythons[0].frameworks[0].broken[0], "libtensorflow_framework.so.2"));
  Venv start;
  start.system.remove(package + "__init__.py");
  EXPECT_TRUE(contains(start.look().frameworks[0].broken.back(), "__init__.py is missing"));
}

TEST(FrameworkBuild, UnreadableBuildInfoIsUnknown) {
  Venv venv;
  venv.system.unreadable(kVenvSite + "/tensorflow/python/platform/build_info.py");
  const auto& build = venv.look().frameworks[0].build.value();
  EXPECT_TRUE(build.cuda.open());
  EXPECT_TRUE(contains(build.cuda.reason(), "Permission denied"));
}

TEST(FrameworkBuild, MetadataWithoutPackage) {
  Venv venv;
  venv.system.remove(kVenvSite + "/tensorflow");
  const auto& framework = venv.look().frameworks.at(0);
  EXPECT_TRUE(framework.build.absent());
  EXPECT_TRUE(contains(framework.broken.at(0), "is missing"));
}

TEST(FrameworkBuild, AFileBesideTheProgramHidesIt) {
  Venv venv;
  venv.system.add_file("/home/ada/project/train.py", "import tensorflow\n");
  venv.system.add_file("/home/ada/project/tensorflow.py", "");
  const auto& python = venv.look({.program = "train.py"});
  EXPECT_EQ(python.frameworks.at(0).directory, "/home/ada/project/tensorflow.py");
  EXPECT_TRUE(python.frameworks.at(0).build.absent());
}

TEST(FrameworkBuild, SomeFolderOfThatNameIsNone) {
  Venv venv(false);
  venv.system.remove(kVenvSite + "/tensorflow");
  venv.system.remove(kVenvSite + "/tensorflow-2.18.0.dist-info");
  venv.system.add_file(kVenvSite + "/tensorflow/notes.txt", "");
  EXPECT_TRUE(venv.look().frameworks.empty());
}

} // namespace
} // namespace gpuwhy::test
