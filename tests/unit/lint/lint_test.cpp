// Lint around its rules: notebooks, ignores, settings, bad input, edits, order of files.
#include "unit/lint/judging.h"

#include "base/text.h"
#include "program/tree.h"
#include "support/memory_system.h"

#include <gtest/gtest.h>

using namespace gpuwhy;

namespace {

std::string notebook(const std::vector<std::string>& cells) {
  std::string text = "{\"nbformat\": 4, \"metadata\": {}, \"cells\": [";
  for (const auto& cell : cells) {
    if (text.back() != '[') text += ",";
    text += R"({"cell_type": "code", "source": ")" +
            replace_all(replace_all(cell, "\"", "\\\""), "\n", "\\n") + "\"}";
  }
  return text + "]}";
}

TEST(LintNotebook, CellsMagicsAndShell) {
  const auto report =
      judge_text(notebook({"%env CUDA_VISIBLE_DEVICES=-1\n!pip install tensorflow-cpu",
                           "%%bash\nimport nothing", "import tensorflow as tf"}),
                 "a.ipynb");
  ASSERT_EQ(report.findings.size(), 2U);
  EXPECT_EQ(report.findings[0].id, "P03");
  EXPECT_EQ(report.findings[0].cell, 1U);
  EXPECT_EQ(report.findings[0].lines.at(0), "%env CUDA_VISIBLE_DEVICES=-1");
  EXPECT_EQ(report.findings[1].id, "F02");
  EXPECT_EQ(report.findings[1].line, 2U);
  EXPECT_TRUE(report.notes.empty());
}

TEST(LintNotebook, TheAcceleratorThatItAsksFor) {
  const auto with = [](const std::string& metadata) {
    auto text = notebook({"import tensorflow as tf"});
    return judge_text(replace_all(text, "\"metadata\": {}", "\"metadata\": {" + metadata + "}"),
                      "a.ipynb")
        .findings;
  };
  for (const std::string none : {R"("colab": {}, "accelerator": "NONE")",
                                 R"("kaggle": {"accelerator": "none", "isGpuEnabled": false})",
                                 R"("kaggle": {"isGpuEnabled": false})"}) {
    ASSERT_EQ(with(none).size(), 1U) << none;
    EXPECT_EQ(with(none)[0].id, "C04");
    EXPECT_EQ(with(none)[0].severity, Severity::warning);
  }
  EXPECT_EQ(with(R"("colab": {"provenance": []})").at(0).severity, Severity::info);
  for (const std::string some :
       {"", R"("accelerator": "NONE")", R"("colab": {}, "accelerator": "GPU")",
        R"("colab": {}, "accelerator": "TPU")", R"("kaggle": {"accelerator": "nvidiaTeslaT4"})",
        R"("kaggle": {"isGpuEnabled": true})", R"("kaggle": 3, "colab": {}, "accelerator": "GPU")"})
    EXPECT_TRUE(with(some).empty()) << some;
}

TEST(LintNotebook, NotOne) {
  for (const std::string text : {"", "{", "[1]", "{\"cells\": 3}",
                                 "{\"cells\": [1, {\"cell_type\": \"code\", \"source\": 4}]}"}) {
    const auto report = judge_text(text, "a.ipynb");
    EXPECT_TRUE(report.findings.empty());
  }
  EXPECT_EQ(judge_text("{", "a.ipynb").notes.at(0).text, "not a notebook: its text is not JSON");
  EXPECT_EQ(judge_text(std::string(100'000, '['), "a.ipynb").notes.size(), 1U);
}

TEST(LintIgnores, OnTheLineAboveItAndUnused) {
  const std::string head = "import tensorflow as tf\n";
  EXPECT_EQ(found(head + "tf.config.set_visible_devices([], 'GPU')  # gpuwhy: ignore[P02]\n"),
            Places{});
  EXPECT_EQ(found(head + "# gpuwhy: ignore\ntf.config.set_visible_devices([], 'GPU')\n"), Places{});
  EXPECT_EQ(found(head + "tf.config.set_visible_devices([], 'GPU')  # gpuwhy: ignore[P01]\n"),
            (Places{"P02:2", "unused-ignore:2"}));
  EXPECT_EQ(found("tensorflow-cpu  # gpuwhy: ignore[F02]\n", "requirements.txt"), Places{});
}

TEST(LintInput, PythonTwoAndBrokenCode) {
  const auto report = judge_text("import tensorflow as tf\nprint 'x'\nexec 'y'\ndef f(:\n  "
                                 "pass\nmodel.compile(run_eagerly=True)\n");
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.findings[0].line, 6U);
  ASSERT_EQ(report.notes.size(), 1U);
  EXPECT_EQ(report.notes[0].line, 4U);
}

TEST(LintInput, EncodingsTabsAndLineEnds) {
  EXPECT_EQ(found("\xEF\xBB\xBFimport tensorflow as tf\r\nmodel.compile(run_eagerly=True)\r\n"),
            Places{"P07:2"});
  const auto latin =
      judge_text("# caf\xE9\nimport tensorflow as tf\nif x:\n\tmodel.compile(run_eagerly=True)\n");
  EXPECT_EQ(latin.notes.at(0).text, "not UTF-8: read as Latin-1");
  EXPECT_EQ(latin.findings.at(0).line, 4U);
  EXPECT_EQ(judge_text(std::string("import tensorflow\0", 18)).notes.at(0).text, "a binary file");
}

TEST(LintInput, DeepAndLarge) {
  std::string deep = "import tensorflow as tf\nx = " + std::string(50'000, '(') + "1" +
                     std::string(50'000, ')') + "\nmodel.compile(run_eagerly=True)\n";
  EXPECT_EQ(found(deep), Places{"P07:3"});
  std::string many = "import tensorflow as tf\n";
  for (int i = 0; i < 2000; ++i)
    many += "a" + std::to_string(i + 1) + " = a" + std::to_string(i) + " + a" + std::to_string(i) +
            "\n";
  EXPECT_EQ(found(many + "model.compile(run_eagerly=a2000)\n"), Places{});
  EXPECT_EQ(judge_text(std::string(5'000'000, 'x')).notes.at(0).text,
            "larger than 4 MiB: not looked at");
}

TEST(LintEdits, TheResultParsesAndIsClean) {
  const std::string code = "import tensorflow as tf\nwith tf.device('/CPU:0'):\n  model = "
                           "tf.keras.Sequential()\n  model.compile('adam', run_eagerly=True)\n";
  const auto report = judge_text(code);
  const auto mended = lint::apply_edits(code, report.findings);
  EXPECT_EQ(mended, "import tensorflow as tf\nwith tf.device(None):\n  model = "
                    "tf.keras.Sequential()\n  model.compile('adam', run_eagerly=False)\n");
  EXPECT_FALSE(program::Tree::parse(mended).first_error_line());
  EXPECT_EQ(found(mended), Places{});
}

TEST(LintRun, TreesSettingsAndLinks) {
  MemorySystem system;
  Identity identity;
  identity.working_directory = "/p";
  system.set_identity(identity);
  const std::string bad = "import tensorflow as tf\nmodel.compile(run_eagerly=True)\n";
  system.add_file("/p/a.py", bad);
  system.add_file("/p/tests/test_a.py", bad);
  system.add_file("/p/venv/pyvenv.cfg", "");
  system.add_file("/p/venv/lib.py", bad);
  system.add_file("/p/old/b.py", bad);
  system.add_link("/p/loop", "/p");
  system.add_file("/p/pyproject.toml", "[tool.gpuwhy]\nexclude = ['old']\n");
  auto report = lint::run(system, {{"/p"}, {}, true, {}, 2});
  ASSERT_TRUE(report);
  ASSERT_EQ(report->findings.size(), 1U);
  EXPECT_EQ(report->findings[0].path, "/p/a.py");
  system.add_file("/p/pyproject.toml", "[tool.gpuwhy]\nignore = ['P07']\n");
  EXPECT_TRUE(lint::run(system, {{"/p"}, {}, true, {}, 1})->findings.empty());
  EXPECT_EQ(lint::run(system, {{"/p"}, {}, false, {}, 1})->findings.size(), 2U);
  system.add_file("/p/pyproject.toml", "[tool.gpuwhy]\nignored = 3\n");
  EXPECT_FALSE(lint::run(system, {{"/p"}, {}, true, {}, 1}));
  EXPECT_FALSE(lint::run(system, {{"/nowhere"}, {}, false, {}, 1}));
}

} // namespace
