// Every object of the report has one table of its fields, `Shape<T>::fields`: name, value, prose.
// The writer and the schema both come from it, so that they cannot differ.
#include "render/verdict_json.h"

#include <array>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <type_traits>

namespace gpuwhy {
namespace {

using Json = nlohmann::ordered_json;

// --- words of enums
// --------------------------------------------------------------------------------------

template <class T> struct Words;
template <> struct Words<Usable> {
  static constexpr std::string_view all[] = {"gpu", "no_gpu", "unknown"};
};
template <> struct Words<Effect> {
  static constexpr std::string_view all[] = {"hides", "breaks", "slows"};
};
template <> struct Words<GateResult::State> {
  static constexpr std::string_view all[] = {"passed", "failed", "unknown"};
};
template <> struct Words<Gate> {
  static constexpr auto all = [] {
    std::array<std::string_view, kGates.size()> names;
    for (std::size_t index = 0; index < names.size(); ++index) names[index] = kGates[index].name;
    return names;
  }();
};

// --- fields
// ----------------------------------------------------------------------------------------------

/// null where the judge had nothing to say.
template <class T> auto or_null(std::string T::*member) {
  return [member](const T& object) {
    const auto& text = object.*member;
    return text.empty() ? std::optional<std::string>() : text;
  };
}

template <class T> struct Shape;

template <> struct Shape<Evidence> {
  static constexpr const char* name = "evidence";
  template <class V> static void fields(V&& v) {
    v("text", &Evidence::text, "What was seen");
    v(
        "source",
        [](const Evidence& each) {
          return each.source.where.empty() ? std::optional<std::string>() : each.source.where;
        },
        "Where: a path, $NAME for an environment variable, the probe that was asked, or 'edit' for "
        "what would be "
        "there once the fixes before it are made");
    v(
        "line",
        [](const Evidence& each) {
          return each.source.line > 0 ? std::optional<int>(each.source.line) : std::nullopt;
        },
        "Line of the file; null: the whole of it");
  }
};

template <> struct Shape<Fix> {
  static constexpr const char* name = "fix";
  template <class V> static void fields(V&& v) {
    v("words", &Fix::words, "What to do, for a person");
    v("commands", &Fix::commands, "Shell commands that do it, in order; may be empty");
    v("verified", &Fix::verified, "The fix was simulated and its cause was gone");
  }
};

template <> struct Shape<Cause> {
  static constexpr const char* name = "cause";
  template <class V> static void fields(V&& v) {
    v("id", &Cause::id, "Id of the cause, never used again for another one");
    v("slug", &Cause::slug, "Name of the fault");
    v("gate", &Cause::gate, "Gate of the route at which it stands");
    v("effect", &Cause::effect,
      "hides: the framework lists no GPU; breaks: it lists the GPU and fails when it uses it; "
      "slows: it uses the "
      "GPU, badly or late");
    v("title", &Cause::title, "The cause in general");
    v("summary", &Cause::summary, "The cause as it is here, with versions and paths");
    v("evidence", &Cause::evidence, "What speaks for it");
    v("fix", &Cause::fix, "How to mend it; null: no fix is known");
  }
};

template <> struct Shape<GateResult> {
  static constexpr const char* name = "gate";
  template <class V> static void fields(V&& v) {
    v("gate", &GateResult::gate, "Name of the gate");
    v("state", &GateResult::state, "Whether the program gets past it");
    v("reason", &GateResult::reason,
      "failed: ids of the causes; unknown: what was missing; passed: empty");
  }
};

template <> struct Shape<FrameworkVerdict> {
  static constexpr const char* name = "verdict";
  template <class V> static void fields(V&& v) {
    using F = FrameworkVerdict;
    v("framework", &F::framework, "Package name of the framework in question");
    v("installed", &F::installed, "The environment has such a package");
    v("version", or_null(&F::version),
      "Version of the framework; null: not installed, or not known");
    v("interpreter", or_null(&F::interpreter), "Python interpreter; null: none was found");
    v("environment", or_null(&F::environment), "Directory of the Python environment (sys.prefix)");
    v("environment_kind", or_null(&F::environment_kind),
      "system, venv, virtualenv, conda, pyenv, uv or other");
    v("python", or_null(&F::python_version), "Python version");
    v("selected", &F::selected, "The environment that the program, or a plain 'python', uses");
    v("verdict", &F::answer,
      "gpu: the framework will list a GPU (look at the causes' effects too); no_gpu: it will not; "
      "unknown: see "
      "'unknown'");
    v("causes", &F::causes, "The root cause first, then what would fail next");
    v("plan", &F::plan, "Fixes to make, in order");
    v("plan_reaches_gpu", &F::plan_reaches_gpu,
      "The whole plan was simulated, and then the GPU is used");
    v("route", &F::route, "The gates in the order in which a program meets them");
    v("unknown", &F::unknown, "Facts that were missing and would have mattered");
    v("ruled_out", &F::ruled_out, "Causes that were looked for and are not there, and why");
  }
};

template <> struct Shape<GpuLine> {
  static constexpr const char* name = "gpu";
  template <class V> static void fields(V&& v) {
    v("name", &GpuLine::name, "Product name");
    v("compute_capability", or_null(&GpuLine::compute_capability),
      "CUDA's number of the architecture, as in 8.9");
    v(
        "memory",
        [](const GpuLine& gpu) {
          return gpu.memory > 0 ? std::optional<std::uint64_t>(gpu.memory) : std::nullopt;
        },
        "Bytes; null: not known");
    v("driver", or_null(&GpuLine::driver),
      "Version of the NVIDIA driver; null: none, or not known");
    v("cuda", or_null(&GpuLine::cuda), "Newest CUDA version that the driver supports");
  }
};

template <> struct Shape<PlaceLine> {
  static constexpr const char* name = "place";
  template <class V> static void fields(V&& v) {
    v("kind", &PlaceLine::kind, "kernel, service, process, root or variables");
    v("name", &PlaceLine::name, "Name of the kernel or unit, number of the process, path");
    v("origin", &PlaceLine::origin, "File or folder that tells what it is like");
    v("shell", &PlaceLine::shell,
      "What the same framework would do in this shell; null: not compared");
    v("loaded", &PlaceLine::loaded,
      "CUDA and driver libraries that a running process has mapped");
  }
};

template <> struct Shape<Verdict> {
  static constexpr const char* name = "report";
  template <class V> static void fields(V&& v) {
    v("verdicts", &Verdict::frameworks,
      "One for each framework installation, the selected environment's first");
    v("gpus", &Verdict::gpus, "GPUs of this machine, as far as they can be seen");
    v("place", &Verdict::place, "Where the program runs; null: in this shell");
    v("problems", &Verdict::problems, "What could not be looked at");
  }
};

template <class T>
concept Shaped = requires { Shape<T>::name; };

// --- writing
// ---------------------------------------------------------------------------------------------

/// A struct, so that its overloads see one another.
struct Writer {
  template <class T> static Json write(const T& value) {
    if constexpr (std::is_enum_v<T>) {
      return Words<T>::all[static_cast<std::size_t>(value)];
    } else if constexpr (Shaped<T>) {
      Json object = Json::object();
      Shape<T>::fields([&](const char* name, auto get, const char*) {
        object[name] = write(std::invoke(get, value));
      });
      return object;
    } else {
      return value;
    }
  }
  template <class T> static Json write(const std::optional<T>& value) {
    return value ? write(*value) : Json(nullptr);
  }
  template <class T> static Json write(const std::vector<T>& values) {
    Json array = Json::array();
    for (const auto& value : values) array.push_back(write(value));
    return array;
  }
};

// --- schema
// ----------------------------------------------------------------------------------------------

template <class T> struct Schema {
  /// A shaped type is described once, under $defs.
  static Json of(Json& definitions) {
    if constexpr (Shaped<T>) {
      if (!definitions.contains(Shape<T>::name)) {
        definitions[Shape<T>::name] = nullptr; // keeps its place before those that it uses
        definitions[Shape<T>::name] = object(definitions);
      }
      return {{"$ref", std::string("#/$defs/") + Shape<T>::name}};
    } else if constexpr (std::is_same_v<T, bool>) {
      return {{"type", "boolean"}};
    } else if constexpr (std::is_same_v<T, std::string>) {
      return {{"type", "string"}};
    } else if constexpr (std::is_enum_v<T>) {
      Json names = Json::array();
      for (const auto word : Words<T>::all) names.push_back(word);
      return {{"enum", names}};
    } else {
      static_assert(std::is_integral_v<T>);
      return {{"type", "integer"}};
    }
  }
  static Json object(Json& definitions) {
    Json properties = Json::object();
    Json required = Json::array();
    Shape<T>::fields([&](const char* name, auto get, const char* prose) {
      using Value = std::remove_cvref_t<std::invoke_result_t<decltype(get), const T&>>;
      Json property = {{"description", prose}};
      property.update(Schema<Value>::of(definitions));
      properties[name] = std::move(property);
      required.push_back(name);
    });
    return {{"type", "object"}, {"required", required}, {"properties", properties}};
  }
};
template <class T> struct Schema<std::vector<T>> {
  static Json of(Json& definitions) {
    return {{"type", "array"}, {"items", Schema<T>::of(definitions)}};
  }
};
template <class T> struct Schema<std::optional<T>> {
  static Json of(Json& definitions) {
    Json one = Schema<T>::of(definitions);
    if (one.contains("type")) return {{"type", {one["type"], "null"}}};
    return {{"anyOf", {one, {{"type", "null"}}}}};
  }
};

/// What every report begins with, whatever the command.
Json head() {
  return {{"schema", kReportSchema}, {"command", "check"}, {"version", GPUWHY_VERSION}};
}

} // namespace

std::string verdict_json(const Verdict& verdict) {
  Json report = head();
  report.update(Writer::write(verdict));
  return report.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string report_schema() {
  Json definitions = Json::object();
  Json report = Schema<Verdict>::object(definitions);
  Json properties = {{"schema", {{"const", kReportSchema}}},
                     {"command", {{"const", "check"}}},
                     {"version", {{"description", "Version of gpuwhy"}, {"type", "string"}}}};
  Json required = {"schema", "command", "version"};
  properties.update(report["properties"]);
  for (const auto& name : report["required"]) required.push_back(name);
  const Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                       {"title", "gpuwhy check: will the GPU be used, and if not, why?"},
                       {"type", "object"},
                       {"required", required},
                       {"properties", properties},
                       {"$defs", definitions}};
  return schema.dump(2) + "\n";
}

} // namespace gpuwhy
