// The forms of a lint report, read as their readers read them.
#include "render/lint.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace gpuwhy;
using Json = nlohmann::json;

namespace {

LintReport sample() {
  CodeFinding finding;
  finding.id = "P01";
  finding.slug = "pinned-to-cpu";
  finding.title = "The program puts its model on the CPU";
  finding.path = "a b.py";
  finding.line = finding.end_line = 7;
  finding.column = 7;
  finding.end_column = 23;
  finding.severity = Severity::error;
  finding.message = "what is made here stays on the CPU";
  finding.fix = "remove the scope";
  finding.edit = TextEdit{3, 5, "None"};
  finding.lines = {"\twith tf.device('/cpu:0'):  # \x1b[31m"};
  CodeFinding in_cell = finding;
  in_cell.cell = 2;
  in_cell.severity = Severity::info;
  in_cell.edit.reset();
  LintReport report;
  report.findings = {finding, in_cell};
  report.notes = {{"c.py", 3, "not all of it is Python 3"}};
  report.files = 2;
  return report;
}

TEST(LintText, FrameMarkAndNoEscapes) {
  auto report = sample();
  report.findings.resize(1);
  EXPECT_EQ(render::lint_text(report, {false, true, 80}),
            "error[P01] The program puts its model on the CPU\n"
            " ──> a b.py:7:7\n"
            " 7 │     with tf.device('/cpu:0'):  # \\x1b[31m\n"
            "   │          ^^^^^^^^^^^^^^^^\n"
            "  why  what is made here stays on the CPU\n"
            "  fix  remove the scope (--fix does it)\n"
            "\n"
            "note c.py:3: not all of it is Python 3\n"
            "1 error, 0 warnings, 0 hints in 2 files; --fix mends 1\n");
}

TEST(LintText, NarrowLinesAreShownWhereTheMarkIs) {
  auto report = sample();
  report.findings.resize(1);
  report.findings[0].lines = {std::string(300, 'a') + "device"};
  report.findings[0].column = 301;
  report.findings[0].end_column = 307;
  const auto text = render::lint_text(report, {false, true, 60});
  EXPECT_NE(text.find("adevice\n"), std::string::npos);
  EXPECT_NE(text.find("^^^^^^\n"), std::string::npos);
}

TEST(LintText, NothingFound) {
  LintReport report;
  report.files = 3;
  EXPECT_EQ(render::lint_text(report, {}), "nothing found in 3 files\n");
}

TEST(LintJson, TheContract) {
  const auto json = Json::parse(render::lint_json(sample()));
  EXPECT_EQ(json["schema"], "gpuwhy.report/1");
  EXPECT_EQ(json["command"], "lint");
  const auto& finding = json["findings"][0];
  for (const char* key : {"id", "path", "line", "column", "end_line", "title", "severity", "fix"}) {
    EXPECT_TRUE(finding.contains(key)) << key;
  }
  EXPECT_FALSE(finding.contains("cell"));
  EXPECT_EQ(json["findings"][1]["cell"], 2);
}

TEST(LintSarif, RequiredStructure) {
  const auto json = Json::parse(render::lint_sarif(sample()));
  EXPECT_EQ(json["version"], "2.1.0");
  const auto& run = json["runs"][0];
  EXPECT_EQ(run["tool"]["driver"]["name"], "gpuwhy");
  ASSERT_EQ(run["tool"]["driver"]["rules"].size(), 1U);
  EXPECT_EQ(run["tool"]["driver"]["rules"][0]["id"], "P01");
  const auto& result = run["results"][0];
  EXPECT_EQ(result["ruleId"], "P01");
  EXPECT_EQ(result["level"], "error");
  EXPECT_TRUE(result["message"]["text"].is_string());
  const auto& place = result["locations"][0]["physicalLocation"];
  EXPECT_EQ(place["artifactLocation"]["uri"], "a%20b.py");
  EXPECT_EQ(place["region"]["startLine"], 7);
  EXPECT_EQ(run["results"][1]["level"], "note");
  EXPECT_FALSE(run["results"][1]["locations"][0]["physicalLocation"].contains("region"));
}

TEST(LintGithub, EscapesAndLevels) {
  auto report = sample();
  report.findings[0].message = "100%\nof it";
  const auto text = render::lint_github(report);
  EXPECT_EQ(text.substr(0, text.find('\n')),
            "::error file=a b.py,line=7,col=7,endLine=7,title=P01 The program puts its model on "
            "the CPU::100%25%0Aof it; remove the scope");
  EXPECT_NE(text.find("::notice file=a b.py,title="), std::string::npos);
}

} // namespace
