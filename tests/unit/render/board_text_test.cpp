#include "render/board_text.h"
#include "render/run_text.h"

#include "base/text.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace gpuwhy {
namespace {

use::Board board() {
  use::Board board;
  board.nvml.works = true;
  use::BoardGpu gpu;
  gpu.identity = {.index = 0, .name = "Test GPU", .memory_total = 24ULL << 30U};
  gpu.now = {.index = 0, .busy = 42, .memory = 6ULL << 30U, .power = 120, .temperature = 61};
  gpu.busy_history = {0, 50, 100, -1};
  gpu.memory_history = {25};
  board.gpus.push_back(gpu);
  board.processes.push_back({.pid = 10,
                             .gpu = 0,
                             .memory = 1ULL << 30U,
                             .cores = 0.5,
                             .command = "python small.py",
                             .frameworks = {"jax"}});
  board.processes.push_back({.pid = 20,
                             .gpu = 0,
                             .memory = 5ULL << 30U,
                             .cores = 3.0,
                             .command = "python large.py",
                             .frameworks = {"torch"}});
  return board;
}

std::string shown(const use::BoardView& view, std::size_t width = 100, std::size_t height = 0) {
  std::string text;
  for (const auto& line :
       board_lines(board(), view, {.color = false, .unicode = true, .width = width}, height))
    text += line + "\n";
  return text;
}

TEST(BoardText, sorts_and_filters) {
  const auto by_memory = shown({});
  EXPECT_LT(by_memory.find("large.py"), by_memory.find("small.py"));
  const auto by_number = shown({.order = use::BoardOrder::pid});
  EXPECT_LT(by_number.find("small.py"), by_number.find("large.py"));
  const auto filtered = shown({.filter = "JAX"});
  EXPECT_NE(filtered.find("small.py"), std::string::npos);
  EXPECT_EQ(filtered.find("large.py"), std::string::npos);
}

TEST(BoardText, fits_any_screen) {
  for (const std::size_t width : {30U, 61U, 200U}) {
    for (const std::size_t height : {1U, 4U, 50U}) {
      const auto lines =
          board_lines(board(), {}, {.color = false, .unicode = true, .width = width}, height);
      EXPECT_LE(lines.size(), height);
      for (const auto& line : lines) EXPECT_LE(display_width(line), width) << line;
    }
  }
}

TEST(BoardText, a_gpu_that_is_gone_is_said_to_be) {
  auto gone = board();
  gone.gpus[0].now = {.index = 0, .error = 15};
  EXPECT_NE(board_lines(gone, {}, {}, 0)[0].find("does not answer"), std::string::npos);
  const use::Board none;
  EXPECT_NE(board_lines(none, {}, {}, 0)[0].find("no GPU to show"), std::string::npos);
}

TEST(BoardText, json_leaves_out_what_nobody_told) {
  const auto json = nlohmann::json::parse(board_json(board()));
  EXPECT_EQ(json["gpus"][0]["busy"], 42);
  EXPECT_TRUE(json["gpus"][0]["sm_clock_mhz"].is_null());
  EXPECT_EQ(json["processes"].size(), 2U);
}

TEST(Bars, show_means_and_gaps) {
  EXPECT_EQ(bars({0, 100, -1, 50}, 4, {.unicode = true}), " █ ▄");
  EXPECT_EQ(bars({0, 100}, 1, {.unicode = true}), "▄");
  EXPECT_EQ(bars({100, 100}, 2, {.unicode = false}), "##");
  EXPECT_EQ(bars({}, 10, {}), "");
}

} // namespace
} // namespace gpuwhy
