#include "places/kernelspec.h"

#include "support/memory_system.h"

#include <gtest/gtest.h>

namespace gpuwhy::places {
namespace {

const std::string kOwn = "/home/u/.local/share/jupyter/kernels/";

class Kernelspec : public testing::Test {
protected:
  Kernelspec() {
    Identity identity;
    identity.home = "/home/u";
    identity.working_directory = "/home/u";
    system_.set_identity(identity);
    variables_ = {{"PATH", "/usr/bin"}, {"HOME", "/home/u"}, {"CUDA_HOME", "/usr/local/cuda"}};
    for (const auto* python : {"/opt/gpu/bin/python", "/opt/jupyter/bin/python", "/usr/bin/env"})
      program(python, "\x7f"
                      "ELF");
  }
  void program(const std::string& path, const std::string& bytes) {
    system_.add_file(path, bytes);
    system_.details(path).mode = 0755;
  }
  void kernel(const std::string& folder, const std::string& text) {
    system_.add_file(folder + "/kernel.json", text);
  }
  Here here() { return {system_, variables_, {"/opt/gpu"}, "/usr/bin/python3"}; }
  Result<FoundPlace> find(const std::string& name) { return find_kernel(here(), name); }

  MemorySystem system_;
  Environment variables_;
};

TEST_F(Kernelspec, gives_its_interpreter_and_variables) {
  kernel(kOwn + "gpu", R"({"argv": ["/opt/gpu/bin/python", "-m", "ipykernel_launcher"],
 "language": "python",
 "env": {
  "CUDA_VISIBLE_DEVICES": "-1",
  "LD_LIBRARY_PATH": "${CUDA_HOME}/lib64:$NOT_SET:$$x"
 }})");
  const auto place = find("GPU"); // Jupyter does not mind the case
  ASSERT_TRUE(place) << place.error().message;
  EXPECT_EQ(place->interpreter, "/opt/gpu/bin/python");
  EXPECT_EQ(place->place.kind, "kernel");
  EXPECT_EQ(place->place.name, "gpu");
  EXPECT_EQ(place->environment.at("CUDA_VISIBLE_DEVICES"), "-1");
  EXPECT_EQ(place->environment.at("LD_LIBRARY_PATH"), "/usr/local/cuda/lib64:$NOT_SET:$x");
  EXPECT_EQ(place->environment.at("HOME"), "/home/u"); // of the server
  const auto& origin = place->origins.at("CUDA_VISIBLE_DEVICES");
  EXPECT_EQ(origin.path, kOwn + "gpu/kernel.json");
  EXPECT_EQ(origin.line, 4);
  EXPECT_TRUE(place->inherits_shell);
  EXPECT_TRUE(place->problems.empty());
}

TEST_F(Kernelspec, python_is_the_one_that_runs_jupyter) {
  kernel("/opt/gpu/share/jupyter/kernels/python3", R"({"argv": ["python", "-m", "x"]})");
  EXPECT_EQ(find("python3")->interpreter, "/opt/gpu/bin/python"); // whose kernel it is
  program("/usr/bin/jupyter", "#!/opt/jupyter/bin/python\n");
  EXPECT_EQ(find("python3")->interpreter, "/opt/jupyter/bin/python");
}

TEST_F(Kernelspec, first_of_a_name_counts) {
  kernel(kOwn + "gpu", R"({"argv": ["/opt/gpu/bin/python"]})");
  kernel("/usr/share/jupyter/kernels/gpu", R"({"argv": ["/usr/bin/python3"]})");
  EXPECT_EQ(find("gpu")->interpreter, "/opt/gpu/bin/python");
  variables_["JUPYTER_PATH"] = "/site:/other";
  kernel("/other/kernels/gpu", R"({"argv": ["/opt/jupyter/bin/python"]})");
  EXPECT_EQ(find("gpu")->interpreter, "/opt/jupyter/bin/python");
  EXPECT_EQ(find_kernels(here()).size(), 1U);
}

TEST_F(Kernelspec, env_and_scripts_are_looked_through) {
  kernel(kOwn + "a", R"({"argv": ["/usr/bin/env", "TF_XLA_FLAGS=x", "/opt/gpu/bin/python"]})");
  const auto by_env = find("a");
  EXPECT_EQ(by_env->interpreter, "/opt/gpu/bin/python");
  EXPECT_EQ(by_env->environment.at("TF_XLA_FLAGS"), "x");
  program("/srv/start.sh", "#!/bin/sh\nmodule load cuda\nexec python \"$@\"\n");
  kernel(kOwn + "b", R"({"argv": ["/srv/start.sh", "{connection_file}"]})");
  const auto by_script = find("b");
  EXPECT_EQ(by_script->interpreter, "");
  EXPECT_EQ(by_script->python_unknown,
            kOwn +
                "b/kernel.json: starts /srv/start.sh: which Python that runs is not known; name it "
                "with --python PATH");
}

TEST_F(Kernelspec, unknown_name_lists_the_kernels) {
  EXPECT_EQ(find("gpu").error().message,
            "no kernel 'gpu': no kernel was found: 'jupyter kernelspec list' shows where it looks");
  kernel(kOwn + "torch", "{}");
  kernel("/usr/local/share/jupyter/kernels/r", "{}");
  EXPECT_EQ(find("gpu").error().message, "no kernel 'gpu': there are torch, r");
}

TEST_F(Kernelspec, hostile_files_are_one_line) {
  system_.add_fifo(kOwn + "fifo/kernel.json");
  EXPECT_TRUE(find("fifo").error().message.starts_with(kOwn + "fifo/kernel.json: "));
  kernel(kOwn + "big", std::string(1U << 20U, ' '));
  EXPECT_NE(find("big").error().message.find("larger than"), std::string::npos);
  kernel(kOwn + "deep", std::string(100'000, '['));
  EXPECT_EQ(find("deep").error().message, kOwn + "deep/kernel.json: is no JSON object");
  kernel(kOwn + "odd", R"({"argv": "python", "env": ["A=1"], "language": 3})");
  EXPECT_FALSE(find("odd")->python_unknown.empty());
  system_.add_link(kOwn + "loop", "loop");
  EXPECT_FALSE(find("loop"));
}

} // namespace
} // namespace gpuwhy::places
