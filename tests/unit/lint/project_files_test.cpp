// The causes in project files, one format after the other.
#include "unit/lint/judging.h"

#include <gtest/gtest.h>

using namespace gpuwhy;

namespace {

TEST(ProjectFiles, Dockerfile) {
  EXPECT_EQ(found("FROM tensorflow/tensorflow:2.15.0\n", "Dockerfile"), Places{"F02:1"});
  EXPECT_EQ(found("FROM tensorflow/tensorflow:2.15.0-gpu\n", "Dockerfile"), Places{});
  EXPECT_EQ(found("FROM python:3.11\nRUN pip install \\\n    numpy tensorflow\n", "Dockerfile"),
            Places{"F05:2"});
  EXPECT_EQ(found("FROM python:3.11\nRUN pip install 'tensorflow[and-cuda]'\n", "Dockerfile"),
            Places{});
  EXPECT_EQ(
      found("FROM x\nENV A=1 CUDA_VISIBLE_DEVICES=\"\"\nENV NVIDIA_DRIVER_CAPABILITIES=utility\n",
            "Dockerfile"),
      (Places{"E01:2", "C02:3"}));
  EXPECT_EQ(found("FROM x\nENV LD_LIBRARY_PATH=/usr/local/cuda/lib64/stubs:$LD_LIBRARY_PATH\n",
                  "Dockerfile"),
            Places{"L08:2"});
}

TEST(ProjectFiles, Compose) {
  const std::string head = "services:\n  train:\n    image: tensorflow/tensorflow:2.15.0-gpu\n";
  EXPECT_EQ(found(head, "compose.yaml"), Places{"C01:2"});
  EXPECT_EQ(
      found(head + "    deploy:\n      resources:\n        reservations:\n          devices:\n     "
                   "       - driver: nvidia\n              capabilities: [gpu]\n",
            "compose.yaml"),
      Places{});
  EXPECT_EQ(
      found("x-gpu: &gpu\n  runtime: nvidia\nservices:\n  a:\n    <<: *gpu\n    image: a-gpu\n",
            "docker-compose.yml"),
      Places{});
}

TEST(ProjectFiles, Kubernetes) {
  const std::string pod = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: a\n    "
                          "image: nvcr.io/nvidia/tensorflow:24.01-tf2-py3\n";
  EXPECT_EQ(found(pod, "pod.yaml"), Places{"C01:6"});
  EXPECT_EQ(found(pod + "    resources:\n      limits:\n        nvidia.com/gpu: 1\n", "pod.yaml"),
            Places{});
}

TEST(ProjectFiles, Slurm) {
  EXPECT_EQ(
      found("#!/bin/bash\n#SBATCH -p gpu\n#SBATCH --time=1:00\npython train.py\n", "job.sbatch"),
      Places{"C07:2"});
  EXPECT_EQ(
      found("#!/bin/bash\n#SBATCH -p gpu\n#SBATCH --gres=gpu:1\npython train.py\n", "job.sbatch"),
      Places{});
  EXPECT_EQ(found("#!/bin/bash\n#SBATCH -p long\npython table.py\n", "job.sbatch"), Places{});
}

TEST(ProjectFiles, Requirements) {
  EXPECT_EQ(found("numpy\ntensorflow-cpu==2.15.0\n", "requirements.txt"), Places{"F02:2"});
  EXPECT_EQ(found("tensorflow==2.15.0\ntensorflow-gpu==2.10.0\n", "requirements.txt"),
            Places{"F06:2"});
  EXPECT_EQ(found("tensorflow-gpu\n", "requirements-dev.txt"), Places{"F09:1"});
  EXPECT_EQ(found("tensorflow-macos; sys_platform == 'darwin'\ntensorflow[and-cuda]==2.16.1\n",
                  "requirements.txt"),
            Places{});
}

TEST(ProjectFiles, CondaAndPyproject) {
  EXPECT_EQ(found("channels: [conda-forge]\ndependencies:\n  - python=3.12\n  - "
                  "tensorflow=2.15=mkl_py\n  - pip:\n    - tensorflow==2.10.0\n",
                  "environment.yml"),
            (Places{"F02:4", "F08:4", "F06:6", "F08:6"}));
  EXPECT_EQ(
      found("[project]\ndependencies = [\n  'numpy',\n  'tensorflow-cpu',\n]\n", "pyproject.toml"),
      Places{"F02:4"});
  EXPECT_EQ(found("[[package]]\nname = 'tensorflow-cpu'\nversion = '2.15.0'\n", "uv.lock"),
            Places{"F02:1"});
}

TEST(ProjectFiles, DevContainer) {
  EXPECT_EQ(
      found("{ // a comment\n  \"image\": \"nvidia/cuda:12.2.0-devel\"\n}\n", "devcontainer.json"),
      Places{"C01:2"});
  EXPECT_EQ(found("{\"image\": \"nvidia/cuda:12.2.0-devel\", \"runArgs\": [\"--gpus\", \"all\"]}\n",
                  "devcontainer.json"),
            Places{});
}

TEST(ProjectFiles, MalformedKeysOfToml) {
  for (const std::string text :
       {"= 1\n", "[a]\n= 1\n", "x.= 1\n", "x = {= 1}\n", "x = {a = 1, = 2}\n", "[.]\n",
        "x = {.a = 1}\n", "\u00f6 = 1\n", "[a]\n\u03b1 = 1\n"}) {
    const auto report = judge_text(text, "pyproject.toml");
    ASSERT_EQ(report.notes.size(), 1U) << text;
    EXPECT_NE(report.notes[0].text.find("not TOML"), std::string::npos) << report.notes[0].text;
  }
}

TEST(ProjectFiles, WhatCannotBeReadIsTold) {
  for (const auto& [path, text] :
       {std::pair{"compose.yaml", "services:\n  a: [image:\n"},
        std::pair{"pyproject.toml", "a = \n"}, std::pair{"devcontainer.json", "{"},
        std::pair{"uv.lock", "[[package"}}) {
    const auto report = judge_text(text, path);
    EXPECT_TRUE(report.findings.empty());
    EXPECT_EQ(report.notes.size(), 1U) << path;
  }
}

} // namespace
