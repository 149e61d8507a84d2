#include "explain/stated.h"

#include "base/text.h"

#include <algorithm>
#include <array>

namespace gpuwhy::explain {
namespace {

struct Name {
  std::string_view written;
  std::string_view key;
};

/// As people and issue forms write them; what follows in parentheses is put aside.
constexpr std::array kNames = {
    Name{"os platform and distribution", "os"},
    Name{"operating system", "os"},
    Name{"os", "os"},
    Name{"platform", "os"},
    Name{"python version", "python"},
    Name{"python", "python"},
    Name{"tensorflow version", "tensorflow"},
    Name{"tensorflow", "tensorflow"},
    Name{"tf version", "tensorflow"},
    Name{"tf", "tensorflow"},
    Name{"version inferred", "tensorflow"},
    Name{"cuda/cudnn version", "cuda"},
    Name{"cuda version", "cuda"},
    Name{"cuda", "cuda"},
    Name{"cuda installed", "cuda"},
    Name{"cuda as stated", "cuda"},
    Name{"cudatoolkit", "cuda"},
    Name{"cuda toolkit", "cuda"},
    Name{"cudnn version", "cudnn"},
    Name{"cudnn", "cudnn"},
    Name{"cudnn installed", "cudnn"},
    Name{"gpu model and memory", "gpu"},
    Name{"gpu model", "gpu"},
    Name{"gpu", "gpu"},
    Name{"graphics card", "gpu"},
    Name{"gpus", "gpu"},
    Name{"nvidia driver version", "driver"},
    Name{"nvidia driver", "driver"},
    Name{"driver version", "driver"},
    Name{"driver", "driver"},
    Name{"pytorch version", "torch"},
    Name{"pytorch", "torch"},
    Name{"torch", "torch"},
    Name{"jax version", "jax"},
    Name{"jax", "jax"},
    Name{"jaxlib", "jaxlib"},
    Name{"docker image", "image"},
    Name{"image", "image"},
};

std::string plain_key(std::string_view text) {
  auto key = lower(text);
  for (const std::string_view mark : {"*", "`", "_"})
    key = replace_all(std::move(key), mark, mark == "_" ? " " : "");
  if (const auto open = key.find('('); open != std::string::npos) key.resize(open);
  return std::string(trim(key));
}

std::optional<std::string> known_key(std::string_view written) {
  const auto found = std::find_if(kNames.begin(), kNames.end(),
                                  [&](const Name& name) { return name.written == written; });
  return found == kNames.end() ? std::nullopt : std::optional(std::string(found->key));
}

bool plain_word_key(std::string_view key) {
  return !key.empty() && key.size() <= 40 && key.front() >= 'a' && key.front() <= 'z' &&
         key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789 /-.") ==
             std::string_view::npos;
}

} // namespace

std::optional<std::pair<std::string, std::string>> stated_in(std::string_view line) {
  auto text = trim(line);
  const bool bullet = text.starts_with("- ") || text.starts_with("* ");
  if (bullet) text = trim(text.substr(2));
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || colon > 80) return std::nullopt;
  auto value = trim(text.substr(colon + 1));
  while (value.starts_with('*')) value = trim(value.substr(1));
  const auto key = plain_key(text.substr(0, colon));
  if (value.empty() || value.starts_with("//") || value.starts_with(':') || !plain_word_key(key))
    return std::nullopt;
  const auto known = known_key(key);
  if (!known && !bullet) return std::nullopt;
  return std::pair(known.value_or(key), std::string(value.substr(0, 400)));
}

std::optional<std::string> heading_key(std::string_view line) {
  if (!line.starts_with('#')) return std::nullopt;
  const auto text = trim(line.substr(std::min(line.find_first_not_of('#'), line.size())));
  return known_key(plain_key(text));
}

} // namespace gpuwhy::explain
