// A document under construction. All that is written is text or an attribute's value and is
// escaped; what is opened is closed: a body is a function. So no process name, log line or path can
// become markup (WHATWG HTML 13.1, 13.2).
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gpuwhy {

struct Attribute {
  std::string_view name;
  std::string value = {}; // empty: the name alone, as in `open`
};
using Attributes = std::vector<Attribute>;

class Html {
public:
  /// From now on `path` is called `name` in sentences, not in commands and code.
  void call(std::string path, std::string_view name);
  void forget_names(std::size_t keep) { names_.resize(keep); }
  std::size_t names() const { return names_.size(); }

  /// Exactly this text; what could drive or disguise a reader's screen is spelled out.
  void text(std::string_view text);
  /// A sentence: known paths by their names.
  void words(std::string_view text);

  /// `<tag attributes>` body `</tag>`; tags and names are ours, never data.
  template <std::invocable Body>
  void element(std::string_view tag, const Attributes& attributes, Body&& body) {
    open(tag, attributes);
    std::forward<Body>(body)();
    close(tag);
  }
  void element(std::string_view tag, const Attributes& attributes, std::string_view sentence);
  /// An element that has no end tag: meta.
  void alone(std::string_view tag, const Attributes& attributes) { open(tag, attributes); }
  /// A line break of the source, for those who read it.
  void line() { html_ += '\n'; }

  /// A style sheet or a script of ours; the build has checked that it cannot end the element.
  void asset(std::string_view tag, std::string_view bytes);
  /// JSON for the page's script; whatever its strings hold, it stays inside its element.
  void data(std::string_view id, std::string_view json);

  /// The document so far, whole only at the end.
  std::string take() { return std::move(html_); }

private:
  void open(std::string_view tag, const Attributes& attributes);
  void close(std::string_view tag);

  std::string html_;
  std::vector<std::pair<std::string, std::string>> names_; // of paths
};

} // namespace gpuwhy
