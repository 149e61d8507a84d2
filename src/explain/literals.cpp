#include "explain/literals.h"

#include "explain/rarity.h"

#include <algorithm>
#include <cstring>
#include <map>

namespace gpuwhy::explain {
namespace {

constexpr std::size_t kGram = sizeof(std::uint32_t);

std::uint32_t gram_at(std::string_view text, std::size_t at) {
  std::uint32_t bytes = 0;
  std::memcpy(&bytes, text.data() + at, kGram);
  return bytes;
}

std::size_t index(std::uint32_t value) {
  return value;
}

} // namespace

LiteralSet::LiteralSet(const std::vector<std::string>& literals) {
  std::map<std::string_view, std::vector<int>> ids;
  for (std::size_t i = 0; i < literals.size(); ++i) ids[literals[i]].push_back(static_cast<int>(i));
  hashes_.resize((1U << kHashBits) / 64);
  for (auto& [text, of] : ids) {
    const auto literal = static_cast<std::uint32_t>(literals_.size());
    literals_.push_back({std::string(text), std::move(of)});
    if (text.size() < kGram) {
      short_.push_back(literal);
      is_short_[static_cast<unsigned char>(text.front())] = 1;
    } else {
      add_gram(literal);
    }
  }
  const auto bucket_of = [](const Gram& gram) {
    return hash_of(gram.bytes) >> (kHashBits - kBucketBits);
  };
  std::sort(grams_.begin(), grams_.end(),
            [&](const Gram& a, const Gram& b) { return bucket_of(a) < bucket_of(b); });
  bucket_.resize((1U << kBucketBits) + 1);
  for (const auto& gram : grams_) ++bucket_[bucket_of(gram) + 1];
  for (std::size_t i = 1; i < bucket_.size(); ++i) bucket_[i] += bucket_[i - 1];
}

/// The gram that is met least by chance, and of two such the one that fewer literals have.
void LiteralSet::add_gram(std::uint32_t literal) {
  const std::string_view text = literals_[literal].text;
  Gram best;
  std::size_t least = npos;
  for (std::size_t at = 0; at + kGram <= text.size(); ++at) {
    const auto bytes = gram_at(text, at);
    std::size_t cost = 0;
    for (const char c : text.substr(at, kGram)) cost += std::size_t{2} * commonness(c);
    cost += static_cast<std::size_t>(std::count_if(
        grams_.begin(), grams_.end(), [&](const Gram& gram) { return gram.bytes == bytes; }));
    if (cost >= least) continue;
    least = cost;
    best = {bytes, static_cast<std::uint32_t>(at), literal};
  }
  const auto hash = hash_of(best.bytes);
  hashes_[hash / 64] |= std::uint64_t{1} << hash % 64;
  grams_.push_back(best);
}

/// The literals whose mark stands at `at`. `found` takes a literal and where it starts, and says
/// whether that is enough.
template <class Found>
bool LiteralSet::compare(std::string_view text, std::size_t from, std::size_t at,
                         Found&& found) const {
  if (is_short_[static_cast<unsigned char>(text[at])] != 0) {
    for (const auto i : short_) {
      if (text.substr(at).starts_with(literals_[i].text) && found(literals_[i], at)) return true;
    }
  }
  if (text.size() - at < kGram) return false;
  const auto bytes = gram_at(text, at);
  const auto bucket = hash_of(bytes) >> (kHashBits - kBucketBits);
  for (auto i = index(bucket_[bucket]); i < bucket_[bucket + 1]; ++i) {
    const auto& gram = grams_[i];
    if (gram.bytes != bytes || at < from + gram.offset) continue;
    const auto start = at - gram.offset;
    const auto& literal = literals_[gram.literal];
    if (text.substr(start).starts_with(literal.text) && found(literal, start)) return true;
  }
  return false;
}

template <class Found>
void LiteralSet::scan(std::string_view text, std::size_t from, Found&& found) const {
  const auto grams = text.size() < kGram ? 0 : text.size() - kGram + 1; // where one can begin
  const auto* hashes = hashes_.data();
  auto at = from;
  for (; at < grams; ++at) {
    const auto hash = hash_of(gram_at(text, at));
    const auto marked =
        (hashes[hash / 64] >> hash % 64 & 1U) | is_short_[static_cast<unsigned char>(text[at])];
    if (marked != 0 && compare(text, from, at, found)) return;
  }
  for (; at < text.size(); ++at) {
    if (compare(text, from, at, found)) return;
  }
}

std::size_t LiteralSet::find(std::string_view text, std::size_t from) const {
  auto position = npos;
  scan(text, from, [&](const Literal&, std::size_t start) {
    position = start;
    return true;
  });
  return position;
}

void LiteralSet::collect(std::string_view text, std::vector<int>& ids) const {
  ids.clear();
  const auto settle = [&] {
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  };
  scan(text, 0, [&](const Literal& literal, std::size_t) {
    ids.insert(ids.end(), literal.ids.begin(), literal.ids.end());
    if (ids.size() > 1024) settle(); // a line of nothing but literals must not cost memory
    return false;
  });
  settle();
}

} // namespace gpuwhy::explain
