// `gpuwhy lint`: which files, what is ignored, and every rule's lint check asked about each file.
#pragma once

#include "base/result.h"
#include "program/unit.h"
#include "system/system.h"
#include "verdict/lint_report.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy::lint {

struct Selection {
  std::vector<std::string> select; // ids or their beginnings ("P", "P0"); empty: all
  std::vector<std::string> ignore;

  bool takes(std::string_view id) const;
};

struct Options {
  std::vector<std::string> paths;
  Selection selection;  // of the command line; comes before the settings
  bool settings = true; // [tool.gpuwhy] of the nearest pyproject.toml
  program::Machine machine;
  unsigned jobs = 0; // 0: as many as processors
};

/// A file to look at.
struct Target {
  std::string path;
  std::string below; // the part of the path below what the user named: decides what is a test
};

/// [tool.gpuwhy] of a pyproject.toml.
struct Settings {
  Selection selection;
  std::vector<std::string> exclude; // names or path beginnings of folders and files
};

/// Fails if a path does not exist. Hidden folders, environments and caches are left out; links are
/// not followed below the named paths.
Result<std::vector<Target>> find_targets(System& system, const std::vector<std::string>& paths,
                                         const std::vector<std::string>& exclude,
                                         LintReport& report);
/// Tests and benchmarks: they use the CPU, odd layers and small batches on purpose.
bool is_test_file(std::string_view below);

/// Looks upwards from `path`. Fails for settings that cannot be read as such.
Result<Settings> find_settings(System& system, const std::string& path);

/// All rules about one file's bytes. Pure.
LintReport judge_file(const std::string& path, std::string bytes, const Selection& selection,
                      const program::Machine& machine, bool test);

/// The same about code in memory that a person pasted: a report for each text, which is a program
/// or a file of one; `files` is 0 where it was not looked at. Pure.
std::vector<LintReport> judge_pasted(const std::vector<std::string>& texts);

/// The bytes name something of a framework; what does not is not parsed.
bool can_matter(std::string_view bytes);
/// What the rules say of a file that was read already; in no order, comments not heeded. Pure.
void judge_unit(const program::Unit& unit, const Selection& selection,
                std::vector<CodeFinding>& findings);
void sort_by_place(std::vector<CodeFinding>& findings);

/// Findings that a comment `# gpuwhy: ignore[ID]` covers go; comments that cover nothing are
/// reported.
void apply_ignores(const program::Unit& unit, const Selection& selection,
                   std::vector<CodeFinding>& findings);

/// The bytes with all safe edits of `findings` applied; overlapping edits: the first wins.
std::string apply_edits(const std::string& bytes, const std::vector<CodeFinding>& findings);

Result<LintReport> run(System& system, const Options& options);

} // namespace gpuwhy::lint
