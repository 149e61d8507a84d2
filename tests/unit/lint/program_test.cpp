// A program of several files as facts: what is read, in which order it runs, what counts.
#include "lint/program.h"

#include "support/memory_system.h"

#include <gtest/gtest.h>

#include <algorithm>

using namespace gpuwhy;

namespace {

const std::string kTf = "import tensorflow as tf\n";
const std::string kHide = "import os\nos.environ['CUDA_VISIBLE_DEVICES'] = '-1'\n";
const std::string kWork = "tf.keras.Sequential([]).fit(x)\n";

struct Folder {
  MemorySystem system;
  Folder() {
    Identity identity;
    identity.working_directory = "/p";
    system.set_identity(identity);
  }
  void add(const std::string& name, const std::string& text) {
    system.add_file("/p/" + name, text);
  }
  ProgramFacts read(const std::string& path = "train.py", program::Machine machine = {}) {
    return lint::read_program(system, path, machine);
  }
};

/// "P01 train.py:2", for those that decide the verdict.
std::vector<std::string> deciding(const ProgramFacts& facts) {
  std::vector<std::string> all;
  for (const auto& finding : facts.findings) {
    if (finding.bearing != Bearing::note) all.push_back(finding.id + " " + finding.place());
  }
  return all;
}

/// "NAME=VALUE at PLACE", with a word where it does not count.
std::vector<std::string> variables(const ProgramFacts& facts) {
  std::vector<std::string> all;
  for (const auto& each : facts.variables) {
    all.push_back(each.name +
                  (each.unset   ? " unset"
                   : each.known ? "=" + each.value
                                : "=?") +
                  (each.yields ? " or as it was" : "") + " at " + each.place +
                  (each.too_late.empty() ? "" : " late"));
  }
  return all;
}

using Lines = std::vector<std::string>;

TEST(Program, OneFile) {
  Folder folder;
  folder.add("train.py", kTf + "with tf.device('/CPU:0'):\n  " + kWork);
  const auto facts = folder.read();
  EXPECT_EQ(facts.problem, "");
  EXPECT_EQ(facts.files, Lines{"train.py"});
  EXPECT_EQ(facts.frameworks, Lines{"tensorflow"});
  EXPECT_EQ(deciding(facts), Lines{"P01 train.py:2"});
  EXPECT_TRUE(facts.findings.front().edit);
}

TEST(Program, WhatIsNotThere) {
  Folder folder;
  EXPECT_EQ(folder.read("nothing.py").problem.substr(0, 11), "nothing.py:");
  folder.system.add_directory("/p/empty");
  EXPECT_EQ(folder.read("empty").problem,
            "no program was found in empty: name the file that is run");
}

TEST(Program, AnImportedFileRunsWhereItIsImported) {
  Folder folder;
  folder.add("settings.py", kHide);
  folder.add("train.py", "import settings\n" + kTf + kWork);
  EXPECT_EQ(deciding(folder.read()), Lines{"P03 settings.py:2"});
  folder.add("train.py", kTf + kWork + "import settings\n");
  EXPECT_EQ(variables(folder.read()), Lines{"CUDA_VISIBLE_DEVICES=-1 at settings.py:2 late"});
  EXPECT_EQ(deciding(folder.read()), Lines{});
}

TEST(Program, PackagesRelativeNamesAndCycles) {
  Folder folder;
  folder.add("app/__init__.py", "from .a import *\n");
  folder.add("app/a.py", "from . import b\nfrom ..app.b import x\n");
  folder.add("app/b.py", "import app.a\nx = 1\n" + kHide);
  folder.add("lib/c.py", "c = 3\n");
  folder.add("train.py", "import sys\nsys.path.append('lib')\nimport app, c, numpy\n" + kTf);
  auto files = folder.read().files;
  std::sort(files.begin(), files.end());
  EXPECT_EQ(files, (Lines{"app/__init__.py", "app/a.py", "app/b.py", "lib/c.py", "train.py"}));
}

TEST(Program, StartedInsideItsPackage) {
  Folder folder;
  folder.add("app/__init__.py", "");
  folder.add("app/settings.py", kHide);
  folder.add("app/train.py", "from .settings import *\nfrom app import settings\n" + kTf + kWork);
  EXPECT_EQ(deciding(folder.read("app/train.py")), Lines{"P03 app/settings.py:2"});
}

TEST(Program, AFunctionOfAnotherFileRunsWhenItIsCalled) {
  Folder folder;
  folder.add("gpu.py", "import os\ndef hide():\n  os.environ['CUDA_VISIBLE_DEVICES'] = ''\n");
  folder.add("train.py", "from gpu import hide\n" + kTf + kWork);
  EXPECT_EQ(deciding(folder.read()), Lines{});
  folder.add("train.py", "from gpu import *\nhide()\n" + kTf + kWork);
  EXPECT_EQ(deciding(folder.read()), Lines{"P03 gpu.py:3"});
  folder.add("train.py", "import gpu as g\nif input():\n  g.hide()\n" + kTf + kWork);
  EXPECT_EQ(variables(folder.read()), Lines{});
}

TEST(Program, WhatItDoesNotReach) {
  Folder folder;
  const std::string pin = "with tf.device('/CPU:0'):\n    " + kWork;
  folder.add("train.py", kTf + "def unused():\n  " + pin + kWork);
  EXPECT_EQ(deciding(folder.read()), Lines{});
  folder.add("train.py", kTf + "def used():\n  " + pin + "used()\n");
  EXPECT_EQ(deciding(folder.read()), Lines{"P01 train.py:3"});
  folder.add("model.py", kTf + "if __name__ == '__main__':\n  " + pin);
  folder.add("train.py", "import model\n" + kTf + kWork);
  EXPECT_EQ(deciding(folder.read()), Lines{});
  EXPECT_EQ(deciding(folder.read("model.py")), Lines{"P01 model.py:3"});
}

TEST(Program, AFileThatOnlyDefinesIsJudgedWhole) {
  Folder folder;
  folder.add("train.py", kTf + "def build():\n  with tf.device('/CPU:0'):\n    " + kWork);
  EXPECT_EQ(deciding(folder.read()), Lines{"P01 train.py:3"});
}

TEST(Program, ABranchThatHoldsTheFrameworkToo) {
  Folder folder;
  folder.add("train.py", "import os\nif file.exists():\n  pass\nelse:\n  "
                         "os.environ['JAX_PLATFORMS'] = 'cpu'\n  import jax\n  train()\n");
  EXPECT_EQ(deciding(folder.read()), Lines{"P03 train.py:5"});
  folder.add("train.py", "import os\nif file.exists():\n  pass\nelse:\n  "
                         "os.environ['JAX_PLATFORMS'] = 'cpu'\nimport jax\ntrain()\n");
  EXPECT_EQ(deciding(folder.read()), Lines{});
}

TEST(Program, AMethodOfAUsedClassIsReached) {
  Folder folder;
  folder.add("net.py", kTf + "class Net(tf.keras.Model):\n  def train_step(self, data):\n"
                             "    with tf.device('/CPU:0'):\n      self.model.fit(data)\n");
  folder.add("train.py", "from net import Net\nNet().fit(x)\n");
  EXPECT_EQ(deciding(folder.read()), Lines{"P01 net.py:4"});
  folder.add("train.py", "import net\n" + kTf + kWork);
  EXPECT_EQ(deciding(folder.read()), Lines{});
}

TEST(Program, TheLastWriteDecides) {
  Folder folder;
  folder.add("train.py", kHide + "os.environ['CUDA_VISIBLE_DEVICES'] = '0'\n" + kTf + kWork);
  EXPECT_EQ(deciding(folder.read()), Lines{});
  folder.add("settings.py", "import os\nos.environ['CUDA_VISIBLE_DEVICES'] = '0'\n");
  folder.add("train.py", "import settings\n" + kHide + kTf + kWork);
  EXPECT_EQ(deciding(folder.read()), Lines{"P03 train.py:3"});
  folder.add("train.py", kHide + "import settings\n" + kTf + kWork);
  EXPECT_EQ(deciding(folder.read()), Lines{});
}

TEST(Program, AllFormsOfAChange) {
  Folder folder;
  folder.add("train.py", "import os\nos.environ.setdefault('XLA_FLAGS', '--a')\n"
                         "os.environ['TF_GPU_ALLOCATOR'] = str(n)\n"
                         "os.environ.pop('JAX_PLATFORMS', None)\ndel os.environ['TF_XLA_FLAGS']\n"
                         "os.putenv('KERAS_BACKEND', 'jax')\nos.environ['HOME'] = '/x'\n" +
                             kTf +
                             "import keras\nos.environ['KERAS_BACKEND'] = 'torch'\n"
                             "os.environ['LD_LIBRARY_PATH'] = '/x'\n");
  EXPECT_EQ(variables(folder.read()),
            (Lines{"XLA_FLAGS=--a or as it was at train.py:2", "TF_GPU_ALLOCATOR=? at train.py:3",
                   "JAX_PLATFORMS unset at train.py:4", "TF_XLA_FLAGS unset at train.py:5",
                   "KERAS_BACKEND=jax at train.py:6", "KERAS_BACKEND=torch at train.py:10 late",
                   "LD_LIBRARY_PATH=/x at train.py:11 late"}));
}

TEST(Program, ItsFrameworks) {
  Folder folder;
  folder.add("train.py", "import torch\nimport tensorflow as tf\ntf.data.Dataset.range(3)\n"
                         "torch.nn.Linear(2, 2)\n");
  EXPECT_EQ(folder.read().frameworks, (Lines{"torch", "tensorflow"}));
  folder.add("train.py", "from keras import layers\nlayers.Dense(3)\n");
  EXPECT_EQ(folder.read().frameworks, Lines{"keras"});
  folder.add("train.py", "from tensorflow.keras import layers\nlayers.Dense(3)\n");
  EXPECT_EQ(folder.read().frameworks, Lines{"tensorflow"});
  folder.add("train.py", "from flax import linen as nn\nimport optax\n");
  EXPECT_EQ(folder.read().frameworks, Lines{"jax"});
  folder.add("train.py", "from transformers import TFAutoModel\nimport tensorflow\n");
  EXPECT_EQ(folder.read().frameworks, Lines{"tensorflow"});
  folder.add("train.py", "import numpy\n");
  EXPECT_EQ(folder.read().frameworks, Lines{});
}

TEST(Program, AnIgnoredPinIsAPinAllTheSame) {
  Folder folder;
  folder.add("train.py", kTf + "with tf.device('/CPU:0'):  # gpuwhy: ignore[P01]\n  " + kWork +
                             "m.compile(run_eagerly=True)  # gpuwhy: ignore[P07]\n");
  const auto facts = folder.read();
  EXPECT_EQ(deciding(facts), Lines{"P01 train.py:2"});
  EXPECT_EQ(facts.findings.size(), 1U);
}

TEST(Program, TheMachineDecidesAboutTheSecondGpu) {
  Folder folder;
  folder.add("train.py", "import torch\nm = torch.nn.Linear(2, 2).to('cuda:1')\n");
  EXPECT_EQ(deciding(folder.read("train.py", {1})), Lines{"P06 train.py:2"});
  EXPECT_EQ(deciding(folder.read("train.py", {2})), Lines{});
  EXPECT_EQ(deciding(folder.read()), Lines{});
}

TEST(Program, TheFileOfAFolderThatIsStarted) {
  Folder folder;
  folder.add("proj/model.py", kTf + "def build():\n  return tf.keras.Sequential([])\n");
  folder.add("proj/train.py",
             "from model import build\nif __name__ == '__main__':\n  build().fit(x)\n" + kTf);
  folder.add("proj/tests/test_train.py", kTf + kWork);
  folder.add("proj/setup.py", kTf);
  auto facts = folder.read("proj");
  EXPECT_EQ(facts.entry, "proj/train.py");
  EXPECT_TRUE(facts.notes.empty());
  folder.add("proj/predict.py", kTf + "tf.keras.models.load_model('m').predict(x)\n");
  facts = folder.read("proj");
  EXPECT_EQ(facts.entry, "proj/train.py");
  EXPECT_EQ(facts.notes, Lines{"other programs here, not judged: proj/predict.py"});
}

TEST(Program, HostileImports) {
  Folder folder;
  std::string chain = "import m0\n";
  for (int i = 0; i < 600; ++i)
    folder.add("m" + std::to_string(i) + ".py", "import m" + std::to_string(i + 1) + "\n");
  folder.add("train.py", chain + "from ....... import x\nfrom . import *\nimport \n" + kTf);
  const auto facts = folder.read();
  EXPECT_LE(facts.files.size(), 401U);
  EXPECT_EQ(facts.problem, "");
}

} // namespace
