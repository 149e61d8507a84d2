#include "render/board_text.h"

#include "base/text.h"
#include "render/run_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace gpuwhy {
namespace {

using use::Board;
using use::BoardGpu;
using use::BoardOrder;
using use::BoardProcess;
using use::BoardView;

template <class... T> std::string format(const char* pattern, T... values) {
  std::array<char, 160> text{};
  const int size = std::snprintf(text.data(), text.size(), pattern, values...);
  return {text.data(),
          static_cast<std::size_t>(std::clamp(size, 0, static_cast<int>(text.size()) - 1))};
}

/// Cut to `width` columns, between code points.
std::string cut(std::string text, std::size_t width) {
  while (display_width(text) > width && !text.empty()) {
    while (text.size() > 1 && (static_cast<unsigned char>(text.back()) & 0xC0U) == 0x80U)
      text.pop_back();
    text.pop_back();
  }
  return text;
}

std::string pad(std::string text, std::size_t width) {
  text = cut(std::move(text), width);
  return text + std::string(width - display_width(text), ' ');
}

std::string number(const std::optional<double>& value, const char* pattern, const char* unit) {
  return value ? format(pattern, *value) + unit : "-";
}

std::string gib(const std::optional<std::uint64_t>& bytes) {
  return bytes ? format("%.1f GiB", static_cast<double>(*bytes) / (1U << 30U)) : "-";
}

std::string slowed(const use::GpuTick& now) {
  const auto reasons = now.reasons.value_or(0);
  if ((reasons & use::kThermal) != 0) return "  hot: clocks lowered";
  if ((reasons & (use::kPowerBrake | use::kHardwareSlowdown)) != 0)
    return "  power brake: clocks lowered";
  return {};
}

void gpu_lines(const BoardGpu& gpu, const Style& style, std::vector<std::string>& lines) {
  const auto& now = gpu.now;
  const std::size_t room = style.width > 60 ? std::min<std::size_t>(style.width - 44, 60) : 16;
  const auto name =
      "GPU " + std::to_string(gpu.identity.index) + "  " + printable(gpu.identity.name);
  if (now.error || gpu.identity.error) {
    lines.push_back(
        paint(style, Ink::bad,
              cut(name + "  does not answer (NVML error " +
                      std::to_string(now.error.value_or(gpu.identity.error.value_or(0))) + ")",
                  style.width)));
    return;
  }
  lines.push_back(paint(style, Ink::strong,
                        cut(name + "  " + number(now.power, "%.0f", " W") + "  " +
                                number(now.temperature, "%.0f", " C") + "  " +
                                number(now.sm_clock, "%.0f", " MHz") + slowed(now),
                            style.width)));
  const auto tail = [&](const std::vector<double>& values) {
    const auto from =
        values.size() > room ? values.end() - static_cast<std::ptrdiff_t>(room) : values.begin();
    return std::vector<double>(from, values.end());
  };
  const auto history = [&](const char* label, const std::vector<double>& values,
                           const std::string& text) {
    lines.push_back(cut(std::string("  ") + pad(label, 7) +
                            pad(bars(tail(values), room, style), room) + "  " + text,
                        style.width));
  };
  std::string busy = number(now.busy, "%.0f", " %");
  if (now.sm) busy += format(", %.0f %% of its SMs", *now.sm);
  history("busy", gpu.busy_history, busy);
  history("memory", gpu.memory_history, gib(now.memory) + " of " + gib(gpu.identity.memory_total));
}

bool matches(const BoardProcess& process, const std::string& filter) {
  if (filter.empty()) return true;
  const auto wanted = lower(filter);
  return contains(lower(process.command), wanted) ||
         contains(join(process.frameworks, " "), wanted) ||
         contains(std::to_string(process.pid), wanted);
}

std::vector<BoardProcess> chosen(const Board& board, const BoardView& view) {
  std::vector<BoardProcess> all;
  for (const auto& process : board.processes) {
    if (matches(process, view.filter)) all.push_back(process);
  }
  std::stable_sort(all.begin(), all.end(), [&](const BoardProcess& a, const BoardProcess& b) {
    switch (view.order) {
    case BoardOrder::memory: return a.memory.value_or(0) > b.memory.value_or(0);
    case BoardOrder::busy: return a.sm.value_or(0) > b.sm.value_or(0);
    case BoardOrder::cores: return a.cores.value_or(0) > b.cores.value_or(0);
    case BoardOrder::pid: return a.pid < b.pid;
    }
    return false;
  });
  return all;
}

std::string process_line(const BoardProcess& process, const Style& style) {
  auto line =
      format("%8d %3d %10s %6s %6s  ", process.pid, process.gpu, gib(process.memory).c_str(),
             number(process.sm, "%.0f", " %").c_str(), number(process.cores, "%.1f", "").c_str());
  line += pad(join(process.frameworks, ","), 11) + " " +
          (process.command.empty() ? process.unseen : process.command);
  return cut(line, style.width);
}

std::string_view name_of_order(BoardOrder order) {
  constexpr std::array<std::string_view, 4> kNames{"memory", "busy", "cores", "number"};
  return kNames[static_cast<std::size_t>(order)];
}

} // namespace

std::vector<std::string> board_lines(const Board& board, const BoardView& view, const Style& style,
                                     std::size_t height) {
  std::vector<std::string> lines;
  if (!board.nvml.works)
    lines.push_back(
        cut("no GPU to show: " +
                (board.nvml.problem.empty() ? "NVML has not answered yet" : board.nvml.problem),
            style.width));
  for (const auto& gpu : board.gpus) gpu_lines(gpu, style, lines);
  const auto processes = chosen(board, view);
  lines.emplace_back();
  lines.push_back(
      paint(style, Ink::faint,
            cut("     pid GPU     memory   busy  cores  framework   command", style.width)));
  for (const auto& process : processes) lines.push_back(process_line(process, style));
  if (processes.empty())
    lines.push_back(cut(view.filter.empty()
                            ? "  no process on a GPU (that NVML shows here)"
                            : "  no process matches '" + printable(view.filter) + "'",
                        style.width));
  const auto keys =
      view.editing ? "filter: " + printable(view.filter) + "_"
                   : "q quit   s sort (" + std::string(name_of_order(view.order)) + ")   f filter" +
                         (view.filter.empty() ? "" : " (" + printable(view.filter) + ")");
  if (height > 0) {
    if (lines.size() > height - 1) lines.resize(height - 1);
    lines.push_back(paint(style, Ink::faint, cut(keys, style.width)));
  }
  return lines;
}

} // namespace gpuwhy
