#include "use/recording.h"

#include "base/text.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <type_traits>

namespace gpuwhy::use {
namespace {

using Json = nlohmann::ordered_json;

/// What a line says is more than any machine has.
constexpr std::size_t kMostItems = 4096;
constexpr std::size_t kLongestText = 4096;

// --- the fields of each struct, once for both directions
// ---------------------------------------------------

template <class F, class T>
void fields(F&& f, T& value)
  requires std::is_same_v<std::remove_const_t<T>, GpuIdentity>
{
  f("index", value.index);
  f("name", value.name);
  f("uuid", value.uuid);
  f("pci", value.pci);
  f("memory", value.memory_total);
  f("power_limit", value.power_limit);
  f("power_default", value.power_default);
  f("sm_clock_limit", value.sm_clock_limit);
  f("mig", value.mig);
  f("monitor", value.monitor);
  f("error", value.error);
}
template <class F, class T>
void fields(F&& f, T& value)
  requires std::is_same_v<std::remove_const_t<T>, GpuProcess>
{
  f("pid", value.pid);
  f("memory", value.memory);
  f("sm", value.sm);
}
template <class F, class T>
void fields(F&& f, T& value)
  requires std::is_same_v<std::remove_const_t<T>, GpuTick>
{
  f("i", value.index);
  f("busy", value.busy);
  f("sm", value.sm);
  f("mem", value.memory);
  f("w", value.power);
  f("mhz", value.sm_clock);
  f("why", value.reasons);
  f("c", value.temperature);
  f("rx", value.pcie_rx);
  f("tx", value.pcie_tx);
  f("procs", value.processes);
  f("error", value.error);
}
template <class F, class T>
void fields(F&& f, T& value)
  requires std::is_same_v<std::remove_const_t<T>, HostTick>
{
  f("s", value.seconds);
  f("cores", value.cores);
  f("top", value.busiest_thread);
  f("io", value.io_wait);
  f("main", value.main_thread);
  f("switches", value.switches);
  f("rss", value.rss);
  f("procs", value.processes);
  f("threads", value.threads);
}
template <class F, class T>
void fields(F&& f, T& value)
  requires std::is_same_v<std::remove_const_t<T>, CudaTick>
{
  f("s", value.window);
  f("launches", value.launches);
  f("graphs", value.graphs);
  f("h2d", value.to_device);
  f("h2d_bytes", value.to_device_bytes);
  f("d2h", value.to_host);
  f("d2h_bytes", value.to_host_bytes);
  f("copy_s", value.copy_time);
  f("syncs", value.syncs);
  f("sync_s", value.sync_time);
  f("loads", value.loads);
  f("load_s", value.load_time);
  f("pauses", value.pauses);
  f("pause_s", value.pause_time);
  f("oom", value.failed_allocations);
  f("error", value.error);
}
template <class F, class T>
void fields(F&& f, T& value)
  requires std::is_same_v<std::remove_const_t<T>, ProcessTick>
{
  f("pid", value.pid);
  f("parent", value.parent);
  f("name", value.name);
  f("libraries", value.libraries);
  f("gpu", value.opens_gpu);
  f("ended", value.ended);
}
template <class F, class T>
void fields(F&& f, T& value)
  requires std::is_same_v<std::remove_const_t<T>, Tick>
{
  f("t", value.time);
  f("gpus", value.gpus);
  f("host", value.host);
  f("cuda", value.cuda);
  f("processes", value.processes);
}
template <class F, class T>
void fields(F&& f, T& value)
  requires std::is_same_v<std::remove_const_t<T>, SourceState>
{
  f("works", value.works);
  f("problem", value.problem);
}
template <class F, class T>
void fields(F&& f, T& value)
  requires std::is_same_v<std::remove_const_t<T>, RunStart>
{
  f("command", value.command);
  f("gpus", value.gpus);
  f("before", value.before);
  f("driver", value.driver);
  f("nvml", value.nvml);
  f("visible_devices", value.visible_devices);
  f("attached", value.attached);
}
template <class F, class T>
void fields(F&& f, T& value)
  requires std::is_same_v<std::remove_const_t<T>, Sign>
{
  f("kind", value.kind);
  f("text", value.text);
  f("where", value.where);
}
template <class F, class T>
void fields(F&& f, T& value)
  requires std::is_same_v<std::remove_const_t<T>, LibraryTry>
{
  f("path", value.path);
  f("rule", value.rule);
  f("present", value.present);
  f("readable", value.readable);
}
template <class F, class T>
void fields(F&& f, T& value)
  requires std::is_same_v<std::remove_const_t<T>, LibrarySearch>
{
  f("pid", value.pid);
  f("name", value.name);
  f("tried", value.tried);
  f("took", value.took);
}
template <class F, class T>
void fields(F&& f, T& value)
  requires std::is_same_v<std::remove_const_t<T>, RunEnd>
{
  f("t", value.time);
  f("exit_status", value.exit_status);
  f("signal", value.signal);
  f("after", value.after);
  f("signs", value.signs);
  f("nvml", value.nvml);
  f("cuda", value.cuda);
  f("loader", value.loader);
  f("libraries", value.libraries);
  f("left_behind", value.left_behind);
  f("notes", value.notes);
}

template <class T>
concept Struct = requires(T& value) { fields([](const char*, auto&) {}, value); };

// --- writing
// -----------------------------------------------------------------------------------------------

Json write(const std::string& value) {
  return value;
}
Json write(double value) {
  if (!std::isfinite(value)) return 0;
  const double rounded = std::round(value * 1e6) / 1e6;
  if (rounded == std::floor(rounded) && std::abs(rounded) < 1e15)
    return static_cast<std::int64_t>(rounded);
  return rounded;
}
template <class T>
  requires std::is_integral_v<T>
Json write(T value) {
  return value;
}
Json write(Sign::Kind kind) {
  switch (kind) {
  case Sign::Kind::out_of_memory: return "out_of_memory";
  case Sign::Kind::device_error: return "device_error";
  case Sign::Kind::fatal: break;
  }
  return "fatal";
}
template <Struct T> Json write(const T& value);
template <class T> Json write(const std::vector<T>& values) {
  Json array = Json::array();
  for (const auto& value : values) array.push_back(write(value));
  return array;
}

/// A member that says nothing is left out.
template <class T> bool says_nothing(const T& value) {
  if constexpr (requires { value.has_value(); })
    return !value.has_value();
  else if constexpr (requires { value.empty(); })
    return value.empty();
  else if constexpr (std::is_arithmetic_v<T>)
    return value == T{};
  else
    return false;
}

template <Struct T> Json write(const T& value) {
  Json object = Json::object();
  fields(
      [&](const char* name, const auto& member) {
        if (says_nothing(member) && std::string_view(name) != "i" && std::string_view(name) != "t")
          return;
        if constexpr (requires { member.has_value(); })
          object[name] = write(*member);
        else
          object[name] = write(member);
      },
      value);
  return object;
}

std::string line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

// --- reading
// -----------------------------------------------------------------------------------------------

/// All are false for a value of another kind.
bool read(const Json& json, std::string& value) {
  if (!json.is_string()) return false;
  value = printable(std::string_view(json.get_ref<const std::string&>()).substr(0, kLongestText));
  return true;
}
bool read(const Json& json, bool& value) {
  if (!json.is_boolean()) return false;
  value = json.get<bool>();
  return true;
}
bool read(const Json& json, double& value) {
  if (!json.is_number()) return false;
  value = json.get<double>();
  return std::isfinite(value) && std::abs(value) < 1e18;
}
bool read(const Json& json, std::uint64_t& value) {
  if (!json.is_number_unsigned()) return false;
  value = json.get<std::uint64_t>();
  return value < (std::uint64_t{1} << 60U);
}
bool read(const Json& json, int& value) {
  double number = 0;
  if (!json.is_number_integer() || !read(json, number) ||
      std::abs(number) > std::numeric_limits<int>::max())
    return false;
  value = static_cast<int>(number);
  return true;
}
bool read(const Json& json, Sign::Kind& kind) {
  for (const auto each : {Sign::Kind::out_of_memory, Sign::Kind::device_error, Sign::Kind::fatal}) {
    if (json != write(each)) continue;
    kind = each;
    return true;
  }
  return false;
  return true;
}
template <Struct T> bool read(const Json& json, T& value);
template <class T> bool read(const Json& json, std::vector<T>& values) {
  if (!json.is_array() || json.size() > kMostItems) return false;
  values.resize(json.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!read(json[i], values[i])) return false;
  }
  return true;
}
template <class T> bool read(const Json& json, std::optional<T>& value) {
  value.emplace();
  return read(json, *value);
}

template <Struct T> bool read(const Json& json, T& value) {
  if (!json.is_object()) return false;
  bool good = true;
  fields(
      [&](const char* name, auto& member) {
        const auto found = json.find(name);
        if (good && found != json.end()) good = read(*found, member);
      },
      value);
  return good;
}

// --- thinning
// ----------------------------------------------------------------------------------------------

void mix(std::optional<double>& mean, const std::optional<double>& value, double weight) {
  if (!value) return;
  mean = mean ? (*mean * weight + *value) / (weight + 1) : *value;
}

void merge(GpuTick& kept, const GpuTick& more, double weight) {
  mix(kept.busy, more.busy, weight);
  mix(kept.sm, more.sm, weight);
  mix(kept.power, more.power, weight);
  mix(kept.sm_clock, more.sm_clock, weight);
  mix(kept.temperature, more.temperature, weight);
  mix(kept.pcie_rx, more.pcie_rx, weight);
  mix(kept.pcie_tx, more.pcie_tx, weight);
  if (more.memory) kept.memory = std::max(kept.memory.value_or(0), *more.memory);
  if (more.reasons) kept.reasons = kept.reasons.value_or(0) | *more.reasons;
  if (more.processes) kept.processes = more.processes;
  if (more.error) kept.error = more.error;
}

void merge(HostTick& kept, const HostTick& more) {
  const double seconds = kept.seconds + more.seconds;
  const auto mean = [&](double& a, double b) {
    a = seconds > 0 ? (a * kept.seconds + b * more.seconds) / seconds : a;
  };
  mean(kept.cores, more.cores);
  mean(kept.busiest_thread, more.busiest_thread);
  mean(kept.io_wait, more.io_wait);
  mean(kept.main_thread, more.main_thread);
  mean(kept.switches, more.switches);
  kept.rss = std::max(kept.rss, more.rss);
  kept.processes = std::max(kept.processes, more.processes);
  kept.threads = std::max(kept.threads, more.threads);
  kept.seconds = seconds;
}

} // namespace

std::string write_start(const RunStart& start) {
  Json object{{"schema", kRunSchema}};
  object.update(write(start));
  return line(object);
}
std::string write_tick(const Tick& tick) {
  return line(write(tick));
}
std::string write_end(const RunEnd& end) {
  return line(Json{{"end", write(end)}});
}

std::optional<Tick> Thinner::add(const Tick& tick) {
  constexpr double kFullRate = 300; // seconds of a run that are kept whole
  if (!pending_) {
    pending_ = tick;
    weights_.assign(tick.gpus.size(), 1);
  } else {
    pending_->time = tick.time;
    for (const auto& gpu : tick.gpus) {
      const auto found = std::find_if(pending_->gpus.begin(), pending_->gpus.end(),
                                      [&](const GpuTick& seen) { return seen.index == gpu.index; });
      if (found == pending_->gpus.end()) {
        pending_->gpus.push_back(gpu);
        weights_.push_back(1);
        continue;
      }
      double& weight = weights_[static_cast<std::size_t>(found - pending_->gpus.begin())];
      merge(*found, gpu, weight);
      weight += 1;
    }
    if (tick.host && pending_->host)
      merge(*pending_->host, *tick.host);
    else if (tick.host)
      pending_->host = tick.host;
    if (tick.cuda && pending_->cuda)
      use::add(*pending_->cuda, *tick.cuda);
    else if (tick.cuda)
      pending_->cuda = tick.cuda;
    pending_->processes.insert(pending_->processes.end(), tick.processes.begin(),
                               tick.processes.end());
  }
  const double due = tick.time < kFullRate ? 0 : tick.time * 0.1 / kFullRate;
  if (saved_ >= 0 && tick.time - saved_ < due) return std::nullopt;
  saved_ = tick.time;
  return rest();
}

std::optional<Tick> Thinner::rest() {
  return std::exchange(pending_, std::nullopt);
}

Result<RunStatistics> read_run(std::string_view text,
                               const std::function<void(const Tick&)>& seen) {
  std::optional<RunObserver> observer;
  RunEnd end;
  bool ended = false;
  std::size_t number = 0;
  for (const auto each : split_lines(text)) {
    ++number;
    if (trim(each).empty()) continue;
    const auto wrong = [&](const char* what) {
      return fail("line " + std::to_string(number) + ": " + what);
    };
    const auto json = Json::parse(each, nullptr, false);
    if (!json.is_object()) {
      if (observer && number == split_lines(text).size()) break; // cut off in the middle of a line
      return wrong("not a JSON object");
    }
    if (!observer) {
      const auto schema = json.find("schema");
      if (schema == json.end() || *schema != kRunSchema)
        return wrong("not a recorded run (no \"gpuwhy.run/1\")");
      RunStart start;
      if (!read(json, start)) return wrong("a start that cannot be read");
      observer.emplace(std::move(start));
    } else if (const auto found = json.find("end"); found != json.end()) {
      if (!read(*found, end)) return wrong("an end that cannot be read");
      ended = true;
      break;
    } else {
      Tick tick;
      if (!read(json, tick) || tick.time < 0) return wrong("a tick that cannot be read");
      if (seen) seen(tick);
      observer->add(tick);
      end.time = std::max(end.time, tick.time);
    }
  }
  if (!observer) return fail("an empty file, not a recorded run");
  if (!ended) end.notes.emplace_back("the recording breaks off");
  return observer->finish(std::move(end));
}

} // namespace gpuwhy::use
