#include "render/html.h"
#include "render/html_charts.h"
#include "render/html_lint.h"
#include "render/html_run.h"
#include "render/html_verdict.h"
#include "render/page_assets.h"
#include "unit/render/samples.h"

#include <cmath>
#include <gtest/gtest.h>

namespace gpuwhy {
namespace {

const PageContext kContext{"check", "train.py", "2026-11-26 14:10 UTC", "/home/ada"};

bool has(const std::string& page, std::string_view part) {
  return page.find(part) != std::string::npos;
}

TEST(Html, TextAndValuesAreEscaped) {
  Html html;
  html.element("p", {{"title", "a\"b'<"}}, [&] { html.text("</p><script>&\"'"); });
  EXPECT_EQ(html.take(),
            "<p title=\"a&quot;b&#39;&lt;\">&lt;/p&gt;&lt;script&gt;&amp;&quot;&#39;</p>");
}

TEST(Html, WhatDrivesOrDisguisesAScreenIsSpelledOut) {
  Html html;
  html.text("a\x1b[31m\u202e\u2028\u200b\xff");
  html.text(std::string_view("\0b", 2));
  EXPECT_EQ(html.take(), "a\\x1b[31m\\xe2\\x80\\xae\\xe2\\x80\\xa8\\xe2\\x80\\x8b\\xff\\x00b");
}

TEST(Html, NamesOfPathsAreForSentencesAlone) {
  Html html;
  html.call("/home/ada", "~");
  html.words("see /home/ada/a, not /home/adam");
  html.text(" /home/ada/a");
  EXPECT_EQ(html.take(), "see ~/a, not /home/adam /home/ada/a");
}

TEST(Html, DataCannotEndItsElement) {
  Html html;
  html.data("x", R"({"a":"</script><!--&"})");
  EXPECT_EQ(html.take(), "<script type=\"application/json\" id=\"x\">"
                         "{\"a\":\"\\u003c/script\\u003e\\u003c!--\\u0026\"}</script>");
}

TEST(PageAssets, AreCarriedWithTheirHashes) {
  for (const auto* name : {"page.css", "page.js"}) {
    EXPECT_FALSE(page_asset(name).bytes.empty()) << name;
    EXPECT_TRUE(page_asset(name).hash.starts_with("sha256-")) << name;
  }
  EXPECT_TRUE(page_asset("nothing").bytes.empty());
}

TEST(VerdictHtml, SaysTheAnswerTheCauseAndTheFix) {
  const auto page = verdict_html(samples::one_cause(), kContext);
  EXPECT_TRUE(has(page, "TensorFlow 2.15.0 (Python 3.11.7, venv ~/train/.venv)"));
  EXPECT_TRUE(has(page, "cuDNN 8.6.0 is loaded first"));
  EXPECT_TRUE(has(page, "LD_LIBRARY_PATH leads there first (~/.bashrc:118)"));
  EXPECT_TRUE(has(page, "<code>unset LD_LIBRARY_PATH</code>"));
  EXPECT_TRUE(has(page, "verified: then the GPU is used"));
  EXPECT_TRUE(has(page, "class=\"failed reached\"")) << "the line goes as far as the first fault";
  EXPECT_FALSE(has(page, "id=\"charts\"")) << "no chart, no script for one";
}

TEST(VerdictHtml, CommandsKeepTheirPaths) {
  auto verdict = samples::one_cause();
  verdict.frameworks.front().causes.front().fix->commands = {"/home/ada/bin/python -m pip"};
  EXPECT_TRUE(has(verdict_html(verdict, kContext), "<code>/home/ada/bin/python -m pip</code>"));
}

TEST(VerdictHtml, TheRouteOfAHealthyMachineArrives) {
  const auto page = verdict_html(samples::healthy(), kContext);
  EXPECT_TRUE(has(page, "class=\"goal reached\""));
  EXPECT_FALSE(has(page, "class=\"failed"));
}

TEST(VerdictHtml, UnknownSaysWhatWouldSettleIt) {
  auto framework = samples::tensorflow("2.18.0");
  framework.answer = Usable::unknown;
  framework.unknown = {"/dev could not be read"};
  framework.route = samples::route({}, {Gate::access});
  const auto page = verdict_html(samples::machine(framework), kContext);
  EXPECT_TRUE(has(page, "could not tell whether TensorFlow 2.18.0"));
  EXPECT_TRUE(has(page, "/dev could not be read"));
  EXPECT_TRUE(has(page, "tf.config.list_physical_devices"));
  EXPECT_FALSE(has(page, "class=\"goal reached\""));
  EXPECT_TRUE(has(page, "class=\"unknown reached\""))
      << "the line is whole up to what is not known";
  EXPECT_TRUE(has(page, "class=\"passed\"")) << "and not behind it";
}

TEST(VerdictHtml, NothingJudgedIsAnAnswerToo) {
  Verdict verdict;
  verdict.problems = {"/sys is not there"};
  const auto page = verdict_html(verdict, kContext);
  EXPECT_TRUE(has(page, "no Python environment was judged"));
  EXPECT_TRUE(has(page, "/sys is not there"));
  EXPECT_TRUE(has(page, "None that can be seen from here."));
}

TEST(LintHtml, MarksThePlaceInTheLine) {
  CodeFinding finding;
  finding.id = "P01";
  finding.slug = "pinned-to-cpu";
  finding.path = "a.py";
  finding.line = finding.end_line = 7;
  finding.column = 4;
  finding.end_column = 7;
  finding.lines = {"\xC3\xA4 <b>&c"}; // the column counts characters
  const auto page = render::lint_html({{finding}, {}, 1}, kContext);
  EXPECT_TRUE(has(page, "<code>\xC3\xA4 &lt;<mark>b&gt;&amp;</mark>c</code>"));
  EXPECT_TRUE(has(page, "line 7, column 4"));
  EXPECT_TRUE(has(page, "1 warning in 1 file"));
}

TEST(LintHtml, APlaceBeyondItsLineIsAnEmptyMark) {
  CodeFinding finding;
  finding.path = "a.py";
  finding.column = finding.end_column = 900;
  finding.lines = {"x"};
  EXPECT_TRUE(has(render::lint_html({{finding}, {}, 1}, kContext), "<code>x<mark></mark></code>"));
}

ChartSheet one_chart() {
  ChartSheet sheet;
  sheet.seconds = {0, 1, 2};
  sheet.end = 2;
  sheet.bands = {{"work", 1, 2, 2}};
  sheet.charts = {{"busy", "GPU 0", "%", 100, {{"kernel", 1, {0, std::nullopt, 50}, "mean 25 %"}}}};
  return sheet;
}

TEST(Charts, AStillPictureSkipsWhatWasNotSeen) {
  Html html;
  html_chart(html, one_chart(), 0);
  const auto page = html.take();
  EXPECT_TRUE(has(page, "d=\"M0.0 100.0L1000.0 50.0\"")) << page;
  EXPECT_TRUE(has(page, "x=\"500.0\""));
  EXPECT_TRUE(has(page, "100 %"));
}

TEST(Charts, TheDataSaysNullWhereNothingWasSeen) {
  const auto json = charts_json(one_chart());
  EXPECT_TRUE(has(json, "\"values\":[0.0,null,50.0]")) << json;
}

TEST(Charts, NumbersThatAreNoneStayOut) {
  auto sheet = one_chart();
  sheet.charts.front().series.front().values = {std::nan(""), INFINITY, 1};
  EXPECT_TRUE(has(charts_json(sheet), "[null,null,1.0]"));
}

TEST(RunHtml, ARunWithoutAnyMomentIsAPage) {
  RunVerdict verdict;
  verdict.sentence = "could not tell";
  verdict.unknown = {"nothing was seen"};
  const auto page = run_html(verdict, {}, {}, kContext);
  EXPECT_TRUE(has(page, "nothing was seen"));
  EXPECT_FALSE(has(page, "Timeline"));
}

} // namespace
} // namespace gpuwhy
