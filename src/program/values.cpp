// Constant folding of what people write beside framework calls: strings, numbers, lists, flags.
// Unknown is an answer: parameters, parsed arguments and what comes from outside are never guessed.
#include "program/module.h"

#include "base/text.h"

#include <charconv>
#include <cmath>

namespace gpuwhy::program {
namespace {

constexpr int kDeepestFold = 14;
constexpr std::size_t kLongestString = 4096;
constexpr std::size_t kLongestList = 256;

Value make(bool truth, NodeId origin) {
  Value value;
  value.type = Value::Type::boolean;
  value.truth = truth;
  value.origin = origin;
  return value;
}

Value make(std::int64_t number, NodeId origin) {
  Value value;
  value.type = Value::Type::integer;
  value.integer = number;
  value.origin = origin;
  return value;
}

Value make(std::string text, NodeId origin) {
  Value value;
  if (text.size() > kLongestString) return value;
  value.type = Value::Type::string;
  value.string = std::move(text);
  value.origin = origin;
  return value;
}

Value make_float(double number, NodeId origin) {
  Value value;
  value.type = Value::Type::floating;
  value.floating = number;
  value.origin = origin;
  return value;
}

Value number_literal(std::string_view text, Kind kind, NodeId origin) {
  std::string digits;
  for (const char letter : text) {
    if (letter != '_') digits += letter;
  }
  if (kind == Kind::integer) {
    int base = 10;
    std::string_view rest = digits;
    if (rest.starts_with("0x") || rest.starts_with("0X")) {
      base = 16;
      rest.remove_prefix(2);
    }
    if (rest.ends_with('L') || rest.ends_with('l')) rest.remove_suffix(1);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number, base);
    if (error == std::errc{} && end == rest.data() + rest.size()) return make(number, origin);
    return {};
  }
  double number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error == std::errc{} && end == digits.data() + digits.size())
    return make_float(number, origin);
  return {};
}

std::optional<std::string> as_text(const Value& value) {
  switch (value.type) {
  case Value::Type::string: return value.string;
  case Value::Type::integer: return std::to_string(value.integer);
  case Value::Type::boolean: return value.truth ? "True" : "False";
  case Value::Type::none: return "None";
  default: return std::nullopt;
  }
}

/// "cuda:%d" % 1: one conversion, one value.
Value percent(const Value& format, const Value& argument) {
  const Value& only = argument.type == Value::Type::list && argument.items.size() == 1
                          ? argument.items.front()
                          : argument;
  const auto filled = as_text(only);
  const auto at = format.string.find('%');
  if (!filled || at == std::string::npos || format.string.find('%', at + 1) != std::string::npos ||
      at + 1 >= format.string.size()) {
    return {};
  }
  const char conversion = format.string[at + 1];
  if (conversion != 'd' && conversion != 's' && conversion != 'i') return {};
  return make(format.string.substr(0, at) + *filled + format.string.substr(at + 2), format.origin);
}

char unescaped(char letter) {
  switch (letter) {
  case 'n': return '\n';
  case 't': return '\t';
  default: return letter;
  }
}

} // namespace

std::optional<double> Value::number() const {
  if (type == Type::integer) return static_cast<double>(integer);
  if (type == Type::floating) return floating;
  return std::nullopt;
}

std::optional<bool> Value::as_truth() const {
  switch (type) {
  case Type::unknown: return std::nullopt;
  case Type::none: return false;
  case Type::boolean: return truth;
  case Type::integer: return integer != 0;
  case Type::floating: return floating != 0;
  case Type::string: return !string.empty();
  case Type::list: return !items.empty();
  }
  return std::nullopt;
}

Value Module::fold_string(NodeId string, int depth) const {
  const auto whole = text(string);
  const auto quote = whole.find_first_of("'\"");
  if (quote == std::string_view::npos) return {};
  const auto prefix = lower(whole.substr(0, quote));
  const bool raw = contains(prefix, "r");
  std::string result;
  for (const NodeId part : tree_.children(string)) {
    if (tree_.kind(part) == Kind::interpolation) {
      const auto filled = as_text(fold(tree_.at(part, 0), depth + 1));
      if (!filled || tree_.count(part) != 1) return {};
      result += *filled;
    } else if (tree_.kind(part) == Kind::string_content) {
      const auto content = text(part);
      for (std::size_t at = 0; at < content.size(); ++at) {
        if (content[at] == '\\' && !raw && at + 1 < content.size()) {
          result += unescaped(content[++at]);
        } else {
          result += content[at];
        }
      }
    }
  }
  return make(std::move(result), string);
}

Value Module::fold_name(NodeId identifier, int depth) const {
  const auto* binding = reaching(text(identifier), identifier);
  if (binding == nullptr || binding->type != Binding::Type::assigned || binding->value == kNoNode) {
    return {};
  }
  // Changed in place somewhere: what was assigned is not what it holds.
  if (const auto* all = bindings(text(identifier))) {
    for (const auto& other : *all) {
      if (other.type == Binding::Type::changed && other.scope == binding->scope) return {};
    }
  }
  return fold(binding->value, depth + 1);
}

Value Module::fold_attribute(NodeId attribute, int depth) const {
  const auto* binding = attribute_binding(attribute);
  if (binding != nullptr && binding->value != kNoNode) return fold(binding->value, depth + 1);
  const auto name = resolve(attribute);
  if (name == "tensorflow.data.AUTOTUNE" || name == "tensorflow.data.experimental.AUTOTUNE") {
    return make(std::int64_t{-1}, attribute);
  }
  return {};
}

Value Module::fold_binary(NodeId node, int depth) const {
  const NodeId left_node = tree_.child(node, Field::left);
  const NodeId right_node = tree_.child(node, Field::right);
  if (left_node == kNoNode || right_node == kNoNode) return {};
  const Value left = fold(left_node, depth + 1);
  const Value right = fold(right_node, depth + 1);
  const auto between = tree_.text().substr(
      tree_[left_node].end_byte, tree_[right_node].begin_byte - tree_[left_node].end_byte);
  const auto sign = trim(between);
  if (left.is_string() && sign == "%") return percent(left, right);
  if (left.is_string() && right.is_string() && sign == "+") {
    return make(left.string + right.string, left.origin);
  }
  if (left.is_integer() && right.is_integer()) {
    std::int64_t result = 0;
    if (sign == "+" && !__builtin_add_overflow(left.integer, right.integer, &result)) {
      return make(result, left.origin);
    }
    if (sign == "-" && !__builtin_sub_overflow(left.integer, right.integer, &result)) {
      return make(result, left.origin);
    }
    if (sign == "*" && !__builtin_mul_overflow(left.integer, right.integer, &result)) {
      return make(result, left.origin);
    }
    if (sign == "//" && right.integer > 0) return make(left.integer / right.integer, left.origin);
    return {};
  }
  const auto a = left.number();
  const auto b = right.number();
  if (!a || !b) return {};
  if (sign == "+") return make_float(*a + *b, left.origin);
  if (sign == "-") return make_float(*a - *b, left.origin);
  if (sign == "*") return make_float(*a * *b, left.origin);
  if (sign == "/" && *b != 0) return make_float(*a / *b, left.origin);
  return {};
}

Value Module::fold_comparison(NodeId node, int depth) const {
  if (tree_.count(node) != 2) return {};
  const NodeId left_node = tree_.at(node, 0);
  const NodeId right_node = tree_.at(node, 1);
  const auto sign = trim(tree_.text().substr(
      tree_[left_node].end_byte, tree_[right_node].begin_byte - tree_[left_node].end_byte));
  if (text(left_node) == "__name__" && (sign == "==")) return make(true, node);
  const Value left = fold(left_node, depth + 1);
  const Value right = fold(right_node, depth + 1);
  if (!left.known() || !right.known()) return {};
  if (sign == "is" || sign == "is not") {
    const bool same = left.type == right.type && left.as_truth() == right.as_truth();
    return make((sign == "is") == same, node);
  }
  if (left.is_string() && right.is_string()) {
    if (sign == "==") return make(left.string == right.string, node);
    if (sign == "!=") return make(left.string != right.string, node);
    return {};
  }
  const auto a = left.number();
  const auto b = right.number();
  if (!a || !b) return {};
  if (sign == "==") return make(*a == *b, node);
  if (sign == "!=") return make(*a != *b, node);
  if (sign == "<") return make(*a < *b, node);
  if (sign == "<=") return make(*a <= *b, node);
  if (sign == ">") return make(*a > *b, node);
  if (sign == ">=") return make(*a >= *b, node);
  return {};
}

Value Module::fold_call(NodeId call, int depth) const {
  const auto name = callee(call);
  const NodeId first = argument(call, 0, {});
  if (name == "str") {
    const auto filled = as_text(fold(first, depth + 1));
    return filled ? make(*filled, first) : Value{};
  }
  if (name == "int") {
    const Value value = fold(first, depth + 1);
    return value.is_integer() ? value : Value{};
  }
  if (name == "bool") {
    const auto truth_value = fold(first, depth + 1).as_truth();
    return truth_value ? make(*truth_value, call) : Value{};
  }
  if (name == "list" || name == "tuple" || name == "dict") {
    Value empty;
    if (tree_.count(tree_.child(call, Field::arguments)) == 0) {
      empty.type = Value::Type::list;
      empty.origin = call;
      return empty;
    }
    return name == "dict" ? Value{} : fold(first, depth + 1);
  }
  if (name == "len") {
    const Value value = fold(first, depth + 1);
    if (value.type == Value::Type::list) {
      return make(static_cast<std::int64_t>(value.items.size()), call);
    }
    // JAX always has CPU devices.
    const NodeId inner = deref(first);
    if (tree_.kind(inner) == Kind::call &&
        (callee(inner) == "jax.devices" || callee(inner) == "jax.local_devices")) {
      const Value platform = fold(argument(inner, 0, "backend"), depth + 1);
      if (platform.is_string() && platform.string == "cpu") return make(std::int64_t{1}, call);
    }
    return {};
  }
  const auto method = called_name(call);
  if (method == "format" && receiver(call) != kNoNode) {
    const Value format = fold(receiver(call), depth + 1);
    const auto filled = as_text(fold(first, depth + 1));
    const auto at = format.is_string() ? format.string.find("{}") : std::string::npos;
    if (filled && at != std::string::npos && positional_count(call) == 1) {
      return make(format.string.substr(0, at) + *filled + format.string.substr(at + 2),
                  format.origin);
    }
  }
  if ((method == "lower" || method == "strip") && receiver(call) != kNoNode) {
    const Value value = fold(receiver(call), depth + 1);
    if (value.is_string()) {
      return make(method == "lower" ? lower(value.string) : std::string(trim(value.string)),
                  value.origin);
    }
  }
  return {};
}

Value Module::fold(NodeId expression, int depth) const {
  if (expression == kNoNode || depth > kDeepestFold) return {};
  switch (tree_.kind(expression)) {
  case Kind::true_: return make(true, expression);
  case Kind::false_: return make(false, expression);
  case Kind::none: {
    Value value;
    value.type = Value::Type::none;
    value.origin = expression;
    return value;
  }
  case Kind::integer:
  case Kind::floating: return number_literal(text(expression), tree_.kind(expression), expression);
  case Kind::string: return fold_string(expression, depth);
  case Kind::concatenated_string: {
    std::string whole;
    for (const NodeId part : tree_.children(expression)) {
      if (tree_.kind(part) == Kind::comment) continue;
      const Value value = fold(part, depth + 1);
      if (!value.is_string()) return {};
      whole += value.string;
    }
    return make(std::move(whole), expression);
  }
  case Kind::list:
  case Kind::tuple:
  case Kind::set:
  case Kind::expression_list: {
    Value value;
    value.type = Value::Type::list;
    value.origin = expression;
    for (const NodeId part : tree_.children(expression)) {
      if (tree_.kind(part) == Kind::comment) continue;
      if (tree_.kind(part) == Kind::list_splat || value.items.size() >= kLongestList) return {};
      value.items.push_back(fold(part, depth + 1));
    }
    return value;
  }
  case Kind::parenthesized_expression: return fold(tree_.at(expression, 0), depth + 1);
  case Kind::identifier: return fold_name(expression, depth);
  case Kind::attribute: return fold_attribute(expression, depth);
  case Kind::binary_operator: return fold_binary(expression, depth);
  case Kind::comparison_operator: return fold_comparison(expression, depth);
  case Kind::call: return fold_call(expression, depth);
  case Kind::unary_operator: {
    const Value value = fold(tree_.at(expression, 0), depth + 1);
    if (!text(expression).starts_with('-')) return {};
    if (value.is_integer() && value.integer != INT64_MIN) return make(-value.integer, expression);
    if (value.type == Value::Type::floating) return make_float(-value.floating, expression);
    return {};
  }
  case Kind::not_operator: {
    const auto inner = truth(tree_.at(expression, 0), depth + 1);
    return inner ? make(!*inner, expression) : Value{};
  }
  case Kind::boolean_operator: {
    const NodeId left = tree_.child(expression, Field::left);
    const NodeId right = tree_.child(expression, Field::right);
    const auto sign = trim(
        tree_.text().substr(tree_[left].end_byte, tree_[right].begin_byte - tree_[left].end_byte));
    const auto a = truth(left, depth + 1);
    const auto b = truth(right, depth + 1);
    const bool is_and = sign == "and";
    if (a && *a != is_and) return make(*a, expression);
    if (a && b) return make(*b, expression);
    return {};
  }
  case Kind::conditional_expression: {
    const auto condition = truth(tree_.at(expression, 1), depth + 1);
    if (!condition) return {};
    return fold(tree_.at(expression, *condition ? 0 : 2), depth + 1);
  }
  default: return {};
  }
}

std::optional<bool> Module::truth(NodeId condition) const {
  return truth(condition, 0);
}

std::optional<bool> Module::truth(NodeId condition, int depth) const {
  if (tree_.kind(condition) == Kind::identifier && text(condition) == "TYPE_CHECKING") return false;
  return fold(condition, depth).as_truth();
}

} // namespace gpuwhy::program
