// Every object of the report has one table of its fields (render/shapes.h).
#include "render/compat_text.h"

#include "render/report.h"

namespace gpuwhy {
namespace shapes {

template <> struct Shape<Needs> {
  static constexpr const char* name = "needs";
  template <class V> static void fields(V&& v) {
    v("framework", &Needs::framework, "Package name of the framework");
    v("version", &Needs::version, "Version of the release");
    v("variant", or_null(&Needs::variant),
      "Which of its builds, as in cuda12 or cu126; null: there is one");
    v("released", or_null(&Needs::released), "Year and month; null: not known");
    v("python", or_null(&Needs::python),
      "Versions of Python, as in '3.9-3.12' or '3.11 or later'; null: not known");
    v("cuda", or_null(&Needs::cuda), "Version of CUDA; null: not known");
    v("cudnn", or_null(&Needs::cudnn), "Version of cuDNN; null: not known");
    v("driver", or_null(&Needs::driver), "Oldest driver that serves; null: not known");
    v("machine_code", &Needs::machine_code,
      "Compute capabilities for which it carries machine code; empty: not known, or none");
    v("ptx", &Needs::ptx, "Compute capabilities of its PTX, which later GPUs compile");
    v("install", or_null(&Needs::install), "What pip is asked for; null: no plain pip gets it");
    v("notes", or_null(&Needs::notes), "What else is to know; null: nothing");
    v("source", or_null(&Needs::source),
      "Who says so: a page, or the path of what is installed; null: not told");
  }
};

template <> struct Shape<Fit> {
  static constexpr const char* name = "fit";
  template <class V> static void fields(V&& v) {
    v(
        "works",
        [](const Fit& fit) {
          const bool open = fit.against.empty() && !fit.open.empty();
          return open ? std::nullopt : std::optional(fit.against.empty());
        },
        "Whether this build can work here; null: 'unknown' says what would settle it");
    v("against", &Fit::against, "Why it cannot; empty: nothing speaks against it");
    v("unknown", &Fit::open, "What is not known");
    v("needs", &Fit::needs, "The build and what it needs");
  }
};

template <> struct Shape<FitTable> {
  static constexpr const char* name = "table";
  template <class V> static void fields(V&& v) {
    v("framework", &FitTable::framework, "Package name of the framework");
    v("python", &FitTable::python, "Version of Python");
    v("interpreter", &FitTable::interpreter, "Where that Python was seen");
    v("releases", &FitTable::fits, "Builds that gpuwhy knows, the newest first");
  }
};

template <> struct Shape<Compat> {
  static constexpr const char* name = "compat";
  template <class V> static void fields(V&& v) {
    v("asked", or_null(&Compat::asked),
      "The release that was asked for; null: what this machine can run");
    v("note", or_null(&Compat::note),
      "That it is newer than what gpuwhy knows, and what was read in its place; null: nothing");
    v("needs", &Compat::needs, "Builds of the release that was asked for");
    v("gpu", or_null(&Compat::gpu), "The GPU, in words; null: none can be seen");
    v("driver", or_null(&Compat::driver), "Version of the NVIDIA driver; null: none");
    v("here", &Compat::here, "Without a release: one for each Python and framework");
  }
};

} // namespace shapes

std::string compat_json(const Compat& compat) {
  return report_text("compat", compat);
}

std::string compat_schema() {
  return report_schema_of<Compat>("compat", "gpuwhy compat: which releases can use which GPU");
}

} // namespace gpuwhy
