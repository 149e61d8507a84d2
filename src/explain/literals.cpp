#include "explain/literals.h"

#include <algorithm>
#include <deque>

namespace gpuwhy::explain {
namespace {

struct Node {
  std::vector<std::int32_t> next; // by class, -1: none yet
  std::int32_t fail = 0;
  std::vector<int> ends;
};

struct Trie {
  std::vector<Node> nodes;
  std::size_t width;

  explicit Trie(std::size_t classes) : width(classes) { add(); }
  std::int32_t add() {
    nodes.push_back({std::vector<std::int32_t>(width, -1), 0, {}});
    return static_cast<std::int32_t>(nodes.size() - 1);
  }
  Node& at(std::int32_t index) { return nodes[static_cast<std::size_t>(index)]; }

  void insert(std::string_view literal, int id, const std::array<std::uint8_t, 256>& class_of) {
    std::int32_t node = 0;
    for (const char c : literal) {
      const auto column = class_of[static_cast<unsigned char>(c)];
      if (at(node).next[column] < 0) {
        const auto created = add();
        at(node).next[column] = created;
      }
      node = at(node).next[column];
    }
    at(node).ends.push_back(id);
  }

  /// Turns the trie into an automaton that never looks back.
  void complete() {
    std::deque<std::int32_t> queue;
    for (auto& child : at(0).next) {
      if (child < 0)
        child = 0;
      else
        queue.push_back(child);
    }
    while (!queue.empty()) {
      const auto node = queue.front();
      queue.pop_front();
      const auto fail = at(node).fail;
      const auto& inherited = at(fail).ends;
      at(node).ends.insert(at(node).ends.end(), inherited.begin(), inherited.end());
      for (std::size_t column = 0; column < width; ++column) {
        auto& child = at(node).next[column];
        const auto fallback = at(fail).next[column];
        if (child < 0) {
          child = fallback;
        } else {
          at(child).fail = fallback;
          queue.push_back(child);
        }
      }
    }
  }
};

} // namespace

LiteralSet::LiteralSet(const std::vector<std::string>& literals) {
  std::uint8_t classes = 1;
  for (const auto& literal : literals) {
    for (const char c : literal) {
      auto& column = class_of_[static_cast<unsigned char>(c)];
      if (column == 0) column = classes++;
    }
  }
  width_ = classes;
  Trie trie(width_);
  for (std::size_t i = 0; i < literals.size(); ++i) {
    trie.insert(literals[i], static_cast<int>(i), class_of_);
  }
  trie.complete();

  // States that end a literal come last, so that one comparison tells.
  std::vector<std::uint32_t> place(trie.nodes.size());
  std::uint32_t state = 0;
  for (std::size_t i = 0; i < trie.nodes.size(); ++i) {
    if (trie.nodes[i].ends.empty()) place[i] = width_ * state++;
  }
  first_match_ = width_ * state;
  for (std::size_t i = 0; i < trie.nodes.size(); ++i) {
    if (trie.nodes[i].ends.empty()) continue;
    place[i] = width_ * state++;
    ends_.push_back(trie.nodes[i].ends);
  }
  next_.resize(trie.nodes.size() * width_);
  for (std::size_t i = 0; i < trie.nodes.size(); ++i) {
    for (std::size_t column = 0; column < width_; ++column) {
      next_[place[i] + column] = place[static_cast<std::size_t>(trie.nodes[i].next[column])];
    }
  }
}

std::size_t LiteralSet::find(std::string_view text, std::size_t from) const {
  const auto* next = next_.data();
  std::uint32_t state = 0;
  for (std::size_t i = from; i < text.size(); ++i) {
    state = next[state + class_of_[static_cast<unsigned char>(text[i])]];
    if (state >= first_match_) return i;
  }
  return npos;
}

void LiteralSet::collect(std::string_view text, std::vector<int>& ids) const {
  ids.clear();
  std::uint32_t state = 0;
  for (const char c : text) {
    state = next_[state + class_of_[static_cast<unsigned char>(c)]];
    if (state < first_match_) continue;
    const auto& found = ends_[(state - first_match_) / width_];
    ids.insert(ids.end(), found.begin(), found.end());
    // A line of nothing but matches must not cost memory.
    if (ids.size() > 1024) {
      std::sort(ids.begin(), ids.end());
      ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    }
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
}

} // namespace gpuwhy::explain
