// What was found at one place of a program or a project file: plain values, for the judge and for
// renderers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gpuwhy {

enum class Severity {
  error,   // keeps the work off the GPU, or stops the program
  warning, // costs the GPU much of its use, or is wrong in most settings
  info,    // advice, or true only on some machines: does not fail a run
};

constexpr const char* name_of(Severity severity) {
  switch (severity) {
  case Severity::error: return "error";
  case Severity::warning: return "warning";
  case Severity::info: return "info";
  }
  return "info";
}

/// What a finding does to the verdict on the program that it was found in.
enum class Bearing {
  note,   // nothing: the GPU is used all the same
  hides,  // the program's model does not get to the GPU
  breaks, // the program fails when it reaches for the GPU
};

/// A replacement in a file's bytes.
struct TextEdit {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::string replacement;

  template <class V> static void fields(V&& v) {
    v("begin", &TextEdit::begin, "First byte that goes");
    v("end", &TextEdit::end, "One past the last byte that goes");
    v("replacement", &TextEdit::replacement, "What comes in its place");
  }
};

struct CodeFinding {
  std::string id;           // "P01"; or "unused-ignore"
  std::string slug;         // "pinned-to-cpu"
  std::string title;        // of the rule
  std::string path;         // as the user named it
  std::uint32_t line = 1;   // in the file, or in the cell
  std::uint32_t column = 1; // in characters
  std::uint32_t end_line = 1;
  std::uint32_t end_column = 1;
  std::uint32_t cell = 0; // counted from 1; 0: not a notebook
  Severity severity = Severity::warning;
  Bearing bearing = Bearing::note;
  std::string framework;          // whose work it bears on: "torch"; empty: any framework's
  std::string message;            // of this place
  std::string fix;                // the smallest change, in words
  std::optional<TextEdit> edit;   // safe to apply by itself
  std::vector<std::string> lines; // the source lines from `line` to `end_line`, at most three

  /// "train.py:14", "train.ipynb:cell 3:2"
  std::string place() const {
    return path + ":" + (cell == 0 ? "" : "cell " + std::to_string(cell) + ":") +
           std::to_string(line);
  }

  template <class V> static void fields(V&& v) {
    using F = CodeFinding;
    v("id", &F::id, "Id of the cause");
    v("slug", &F::slug, "Name of the fault");
    v("title", &F::title, "The cause in general");
    v("path", &F::path, "File");
    v("line", &F::line, "Line in the file, or in the cell");
    v("column", &F::column, "Column in characters");
    v("end_line", &F::end_line, "Last line");
    v("end_column", &F::end_column, "One past the last column");
    v("cell", &F::cell, "Cell of a notebook, counted from 1; 0: not a notebook");
    v("severity", &F::severity, "How bad it is");
    v("bearing", &F::bearing, "What it does to the verdict on the program");
    v("framework", &F::framework, "Whose work it bears on; empty: any framework's");
    v("message", &F::message, "What is wrong at this place");
    v("fix", &F::fix, "The smallest change, in words");
    v("edit", &F::edit, "A change of the file's bytes that is safe to apply");
    v("lines", &F::lines, "The source lines, at most three");
  }
};

} // namespace gpuwhy
