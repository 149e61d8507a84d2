// What a text must hold for a pattern of RE2 to match in it, as far as that can be read off the
// pattern: literals, of which all or one of several are needed. Cheap to ask before the pattern is.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy::explain {

class Required {
public:
  explicit Required(std::string_view pattern);

  /// False: the pattern matches nowhere in `text`. True says nothing.
  bool met_by(std::string_view text) const { return met(root_, text); }

  struct Need {
    enum class Kind { literal, all, any };
    Kind kind = Kind::all; // without parts: nothing is needed
    std::string literal;
    std::size_t rarest = 0; // where the byte of `literal` stands by which it is searched for
    std::vector<Need> parts;
  };

private:
  static bool met(const Need& need, std::string_view text);

  Need root_;
};

/// Strings of at least four characters of which every match of an RE2 pattern holds at least one;
/// none if there are no such. Of several such sets, that whose shortest is longest.
std::vector<std::string> required_literals(std::string_view pattern);

} // namespace gpuwhy::explain
