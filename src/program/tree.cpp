// tree-sitter's cursor, walked once. Truth: the node and field names of tree-sitter-python.
#include "program/tree.h"

#include <array>
#include <memory>
#include <tree_sitter/api.h>
#include <utility>

extern "C" const TSLanguage* tree_sitter_python(void);

namespace gpuwhy::program {
namespace {

constexpr std::size_t kKinds = static_cast<std::size_t>(Kind::case_clause) + 1;
constexpr TSSymbol kErrorSymbol =
    static_cast<TSSymbol>(-1);                      // of ERROR nodes, by the library's convention
constexpr std::uint64_t kLongestParse = 20'000'000; // microseconds

using Name = std::pair<std::string_view, Kind>;
constexpr auto kKindNames = std::to_array<Name>({
    {"module", Kind::module},
    {"block", Kind::block},
    {"comment", Kind::comment},
    {"import_statement", Kind::import_statement},
    {"future_import_statement", Kind::other},
    {"import_from_statement", Kind::import_from_statement},
    {"wildcard_import", Kind::wildcard_import},
    {"aliased_import", Kind::aliased_import},
    {"dotted_name", Kind::dotted_name},
    {"expression_statement", Kind::expression_statement},
    {"assignment", Kind::assignment},
    {"augmented_assignment", Kind::augmented_assignment},
    {"named_expression", Kind::named_expression},
    {"call", Kind::call},
    {"argument_list", Kind::argument_list},
    {"keyword_argument", Kind::keyword_argument},
    {"list_splat", Kind::list_splat},
    {"dictionary_splat", Kind::dictionary_splat},
    {"attribute", Kind::attribute},
    {"subscript", Kind::subscript},
    {"slice", Kind::slice},
    {"identifier", Kind::identifier},
    {"string", Kind::string},
    {"string_content", Kind::string_content},
    {"interpolation", Kind::interpolation},
    {"escape_sequence", Kind::escape_sequence},
    {"concatenated_string", Kind::concatenated_string},
    {"integer", Kind::integer},
    {"float", Kind::floating},
    {"true", Kind::true_},
    {"false", Kind::false_},
    {"none", Kind::none},
    {"list", Kind::list},
    {"tuple", Kind::tuple},
    {"dictionary", Kind::dictionary},
    {"pair", Kind::pair},
    {"set", Kind::set},
    {"binary_operator", Kind::binary_operator},
    {"unary_operator", Kind::unary_operator},
    {"boolean_operator", Kind::boolean_operator},
    {"not_operator", Kind::not_operator},
    {"comparison_operator", Kind::comparison_operator},
    {"conditional_expression", Kind::conditional_expression},
    {"lambda", Kind::lambda},
    {"lambda_parameters", Kind::lambda_parameters},
    {"parenthesized_expression", Kind::parenthesized_expression},
    {"list_comprehension", Kind::list_comprehension},
    {"generator_expression", Kind::generator_expression},
    {"set_comprehension", Kind::set_comprehension},
    {"dictionary_comprehension", Kind::dictionary_comprehension},
    {"for_in_clause", Kind::for_in_clause},
    {"if_clause", Kind::if_clause},
    {"if_statement", Kind::if_statement},
    {"elif_clause", Kind::elif_clause},
    {"else_clause", Kind::else_clause},
    {"for_statement", Kind::for_statement},
    {"while_statement", Kind::while_statement},
    {"try_statement", Kind::try_statement},
    {"except_clause", Kind::except_clause},
    {"except_group_clause", Kind::except_clause},
    {"finally_clause", Kind::finally_clause},
    {"with_statement", Kind::with_statement},
    {"with_clause", Kind::with_clause},
    {"with_item", Kind::with_item},
    {"as_pattern", Kind::as_pattern},
    {"as_pattern_target", Kind::as_pattern_target},
    {"function_definition", Kind::function_definition},
    {"class_definition", Kind::class_definition},
    {"decorated_definition", Kind::decorated_definition},
    {"decorator", Kind::decorator},
    {"parameters", Kind::parameters},
    {"default_parameter", Kind::default_parameter},
    {"typed_parameter", Kind::typed_parameter},
    {"typed_default_parameter", Kind::typed_default_parameter},
    {"list_splat_pattern", Kind::list_splat_pattern},
    {"dictionary_splat_pattern", Kind::dictionary_splat_pattern},
    {"return_statement", Kind::return_statement},
    {"raise_statement", Kind::raise_statement},
    {"pass_statement", Kind::pass_statement},
    {"break_statement", Kind::break_statement},
    {"continue_statement", Kind::continue_statement},
    {"delete_statement", Kind::delete_statement},
    {"global_statement", Kind::global_statement},
    {"assert_statement", Kind::assert_statement},
    {"print_statement", Kind::print_statement},
    {"pattern_list", Kind::pattern_list},
    {"tuple_pattern", Kind::tuple_pattern},
    {"list_pattern", Kind::list_pattern},
    {"expression_list", Kind::expression_list},
    {"await", Kind::await},
    {"yield", Kind::yield},
    {"type", Kind::type},
    {"match_statement", Kind::match_statement},
    {"case_clause", Kind::case_clause},
});

using FieldName = std::pair<std::string_view, Field>;
constexpr auto kFieldNames = std::to_array<FieldName>({
    {"function", Field::function},
    {"arguments", Field::arguments},
    {"name", Field::name},
    {"value", Field::value},
    {"left", Field::left},
    {"right", Field::right},
    {"condition", Field::condition},
    {"consequence", Field::consequence},
    {"alternative", Field::alternative},
    {"body", Field::body},
    {"object", Field::object},
    {"attribute", Field::attribute},
    {"subscript", Field::subscript},
    {"argument", Field::argument},
    {"module_name", Field::module_name},
    {"alias", Field::alias},
    {"operator", Field::operator_},
    {"parameters", Field::parameters},
    {"superclasses", Field::superclasses},
    {"definition", Field::definition},
    {"key", Field::key},
    {"return_type", Field::return_type},
    {"type", Field::type},
});

/// The grammar's numbers for our kinds and fields, looked up once.
struct Vocabulary {
  std::vector<Kind> kinds;
  std::vector<Field> fields;
};

Vocabulary make_vocabulary() {
  const auto* language = tree_sitter_python();
  Vocabulary vocabulary;
  vocabulary.kinds.assign(ts_language_symbol_count(language), Kind::other);
  for (std::uint32_t symbol = 0; symbol < vocabulary.kinds.size(); ++symbol) {
    const auto id = static_cast<TSSymbol>(symbol);
    if (ts_language_symbol_type(language, id) != TSSymbolTypeRegular) continue;
    const std::string_view name = ts_language_symbol_name(language, id);
    for (const auto& [known, kind] : kKindNames) {
      if (known == name) vocabulary.kinds[symbol] = kind;
    }
  }
  vocabulary.fields.assign(ts_language_field_count(language) + 1, Field::none);
  for (const auto& [name, field] : kFieldNames) {
    const auto id = ts_language_field_id_for_name(language, name.data(),
                                                  static_cast<std::uint32_t>(name.size()));
    if (id != 0) vocabulary.fields[id] = field;
  }
  return vocabulary;
}

const Vocabulary& vocabulary() {
  static const Vocabulary kVocabulary = make_vocabulary();
  return kVocabulary;
}

struct ParserDeleter {
  void operator()(TSParser* parser) const { ts_parser_delete(parser); }
};
struct TreeDeleter {
  void operator()(TSTree* tree) const { ts_tree_delete(tree); }
};

} // namespace

/// Copies named nodes into a Tree.
class Builder {
public:
  explicit Builder(Tree& tree) : tree_(tree) {}

  void walk(TSNode root) {
    TSTreeCursor cursor = ts_tree_cursor_new(root);
    std::vector<NodeId>
        open; // the copied ancestors of the cursor, one a level; kNoNode for unnamed
    for (;;) {
      open.push_back(enter(ts_tree_cursor_current_node(&cursor),
                           ts_tree_cursor_current_field_id(&cursor), parent_of(open)));
      if (open.size() <= Tree::kDeepest && ts_tree_cursor_goto_first_child(&cursor)) continue;
      if (open.size() > Tree::kDeepest &&
          ts_node_named_child_count(ts_tree_cursor_current_node(&cursor)) > 0) {
        tree_.too_deep_ = true;
      }
      close(open);
      while (!ts_tree_cursor_goto_next_sibling(&cursor)) {
        if (!ts_tree_cursor_goto_parent(&cursor)) {
          ts_tree_cursor_delete(&cursor);
          while (!open.empty()) close(open);
          return;
        }
        close(open);
      }
    }
  }

private:
  static NodeId parent_of(const std::vector<NodeId>& open) {
    for (auto at = open.rbegin(); at != open.rend(); ++at) {
      if (*at != kNoNode) return *at;
    }
    return kNoNode;
  }

  NodeId enter(TSNode from, TSFieldId field, NodeId parent) {
    const bool error = ts_node_symbol(from) == kErrorSymbol || ts_node_is_missing(from);
    const auto start = ts_node_start_point(from);
    if (error && !tree_.first_error_line_) tree_.first_error_line_ = start.row + 1;
    if (!ts_node_is_named(from) && parent != kNoNode) return kNoNode;
    Node node;
    const auto symbol = ts_node_symbol(from);
    if (error) {
      node.kind = Kind::error;
    } else if (symbol < vocabulary().kinds.size()) {
      node.kind = vocabulary().kinds[symbol];
    }
    if (field < vocabulary().fields.size()) node.field = vocabulary().fields[field];
    node.parent = parent;
    node.begin_byte = ts_node_start_byte(from);
    node.end_byte = ts_node_end_byte(from);
    node.line = start.row + 1;
    node.column = start.column + 1;
    node.end_line = ts_node_end_point(from).row + 1;
    const auto id = static_cast<NodeId>(tree_.nodes_.size());
    tree_.by_kind_[static_cast<std::size_t>(node.kind)].push_back(id);
    tree_.nodes_.push_back(node);
    return id;
  }

  void close(std::vector<NodeId>& open) {
    if (open.back() != kNoNode) {
      tree_.nodes_[open.back()].end = static_cast<NodeId>(tree_.nodes_.size());
    }
    open.pop_back();
  }

  Tree& tree_;
};

Tree Tree::parse(std::string text) {
  Tree tree;
  tree.text_ = std::move(text);
  tree.by_kind_.resize(kKinds);
  const std::unique_ptr<TSParser, ParserDeleter> parser(ts_parser_new());
  ts_parser_set_language(parser.get(), tree_sitter_python());
  ts_parser_set_timeout_micros(parser.get(), kLongestParse);
  const std::unique_ptr<TSTree, TreeDeleter> parsed(ts_parser_parse_string(
      parser.get(), nullptr, tree.text_.data(), static_cast<std::uint32_t>(tree.text_.size())));
  if (parsed == nullptr) { // the deadline passed
    Node module;
    module.kind = Kind::module;
    module.end = 1;
    tree.nodes_.push_back(module);
    tree.first_error_line_ = 1;
    return tree;
  }
  tree.nodes_.reserve(tree.text_.size() / 6 + 16);
  Builder(tree).walk(ts_tree_root_node(parsed.get()));
  tree.nodes_.front().kind = Kind::module;
  return tree;
}

std::string_view Tree::text(NodeId id) const {
  if (id == kNoNode) return {};
  const auto& node = nodes_[id];
  return std::string_view(text_).substr(node.begin_byte, node.end_byte - node.begin_byte);
}

NodeId Tree::child(NodeId id, Field field) const {
  if (id == kNoNode) return kNoNode;
  for (const NodeId child : children(id)) {
    if (nodes_[child].field == field) return child;
  }
  return kNoNode;
}

NodeId Tree::at(NodeId id, std::size_t index) const {
  if (id == kNoNode) return kNoNode;
  for (const NodeId child : children(id)) {
    if (nodes_[child].kind == Kind::comment) continue;
    if (index-- == 0) return child;
  }
  return kNoNode;
}

std::size_t Tree::count(NodeId id) const {
  std::size_t count = 0;
  if (id == kNoNode) return 0;
  for (const NodeId child : children(id)) count += nodes_[child].kind != Kind::comment ? 1U : 0U;
  return count;
}

NodeId Tree::around(NodeId id, Kind wanted) const {
  for (NodeId at = nodes_[id].parent; at != kNoNode; at = nodes_[at].parent) {
    if (nodes_[at].kind == wanted) return at;
  }
  return kNoNode;
}

} // namespace gpuwhy::program
