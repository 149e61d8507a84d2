#include "rules/P_program/environment_writes.h"

#include "base/text.h"
#include "program/frameworks.h"

namespace gpuwhy::rules {
namespace {

using namespace program;

bool is_environ(const Module& module, NodeId expression) {
  const auto name = module.resolve(expression);
  if (name == "os.environ" || name == "environ") return true;
  return module.text(expression) == "__import__('os').environ"; // how a notebook's %env is read
}

void from_mapping(const Module& module, NodeId mapping, NodeId at,
                  std::vector<EnvironmentWrite>& writes) {
  const auto& tree = module.tree();
  mapping = module.deref(mapping);
  if (tree.kind(mapping) != Kind::dictionary) return;
  for (const NodeId pair : tree.children(mapping)) {
    if (tree.kind(pair) != Kind::pair) continue;
    const auto key = module.fold(tree.child(pair, Field::key));
    const NodeId value = tree.child(pair, Field::value);
    if (key.is_string())
      writes.push_back(
          {EnvironmentWrite::Type::set, key.string, module.fold(value), pair, at, value});
  }
}

void from_call(const Module& module, NodeId call, std::vector<EnvironmentWrite>& writes) {
  const auto& tree = module.tree();
  const auto& name = module.callee(call);
  if (name == "os.putenv") {
    const auto key = module.fold(module.argument(call, 0, {}));
    const NodeId value = module.argument(call, 1, {});
    if (key.is_string())
      writes.push_back(
          {EnvironmentWrite::Type::set, key.string, module.fold(value), call, call, value});
    return;
  }
  if (module.called_name(call) == "run_line_magic") { // a notebook saved as a program
    const auto magic = module.fold(module.argument(call, 0, {}));
    const auto rest = module.fold(module.argument(call, 1, {}));
    const auto split_at = rest.string.find('=');
    if (magic.is_string() && (magic.string == "env" || magic.string == "set_env") &&
        rest.is_string() && split_at != std::string::npos) {
      Value value = rest;
      value.string = std::string(trim(std::string_view(rest.string).substr(split_at + 1)));
      writes.push_back({EnvironmentWrite::Type::set,
                        std::string(trim(std::string_view(rest.string).substr(0, split_at))), value,
                        call, call, module.argument(call, 1, {})});
    }
    return;
  }
  if (module.called_name(call) != "update" || module.receiver(call) == kNoNode ||
      !is_environ(module, module.receiver(call))) {
    return;
  }
  from_mapping(module, module.argument(call, 0, {}), call, writes);
  const NodeId arguments = tree.child(call, Field::arguments);
  for (const NodeId argument : tree.children(arguments)) {
    if (tree.kind(argument) != Kind::keyword_argument) continue;
    const NodeId value = tree.child(argument, Field::value);
    writes.push_back({EnvironmentWrite::Type::set,
                      std::string(module.text(tree.child(argument, Field::name))),
                      module.fold(value), argument, call, value});
  }
}

} // namespace

std::vector<EnvironmentWrite> environment_writes(const Module& module) {
  const auto& tree = module.tree();
  std::vector<EnvironmentWrite> writes;
  for (const NodeId assignment : tree.all(Kind::assignment)) {
    const NodeId left = tree.child(assignment, Field::left);
    if (tree.kind(left) != Kind::subscript || !is_environ(module, tree.child(left, Field::value)))
      continue;
    const auto key = module.fold(tree.child(left, Field::subscript));
    NodeId value = tree.child(assignment, Field::right);
    while (tree.kind(value) == Kind::assignment) value = tree.child(value, Field::right);
    if (key.is_string())
      writes.push_back({EnvironmentWrite::Type::set, key.string, module.fold(value), assignment,
                        assignment, value});
  }
  for (const NodeId call : tree.all(Kind::call)) from_call(module, call, writes);
  return writes;
}

std::vector<EnvironmentWrite> environment_changes(const Module& module) {
  using Type = EnvironmentWrite::Type;
  const auto& tree = module.tree();
  auto changes = environment_writes(module);
  for (const NodeId call : tree.all(Kind::call)) {
    const auto method = module.called_name(call);
    const bool removes = method == "pop" || module.callee(call) == "os.unsetenv";
    if (!removes && method != "setdefault") continue;
    if (module.callee(call) != "os.unsetenv" &&
        (module.receiver(call) == kNoNode || !is_environ(module, module.receiver(call))))
      continue;
    const auto key = module.fold(module.argument(call, 0, {}));
    if (!key.is_string()) continue;
    const NodeId value = removes ? kNoNode : module.argument(call, 1, {});
    changes.push_back({removes ? Type::unset : Type::set_default, key.string, module.fold(value),
                       call, call, value});
  }
  for (const NodeId statement : tree.all(Kind::delete_statement)) {
    for (const NodeId target : tree.children(statement)) {
      if (tree.kind(target) != Kind::subscript ||
          !is_environ(module, tree.child(target, Field::value)))
        continue;
      const auto key = module.fold(tree.child(target, Field::subscript));
      if (key.is_string())
        changes.push_back({Type::unset, key.string, {}, statement, statement, kNoNode});
    }
  }
  return changes;
}

bool reads_variable(const Module& module, NodeId node, std::string_view name) {
  const Kind kind = module.tree().kind(node);
  const bool import = kind == Kind::import_statement || kind == Kind::import_from_statement;
  const auto words = module.text(node);
  if (name == "KERAS_BACKEND")
    return import && (words.starts_with("import keras") || words.starts_with("from keras"));
  if (kind == Kind::call && opens_cuda(module, node)) return true;
  return import && name.starts_with("JAX_") &&
         (words.starts_with("import jax") || words.starts_with("from jax"));
}

bool hides_every_gpu(const std::string& value) {
  const auto first = std::string(trim(split(value, ',').front()));
  if (first.empty()) return true;
  if (first.starts_with("GPU-") || first.starts_with("MIG-")) return false;
  return first.front() < '0' ||
         first.front() > '9'; // the driver stops at the first that is no index
}

} // namespace gpuwhy::rules
