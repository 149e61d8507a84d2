#include "render/run_text.h"

#include "base/text.h"
#include "render/page.h"
#include "render/wording.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace gpuwhy {
namespace {

constexpr std::size_t kEvidence = 3; // of the first cause; -v shows all
constexpr std::size_t kBars = 40;    // columns

template <class... T> std::string format(const char* pattern, T... values) {
  std::array<char, 128> text{};
  const int size = std::snprintf(text.data(), text.size(), pattern, values...);
  return {text.data(),
          static_cast<std::size_t>(std::clamp(size, 0, static_cast<int>(text.size()) - 1))};
}

std::string gib(std::uint64_t bytes) {
  return format("%.1f GiB", static_cast<double>(bytes) / (1U << 30U));
}

std::string time(double seconds) {
  if (seconds < 120) return format("%.1f s", seconds);
  if (seconds < 7200) return format("%.0f min", seconds / 60);
  return format("%.1f h", seconds / 3600);
}

void cause(Page& page, const Cause& cause, bool first, bool full) {
  page.row(first ? "cause" : "also", cause.summary, {cause.id + " " + cause.slug, cause.id});
  std::size_t left = full ? cause.evidence.size() : first ? kEvidence : 1;
  for (const auto& evidence : cause.evidence) {
    if (left-- == 0) break;
    page.under(evidence_words(evidence), Ink::faint);
  }
  if (!cause.fix) return;
  page.row("fix", cause.fix->words);
  for (const auto& command : cause.fix->commands) page.command(command);
}

void gpu(Page& page, const use::GpuUse& gpu, const use::RunStatistics& run, std::size_t place,
         const Style& style) {
  std::vector<double> history;
  for (const auto& moment : run.moments) {
    const auto& busy = moment.gpus[place].busy;
    history.push_back(busy.known() ? busy.value() : -1);
  }
  page.row("GPU " + std::to_string(gpu.identity.index),
           bars(history, std::min(kBars, style.width / 2), style) + "  " +
               (gpu.used        ? ""
                : gpu.by_others ? "another program's, "
                                : "not used, ") +
               format("busy %.0f %% of the run", gpu.busy_whole));
  std::string line;
  if (gpu.used && gpu.steady) {
    line = format("from %s to %s busy %.0f %%", time(gpu.steady->from).c_str(),
                  time(gpu.steady->to).c_str(), gpu.busy);
    if (gpu.sm) line += format(", %.0f %% of its multiprocessors", *gpu.sm);
    if (gpu.power) line += format(", %.0f W", *gpu.power);
    if (gpu.sm_clock) line += format(", %.0f MHz", *gpu.sm_clock);
    page.under(line, Ink::faint);
  }
  line = "memory " + gib(gpu.memory_before) + " before, " + gib(gpu.memory_peak) + " at most";
  if (gpu.own_peak > 0) line += " (" + gib(gpu.own_peak) + " of it this program's)";
  if (gpu.after_known) line += ", " + gib(gpu.memory_after) + " after";
  if (gpu.identity.memory_total) line += "; of " + gib(*gpu.identity.memory_total);
  page.under(line, Ink::faint);
}

/// "libcudnn.so.9: tried /a/libcudnn.so.9 (RUNPATH), ...; took /b/libcudnn.so.9". The file taken
/// is the last one tried.
std::string search_words(const use::LibrarySearch& search) {
  constexpr std::size_t kMost = 8;
  std::vector<std::string> tried;
  std::string rule;
  for (const auto& each : search.tried) {
    if (each.path == search.took) {
      rule = " (" + each.rule + ")";
      continue;
    }
    const bool lies = search.took.empty() && each.present;
    tried.push_back(each.path + " (" + each.rule + (lies ? ", is there" : "") + ")");
  }
  if (tried.size() > kMost) {
    const auto more = tried.size() - kMost;
    tried.resize(kMost);
    tried.push_back(std::to_string(more) + " more");
  }
  std::string text = search.name + ":";
  if (!tried.empty()) text += " tried " + join(tried, ", ") + ";";
  if (!search.took.empty()) return text + " took " + search.took + rule;
  return text + (search.left_lying() ? " loaded nothing new" : " found nothing");
}

/// The frameworks' own objects are many and come from where they are; what of them is not found
/// counts.
bool worth_a_row(const use::LibrarySearch& search) {
  const auto name = base_name(search.name);
  return search.took.empty() || name.starts_with("libcu") || name.starts_with("libnv") ||
         name.starts_with("libnccl");
}

bool is_evidence(const std::string& text, const std::vector<Cause>& causes) {
  return std::any_of(causes.begin(), causes.end(), [&](const Cause& cause) {
    return std::any_of(cause.evidence.begin(), cause.evidence.end(),
                       [&](const Evidence& each) { return each.text == text; });
  });
}

std::string ended(const use::RunEnd& end) {
  if (end.signal != 0) return "ended by signal " + std::to_string(end.signal);
  return end.exit_status ? "exit " + std::to_string(*end.exit_status) : "still running";
}

} // namespace

std::string bars(const std::vector<double>& values, std::size_t width, const Style& style) {
  constexpr std::array<std::string_view, 9> kSmooth{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  constexpr std::array<std::string_view, 9> kPlain{" ", ".", ".", ":", ":", "+", "+", "#", "#"};
  const auto& steps = style.unicode ? kSmooth : kPlain;
  std::string text;
  const std::size_t columns = std::min(width, values.size());
  for (std::size_t column = 0; column < columns; ++column) {
    double sum = 0;
    double count = 0;
    for (std::size_t i = column * values.size() / columns;
         i < (column + 1) * values.size() / columns; ++i) {
      if (values[i] < 0) continue;
      sum += values[i];
      count += 1;
    }
    const double value = count > 0 ? std::clamp(sum / count, 0.0, 100.0) : 0;
    text += steps[static_cast<std::size_t>(std::ceil(value / 12.5))];
  }
  return text;
}

std::string run_text(const RunVerdict& verdict, const use::RunStatistics& run,
                     const std::vector<std::string>& frameworks, const Style& style, bool full) {
  Page page(style, full);
  const bool breaks = std::any_of(verdict.causes.begin(), verdict.causes.end(),
                                  [](const Cause& each) { return each.effect == Effect::breaks; });
  switch (verdict.answer) {
  case Used::used:
    page.headline(breaks ? mark_bad(style) : mark_good(style), breaks ? Ink::bad : Ink::good,
                  verdict.sentence);
    break;
  case Used::poorly_used: page.headline("!", Ink::open, verdict.sentence); break;
  case Used::not_used: page.headline(mark_bad(style), Ink::bad, verdict.sentence); break;
  case Used::unknown: page.headline(mark_open(style), Ink::open, verdict.sentence); break;
  }
  page.blank();
  for (const auto& each : verdict.causes) cause(page, each, &each == &verdict.causes.front(), full);
  const auto* words = run.end.last_words();
  const bool shown = words != nullptr && is_evidence(words->text, verdict.causes);
  if (words != nullptr && !shown) page.row("failed", words->text);
  if (!verdict.causes.empty() || words != nullptr) page.blank();
  for (std::size_t i = 0; i < run.gpus.size(); ++i) gpu(page, run.gpus[i], run, i, style);
  std::string line = time(run.end.time);
  if (run.first_use) line += ", first kernel after " + time(*run.first_use);
  line += format(", %.1f cores", run.host.cores) + ", " +
          format("%.1f GiB of host memory", static_cast<double>(run.host.rss_peak) / (1U << 30U));
  if (!frameworks.empty()) line += ", " + join(frameworks, ", ");
  page.row("run", line + ", " + ended(run.end));
  if (!run.end.left_behind.empty() && !run.start.attached) {
    std::vector<std::string> pids;
    for (const int pid : run.end.left_behind) pids.push_back(std::to_string(pid));
    page.row("left", "processes of the run that still live: " + join(pids, " "));
  }
  for (const auto& each : verdict.unknown) page.row("unknown", each);
  for (const auto& each : verdict.notes) page.row("note", each);
  if (full) {
    for (const auto& each : verdict.ruled_out) page.row("cleared", each);
    for (const auto& each : verdict.loading) page.row("loader", each);
    for (const auto& each : run.end.libraries) {
      if (worth_a_row(each)) page.row("library", search_words(each));
    }
  }
  return page.take();
}

} // namespace gpuwhy
