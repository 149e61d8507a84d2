// What is drawn of a run: the GPUs that it used or held, the processor, the calls of CUDA.
#include "base/amount.h"
#include "render/html_run.h"

#include <algorithm>
#include <array>
#include <functional>
#include <span>

namespace gpuwhy {
namespace {

constexpr std::size_t kMoments = 800; // as many as a screen shows apart

using Values = std::vector<std::optional<double>>;
using Of = std::function<std::optional<double>(const use::Moment&)>;

std::optional<double> known(const use::Mean& mean) {
  return mean.known() ? std::optional(mean.value()) : std::nullopt;
}

bool has_gpu(const use::GpuMoment& gpu) {
  return gpu.busy.known() || gpu.memory > 0 || gpu.own_memory_known;
}

bool says_something(const use::Moment& moment) {
  return moment.host.cores.known() || moment.cuda.window > 0 ||
         std::any_of(moment.gpus.begin(), moment.gpus.end(), has_gpu);
}

/// The moments that say something, neighbours merged where there are many.
std::vector<use::Moment> drawn(const use::RunStatistics& run) {
  std::vector<use::Moment> moments;
  const std::size_t step = run.moments.size() / kMoments + 1;
  for (std::size_t i = 0; i < run.moments.size(); i += step) {
    auto sum = run.moments[i];
    for (std::size_t j = i + 1; j < std::min(i + step, run.moments.size()); ++j)
      sum.add(run.moments[j]);
    if (says_something(sum)) moments.push_back(std::move(sum));
  }
  return moments;
}

Values values_of(const std::vector<use::Moment>& moments, const Of& of) {
  Values values;
  for (const auto& moment : moments) values.push_back(of(moment));
  return values;
}

struct Summary {
  double sum = 0;
  double highest = 0;
  std::size_t count = 0;
};

Summary summary_of(const Values& values) {
  Summary all;
  for (const auto& value : values) {
    if (!value) continue;
    all.sum += *value;
    all.highest = std::max(all.highest, *value);
    ++all.count;
  }
  return all;
}

std::string mean_words(const Values& values, const std::string& unit) {
  const auto all = summary_of(values);
  if (all.count == 0) return {};
  return "mean " + short_number(all.sum / static_cast<double>(all.count)) + " " + unit;
}

std::string most_words(const Values& values, const std::string& unit) {
  return "at most " + short_number(summary_of(values).highest) + " " + unit;
}

struct Unit {
  double size;
  std::string_view name;
};
constexpr std::array<Unit, 2> kMemory{{{1U << 30U, "GiB"}, {1U << 20U, "MiB"}}};
constexpr std::array<Unit, 2> kRate{{{1e9, "GB/s"}, {1e6, "MB/s"}}};

/// Brings the values to the first unit that the highest of them fills, else to the last; its name.
std::string scale(const std::vector<Values*>& all, std::span<const Unit> units) {
  double highest = 0;
  for (const auto* values : all) highest = std::max(highest, summary_of(*values).highest);
  const auto fits = std::find_if(units.begin(), units.end(),
                                 [&](const Unit& unit) { return highest >= unit.size; });
  const auto& unit = fits == units.end() ? units.back() : *fits;
  for (auto* values : all) {
    for (auto& value : *values) {
      if (value) *value /= unit.size;
    }
  }
  return std::string(unit.name);
}

/// A series that nobody told anything of is left out, and so is a chart without one.
class Sheet {
public:
  explicit Sheet(const use::RunStatistics& run) : run_(run), moments_(drawn(run)) {
    for (const auto& moment : moments_) sheet_.seconds.push_back(moment.start);
    sheet_.end = run.end.time; // missing of a machine that went down
    if (!moments_.empty() && run.end.time < moments_.back().start) sheet_.end = moments_.back().end;
    bands();
    for (std::size_t place = 0; place < run.gpus.size(); ++place) {
      if (shown(place)) gpu(place);
    }
    host();
    calls();
    for (std::size_t place = 0; place < run.gpus.size(); ++place) {
      if (shown(place)) sensors(place);
    }
  }

  ChartSheet take() { return std::move(sheet_); }

private:
  /// Of a run that used no GPU, the first.
  bool shown(std::size_t place) const {
    const auto& gpu = run_.gpus[place];
    return gpu.used || gpu.held || (place == 0 && !run_.any_held() && !run_.any_used());
  }

  void bands() {
    const double end = sheet_.end;
    const auto band = [&](const char* name, double from, double to, int color) {
      if (to - from > end / 1000) sheet_.bands.push_back({name, from, to, color});
    };
    if (!run_.any_used()) {
      const double opened = run_.opened.value_or(end);
      band("no GPU open", 0, opened, 0);
      return band("GPU open, no kernel", opened, end, 1);
    }
    const double opened = run_.start.attached ? 0 : run_.opened.value_or(0);
    band("start, no GPU open", 0, opened, 0);
    band("GPU open: first kernels, code compiled and loaded", opened, run_.steady.from, 1);
    band("steady work", run_.steady.from, run_.steady.to, 2);
    band("after the last work", run_.steady.to, end, 3);
  }

  void add(Chart chart, const std::vector<ChartSeries>& series) {
    for (const auto& each : series) {
      if (summary_of(each.values).count > 0) chart.series.push_back(each);
    }
    if (!chart.series.empty()) sheet_.charts.push_back(std::move(chart));
  }

  Values of_gpu(std::size_t place,
                const std::function<std::optional<double>(const use::GpuMoment&)>& of) const {
    return values_of(moments_, [&](const use::Moment& moment) -> std::optional<double> {
      if (place >= moment.gpus.size() || !has_gpu(moment.gpus[place])) return std::nullopt;
      return of(moment.gpus[place]);
    });
  }

  std::string name(std::size_t place) const {
    return "GPU " + std::to_string(run_.gpus[place].identity.index);
  }
  std::string id(std::size_t place, const char* what) const {
    return "gpu" + std::to_string(place) + "-" + what;
  }

  void gpu(std::size_t place) {
    using Form = ChartSeries::Form;
    const auto busy = of_gpu(place, [](const auto& gpu) { return known(gpu.busy); });
    const auto sm = of_gpu(place, [](const auto& gpu) { return known(gpu.sm); });
    add({id(place, "busy"), name(place) + " at work", "%", 100, {}, Chart::Width::whole},
        {{"time with a kernel", 1, busy, mean_words(busy, "%"), Form::area},
         {"multiprocessors with work", 2, sm, mean_words(sm, "%")}});
    memory(place);
    copies(place);
  }

  void copies(std::size_t place) {
    const auto a_second = [](const use::Mean& rate) -> std::optional<double> {
      if (!rate.known()) return std::nullopt;
      return rate.value() * 1024;
    };
    auto in = of_gpu(place, [&](const auto& gpu) { return a_second(gpu.pcie_rx); });
    auto out = of_gpu(place, [&](const auto& gpu) { return a_second(gpu.pcie_tx); });
    const auto unit = scale({&in, &out}, kRate);
    add({id(place, "pcie"), name(place) + " copies over PCIe", unit, {}, {}},
        {{"to the GPU", 1, in, most_words(in, unit)},
         {"from the GPU", 2, out, most_words(out, unit)}});
  }

  void memory(std::size_t place) {
    using Form = ChartSeries::Form;
    const auto& use = run_.gpus[place];
    if (use.memory_peak == 0) return;
    auto all = of_gpu(place, [](const auto& gpu) -> std::optional<double> {
      return static_cast<double>(gpu.memory);
    });
    auto own = of_gpu(place, [](const auto& gpu) -> std::optional<double> {
      if (!gpu.own_memory_known) return std::nullopt;
      return static_cast<double>(gpu.own_memory);
    });
    auto line = use.growth.steady ? slope(own, use.growth) : Values(own.size());
    const auto unit = scale({&all, &own, &line}, kMemory);
    std::vector<ChartSeries> series{{"all programs", 3, all, most_words(all, unit), Form::area},
                                    {"this program", 1, own, most_words(own, unit)}};
    Chart chart{id(place, "memory"), name(place) + " memory", unit, {}, {}};
    if (use.growth.steady) {
      const auto minute = [](double per_second) { return bytes_words(per_second * 60); };
      const auto& found = use.growth.slope;
      const auto rate = minute(found.per_second) + " a minute";
      series.push_back({"slope", 4, line, rate, Form::dashed});
      chart.note = "It grows by " + rate + " (95 % sure of " + minute(found.lowest) + " to " +
                   minute(found.highest) + "), in " + std::to_string(use.growth.steps) +
                   " steps over " + run_time(use.growth.seconds) + ".";
    }
    add(std::move(chart), series);
  }

  /// The median line: through the middle of the points, with the slope that was found.
  Values slope(const Values& own, const use::Growth& growth) const {
    const double a_second = growth.slope.per_second;
    std::vector<std::size_t> points;
    for (std::size_t i = 0; i < own.size(); ++i) {
      if (own[i].value_or(0) > 0) points.push_back(i);
    }
    Values line(own.size());
    if (points.empty()) return line;
    const double from = sheet_.seconds[points.back()] - growth.seconds;
    std::erase_if(points, [&](std::size_t i) { return sheet_.seconds[i] < from - 1e-9; });
    std::vector<double> offsets;
    for (const auto i : points) offsets.push_back(*own[i] - a_second * sheet_.seconds[i]);
    std::nth_element(offsets.begin(),
                     offsets.begin() + static_cast<std::ptrdiff_t>(offsets.size() / 2),
                     offsets.end());
    const double offset = offsets[offsets.size() / 2];
    for (const auto i : {points.front(), points.back()})
      line[i] = offset + a_second * sheet_.seconds[i];
    return line;
  }

  void host() {
    const auto all =
        values_of(moments_, [](const auto& moment) { return known(moment.host.cores); });
    const auto one =
        values_of(moments_, [](const auto& moment) { return known(moment.host.busiest_thread); });
    add({"cores", "Processor", "cores", {}, {}},
        {{"the program's threads together", 1, all, mean_words(all, "cores"),
          ChartSeries::Form::area},
         {"its busiest thread", 2, one, mean_words(one, "cores")}});
    auto memory = values_of(moments_, [](const auto& moment) -> std::optional<double> {
      if (moment.host.rss == 0) return std::nullopt;
      return static_cast<double>(moment.host.rss);
    });
    const auto unit = scale({&memory}, kMemory);
    add({"rss", "Host memory of the program", unit, {}, {}},
        {{"resident", 3, memory, most_words(memory, unit), ChartSeries::Form::area}});
  }

  void calls() {
    const auto share = [&](double use::CudaTick::*time) {
      return values_of(moments_, [&](const use::Moment& moment) -> std::optional<double> {
        if (moment.cuda.window <= 0) return std::nullopt;
        return std::clamp(moment.cuda.*time / moment.cuda.window * 100, 0.0, 100.0);
      });
    };
    using Form = ChartSeries::Form;
    const auto& steady = run_.calls;
    const auto series = [&](std::string name, int color, double use::CudaTick::*time,
                            double in_steady) {
      const auto words = steady.known() && run_.any_used()
                             ? short_number(in_steady * 100) + " % of the steady phase"
                             : std::string();
      return ChartSeries{std::move(name), color, share(time), words, Form::dots};
    };
    add({"calls",
         "Where the time of the threads that call CUDA goes",
         "% of the window observed",
         100,
         {},
         Chart::Width::whole},
        {series("no call: input and Python", 1, &use::CudaTick::pause_time, steady.pause),
         series("copies", 2, &use::CudaTick::copy_time, steady.copy),
         series("waiting for the GPU", 3, &use::CudaTick::sync_time, steady.sync),
         series("loading code", 4, &use::CudaTick::load_time, steady.load)});
  }

  void sensors(std::size_t place) {
    const auto power = of_gpu(place, [](const auto& gpu) { return known(gpu.power); });
    const auto clock = of_gpu(place, [](const auto& gpu) { return known(gpu.sm_clock); });
    const auto heat = of_gpu(place, [](const auto& gpu) { return known(gpu.temperature); });
    add({id(place, "power"),
         name(place) + " power",
         "W",
         run_.gpus[place].identity.power_limit,
         {},
         Chart::Width::third},
        {{"drawn", 1, power, mean_words(power, "W")}});
    add({id(place, "clock"),
         name(place) + " clock",
         "MHz",
         run_.gpus[place].identity.sm_clock_limit,
         {},
         Chart::Width::third},
        {{"multiprocessors", 1, clock, mean_words(clock, "MHz")}});
    add({id(place, "heat"), name(place) + " temperature", "°C", {}, {}, Chart::Width::third},
        {{"of the chip", 2, heat, most_words(heat, "°C")}});
  }

  const use::RunStatistics& run_;
  std::vector<use::Moment> moments_;
  ChartSheet sheet_;
};

} // namespace

ChartSheet run_charts(const use::RunStatistics& run) {
  return Sheet(run).take();
}

} // namespace gpuwhy
