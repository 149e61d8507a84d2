#include "elf/ranges.h"

namespace gpuwhy {

Answer<std::string> FileRanges::get(std::uint64_t offset, std::size_t size) {
  for (const auto& range : ranges_) {
    if (offset < range.offset || offset - range.offset > range.bytes.size()) continue;
    const auto start = static_cast<std::size_t>(offset - range.offset);
    if (range.bytes.size() - start >= size || range.at_end) return range.bytes.substr(start, size);
  }
  auto bytes = system_.read_at(path_, offset, size);
  if (!bytes) return tl::unexpected(bytes.error());
  ranges_.push_back({offset, *bytes, bytes->size() < size});
  return bytes;
}

} // namespace gpuwhy
