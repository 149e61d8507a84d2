#include "commands/facts_page.h"

#include "base/text.h"
#include "collect/collector.h"
#include "facts/facts.h"

#include <map>
#include <vector>

namespace gpuwhy {
namespace {

template <class T>
concept Struct = requires { T::fields([](auto&&...) {}); };

/// What a field holds, without Fact<>, lists and maps around it; and how a path shows the latter.
template <class T> struct Held {
  using Type = T;
  static constexpr std::string_view kMark = {};
};
template <class T> struct Held<Fact<T>> : Held<T> {};
template <class T> struct Held<std::vector<T>> {
  using Type = typename Held<T>::Type;
  static constexpr std::string_view kMark = "[]";
};
template <class T> struct Held<std::map<std::string, T>> {
  using Type = typename Held<T>::Type;
  static constexpr std::string_view kMark = "{}";
};

/// Without the meaning that Markdown gives to patterns of paths.
std::string plain(std::string_view text) {
  return replace_all(replace_all(std::string(text), "|", "\\|"), "*", "\\*");
}

/// One address for each type.
template <class T> const void* type_of() {
  static const char kTag = 0;
  return &kTag;
}

class Page {
public:
  template <Struct T> void rows(const std::string& path) {
    T::fields([&]<class Member>(const char* name, Member T::*, const char* prose) {
      using Inner = typename Held<Member>::Type;
      const auto here = (path.empty() ? "" : path + ".") + name + std::string(Held<Member>::kMark);
      if constexpr (Struct<Inner>) {
        const auto [known, is_new] = told_.emplace(type_of<Inner>(), here);
        row(here, prose + (is_new ? std::string() : ": as in `" + known->second + "`"));
        if (is_new) rows<Inner>(here);
      } else {
        row(here, prose);
      }
    });
  }

  template <Struct T> void sections() {
    // First all that have a section of their own: elsewhere they are only named.
    T::fields([&]<class Member>(const char* name, Member T::*, const char*) {
      using Inner = typename Held<Member>::Type;
      if constexpr (Struct<Inner>)
        told_.emplace(type_of<Inner>(), name + std::string(Held<Member>::kMark));
    });
    T::fields([&]<class Member>(const char* name, Member T::*, const char* prose) {
      using Inner = typename Held<Member>::Type;
      text_ += "\n## " + std::string(name) + "\n" + prose + ".\n";
      if constexpr (Struct<Inner>) {
        text_ += "\n| fact | what it is |\n|---|---|\n";
        rows<Inner>(name + std::string(Held<Member>::kMark));
      }
    });
  }

  std::string take() { return std::move(text_); }

private:
  void row(const std::string& path, const std::string& prose) {
    text_ += "| `" + path + "` | " + plain(prose) + " |\n";
  }

  std::map<const void*, std::string> told_;
  std::string text_;
};

constexpr std::string_view kHead =
    R"(# What gpuwhy looks at

Written from the source by `gpuwhy schema facts`. Each fact is a value, or absent, or unknown with the reason, and tells where it was
seen; `gpuwhy snapshot` writes them as JSON (`gpuwhy schema`). Nothing is sent anywhere. Of the environment only the
variables on the list in `src/collect/environment_variables.cpp` are kept.

## Where
| collector | reads |
|---|---|
)";

} // namespace

std::string facts_page() {
  std::string text(kHead);
  for (const auto& collector : all_collectors()) {
    text += "| " + std::string(collector.name) + " | " + plain(collector.reads) + " |\n";
  }
  text += "| places | with --kernel, --service, --pid, --root or --env: [where the program really "
          "runs](places.md) |\n";
  Page page;
  page.sections<Facts>();
  return text + page.take();
}

} // namespace gpuwhy
