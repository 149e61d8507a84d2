// Any bytes in place of a program or a project file, and every form of the report about it.
#include "lint/lint.h"
#include "render/lint.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gpuwhy;
  static const std::array<std::string, 12> kNames{
      "a.py",     "a.ipynb",           "Dockerfile",       "compose.yaml",
      "pod.yaml", "environment.yml",   "requirements.txt", "pyproject.toml",
      "uv.lock",  "devcontainer.json", "job.sbatch",       ".github/workflows/a.yml"};
  if (size == 0) return 0;
  const auto& name = kNames[data[0] % kNames.size()];
  std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto report = lint::judge_file(name, bytes, {}, {}, false);
  (void)lint::apply_edits(bytes, report.findings);
  (void)render::lint_text(report, {});
  (void)render::lint_json(report);
  (void)render::lint_sarif(report);
  (void)render::lint_github(report);
  return 0;
}
