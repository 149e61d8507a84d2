// No TensorFlow was ever made for this Python.
// Truth: the Python versions of the releases (knowledge/tensorflow_releases.tsv).
#include "base/text.h"
#include "knowledge/knowledge.h"
#include "rules/F_framework/installation.h"
#include "rules/F_framework/project_files.h"

#include <algorithm>
#include <array>

namespace gpuwhy::rules {
namespace {

constexpr std::array<std::string_view, 1> kExplains = {"F01"};
constexpr std::string_view kGoodPython = "3.12";

bool supported(const Version& python) {
  const auto& releases = tensorflow_releases();
  return std::any_of(releases.begin(), releases.end(), [&](const TensorFlowRelease& release) {
    return release.supports_python(python);
  });
}

Edit another_python(const Case& c) {
  Edit edit;
  const std::string python(kGoodPython);
  edit.words = "make an environment with Python " + python;
  if (c.python->kind == "conda") {
    edit.commands = {"conda create --name tf python=" + python, "conda activate tf"};
  } else {
    edit.commands = {"uv venv --python " + python + " .venv", ". .venv/bin/activate"};
  }
  edit.apply = [interpreter = c.python->interpreter, python](Facts& facts) {
    if (auto* same = same_python(facts, interpreter)) {
      same->version = Fact<std::string>::known(python, {"edit", 0});
    }
  };
  return edit;
}

Outcome check(const Case& c) {
  if (c.python == nullptr || c.kind() != "tensorflow") return Outcome::not_applicable();
  const auto version = Version::parse(c.python->version.value_or(""));
  if (c.framework != nullptr) {
    return Outcome::clear(framework_text(c) + " is installed for Python " +
                          c.python->version.value_or("of unknown version"));
  }
  if (!version) {
    return Outcome::unknown("the version of " + c.python->interpreter);
  }
  if (supported(*version))
    return Outcome::clear("there is a TensorFlow for Python " + version->str());
  const auto& newest = tensorflow_releases().back();
  return Outcome::found("there is no TensorFlow for Python " + version->str())
      .because("Python " + version->str(), c.python->version.source())
      .because("TensorFlow " + std::string(newest.version) +
               ", the newest that gpuwhy knows, is for Python " + std::string(newest.python))
      .mend(another_python(c));
}

} // namespace

extern constexpr Rule F08{
    .id = "F08",
    .slug = "python-unsupported",
    .title = "There is no TensorFlow for this Python version",
    .since = "0.1",
    .gate = Gate::build,
    .explanation = R"(Each TensorFlow release is made for a few Python versions. A new Python
gets its TensorFlow months later, and then only in the newest releases. pip says "No matching
distribution found for tensorflow", which sounds as if the package did not exist.)",
    .fix = R"(Make an environment with a Python version that TensorFlow supports: `uv venv
--python 3.12`, `conda create python=3.12`, or pyenv. The system's own Python can stay as it is.)",
    .references = R"(- [TensorFlow's Python versions](https://www.tensorflow.org/install/source#gpu)
- [Install TensorFlow with pip](https://www.tensorflow.org/install/pip))",
    .explains = kExplains,
    .check = check,
    .lint = lint_python_unsupported,
};

} // namespace gpuwhy::rules
