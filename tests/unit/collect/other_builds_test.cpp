// JAX, PyTorch and Keras as their wheels lie on the disk, and what stands beside the program under
// their names.
#include "collect/software.h"
#include "machines.h"
#include "support/software.h"

#include <gtest/gtest.h>

namespace gpuwhy::test {
namespace {

using Names = std::vector<std::string>;

const std::string kTorch = kVenvSite + "/torch/";
const std::string kProject = "/home/ada/project/";

struct Venv {
  Venv() {
    system.set_identity(identity_of("6.1.0"));
    system.set_variable("PATH", kVenv + "/bin:/usr/bin");
    add_python(system);
    add_venv(system);
    system.add_directory("/home/ada/project");
    system.details("/home/ada").user = 1000; // hers
  }

  /// Its objects need each other as those of torch 2.11 do.
  void add_torch(const std::string& cuda = "'13.0'", const std::string& hip = "None") {
    add_dist_info(system, kVenvSite, "torch", "2.11.0",
                  "Requires-Dist: nvidia-cudnn-cu13==9.19.0.56; platform_system == \"Linux\"\n");
    system.add_file(kTorch + "__init__.py");
    system.add_file(kTorch + "version.py", "__version__ = '2.11.0+cu130'\ndebug = False\n"
                                           "cuda: Optional[str] = " +
                                               cuda + "\nhip: Optional[str] = " + hip + "\n");
    const auto object = [&](const std::string& name, const Names& needed) {
      TinyElf file;
      file.names = {{DT_SONAME, name}};
      for (const auto& each : needed) file.names.emplace_back(DT_NEEDED, each);
      if (name == "libtorch_cuda.so") file.fatbin = fatbin_container(fatbin_entry(2, 90));
      system.add_file(kTorch + "lib/" + name, file.bytes());
    };
    object("libtorch_global_deps.so", {"libcudart.so.13"});
    object("libtorch_python.so", {"libtorch.so", "libtorch_cpu.so", "libcudnn.so.9"});
    object("libtorch.so", {"libtorch_cpu.so", "libtorch_cuda.so"});
    object("libtorch_cpu.so", {"libc10.so", "libcupti.so.13"});
    object("libtorch_cuda.so", {"libtorch_nvshmem.so", "libc10.so", "libcublas.so.13"});
    object("libtorch_nvshmem.so", {"libtorch_cpu.so", "libnvshmem_host.so.3"});
    object("libtorch_cuda_linalg.so", {"libtorch_cuda.so", "libcusolver.so.12"});
    object("libcaffe2_nvrtc.so", {"libnvrtc.so.13"});
    object("libc10.so", {});
  }

  void add_jax(bool plugin = true) {
    add_dist_info(system, kVenvSite, "jax", "0.10.2", "Requires-Dist: jaxlib<=0.10.2,>=0.10.1\n");
    add_dist_info(system, kVenvSite, "jaxlib", "0.10.2");
    system.add_file(kVenvSite + "/jax/__init__.py");
    system.add_file(kVenvSite + "/jaxlib/__init__.py");
    system.add_file(kVenvSite + "/jaxlib/libjax_common.so", elf());
    if (!plugin) return;
    add_dist_info(system, kVenvSite, "jax-cuda13-plugin", "0.10.2",
                  "Requires-Dist: nvidia-cudnn-cu13<10.0,>=9.12.0.46 ; extra == 'with-cuda'\n");
    add_dist_info(system, kVenvSite, "jax-cuda13-pjrt", "0.10.2");
    system.add_file(kVenvSite + "/jax_cuda13_plugin/_versions.so", elf());
    system.add_file(kVenvSite + "/jax_plugins/xla_cuda13/xla_cuda_plugin.so", elf());
  }

  void add_keras(const std::string& version = "3.15.1") {
    add_dist_info(system, kVenvSite, "keras", version);
    system.add_file(kVenvSite + "/keras/__init__.py");
    system.add_directory(kVenvSite + "/keras/src");
  }

  const std::vector<Framework>& look(const Scope& scope = {}) {
    facts = {};
    for (const auto* collector :
         {&kInterpreters, &kDistributions, &kJaxBuild, &kTorchBuild, &kKerasBackend})
      collector->collect(system, scope, facts);
    return facts.pythons.front().frameworks;
  }

  MemorySystem system;
  Facts facts;
};

TEST(TorchBuild, of_a_wheel) {
  Venv venv;
  venv.add_torch();
  const auto& torch = venv.look().at(0);
  EXPECT_EQ(torch.version.value_or(""), "2.11.0+cu130");
  EXPECT_EQ(torch.distributions, Names{"torch"});
  EXPECT_EQ(torch.broken, Names{});
  const auto& build = torch.build.value();
  EXPECT_TRUE(build.cuda.value());
  EXPECT_FALSE(build.rocm.value());
  EXPECT_EQ(build.cuda_version.value(), "13.0");
  EXPECT_EQ(build.cuda_version.source().str(), kTorch + "version.py:3");
  EXPECT_EQ(build.cudnn_version.value(), "9.19.0.56");
  EXPECT_EQ(build.opener, kTorch + "lib/libtorch_cuda.so");
  EXPECT_EQ(build.sass.value(), Names{"9.0"});
  EXPECT_EQ(build.loader_chain, (Names{kTorch + "lib/libtorch_python.so", kUsrPython}));
}

TEST(TorchBuild, what_torch_loads_at_once_comes_before_what_it_opens_in_use) {
  Venv venv;
  venv.add_torch();
  Names carriers;
  for (const auto& path : venv.look().at(0).build.value().carriers)
    carriers.emplace_back(base_name(path));
  EXPECT_EQ(carriers,
            (Names{"libtorch_global_deps.so", "libtorch_python.so", "libtorch.so",
                   "libtorch_cpu.so", "libtorch_cuda.so", "libc10.so", "libtorch_nvshmem.so",
                   "libtorch_cuda_linalg.so", "libcaffe2_nvrtc.so"}));
}

TEST(TorchBuild, for_the_cpu_and_for_rocm) {
  Venv cpu;
  cpu.add_torch("None");
  const auto& build = cpu.look().at(0).build.value();
  EXPECT_FALSE(build.cuda.value());
  EXPECT_TRUE(build.cuda_version.absent());
  EXPECT_TRUE(build.sass.absent());
  EXPECT_EQ(build.opener, kTorch + "lib/libtorch_cpu.so");
  Venv rocm;
  rocm.add_torch("None", "'6.2.41133'");
  EXPECT_TRUE(rocm.look().at(0).build.value().rocm.value());
}

TEST(TorchBuild, what_cannot_be_read_is_unknown_and_what_is_gone_is_broken) {
  Venv venv;
  venv.add_torch();
  venv.system.unreadable(kTorch + "version.py");
  EXPECT_TRUE(venv.look().at(0).build.value().cuda.open());
  venv.system.remove(kTorch + "version.py");
  venv.system.add_file(kTorch + "version.py", "from ._generated import *\n");
  EXPECT_TRUE(venv.look().at(0).version.open());
  venv.add_torch();
  venv.system.remove(kTorch + "lib/libtorch_cuda.so");
  EXPECT_TRUE(contains(venv.look().at(0).broken.at(0), "libtorch_cuda.so is missing"));
  venv.system.remove(kTorch + "lib");
  EXPECT_TRUE(venv.look().at(0).build.absent());
}

TEST(JaxBuild, with_the_plugin_and_without) {
  Venv venv;
  venv.add_jax();
  const auto& jax = venv.look().at(0);
  EXPECT_EQ(jax.version.value_or(""), "0.10.2");
  const auto& build = jax.build.value();
  EXPECT_TRUE(build.cuda.value());
  EXPECT_EQ(build.cuda_version.value(), "13.0.0");
  EXPECT_EQ(build.cudnn_version.value(), "9.12.0.46");
  EXPECT_EQ(build.opener, kVenvSite + "/jax_cuda13_plugin/_versions.so");
  EXPECT_EQ(build.carriers, Names{kVenvSite + "/jax_plugins/xla_cuda13/xla_cuda_plugin.so"});
  Venv cpu;
  cpu.add_jax(false);
  EXPECT_FALSE(cpu.look().at(0).build.value().cuda.value());
  cpu.system.remove(kVenvSite + "/jaxlib");
  EXPECT_TRUE(cpu.look().at(0).build.absent());
}

TEST(JaxBuild, half_a_plugin_and_one_wheel_of_all) {
  Venv half;
  half.add_jax();
  half.system.remove(kVenvSite + "/jax_cuda13_plugin");
  const auto& build = half.look().at(0).build.value();
  EXPECT_FALSE(build.cuda.value());
  EXPECT_EQ(build.carriers.size(), 1U);
  Venv old;
  old.add_jax(false);
  add_dist_info(old.system, kVenvSite, "jaxlib", "0.4.25+cuda12.cudnn89");
  old.system.remove(kVenvSite + "/jaxlib-0.10.2.dist-info");
  old.system.add_file(kVenvSite + "/jaxlib/xla_extension.so", elf());
  const auto& monolith = old.look().at(0).build.value();
  EXPECT_EQ(monolith.cuda_version.value_or(""), "12");
  EXPECT_EQ(monolith.cudnn_version.value_or(""), "8.9");
}

TEST(KerasBackend, variable_home_file_and_default) {
  Venv venv;
  venv.add_keras();
  EXPECT_TRUE(venv.look().at(0).configured_backend.absent());
  venv.system.add_file("/home/ada/.keras/keras.json", "{\n \"floatx\": \"float32\",\n"
                                                      " \"backend\": \"torch\"\n}\n");
  EXPECT_EQ(venv.look().at(0).configured_backend.value_or(""), "torch");
  EXPECT_EQ(venv.look().at(0).configured_backend.source().line, 3);
  venv.system.set_variable("KERAS_HOME", "settings"); // below the working directory
  EXPECT_TRUE(venv.look().at(0).configured_backend.absent());
  venv.system.add_file(kProject + "settings/keras.json", "{\"backend\": \"jax\"}");
  EXPECT_EQ(venv.look().at(0).configured_backend.value_or(""), "jax");
  for (const auto* text : {"{\"backend\": 3}", "{", "[]", "", "{\"backend\": \"\"}"}) {
    venv.system.add_file(kProject + "settings/keras.json", text);
    EXPECT_TRUE(venv.look().at(0).configured_backend.absent()) << text;
  }
  venv.system.set_variable("KERAS_HOME", "~/.keras");
  EXPECT_EQ(venv.look().at(0).configured_backend.value_or(""), "torch");
  venv.system.set_variable("KERAS_HOME", "settings");
  venv.system.unreadable(kProject + "settings/keras.json");
  EXPECT_TRUE(venv.look().at(0).configured_backend.open());
}

TEST(KerasBackend, a_home_that_may_not_be_written) {
  Venv venv;
  venv.add_keras();
  venv.system.add_file("/tmp/.keras/keras.json", "{\"backend\": \"jax\"}");
  EXPECT_TRUE(venv.look().at(0).configured_backend.absent());
  auto& home = venv.system.details("/home/ada");
  home.user = 0;
  home.mode = 0755;
  EXPECT_EQ(venv.look().at(0).configured_backend.value_or(""), "jax");
}

TEST(ImportPath, a_file_beside_the_program_comes_first_and_the_real_one_after_it) {
  Venv venv;
  venv.add_torch();
  venv.add_jax();
  venv.add_keras();
  for (const auto* name : {"torch", "jax", "keras"}) {
    venv.system.add_file(kProject + name + ".py");
    Names directories;
    for (const auto& framework : venv.look()) {
      if (framework.name == name) directories.push_back(framework.directory);
    }
    EXPECT_EQ(directories, (Names{kProject + name + ".py", kVenvSite + "/" + name}));
    venv.system.remove(kProject + name + ".py");
  }
}

TEST(ImportPath, whose_directory_counts) {
  Venv venv;
  venv.add_torch();
  const auto first = [&](const Scope& scope = {}) { return venv.look(scope).at(0).directory; };
  const auto real = kVenvSite + "/torch";
  venv.system.add_file(kProject + "src/train.py");
  venv.system.add_file(kProject + "torch.py"); // of the working directory
  EXPECT_EQ(first(), kProject + "torch.py");
  EXPECT_EQ(first({.program = "src/train.py"}), real); // sys.path begins with src
  venv.system.add_file(kProject + "src/torch/__init__.py");
  EXPECT_EQ(first({.program = "src/train.py"}), kProject + "src/torch");
  EXPECT_TRUE(venv.look({.program = "src/train.py"}).at(0).build.absent());
  venv.system.set_variable("PYTHONSAFEPATH", "1");
  EXPECT_EQ(first(), real);
}

TEST(ImportPath, a_folder_without_init_or_with_the_framework_in_it_is_no_foreign_module) {
  Venv venv;
  venv.add_torch();
  venv.system.add_file(kProject + "torch/model.pt");
  EXPECT_EQ(venv.look().at(0).directory, kVenvSite + "/torch");
  // A source tree of PyTorch is PyTorch, and has no library.
  venv.system.add_file(kProject + "torch/__init__.py");
  venv.system.add_file(kProject + "torch/version.py");
  EXPECT_EQ(venv.look().at(0).directory, kProject + "torch");
  EXPECT_TRUE(contains(venv.look().at(0).broken.at(0), "libtorch_cpu.so is missing"));
}

} // namespace
} // namespace gpuwhy::test
