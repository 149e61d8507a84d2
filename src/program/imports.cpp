#include "program/imports.h"

#include "base/text.h"
#include "program/module.h"
#include "program/source.h"

#include <algorithm>
#include <array>
#include <set>

namespace gpuwhy::program {
namespace {

constexpr std::size_t kLargestFile = 1U << 20U;
constexpr std::size_t kMostFiles = 64;
constexpr std::size_t kMostCalls = 50'000;

struct Package {
  std::string_view root;
  std::string_view framework;
};

// The frameworks, and packages whose own __init__.py imports one.
constexpr auto kPackages = std::to_array<Package>({
    {"torch", "torch"},
    {"torchvision", "torch"},
    {"torchaudio", "torch"},
    {"torchmetrics", "torch"},
    {"pytorch_lightning", "torch"},
    {"timm", "torch"},
    {"tensorflow", "tensorflow"},
    {"tf_keras", "tensorflow"},
    {"tensorflow_hub", "tensorflow"},
    {"jax", "jax"},
    {"flax", "jax"},
    {"optax", "jax"},
    {"haiku", "jax"},
    {"keras", "keras"},
    {"keras_cv", "keras"},
    {"keras_hub", "keras"},
    {"keras_nlp", "keras"},
});

std::string_view framework_of(std::string_view module) {
  const auto root = module.substr(0, module.find('.'));
  for (const auto& package : kPackages) {
    if (package.root == root) return package.framework;
  }
  return {};
}

class Follower {
public:
  Follower(System& system, std::string directory)
      : system_(system), directory_(std::move(directory)) {}

  Result<void> follow(const std::string& path) {
    if (seen_.size() >= kMostFiles || !seen_.insert(path).second) return {};
    const auto text = system_.read(path, kLargestFile);
    if (!text) return fail(path + ": " + text.error().reason);
    auto source = path.ends_with(".ipynb") ? read_notebook(*text) : read_text(*text);
    if (!source) return tl::unexpected(source.error());
    auto tree = Tree::parse(std::move(source->text));
    if (tree.all(Kind::call).size() > kMostCalls) return fail(path + ": written by a program");
    const Module module(std::move(tree));
    for (const NodeId node : module.traces().front()) {
      const auto kind = module.tree().kind(node);
      const bool import = kind == Kind::import_statement || kind == Kind::import_from_statement;
      if (!import || module.dead(node) || !module.certain(node)) continue;
      for (const auto& name : modules_of(module, node)) {
        // What happens in another file happens at the program's own statement.
        const bool own = statement_.line == 0;
        if (own) statement_ = {{}, name, static_cast<int>(module.tree()[node].line)};
        take(name);
        if (own) statement_ = {};
      }
    }
    return {};
  }

  std::vector<ImportedFramework> found;

private:
  static std::string name_of(const Module& module, NodeId node) {
    const auto& tree = module.tree();
    if (tree.kind(node) == Kind::aliased_import) node = tree.child(node, Field::name);
    std::string name;
    for (const char letter : module.text(node)) {
      if (letter != ' ' && letter != '\t') name += letter;
    }
    return name;
  }

  /// "a.b" of `import a.b`; "a" and "a.b" of `from a import b`, which may be a module too.
  static std::vector<std::string> modules_of(const Module& module, NodeId statement) {
    const auto& tree = module.tree();
    std::vector<std::string> names;
    const NodeId from = tree.child(statement, Field::module_name);
    const auto package = from == kNoNode ? std::string() : name_of(module, from);
    if (package.starts_with('.')) return names; // of a package: what ran it is not known
    if (!package.empty()) names.push_back(package);
    for (const NodeId child : tree.children(statement)) {
      const auto kind = tree.kind(child);
      if (child == from || (kind != Kind::dotted_name && kind != Kind::aliased_import)) continue;
      names.push_back((package.empty() ? "" : package + ".") + name_of(module, child));
    }
    return names;
  }

  void take(const std::string& name) {
    if (const auto framework = framework_of(name); !framework.empty()) {
      const bool known = std::any_of(found.begin(), found.end(),
                                     [&](const auto& other) { return other.name == framework; });
      if (!known) found.push_back({std::string(framework), statement_.module, statement_.line});
      return;
    }
    // Importing a.b runs a first, if they lie beside the program.
    std::string below;
    for (const auto part : split(name, '.')) {
      below += "/" + std::string(part);
      const auto base = directory_ + below;
      if (system_.status(base + "/__init__.py")) {
        static_cast<void>(follow(base + "/__init__.py")); // what cannot be read brings nothing
      } else if (system_.status(base + ".py")) {
        static_cast<void>(follow(base + ".py"));
      }
    }
  }

  System& system_;
  std::string directory_;
  std::set<std::string> seen_;
  ImportedFramework statement_; // of the program, that is being followed; line 0: none
};

} // namespace

Result<std::vector<ImportedFramework>> framework_imports(System& system, const std::string& path) {
  Follower follower(system, std::string(parent_path(path)));
  if (const auto done = follower.follow(path); !done) return tl::unexpected(done.error());
  return std::move(follower.found);
}

} // namespace gpuwhy::program
