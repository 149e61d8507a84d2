// More than one distribution put files into the same `tensorflow` package, or two packages of that
// name are on the import path, and what is imported in the end cannot use the GPU. Truth: the
// metadata in the site directories against the build information of the package.
#include "base/text.h"
#include "rules/F_framework/installation.h"
#include "rules/F_framework/project_files.h"
#include "rules/L_libraries/library_faults.h"

#include <algorithm>
#include <array>
#include <set>

namespace gpuwhy::rules {
namespace {

constexpr std::array<std::string_view, 2> kExplains = {"F02", "F10"};

/// "tensorflow 2.18.0", "tensorflow-cpu 2.17.0". conda's own record beside a dist-info is one
/// installation.
std::vector<const Distribution*> claimants(const Case& c) {
  std::vector<const Distribution*> all;
  const auto names = tensorflow_distributions(*c.python);
  const std::string site(parent_path(c.framework->directory));
  for (const auto& distribution : c.python->distributions) {
    if (std::find(names.begin(), names.end(), distribution.name) == names.end()) continue;
    const bool elsewhere = !distribution.directory.empty() && distribution.directory != site &&
                           distribution.directory != c.python->prefix;
    const bool known = std::any_of(all.begin(), all.end(), [&](const Distribution* other) {
      return other->name == distribution.name && other->version == distribution.version;
    });
    if (!elsewhere && !known) all.push_back(&distribution);
  }
  return all;
}

const Framework* second_package(const Case& c) {
  for (const auto& framework : c.python->frameworks) {
    if (framework.name == "tensorflow" && &framework != c.framework) return &framework;
  }
  return nullptr;
}

Outcome mixed(const Case& c, const std::vector<const Distribution*>& claims, bool cpu) {
  std::vector<std::string> texts;
  for (const auto* distribution : claims)
    texts.push_back(distribution->name + " " + distribution->version);
  auto outcome =
      Outcome::found(listing(texts) + " are installed over one another, and what is left " +
                     (cpu ? "has no GPU support" : "is a mixture"));
  for (const auto* distribution : claims) {
    outcome.evidence.push_back({distribution->name + " " + distribution->version + " writes into " +
                                    c.framework->directory,
                                {distribution->location, 0}});
  }
  if (cpu)
    outcome.evidence.push_back({"the files that won say: no CUDA", c.build()->cuda.source()});
  else if (c.framework->broken.empty())
    outcome.effect = Effect::breaks;
  return std::move(outcome).mend(install_gpu_framework(
      c, "remove all of them, then install tensorflow alone", tensorflow_distributions(*c.python)));
}

/// What `pip install --user` once put into the home directory goes before the environment's own.
Outcome shadowing(const Case& c, const Framework& behind) {
  const auto& first = *c.framework;
  Edit edit;
  edit.words = "remove the TensorFlow in " + std::string(parent_path(first.directory));
  edit.commands = {uninstall_command(c, first.distributions.empty()
                                            ? std::vector<std::string>{"tensorflow"}
                                            : first.distributions)};
  edit.apply = [interpreter = c.python->interpreter, directory = first.directory](Facts& facts) {
    auto* python = same_python(facts, interpreter);
    if (python == nullptr) return;
    const std::string site(parent_path(directory));
    std::erase_if(python->frameworks,
                  [&](const Framework& other) { return other.directory == directory; });
    const auto names = tensorflow_distributions(*python);
    std::erase_if(python->distributions, [&](const Distribution& other) {
      return other.directory == site &&
             std::find(names.begin(), names.end(), other.name) != names.end();
    });
  };
  return Outcome::found("the TensorFlow in " + std::string(parent_path(first.directory)) +
                        ", without GPU support, is imported before the one in " +
                        std::string(parent_path(behind.directory)))
      .because("first on the import path, built without CUDA", {first.directory, 0})
      .because("built with CUDA, but never reached", {behind.directory, 0})
      .mend(std::move(edit));
}

/// Up to 2.15 Keras and TensorFlow of one minor version belong together; tf-keras goes on so.
Outcome keras_beside(const Case& c) {
  const auto keras = Version::parse(c.keras->version.value_or(""));
  const auto tensorflow = Version::parse(c.framework->version.value_or(""));
  if (!keras || !tensorflow) return Outcome::unknown("the versions of Keras and TensorFlow");
  const bool fits =
      keras->major() != 2 || tensorflow->major() != 2 || keras->minor() == tensorflow->minor();
  const auto both = "Keras " + keras->str() + " and TensorFlow " + tensorflow->str();
  if (fits) return Outcome::clear(both + " go together");
  const auto minor = "2." + std::to_string(tensorflow->minor());
  const auto requirement = "keras==" + minor + ".*";
  Edit edit;
  edit.words = "install the Keras of this TensorFlow";
  edit.commands = {install_command(c, {requirement})};
  edit.apply = [interpreter = c.python->interpreter, directory = c.keras->directory,
                version = minor + ".0"](Facts& facts) {
    auto* python = same_python(facts, interpreter);
    if (python == nullptr) return;
    for (auto& framework : python->frameworks) {
      if (framework.directory != directory) continue;
      framework.version = Fact<std::string>::known(version, {directory, 0});
    }
  };
  return Outcome::found(both + " do not go together: Keras 2 wants the same minor version")
      .because("Keras " + keras->str(), c.keras->version.source())
      .because("TensorFlow " + tensorflow->str(), c.framework->version.source())
      .mend(std::move(edit))
      .with_effect(Effect::breaks);
}

Outcome check(const Case& c) {
  if (c.framework == nullptr || c.kind() != "tensorflow") return Outcome::not_applicable();
  if (c.keras != nullptr) return keras_beside(c);
  const auto* build = c.build();
  const bool cpu = build != nullptr && build->cuda.known() && !build->cuda.value();
  const bool broken = !c.framework->broken.empty();
  const auto claims = claimants(c);
  if (const auto* behind = second_package(c); cpu && behind != nullptr) {
    const auto* other = behind->build.get();
    if (other != nullptr && other->cuda.value_or(false)) return shadowing(c, *behind);
  }
  if (claims.size() < 2) return Outcome::clear("one distribution alone provides tensorflow");
  if (build == nullptr && c.framework->build.open()) {
    return Outcome::unknown("which of several TensorFlow distributions " + c.framework->directory +
                            " is");
  }
  // A leftover dist-info of another version of the same name is only paper, unless files are
  // missing.
  std::set<std::string> names, versions;
  for (const auto* distribution : claims) {
    names.insert(distribution->name);
    versions.insert(distribution->version);
  }
  const bool gpu_wanted = std::any_of(names.begin(), names.end(), [](const std::string& name) {
    return name == "tensorflow" || name == "tensorflow-gpu" || name == "tf-nightly";
  });
  const bool different = names.size() > 1 && versions.size() > 1;
  if (cpu && gpu_wanted && names.size() > 1) return mixed(c, claims, true);
  if ((broken && names.size() > 1) || different) return mixed(c, claims, cpu);
  return Outcome::clear(
      "several distributions provide tensorflow, but the build that won can use a GPU");
}

} // namespace

extern constexpr Rule F06{
    .id = "F06",
    .slug = "conflicting-distributions",
    .title = "Several TensorFlow packages overwrite one another",
    .since = "0.1",
    .gate = Gate::build,
    .explanation = R"(`tensorflow`, `tensorflow-cpu`, `tensorflow-gpu` and `tf-nightly` are
different packages for pip, but they all write the same folder, `site-packages/tensorflow`. pip
does not stop you from installing two of them; the one installed last wins, file by file. So a
`tensorflow-cpu` that came with another package's requirements silently takes the GPU away, and
`pip list` still shows `tensorflow`. Removing one of the two then takes away files of the other.

The same happens with a copy in `~/.local` (`pip install --user`), which comes first on the
import path.)",
    .fix = R"(Uninstall **all** of them, then install one: `python -m pip uninstall -y tensorflow
tensorflow-cpu` and `python -m pip install 'tensorflow[and-cuda]'`. Look at `pip show -f` or
`pipdeptree` for who asks for `tensorflow-cpu`.)",
    .references = R"(- [Install TensorFlow with pip](https://www.tensorflow.org/install/pip))",
    .explains = kExplains,
    .check = check,
    .lint = lint_conflicting_distributions,
};

} // namespace gpuwhy::rules
