// The published schemas against the program, what they say of each field, and documents of plain
// values against them. Real documents: tests/schemas.
#include "commands/pick_json.h"
#include "render/board_text.h"
#include "render/compat_text.h"
#include "render/explanation.h"
#include "render/lint.h"
#include "render/mending_json.h"
#include "render/prove_text.h"
#include "render/run_json.h"
#include "render/verdict_json.h"
#include "unit/render/samples.h"
#include "unit/render/validator.h"

#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <limits>
#include <map>
#include <sstream>

namespace gpuwhy {
namespace {

const std::map<std::string, std::string (*)()> kSchemas = {
    {"report", report_schema},     {"explain", explanation_schema},
    {"lint", render::lint_schema}, {"run", run_schema},
    {"pid", pid_schema},           {"watch", board_schema},
    {"prove", prove_schema},       {"pick", pick_schema},
    {"compat", compat_schema},     {"fix", fix_schema},
};

std::string fault(const char* name, const std::string& document) {
  const auto schema = Json::parse(kSchemas.at(name)());
  return Validator(schema).check(Json::parse(document));
}

/// GPUWHY_ACCEPT=1 writes the files; read the difference before committing it.
TEST(Schemas, ThePublishedOnesAreThese) {
  const char* accept = std::getenv("GPUWHY_ACCEPT");
  for (const auto& [name, schema] : kSchemas) {
    const std::string path = GPUWHY_SOURCE_DIR "/docs/schema/" + name + ".schema.json";
    if (accept != nullptr && std::string_view(accept) == "1") std::ofstream(path) << schema();
    std::ifstream file(path);
    std::stringstream published;
    published << file.rdbuf();
    EXPECT_EQ(published.str(), schema())
        << path << " is out of date: run the tests with GPUWHY_ACCEPT=1";
  }
}

void expect_prose(const Json& schema, const std::string& path) {
  for (const char* list : {"properties", "prefixItems"}) {
    if (!schema.contains(list)) continue;
    for (const auto& [name, field] : schema[list].items()) {
      if (field.contains("const")) continue;
      EXPECT_TRUE(field.contains("description") && !field["description"].empty() &&
                  field["description"] != "")
          << path << "." << name;
    }
  }
  const Json definitions = schema.value("$defs", Json::object());
  for (const auto& [name, definition] : definitions.items())
    expect_prose(definition, path + "/" + name);
}

TEST(Schemas, EveryFieldIsDescribed) {
  for (const auto& [name, schema] : kSchemas) expect_prose(Json::parse(schema()), name);
}

TEST(Schemas, OfRunAndPid) {
  use::RunStatistics run;
  EXPECT_EQ(fault("run", run_json({}, run, {})), "");
  run.start.command = {"python3", "train.py"};
  run.gpus.resize(2);
  run.gpus[0].steady = use::Span{1.0004, 2};
  run.gpus[0].pcie_rx = 10;
  run.gpus[0].after_known = true;
  run.moments.resize(481);
  for (auto& moment : run.moments) moment.gpus.resize(2);
  run.moments[0].gpus[0].busy.add(50);
  run.calls.window = std::numeric_limits<double>::denorm_min(); // rates that are no number
  run.calls.sums.launches = 1'000'000;
  run.end.exit_status = 1;
  run.end.signs = {{use::Sign::Kind::fatal, "\xff\x1b[31mError", "output"}};
  run.end.libraries = {{7, "libcuda.so.1", {{"/lib/libcuda.so.1", "path", true, true}}, ""}};
  RunVerdict verdict;
  verdict.causes = samples::three_causes().frameworks[0].causes;
  verdict.at_most_faster = 2.5;
  const auto text = run_json(verdict, run, {"torch"});
  EXPECT_EQ(fault("run", text), "");
  const auto json = Json::parse(text);
  EXPECT_EQ(json["gpus"][0]["steady"], Json::array({1.0, 2.0}));
  EXPECT_EQ(json["gpus"][0]["pcie_to_gpu"], 10240);
  EXPECT_TRUE(json["calls"]["launches_per_second"].is_null());
  EXPECT_EQ(json["timeline"]["rows"].size(), 161U); // of 481 moments, three a row
  EXPECT_EQ(json["timeline"]["rows"][0][2][0], Json::array({50.0, nullptr, nullptr, 0}));
  EXPECT_EQ(json["timeline"]["columns"], Json::array({"seconds", "cores", "gpus"}));

  use::ProcessFacts process;
  process.variables = {{"CUDA_VISIBLE_DEVICES", "0"}};
  process.libraries = {{"libcuda.so.1", "/lib/libcuda.so.1", true}};
  const auto line = pid_json(verdict, run, {}, process, -1);
  EXPECT_EQ(fault("pid", line), "");
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  EXPECT_EQ(fault("pid", watching_json(7)), "");
  EXPECT_NE(fault("pid", text), ""); // of run
}

TEST(Schemas, OfProve) {
  Proof proof;
  EXPECT_EQ(fault("prove", prove_json(proof)), "");
  proof.failed = Layer::kernel;
  proof.explanation = Explanation{"H07", "gpu-lost", "lost", "it is lost", Fix{}, true};
  Rung rung;
  rung.state = Rung::State::failed;
  rung.run.state = LayerRun::State::crashed;
  rung.run.ended_by = "SIGABRT";
  rung.measures = {{"to_device", 1e9, "B/s", 2e9, "PCIe 5.0 x16"}, {"loss", 0.5, "", {}, ""}};
  proof.rungs = {rung};
  const auto text = prove_json(proof);
  EXPECT_EQ(fault("prove", text), "");
  const auto layer = Json::parse(text)["layers"][0];
  EXPECT_EQ(layer["measures"][0]["fraction"], 0.5);
  EXPECT_FALSE(layer["measures"][1].contains("limit"));
  EXPECT_EQ(layer["failure"],
            Json::parse(R"({"how": "crashed", "step": "", "text": "", "ended_by": "SIGABRT"})"));
  rung.run.api = "cuda";
  rung.run.code = 719;
  proof.rungs = {rung};
  EXPECT_EQ(fault("prove", prove_json(proof)), "");
}

TEST(Schemas, OfFix) {
  Mending mending;
  EXPECT_EQ(fault("fix", mending_json(mending)), "");
  mending.verdict = samples::three_causes().frameworks[0];
  mending.steps = {{Fix{"do it", {"do it"}, true, Reach::shell}, "needs root"}};
  mending.verdict.alternatives = {Plan{{Fix{}}}};
  mending.file = "/home/ada/.bashrc";
  const Applied stopped{.done = false, .gpu = {}, .left_to_you = {}, .problem = "no space"};
  EXPECT_EQ(fault("fix", mending_json(mending, stopped)), "");
  EXPECT_EQ(Json::parse(mending_json(mending, stopped))["applied"],
            Json::parse(R"({"done": false, "problem": "no space"})"));
  const Applied done{.done = true, .gpu = true, .left_to_you = false, .problem = {}};
  EXPECT_EQ(fault("fix", mending_json(mending, done)), "");
  EXPECT_EQ(Json::parse(mending_json(mending, done))["applied"],
            Json::parse(R"({"done": true, "gpu": true, "left_to_you": false})"));
}

TEST(Schemas, OfPickWatchCompatAndLint) {
  Candidates candidates;
  Choice choice;
  EXPECT_EQ(fault("pick", pick_json({&candidates, &choice, "", true})), "");
  choice.chosen.resize(1);
  const auto picked = pick_json({&candidates, &choice, "0", true});
  EXPECT_EQ(fault("pick", picked), "");
  EXPECT_EQ(Json::parse(picked)["environment"],
            Json::parse(R"({"CUDA_VISIBLE_DEVICES": "0", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"})"));

  use::Board board;
  board.gpus.resize(1);
  board.gpus[0].now.power = 71.5;
  board.processes.resize(1);
  EXPECT_EQ(fault("watch", board_json(board)), "");

  Compat compat;
  compat.needs.resize(1);
  compat.here = {{"torch", "3.11.2", "/usr/bin/python3", {Fit{}, Fit{{}, {}, {"the GPU"}}}}};
  EXPECT_EQ(fault("compat", compat_json(compat)), "");
  EXPECT_TRUE(Json::parse(compat_json(compat))["here"][0]["releases"][1]["works"].is_null());

  LintReport lint;
  lint.findings.resize(2);
  lint.findings[1].cell = 2;
  lint.findings[1].edit = TextEdit{1, 2, "x"};
  lint.notes = {{"a.py", 0, "not read"}, {"a.py", 3, "not parsed"}};
  EXPECT_EQ(fault("lint", render::lint_json(lint)), "");
}

} // namespace
} // namespace gpuwhy
