// Frameworks in the order in which a program imports them.
#include "program/imports.h"
#include "support/memory_system.h"

#include <gtest/gtest.h>

namespace gpuwhy::program {
namespace {

using Names = std::vector<std::string>;

Names names_in(MemorySystem& system, const std::string& path = "/p/train.py") {
  Names names;
  const auto imports = framework_imports(system, path);
  if (!imports) return {"error: " + imports.error().message};
  for (const auto& each : *imports) names.push_back(each.name);
  return names;
}

Names names_of(const std::string& text) {
  MemorySystem system;
  system.add_file("/p/train.py", text);
  return names_in(system);
}

TEST(Imports, in_order_and_once) {
  EXPECT_EQ(names_of("import os\nimport tensorflow as tf\nimport torch, jax\nimport torch.nn\n"),
            (Names{"tensorflow", "torch", "jax"}));
  EXPECT_EQ(names_of("from torchvision.transforms import Resize\nfrom tensorflow import keras\n"),
            (Names{"torch", "tensorflow"}));
  EXPECT_EQ(names_of("import numpy\nimport torchist\n"), Names{});
}

TEST(Imports, where_they_stand) {
  MemorySystem system;
  system.add_file("/p/train.py", "import os\n\nfrom torch.nn import Linear\n");
  const auto imports = framework_imports(system, "/p/train.py");
  ASSERT_TRUE(imports);
  EXPECT_EQ(imports->at(0).module, "torch.nn");
  EXPECT_EQ(imports->at(0).line, 3);
}

TEST(Imports, only_what_runs) {
  EXPECT_EQ(names_of("if False:\n    import torch\nimport jax\n"), Names{"jax"});
  EXPECT_EQ(names_of("import sys\nif len(sys.argv) > 1:\n    import torch\nimport jax\n"),
            Names{"jax"});
  EXPECT_EQ(names_of("def late():\n    import torch\nimport jax\nlate()\n"),
            (Names{"jax", "torch"}));
  EXPECT_EQ(names_of("def never():\n    import torch\nimport jax\n"), Names{"jax"});
}

TEST(Imports, through_modules_beside_the_program) {
  MemorySystem system;
  system.add_file("/p/train.py", "import models.net\nimport tensorflow\n");
  system.add_file("/p/models/__init__.py", "from models import data\n");
  system.add_file("/p/models/data.py", "import jax\nimport models.net\n"); // round in a circle
  system.add_file("/p/models/net.py", "import torch\nimport train\n");
  EXPECT_EQ(names_in(system), (Names{"jax", "torch", "tensorflow"}));
  const auto imports = framework_imports(system, "/p/train.py");
  EXPECT_EQ(imports->at(1).module, "models.net"); // as the program's own line has it
  EXPECT_EQ(imports->at(1).line, 1);
}

TEST(Imports, of_a_notebook) {
  MemorySystem system;
  system.add_file("/p/a.ipynb", R"({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [
    {"cell_type": "code", "metadata": {}, "outputs": [], "source": ["import keras\n"]},
    {"cell_type": "code", "metadata": {}, "outputs": [], "source": "%pip list\nimport torch"}]})");
  EXPECT_EQ(names_in(system, "/p/a.ipynb"), (Names{"keras", "torch"}));
}

TEST(Imports, what_cannot_be_read_is_an_error) {
  MemorySystem system;
  EXPECT_FALSE(framework_imports(system, "/p/none.py"));
  system.add_file("/p/train.py", std::string("\0\1\2\0", 4));
  EXPECT_FALSE(framework_imports(system, "/p/train.py"));
}

} // namespace
} // namespace gpuwhy::program
