// Which line of which file put a value, or an element of a list, into a variable.
#include "collect/software.h"
#include "machines.h"

#include <gtest/gtest.h>

namespace gpuwhy {
namespace {

struct Shell {
  Shell() { system.set_identity(identity_of("6.1.0")); }

  Variable look(const std::string& name) {
    const auto facts = collected(kEnvironmentVariables, system);
    const auto* found = facts.environment.find(name);
    EXPECT_NE(found, nullptr) << name;
    return found == nullptr ? Variable{} : *found;
  }
  /// "PATH:LINE! text [elements]", "!" for those that account for the value.
  std::string origins(const std::string& name) {
    std::string text;
    for (const auto& origin : look(name).origins) {
      text += origin.path + ":" + std::to_string(origin.line) + (origin.certain ? "! " : " ") +
              origin.text;
      if (!origin.elements.empty()) text += " [" + join(origin.elements, " ") + "]";
      text += "\n";
    }
    return text;
  }

  MemorySystem system;
};

TEST(EnvironmentVariables, OnlyThoseOnTheList) {
  Shell shell;
  shell.system.set_environment({{"AWS_SECRET_ACCESS_KEY", "hunter2"},
                                {"CUDA_VISIBLE_DEVICES", ""},
                                {"SLURM_JOB_GPUS", "0"},
                                {"SLURM_JOB_ACCOUNT", "x"},
                                {"TF_SECRET", "y"}});
  const auto facts = collected(kEnvironmentVariables, shell.system);
  ASSERT_TRUE(facts.environment.looked);
  ASSERT_EQ(facts.environment.variables.size(), 2U);
  EXPECT_EQ(facts.environment.variables[0].name, "CUDA_VISIBLE_DEVICES");
  EXPECT_EQ(facts.environment.variables[0].value, "");
  EXPECT_EQ(facts.environment.variables[1].name, "SLURM_JOB_GPUS");
}

TEST(VariableOrigins, BashLineThatSetsIt) {
  Shell shell;
  shell.system.set_variable("CUDA_VISIBLE_DEVICES", "-1");
  shell.system.add_file("/home/ada/.bashrc", "# mine\nexport CUDA_VISIBLE_DEVICES=-1\n");
  shell.system.add_file("/home/ada/.profile", "export CUDA_VISIBLE_DEVICES=0\n");
  EXPECT_EQ(shell.origins("CUDA_VISIBLE_DEVICES"),
            "/home/ada/.bashrc:2! export CUDA_VISIBLE_DEVICES=-1\n"
            "/home/ada/.profile:1 export CUDA_VISIBLE_DEVICES=0\n");
}

TEST(VariableOrigins, NotExportedIsNotTheOne) {
  Shell shell;
  shell.system.set_variable("CUDA_VISIBLE_DEVICES", "-1");
  shell.system.add_file("/home/ada/.bashrc", "CUDA_VISIBLE_DEVICES=-1\n");
  EXPECT_EQ(shell.origins("CUDA_VISIBLE_DEVICES"), "/home/ada/.bashrc:1 CUDA_VISIBLE_DEVICES=-1\n");
}

TEST(VariableOrigins, EachElementOfAListHasItsLine) {
  Shell shell;
  shell.system.set_variable("LD_LIBRARY_PATH",
                            "/home/ada/cudnn/lib:/usr/local/cuda-11.8/lib64:/opt/x");
  shell.system.add_file("/etc/profile.d/cuda.sh",
                        "export LD_LIBRARY_PATH=/usr/local/cuda-11.8/lib64:$LD_LIBRARY_PATH\n");
  shell.system.add_file("/home/ada/.bashrc",
                        "CUDNN=~/cudnn\n"
                        "export LD_LIBRARY_PATH=$CUDNN/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}\n"
                        "export LD_LIBRARY_PATH=/gone:$LD_LIBRARY_PATH\n");
  EXPECT_EQ(
      shell.origins("LD_LIBRARY_PATH"),
      "/etc/profile.d/cuda.sh:1! export "
      "LD_LIBRARY_PATH=/usr/local/cuda-11.8/lib64:$LD_LIBRARY_PATH "
      "[/usr/local/cuda-11.8/lib64]\n"
      "/home/ada/.bashrc:2! export LD_LIBRARY_PATH=$CUDNN/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} "
      "[/home/ada/cudnn/lib]\n"
      "/home/ada/.bashrc:3 export LD_LIBRARY_PATH=/gone:$LD_LIBRARY_PATH [/gone]\n");
}

TEST(VariableOrigins, ZshFishCshAndEtcEnvironment) {
  Shell shell;
  shell.system.set_variable("LD_LIBRARY_PATH", "/a:/b:/c:/d");
  shell.system.add_file("/home/ada/.zshrc", "typeset -x LD_LIBRARY_PATH=/a\n");
  shell.system.add_file("/home/ada/.config/fish/config.fish",
                        "set -gx LD_LIBRARY_PATH /b $LD_LIBRARY_PATH\n");
  shell.system.add_file("/home/ada/.cshrc", "setenv LD_LIBRARY_PATH /c:$LD_LIBRARY_PATH\n");
  shell.system.add_file("/etc/environment", "LD_LIBRARY_PATH=\"/d\"\n");
  EXPECT_EQ(
      shell.origins("LD_LIBRARY_PATH"),
      "/etc/environment:1! LD_LIBRARY_PATH=\"/d\" [/d]\n"
      "/home/ada/.zshrc:1! typeset -x LD_LIBRARY_PATH=/a [/a]\n"
      "/home/ada/.cshrc:1! setenv LD_LIBRARY_PATH /c:$LD_LIBRARY_PATH [/c]\n"
      "/home/ada/.config/fish/config.fish:1! set -gx LD_LIBRARY_PATH /b $LD_LIBRARY_PATH [/b]\n");
}

TEST(VariableOrigins, CondaScriptsAndState) {
  Shell shell;
  shell.system.set_environment({{"CONDA_PREFIX", "/opt/conda/envs/tf"},
                                {"LD_LIBRARY_PATH", "/opt/conda/envs/tf/lib"},
                                {"XLA_FLAGS", "--xla_gpu_cuda_data_dir=/opt/conda/envs/tf"}});
  shell.system.add_file("/opt/conda/envs/tf/etc/conda/activate.d/env_vars.sh",
                        "export LD_LIBRARY_PATH=$CONDA_PREFIX/lib/\n");
  shell.system.add_file(
      "/opt/conda/envs/tf/conda-meta/state",
      "{\"env_vars\": {\n  \"XLA_FLAGS\": \"--xla_gpu_cuda_data_dir=/opt/conda/envs/tf\"}}\n");
  EXPECT_EQ(shell.origins("LD_LIBRARY_PATH"),
            "/opt/conda/envs/tf/etc/conda/activate.d/env_vars.sh:1! export "
            "LD_LIBRARY_PATH=$CONDA_PREFIX/lib/ [/opt/conda/envs/tf/lib/]\n");
  EXPECT_EQ(shell.origins("XLA_FLAGS"), "/opt/conda/envs/tf/conda-meta/state:2! \"XLA_FLAGS\": "
                                        "\"--xla_gpu_cuda_data_dir=/opt/conda/envs/tf\"\n");
}

TEST(VariableOrigins, VirtualEnvironmentAndDirenv) {
  Shell shell;
  shell.system.set_environment({{"VIRTUAL_ENV", "/home/ada/tf"},
                                {"TF_CPP_MIN_LOG_LEVEL", "3"},
                                {"DIRENV_DIR", "-/home/ada"},
                                {"CUDA_VISIBLE_DEVICES", "1"}});
  shell.system.add_file("/home/ada/tf/bin/activate",
                        "deactivate () {\n  unset X\n}\nexport TF_CPP_MIN_LOG_LEVEL=3\n");
  shell.system.add_directory("/home/ada/project");
  shell.system.add_file("/home/ada/.envrc", "export CUDA_VISIBLE_DEVICES=1\n");
  EXPECT_EQ(shell.origins("TF_CPP_MIN_LOG_LEVEL"),
            "/home/ada/tf/bin/activate:4! export TF_CPP_MIN_LOG_LEVEL=3\n");
  EXPECT_EQ(shell.origins("CUDA_VISIBLE_DEVICES"),
            "/home/ada/.envrc:1! export CUDA_VISIBLE_DEVICES=1\n");
}

TEST(VariableOrigins, FollowsSourcedFilesAndNoLoop) {
  Shell shell;
  shell.system.set_variable("CUDA_HOME", "/usr/local/cuda");
  shell.system.add_file("/home/ada/.bashrc", "[ -f ~/.cuda ] && . ~/.cuda\n. ~/.bashrc\n");
  shell.system.add_file("/home/ada/.cuda",
                        "export CUDA_HOME=/usr/local/cuda\nsource /home/ada/.bashrc\n");
  EXPECT_EQ(shell.origins("CUDA_HOME"), "/home/ada/.cuda:1! export CUDA_HOME=/usr/local/cuda\n");
}

TEST(VariableOrigins, WhatOnlyARunWouldTellIsNotClaimed) {
  Shell shell;
  shell.system.set_variable("CUDA_HOME", "/usr/local/cuda");
  shell.system.add_file("/home/ada/.bashrc", "export CUDA_HOME=$(dirname $(which nvcc))/..\n");
  EXPECT_EQ(shell.origins("CUDA_HOME"),
            "/home/ada/.bashrc:1 export CUDA_HOME=$(dirname $(which nvcc))/..\n");
}

TEST(VariableOrigins, ControlCharactersOfALineDoNotReachTheReader) {
  Shell shell;
  shell.system.set_variable("CUDA_HOME", "/x");
  shell.system.add_file("/home/ada/.bashrc", "export CUDA_HOME=/x\x1b]0;owned\x07\n");
  EXPECT_FALSE(contains(shell.origins("CUDA_HOME"), "\x1b"));
}

TEST(VariableOrigins, UnreadableFilesAndFifosArePassedOver) {
  Shell shell;
  shell.system.set_variable("CUDA_HOME", "/x");
  shell.system.add_file("/etc/profile", "export CUDA_HOME=/x\n");
  shell.system.unreadable("/etc/profile");
  shell.system.add_fifo("/home/ada/.bashrc");
  EXPECT_EQ(shell.origins("CUDA_HOME"), "");
}

} // namespace
} // namespace gpuwhy
