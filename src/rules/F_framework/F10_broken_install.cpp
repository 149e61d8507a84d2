// TensorFlow is installed on paper, but it cannot be imported: files are gone or cut short, or a
// file of the user's own has its name. Truth: the metadata's list of files, the native library
// itself, and the order of the import path.
#include "base/text.h"
#include "rules/F_framework/installation.h"

#include <algorithm>
#include <array>

namespace gpuwhy::rules {
namespace {

constexpr std::array<std::string_view, 1> kExplains = {"F02"};

Edit again(const Case& c, const std::string& name) {
  const auto* distribution = find_distribution(*c.python, name);
  std::string version = distribution == nullptr ? std::string() : distribution->version;
  if (version.empty() && c.framework != nullptr) version = c.framework->version.value_or("");
  Edit edit;
  edit.words = "install " + name + " again";
  edit.commands = {install_command(c, {name + (version.empty() ? "" : "==" + version)},
                                   "--force-reinstall --no-deps")};
  const auto* build = c.build();
  if (build != nullptr && !build->cuda.open()) {
    // The same build, whole.
    edit.apply = [interpreter = c.python->interpreter, directory = c.framework->directory,
                  opener = build->opener](Facts& facts) {
      if (auto* python = same_python(facts, interpreter)) {
        for (auto& framework : python->frameworks) {
          if (framework.directory == directory) framework.broken.clear();
        }
      }
      const auto file = facts.libraries.files.find(opener);
      if (file == facts.libraries.files.end() || file->second.status == LibraryFile::Status::good)
        return;
      file->second.status = LibraryFile::Status::good;
      file->second.runpath = {"$ORIGIN"};
    };
    return edit;
  }
  return install_gpu_framework(c, edit.words, {}, "--force-reinstall");
}

/// A module of the user's, or a folder of that name beside the program.
bool shadowed(const Case& c, const Framework& framework) {
  const auto& path = framework.directory;
  if (path.ends_with(".py")) return true;
  const auto& sites = c.python->site_directories;
  const bool installed = std::find(sites.begin(), sites.end(), parent_path(path)) != sites.end();
  return !installed && framework.build.absent() && framework.distributions.empty();
}

Outcome shadowed_by_file(const Case& c, const Framework& framework) {
  const auto& file = framework.directory;
  Edit edit;
  edit.words = "rename " + file;
  edit.commands = {
      "mv " + shell_word(file) + " " +
      shell_word(std::string(parent_path(file)) + "/my_" + std::string(base_name(file)))};
  edit.apply = [interpreter = c.python->interpreter, file](Facts& facts) {
    if (auto* python = same_python(facts, interpreter)) {
      std::erase_if(python->frameworks,
                    [&](const Framework& other) { return other.directory == file; });
    }
  };
  return Outcome::found(file + " is imported instead of " +
                        std::string(display_name(framework.name)))
      .because("it comes first on the import path", {file, 0})
      .mend(std::move(edit));
}

Outcome only_metadata(const Case& c) {
  const auto names = tensorflow_distributions(*c.python);
  if (names.empty() || !c.python->problem.empty()) return Outcome::not_applicable();
  const auto& distribution = *find_distribution(*c.python, names.front());
  if (distribution.name == "tensorflow-gpu")
    return Outcome::not_applicable(); // F09, where it is empty by design
  return Outcome::found(distribution.name + " " + distribution.version +
                        " is installed according to pip, but its files are gone")
      .because("its metadata is there, the tensorflow folder beside it is not",
               {distribution.location, 0})
      .mend(again(c, distribution.name));
}

/// Every library that is bad loads nevertheless, and fails when it is used.
bool only_cut_where_it_loads(const Case& c) {
  const auto cut = [&](const std::string& fault) {
    const auto path = fault.substr(0, fault.find(": "));
    const auto file = c.facts.libraries.files.find(path);
    return file != c.facts.libraries.files.end() &&
           file->second.status == LibraryFile::Status::incomplete;
  };
  const auto& broken = c.framework->broken;
  return std::all_of(broken.begin(), broken.end(), cut);
}

Outcome check(const Case& c) {
  if (c.python == nullptr) return Outcome::not_applicable();
  if (c.keras != nullptr && shadowed(c, *c.keras)) return shadowed_by_file(c, *c.keras);
  if (c.framework == nullptr) {
    return c.kind() == "tensorflow" ? only_metadata(c) : Outcome::not_applicable();
  }
  const auto& framework = *c.framework;
  if (shadowed(c, framework)) return shadowed_by_file(c, framework);
  const std::string name =
      framework.distributions.empty() ? framework.name : framework.distributions.front();
  if (!framework.broken.empty()) {
    const auto more = framework.broken.size() - 1;
    auto outcome = Outcome::found(framework_text(c) + " is damaged: " + framework.broken.front() +
                                  (more == 0 ? "" : ", and " + std::to_string(more) + " more"));
    for (const auto& fault : framework.broken) outcome.evidence.push_back({fault, {}});
    if (only_cut_where_it_loads(c)) outcome.effect = Effect::breaks;
    return std::move(outcome).mend(again(c, name));
  }
  if (framework.build.absent()) {
    return Outcome::found(
               framework.directory +
               " has no native library: an installation was removed and left this folder behind")
        .because("no library of " + name_text(c) + " in it", {framework.directory, 0})
        .mend(again(c, name));
  }
  const auto* build = c.build();
  if (build == nullptr) return Outcome::not_applicable(); // F02 tells what could not be read
  const auto opener = c.facts.libraries.files.find(build->opener);
  if (opener != c.facts.libraries.files.end() &&
      opener->second.status != LibraryFile::Status::good) {
    return Outcome::found(build->opener + " cannot be loaded: " + opener->second.detail)
        .because(name_text(c) + "'s own library", {build->opener, 0})
        .mend(again(c, name));
  }
  return Outcome::clear(name_text(c) + "'s files are there");
}

} // namespace

extern constexpr Rule F10{
    .id = "F10",
    .slug = "broken-install",
    .title = "The framework's installation is damaged",
    .since = "0.1",
    .gate = Gate::build,
    .explanation =
        R"(TensorFlow, JAX or PyTorch appears in `pip list`, yet it cannot be imported, or something
else is imported under its name. An installation that was interrupted, a full disk, or the
removal of a second TensorFlow package leaves files missing or cut short. A file
called `tensorflow.py`, `torch.py`, `jax.py` or `keras.py` beside the program, or a folder of that name, is
imported instead of the real one.)",
    .fix = R"(Install the same version again: `python -m pip install --force-reinstall --no-deps
tensorflow==VERSION`. Rename a file or folder of your own that has the framework's name.)",
    .references =
        R"(- [Common TensorFlow build and import errors](https://www.tensorflow.org/install/errors))",
    .explains = kExplains,
    .check = check,
};

} // namespace gpuwhy::rules
