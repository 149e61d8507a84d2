// Every object of the report has one table of its fields (render/shapes.h).
#include "render/lint.h"

#include "render/report.h"
#include "render/verdict_shapes.h"

namespace gpuwhy {
namespace shapes {

/// A finding where no verdict is given.
struct LintFinding {
  const CodeFinding* finding = nullptr;
};
template <> struct Shape<LintFinding> {
  static constexpr const char* name = "finding";
  template <class V> static void fields(V&& v) {
    using F = CodeFinding;
    constexpr auto of = &LintFinding::finding;
    v("id", through<of>(&F::id), "Id of the cause");
    v("slug", through<of>(&F::slug), "Name of the fault");
    v("path", through<of>(&F::path), "File, as it was named");
    v("line", through<of>(&F::line), "Line in the file, or in the cell, from 1");
    v("column", through<of>(&F::column), "Column in characters, from 1");
    v("end_line", through<of>(&F::end_line), "Last line");
    v("end_column", through<of>(&F::end_column), "One past the last column");
    v("title", through<of>(&F::title), "The cause in general");
    v("severity", through<of>(&F::severity),
      "error: it keeps the work off the GPU or stops the program; warning: it costs much of the "
      "GPU's use; info: advice");
    v("message", through<of>(&F::message), "What is wrong at this place");
    v("fix", through<of>(&F::fix), "The smallest change, in words");
    v(
        "cell",
        [](const LintFinding& each) {
          const auto cell = each.finding->cell;
          return Omitted<std::uint32_t>{cell != 0 ? std::optional(cell) : std::nullopt};
        },
        "Cell of a notebook, counted from 1; absent: not a notebook");
    v(
        "edit", [](const LintFinding& each) { return Omitted<TextEdit>{each.finding->edit}; },
        "A replacement in the file's bytes that is safe to make; absent: there is none");
  }
};

template <> struct Shape<LintNote> {
  static constexpr const char* name = "note";
  template <class V> static void fields(V&& v) {
    v("path", &LintNote::path, "File that could not be judged, or only in part");
    v("text", &LintNote::text, "Why");
    v(
        "line",
        [](const LintNote& note) {
          return Omitted<std::uint32_t>{note.line != 0 ? std::optional(note.line) : std::nullopt};
        },
        "Line in the file; absent: the whole of it");
  }
};

template <> struct Shape<LintReport> {
  static constexpr const char* name = "lint";
  template <class V> static void fields(V&& v) {
    v("files", &LintReport::files, "How many files were looked at");
    v(
        "findings",
        [](const LintReport& report) {
          std::vector<LintFinding> findings;
          for (const auto& each : report.findings) findings.push_back({&each});
          return findings;
        },
        "By path, line and column");
    v("notes", &LintReport::notes, "What could not be judged");
  }
};

} // namespace shapes

std::string render::lint_json(const LintReport& report) {
  return report_text("lint", report);
}

std::string render::lint_schema() {
  return report_schema_of<LintReport>("lint",
                                      "gpuwhy lint: what in the code keeps work off the GPU");
}

} // namespace gpuwhy
