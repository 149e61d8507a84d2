// What `gpuwhy lint` says about one place of a program or a project file: plain values for
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

/// A replacement in a file's bytes.
struct TextEdit {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::string replacement;
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
  std::string message;            // of this place
  std::string fix;                // the smallest change, in words
  std::optional<TextEdit> edit;   // safe to apply by itself
  std::vector<std::string> lines; // the source lines from `line` to `end_line`, at most three
};

/// A file that could not be judged, or only in part.
struct LintNote {
  std::string path;
  std::uint32_t line = 0; // 0: the whole file
  std::string text;
};

struct LintReport {
  std::vector<CodeFinding> findings; // by path, line, column, id
  std::vector<LintNote> notes;
  std::size_t files = 0; // looked at
};

} // namespace gpuwhy
