// What a program computes with. Truth: the packages that it imports, and what those are built on.
#include "lint/program.h"

#include "base/text.h"
#include "program/packages.h"

#include <algorithm>
#include <array>

namespace gpuwhy::lint {
namespace {

using namespace program;

struct Use {
  std::string_view framework;
  std::size_t calls = 0; // that compute or build
};

/// Reading data, logging and asking for devices is not computing.
bool computes(std::string_view name) {
  for (const std::string_view aside :
       {"tensorflow.data", "tensorflow.io", "tensorflow.config", "tensorflow.summary",
        "tensorflow.get_logger", "tensorflow.test", "tensorflow.image", "tensorflow.gfile",
        "torch.cuda", "torch.utils.data", "torch.manual_seed", "jax.devices", "jax.config"}) {
    if (begins_with_name(name, aside)) return false;
  }
  return true;
}

class Count {
public:
  void file(const Module& module, bool imported) {
    const auto& tree = module.tree();
    for (const auto& package : kPackages) {
      if (!package.framework.empty() && package.name != "transformers" &&
          module.imports(package.name))
        use(package.framework);
    }
    // transformers has models of each framework; the names say which.
    if (module.imports("transformers")) {
      bool other = false;
      for (const NodeId id : tree.all(Kind::identifier)) {
        if (module.text(id).starts_with("TFAuto") || module.text(id).starts_with("FlaxAuto"))
          other = true;
      }
      if (!other) use("torch");
    }
    for (const NodeId call : tree.all(Kind::call)) {
      const auto& name = module.callee(call);
      if ((imported && for_main_only(module, call)) || !computes(name)) continue;
      const auto root = std::string_view(name).substr(0, name.find('.'));
      if (root == "keras") { // tf.keras has the same spelling
        use(module.imports("keras") || !module.imports("tensorflow") ? "keras" : "tensorflow", 1);
        continue;
      }
      for (const auto& package : kPackages) {
        if (package.name == root && !package.framework.empty() && root != "transformers")
          use(package.framework, 1);
      }
    }
  }

  std::vector<std::string> take() {
    std::stable_sort(uses_.begin(), uses_.end(),
                     [](const Use& a, const Use& b) { return a.calls > b.calls; });
    std::vector<std::string> names;
    for (const auto& each : uses_) names.emplace_back(each.framework);
    return names;
  }

private:
  void use(std::string_view framework, std::size_t calls = 0) {
    const auto found = std::find_if(uses_.begin(), uses_.end(),
                                    [&](const Use& each) { return each.framework == framework; });
    if (found == uses_.end()) {
      uses_.push_back({framework, calls});
    } else {
      found->calls += calls;
    }
  }

  std::vector<Use> uses_;
};

} // namespace

std::vector<std::string> frameworks_of(const Project& project) {
  Count count;
  for (const auto& unit : project.files) {
    count.file(*unit->module, unit.get() != project.files.front().get());
  }
  return count.take();
}

} // namespace gpuwhy::lint
