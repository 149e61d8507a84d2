#include "render/html_run.h"

#include "base/amount.h"
#include "base/text.h"

#include <algorithm>
#include <cmath>

namespace gpuwhy {
namespace {

Tone tone_of(const RunVerdict& verdict) {
  const bool breaks = std::any_of(verdict.causes.begin(), verdict.causes.end(),
                                  [](const Cause& each) { return each.effect == Effect::breaks; });
  switch (verdict.answer) {
  case Used::used: return breaks ? Tone::bad : Tone::good;
  case Used::poorly_used: return Tone::limited;
  case Used::not_used: return Tone::bad;
  case Used::unknown: break;
  }
  return Tone::open;
}

std::string percent(double value) {
  return decimal(value, 0) + " %";
}
std::string bytes(std::uint64_t count) {
  return count == 0 ? "0 B" : bytes_words(static_cast<double>(count));
}

std::string rate(double per_second) {
  return per_second > 0 ? rate_words(per_second, "B/s") : "nothing";
}

std::string ended(const use::RunEnd& end) {
  if (end.signal != 0) return "signal " + std::to_string(end.signal);
  return end.exit_status ? "exit " + std::to_string(*end.exit_status) : "still running";
}

void figure(Html& html, std::string_view name, std::string_view value) {
  html.element("div", {}, [&] {
    html.element("dt", {}, name);
    html.element("dd", {}, value);
  });
}

void figures(Html& html, const RunVerdict& verdict, const use::RunStatistics& run,
             const std::vector<std::string>& frameworks) {
  html.element("dl", {{"class", "figures"}}, [&] {
    figure(html, "run", run_time(run.end.time) + ", " + ended(run.end));
    if (const auto* words = run.end.last_words()) figure(html, "failed", words->text);
    if (run.first_use) figure(html, "first kernel after", run_time(*run.first_use));
    if (const auto* gpu = run.main_gpu()) {
      figure(html, "GPU " + std::to_string(gpu->identity.index) + " busy, steady phase",
             percent(gpu->busy));
      figure(html, "its memory, at most", bytes(gpu->memory_peak));
    }
    if (verdict.at_most_faster)
      figure(html, "if it never waited",
             "at most " + decimal(*verdict.at_most_faster, 1) + " times faster");
    figure(html, "processor", decimal(run.host.cores, 1) + " cores");
    figure(html, "host memory, at most", bytes(run.host.rss_peak));
    if (!frameworks.empty()) figure(html, "loaded", join(frameworks, ", "));
  });
  html.line();
}

/// Where the time of the threads that call CUDA goes; in the steady phase, if there was one.
void calls(Html& html, const use::CallUse& calls, bool used) {
  if (!calls.known()) return;
  const std::vector<std::pair<std::string, double>> shares{
      {"no CUDA call: input and Python", calls.pause},
      {"copies", calls.copy},
      {"waiting for the GPU", calls.sync},
      {"loading code", calls.load},
      {"making calls", calls.issue}};
  html.element("section", {}, [&] {
    html.element("h2", {}, "Where the program's time goes");
    html.element("p", {{"class", "note"}},
                 std::string("Threads that call CUDA, ") +
                     (used ? "in the steady phase; " : "in the whole run; ") +
                     time_words(calls.window) + " observed with CUPTI.");
    html.element("table", {{"class", "shares"}}, [&] {
      for (const auto& row : shares) {
        const double share = row.second;
        html.element("tr", {}, [&] {
          html.element("th", {{"scope", "row"}}, row.first);
          html.element("td", {{"class", "number"}}, decimal(share * 100, 1) + " %");
          html.element("td", {{"class", "bar"}}, [&] {
            html.element("svg",
                         {{"viewBox", "0 0 100 1"},
                          {"preserveAspectRatio", "none"},
                          {"aria-hidden", "true"}},
                         [&] {
                           html.element("rect",
                                        {{"width", decimal(std::clamp(share, 0.0, 1.0) * 100, 2)},
                                         {"height", "1"}},
                                        "");
                         });
          });
        });
      }
    });
    html.element("p", {{"class", "note"}},
                 short_number(calls.per_second(calls.sums.launches + calls.sums.graphs)) +
                     " launches a second, " + short_number(calls.per_second(calls.sums.syncs)) +
                     " waits a second; copied to the GPU: " +
                     rate(calls.per_second(calls.sums.to_device_bytes)) +
                     ", from it: " + rate(calls.per_second(calls.sums.to_host_bytes)) + ".");
  });
  html.line();
}

void timeline(Html& html, const ChartSheet& sheet) {
  if (sheet.charts.empty()) return;
  html.element("section", {{"class", "timeline"}}, [&] {
    html.element("div", {{"class", "head"}}, [&] {
      html.element("h2", {}, "Timeline");
      html.element("p", {{"class", "help"}, {"hidden"}},
                   "Drag across a chart to zoom, double click to see all. With the keyboard: arrow "
                   "keys, + and -, 0.");
      html.element("button", {{"type", "button"}, {"id", "whole"}, {"class", "quiet"}, {"hidden"}},
                   "Whole run");
    });
    html_bands(html, sheet);
    html.element("div", {{"class", "charts"}}, [&] {
      for (std::size_t i = 0; i < sheet.charts.size(); ++i) html_chart(html, sheet, i);
    });
  });
  html.line();
}

struct Column {
  std::string_view name;
  std::string (*text)(const use::GpuUse&);
};

std::string maybe(const std::optional<double>& value, const char* unit) {
  return value ? decimal(*value, 0) + " " + unit : "not known";
}

const std::vector<Column>& columns() {
  static const std::vector<Column> all{
      {"GPU",
       [](const use::GpuUse& gpu) {
         return std::to_string(gpu.identity.index) + ": " + gpu.identity.name;
       }},
      {"used",
       [](const use::GpuUse& gpu) {
         const std::string own = gpu.used ? "yes" : gpu.held ? "memory only" : "no";
         return own + (gpu.by_others ? ", others too" : "") + (gpu.lost ? ", lost" : "");
       }},
      {"busy, steady phase",
       [](const use::GpuUse& gpu) { return gpu.steady ? percent(gpu.busy) : std::string("none"); }},
      {"busy, whole run", [](const use::GpuUse& gpu) { return percent(gpu.busy_whole); }},
      {"multiprocessors", [](const use::GpuUse& gpu) { return maybe(gpu.sm, "%"); }},
      {"power", [](const use::GpuUse& gpu) { return maybe(gpu.power, "W"); }},
      {"clock", [](const use::GpuUse& gpu) { return maybe(gpu.sm_clock, "MHz"); }},
      {"hottest",
       [](const use::GpuUse& gpu) {
         return gpu.hottest > 0 ? decimal(gpu.hottest, 0) + " °C" : std::string("not known");
       }},
      {"memory before", [](const use::GpuUse& gpu) { return bytes(gpu.memory_before); }},
      {"at most", [](const use::GpuUse& gpu) { return bytes(gpu.memory_peak); }},
      {"of it this program's", [](const use::GpuUse& gpu) { return bytes(gpu.own_peak); }},
      {"after",
       [](const use::GpuUse& gpu) {
         return gpu.after_known ? bytes(gpu.memory_after) : std::string("not known");
       }},
      {"in all",
       [](const use::GpuUse& gpu) {
         return gpu.identity.memory_total ? bytes(*gpu.identity.memory_total)
                                          : std::string("not known");
       }},
  };
  return all;
}

void gpus(Html& html, const use::RunStatistics& run) {
  if (run.gpus.empty()) return;
  html.element("section", {}, [&] {
    html.element("h2", {}, "GPUs");
    html.element("div",
                 {{"class", "wide"}, {"tabindex", "0"}, {"role", "region"}, {"aria-label", "GPUs"}},
                 [&] {
                   html.element("table", {}, [&] {
                     html.element("thead", {}, [&] {
                       html.element("tr", {}, [&] {
                         for (const auto& column : columns())
                           html.element("th", {{"scope", "col"}}, column.name);
                       });
                     });
                     html.element("tbody", {}, [&] {
                       for (const auto& gpu : run.gpus) {
                         html.element("tr", {}, [&] {
                           for (const auto& column : columns()) {
                             const bool first = &column == &columns().front();
                             html.element(first ? "th" : "td",
                                          first ? Attributes{{"scope", "row"}} : Attributes{},
                                          column.text(gpu));
                           }
                         });
                       }
                     });
                   });
                 });
  });
  html.line();
}

std::vector<std::string> process_lines(const use::RunStatistics& run) {
  std::vector<std::string> lines;
  for (const auto& [pid, process] : run.processes) {
    auto text = std::to_string(pid) + " " + process.name;
    if (process.opens_gpu) text += ", opens the GPU";
    if (!process.libraries.empty()) text += ": " + join(process.libraries, ", ");
    lines.push_back(std::move(text));
  }
  return lines;
}

std::vector<std::string> notes(const RunVerdict& verdict, const use::RunStatistics& run) {
  auto lines = verdict.notes;
  if (run.end.left_behind.empty() || run.start.attached) return lines;
  std::vector<std::string> pids;
  for (const int pid : run.end.left_behind) pids.push_back(std::to_string(pid));
  lines.push_back("processes of the run that still live: " + join(pids, " "));
  return lines;
}

std::vector<std::string> open_lines(const RunVerdict& verdict, const use::RunStatistics& run) {
  auto lines = verdict.unknown;
  for (const auto& [name, state] :
       {std::pair("NVML", &run.end.nvml), std::pair("CUPTI", &run.end.cuda)}) {
    const bool told = std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
      return contains(line, state->problem);
    });
    if (!state->works && !told) lines.push_back(std::string(name) + ": " + state->problem);
  }
  return lines;
}

} // namespace

std::string run_html(const RunVerdict& verdict, const use::RunStatistics& run,
                     const std::vector<std::string>& frameworks, const PageContext& context) {
  const auto sheet = run_charts(run);
  const auto json = sheet.charts.empty() ? std::string() : charts_json(sheet);
  return html_page(context, {.title = verdict.sentence, .charts = json}, [&](Html& html) {
    html_answer(html, "h1", "answer", tone_of(verdict), verdict.sentence);
    if (!run.start.command.empty())
      html.element("p", {{"class", "command"}}, [&] {
        html.element("code", {}, [&] { html.text(join(run.start.command, " ")); });
      });
    figures(html, verdict, run, frameworks);
    html_causes(html, verdict.causes, {.prefix = "", .in_sequence = false});
    timeline(html, sheet);
    calls(html, run.calls, run.any_used());
    gpus(html, run);
    html_section(html, "Notes", notes(verdict, run));
    html_section(html, "What could not be told", open_lines(verdict, run));
    html_folded(html, "Processes of the run", process_lines(run));
    html_folded(html, "Looked for and not there", verdict.ruled_out);
  });
}

} // namespace gpuwhy
