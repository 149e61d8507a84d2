// The syntax tree of a Python text: tree-sitter's named nodes copied into one array, in textual
// order. A node's subtree is a range of ids, so "is inside" is a comparison and a walk is a loop,
// never a recursion over what a stranger wrote. No tree-sitter type leaves tree.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy::program {

/// Named nodes of the grammar that somebody asks about; everything else is `other`.
enum class Kind : std::uint8_t {
  other,
  error,
  module,
  block,
  comment,
  import_statement,
  import_from_statement,
  wildcard_import,
  aliased_import,
  dotted_name,
  expression_statement,
  assignment,
  augmented_assignment,
  named_expression,
  call,
  argument_list,
  keyword_argument,
  list_splat,
  dictionary_splat,
  attribute,
  subscript,
  slice,
  identifier,
  string,
  string_content,
  interpolation,
  escape_sequence,
  concatenated_string,
  integer,
  floating,
  true_,
  false_,
  none,
  list,
  tuple,
  dictionary,
  pair,
  set,
  binary_operator,
  unary_operator,
  boolean_operator,
  not_operator,
  comparison_operator,
  conditional_expression,
  lambda,
  lambda_parameters,
  parenthesized_expression,
  list_comprehension,
  generator_expression,
  set_comprehension,
  dictionary_comprehension,
  for_in_clause,
  if_clause,
  if_statement,
  elif_clause,
  else_clause,
  for_statement,
  while_statement,
  try_statement,
  except_clause,
  finally_clause,
  with_statement,
  with_clause,
  with_item,
  as_pattern,
  as_pattern_target,
  function_definition,
  class_definition,
  decorated_definition,
  decorator,
  parameters,
  default_parameter,
  typed_parameter,
  typed_default_parameter,
  list_splat_pattern,
  dictionary_splat_pattern,
  return_statement,
  raise_statement,
  pass_statement,
  break_statement,
  continue_statement,
  delete_statement,
  global_statement,
  assert_statement,
  print_statement,
  pattern_list,
  tuple_pattern,
  list_pattern,
  expression_list,
  await,
  yield,
  type,
  match_statement,
  case_clause,
};

/// Fields of the grammar, by which a parent names its child.
enum class Field : std::uint8_t {
  none,
  function,
  arguments,
  name,
  value,
  left,
  right,
  condition,
  consequence,
  alternative,
  body,
  object,
  attribute,
  subscript,
  argument,
  module_name,
  alias,
  operator_,
  parameters,
  superclasses,
  definition,
  key,
  return_type,
  type,
};

using NodeId = std::uint32_t;
inline constexpr NodeId kNoNode = 0xffffffffU;

struct Node {
  Kind kind = Kind::other;
  Field field = Field::none;
  NodeId parent = kNoNode;
  NodeId end = 0; // one past the last id of the subtree
  std::uint32_t begin_byte = 0;
  std::uint32_t end_byte = 0;
  std::uint32_t line = 1;   // counted from 1
  std::uint32_t column = 1; // in bytes, counted from 1
  std::uint32_t end_line = 1;
};

/// Children of one node, in order.
class Children {
public:
  class Iterator {
  public:
    Iterator(const std::vector<Node>& nodes, NodeId at) : nodes_(&nodes), at_(at) {}
    NodeId operator*() const { return at_; }
    Iterator& operator++() {
      at_ = (*nodes_)[at_].end;
      return *this;
    }
    bool operator!=(const Iterator& other) const { return at_ != other.at_; }

  private:
    const std::vector<Node>* nodes_;
    NodeId at_;
  };
  Children(const std::vector<Node>& nodes, NodeId parent) : nodes_(&nodes), parent_(parent) {}
  Iterator begin() const { return {*nodes_, parent_ + 1}; }
  Iterator end() const { return {*nodes_, (*nodes_)[parent_].end}; }

private:
  const std::vector<Node>* nodes_;
  NodeId parent_;
};

class Tree {
public:
  /// Never fails: what is no Python becomes error nodes. Nesting below `kDeepest` is left out.
  static Tree parse(std::string text);
  static constexpr std::size_t kDeepest = 300;

  const Node& operator[](NodeId id) const { return nodes_[id]; }
  NodeId size() const { return static_cast<NodeId>(nodes_.size()); }
  Kind kind(NodeId id) const { return id == kNoNode ? Kind::other : nodes_[id].kind; }
  NodeId parent(NodeId id) const { return nodes_[id].parent; }
  std::string_view text() const { return text_; }
  std::string_view text(NodeId id) const;
  Children children(NodeId id) const { return {nodes_, id}; }
  /// The child in `field`; kNoNode if there is none.
  NodeId child(NodeId id, Field field) const;
  /// The child at `index`, comments left out; kNoNode if there is none.
  NodeId at(NodeId id, std::size_t index) const;
  std::size_t count(NodeId id) const;
  /// `inner` is `outer` or lies in it.
  bool inside(NodeId inner, NodeId outer) const {
    return inner >= outer && inner < nodes_[outer].end;
  }
  /// The nearest node of one of these kinds around `id` (not itself); kNoNode at the top.
  NodeId around(NodeId id, Kind kind) const;

  /// Ids of all nodes of a kind, in order.
  const std::vector<NodeId>& all(Kind kind) const {
    return by_kind_[static_cast<std::size_t>(kind)];
  }
  /// Line of the first thing that is no Python.
  std::optional<std::uint32_t> first_error_line() const { return first_error_line_; }
  /// Something lies deeper than kDeepest and was left out.
  bool too_deep() const { return too_deep_; }

private:
  friend class Builder;
  std::string text_;
  std::vector<Node> nodes_;
  std::vector<std::vector<NodeId>> by_kind_;
  std::optional<std::uint32_t> first_error_line_;
  bool too_deep_ = false;
};

} // namespace gpuwhy::program
