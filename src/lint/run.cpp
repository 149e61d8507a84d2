// All files, on as many threads as there are processors; the answer does not depend on their order.
#include "lint/lint.h"

#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>

namespace gpuwhy::lint {
namespace {

constexpr std::size_t kLargestFile = std::size_t{32} << 20U; // a notebook carries its pictures

LintReport judge_target(System& system, const Target& target, const Options& options,
                        const Selection& selection) {
  auto bytes = system.read(target.path, kLargestFile);
  if (!bytes) {
    LintReport report;
    report.notes.push_back({target.path, 0, bytes.error().reason});
    return report;
  }
  return judge_file(target.path, std::move(*bytes), selection, options.machine,
                    is_test_file(target.below));
}

} // namespace

Result<LintReport> run(System& system, const Options& options) {
  LintReport report;
  Settings settings;
  if (options.settings && !options.paths.empty()) {
    auto found = find_settings(system, options.paths.front());
    if (!found) return tl::unexpected(found.error());
    settings = std::move(*found);
  }
  Selection selection = options.selection;
  if (selection.select.empty()) selection.select = settings.selection.select;
  selection.ignore.insert(selection.ignore.end(), settings.selection.ignore.begin(),
                          settings.selection.ignore.end());
  const auto targets = find_targets(system, options.paths, settings.exclude, report);
  if (!targets) return tl::unexpected(targets.error());

  std::vector<LintReport> reports(targets->size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t at = next++; at < targets->size(); at = next++) {
      reports[at] = judge_target(system, (*targets)[at], options, selection);
    }
  };
  const unsigned wanted =
      options.jobs == 0 ? std::max(1U, std::thread::hardware_concurrency()) : options.jobs;
  std::vector<std::thread> helpers;
  try {
    for (unsigned helper = 1; helper < wanted && helper < targets->size(); ++helper)
      helpers.emplace_back(work);
  } catch (const std::system_error&) { // a container's limit: those that there are do it all
  }
  work();
  for (auto& helper : helpers) helper.join();

  for (auto& part : reports) {
    report.files += part.files;
    std::move(part.findings.begin(), part.findings.end(), std::back_inserter(report.findings));
    std::move(part.notes.begin(), part.notes.end(), std::back_inserter(report.notes));
  }
  return report;
}

} // namespace gpuwhy::lint
