#include "places/kernelspec.h"

#include "base/text.h"
#include "places/executable.h"
#include "places/json.h"

#include <algorithm>
#include <set>

namespace gpuwhy::places {
namespace {

constexpr std::size_t kLargestSpec = 256U << 10U;
constexpr std::size_t kMostFolders = 64;
constexpr std::size_t kMostKernels = 200;
constexpr std::size_t kMostNamed = 8;   // in an error
constexpr std::size_t kMostLines = 500; // of variables; no kernelspec of a person has as many

std::string value_of(const Environment& environment, std::string_view name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

struct DataFolder {
  std::string path;
  std::string prefix;
};

/// jupyter_path("kernels"). Which sys.prefix is the server's is not known: every environment that
/// was found counts, after the user's own folder, as a server in one of them has it before.
std::vector<DataFolder> data_folders(const Here& here) {
  std::vector<DataFolder> folders;
  const auto add = [&](const std::string& path, const std::string& prefix = {}) {
    if (path.starts_with('/') && folders.size() < kMostFolders)
      folders.push_back({normalize_path(path), prefix});
  };
  const auto& environment = here.environment;
  const auto paths = value_of(environment, "JUPYTER_PATH");
  for (const auto path : split(paths, ':')) add(join_path(std::string(path), "kernels"));
  const auto& home = here.system.identity().home;
  auto own = value_of(environment, "JUPYTER_DATA_DIR");
  if (own.empty() && !value_of(environment, "XDG_DATA_HOME").empty())
    own = value_of(environment, "XDG_DATA_HOME") + "/jupyter";
  if (own.empty()) own = home + "/.local/share/jupyter";
  // jupyter_core 5 puts an active virtual or conda environment before the user's folder.
  std::set<std::string> active;
  for (const auto* name : {"VIRTUAL_ENV", "CONDA_PREFIX"}) {
    const auto prefix = value_of(environment, name);
    if (!prefix.empty() && active.insert(normalize_path(prefix)).second)
      add(prefix + "/share/jupyter/kernels", normalize_path(prefix));
  }
  add(own + "/kernels");
  for (const auto& prefix : here.prefixes) {
    if (!active.contains(normalize_path(prefix)))
      add(prefix + "/share/jupyter/kernels", normalize_path(prefix));
  }
  add("/usr/local/share/jupyter/kernels");
  add("/usr/share/jupyter/kernels");
  const auto ipython = value_of(environment, "IPYTHONDIR");
  add((ipython.empty() ? home + "/.ipython" : ipython) + "/kernels");
  return folders;
}

/// string.Template.safe_substitute: $NAME and ${NAME} of the server, "$$" is "$", and what has no
/// value stays as it is written.
std::string substitute(std::string_view text, const Environment& environment) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '$') {
      result += text[at++];
      continue;
    }
    if (text.substr(at).starts_with("$$")) {
      result += '$';
      at += 2;
      continue;
    }
    const bool braces = text.substr(at).starts_with("${");
    const std::size_t start = at + (braces ? 2 : 1);
    std::size_t end = start;
    while (end < text.size() &&
           (is_letter(text[end]) || (end > start && text[end] >= '0' && text[end] <= '9')))
      ++end;
    const bool whole = end > start && (!braces || (end < text.size() && text[end] == '}'));
    const auto found =
        whole ? environment.find(text.substr(start, end - start)) : environment.end();
    const std::size_t next = whole ? end + (braces ? 1U : 0U) : at + 1;
    if (found != environment.end()) {
      result += found->second;
    } else {
      result += text.substr(at, next - at);
    }
    at = next;
  }
  return result;
}

/// The Python that runs Jupyter itself: "python" in a kernelspec means that one.
std::string server_python(const Here& here, const KernelFolder& kernel) {
  for (const auto* program : {"jupyter", "jupyter-lab", "jupyter-notebook"}) {
    const auto path = find_program(here.system, program, value_of(here.environment, "PATH"));
    auto python = path.empty() ? std::string() : python_of_script(here.system, path);
    if (!python.empty()) return python;
  }
  if (!kernel.prefix.empty()) return kernel.prefix + "/bin/python";
  return here.python;
}

/// "python", "python3", "python3.11": jupyter_client puts its own sys.executable there.
bool is_servers_python(std::string_view word) {
  return word == "python" || word == "python3" ||
         (word.starts_with("python3.") && to_number(word.substr(8)));
}

void set_interpreter(const Here& here, const KernelFolder& kernel, std::vector<std::string> words,
                     FoundPlace& place) {
  place.chosen_by = "kernel " + printable(kernel.name) + " (" + place.place.origin + ")";
  if (words.empty()) {
    place.python_unknown = place.place.origin + ": has no \"argv\", so that it starts nothing";
    return;
  }
  for (auto& word : words) {
    word = replace_all(std::move(word), "{resource_dir}", kernel.folder);
    if (!kernel.prefix.empty()) word = replace_all(std::move(word), "{prefix}", kernel.prefix);
  }
  if (is_servers_python(words.front())) {
    place.interpreter = server_python(here, kernel);
    if (!place.interpreter.empty()) place.chosen_by += ", the Python that runs Jupyter";
    return;
  }
  auto started = started_python(here.system, words, place.environment);
  place.interpreter = std::move(started.interpreter);
  for (auto& [name, value] : started.variables) place.environment[name] = value;
  if (!started.problem.empty()) place.python_unknown = place.place.origin + ": " + started.problem;
}

std::string names_of(const std::vector<KernelFolder>& kernels) {
  if (kernels.empty()) return "no kernel was found: 'jupyter kernelspec list' shows where it looks";
  std::vector<std::string> names;
  for (const auto& kernel : kernels) {
    if (names.size() < kMostNamed) names.push_back(printable(kernel.name));
  }
  auto text = "there are " + join(names, ", ");
  if (kernels.size() > kMostNamed)
    text += " and " + std::to_string(kernels.size() - kMostNamed) + " more";
  return text;
}

} // namespace

std::vector<KernelFolder> find_kernels(const Here& here) {
  std::vector<KernelFolder> kernels;
  std::set<std::string> names;
  for (const auto& folder : data_folders(here)) {
    const auto entries = here.system.list(folder.path);
    if (!entries) continue;
    for (const auto& entry : *entries) {
      if (kernels.size() >= kMostKernels) return kernels;
      const auto path = join_path(folder.path, entry.name);
      if (!here.system.status(path + "/kernel.json") || !names.insert(lower(entry.name)).second)
        continue;
      kernels.push_back({entry.name, path, folder.prefix});
    }
  }
  return kernels;
}

Result<FoundPlace> find_kernel(const Here& here, const std::string& name) {
  const auto kernels = find_kernels(here);
  const auto kernel = std::find_if(kernels.begin(), kernels.end(), [&](const KernelFolder& each) {
    return lower(each.name) == lower(name);
  });
  if (kernel == kernels.end())
    return fail("no kernel '" + printable(name) + "': " + names_of(kernels));
  const auto path = kernel->folder + "/kernel.json";
  const auto shown = printable(path);
  const auto text = here.system.read(path, kLargestSpec);
  if (!text) return fail(printable(text.error().reason));
  const auto spec = parse_json(*text);
  if (!spec || !spec->is_object()) return fail(shown + ": is no JSON object");
  FoundPlace place;
  place.place.kind = "kernel";
  place.place.name = printable(kernel->name);
  place.place.origin = shown;
  place.identity = here.system.identity();
  place.environment = here.environment;
  place.inherits_shell = true;
  if (const auto* variables = member(*spec, "env");
      variables != nullptr && variables->is_object()) {
    for (const auto& [variable, value] : variables->items()) {
      if (!value.is_string()) continue;
      const auto written = value.get<std::string>();
      place.environment[variable] = substitute(written, here.environment);
      const bool sought = place.origins.size() < kMostLines;
      VariableOrigin origin{shown, sought ? line_of_key(*text, "env", variable) : 0, {}, true, {}};
      origin.text = printable(("\"" + variable + "\": \"" + written + "\"").substr(0, 200));
      place.origins[variable] = std::move(origin);
    }
  }
  if (lower(text_member(*spec, "language")).starts_with("python"))
    place.environment.erase("PYTHONEXECUTABLE");
  const auto* words = member(*spec, "argv");
  set_interpreter(here, *kernel, words != nullptr ? texts_of(*words) : std::vector<std::string>(),
                  place);
  return place;
}

} // namespace gpuwhy::places
