// What a lint check writes to. A check is pure: it reads a Unit and reports places.
//
//   void lint(const program::Unit& unit, lint::Report& report) {
//     for (NodeId call : unit.module->tree().all(Kind::call)) { ... report.at(call,
//     Severity::error, ...); }
//   }
#pragma once

#include "program/unit.h"
#include "verdict/lint_report.h"

#include <string>
#include <vector>

namespace gpuwhy {

struct Rule;

namespace lint {

class Report {
public:
  explicit Report(const program::Unit& unit) : unit_(unit) {}

  /// A finding at a syntax node. Nothing is added twice for one rule and line.
  CodeFinding& at(program::NodeId node, Severity severity, std::string message, std::string fix);
  /// A finding at a line of a project file.
  CodeFinding& at_line(std::uint32_t line, Severity severity, std::string message, std::string fix);
  /// A safe edit of `finding`: replaces bytes of the file (a notebook takes none).
  void edit(CodeFinding& finding, std::uint32_t begin, std::uint32_t end,
            std::string replacement) const;

  /// The rule that speaks next.
  void speaker(const Rule& rule) { rule_ = &rule; }
  std::vector<CodeFinding>& findings() { return findings_; }

private:
  CodeFinding& add(CodeFinding finding, std::uint32_t text_line, std::uint32_t text_end);

  const program::Unit& unit_;
  const Rule* rule_ = nullptr;
  std::vector<CodeFinding> findings_;
  CodeFinding ignored_; // the second of one rule and line
};

} // namespace lint
} // namespace gpuwhy
