// Amounts as people type them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace gpuwhy {

/// "8GiB", "512 MiB", "8G", "1.5GB", "4096": bytes. KiB, MiB, GiB, TiB and their bare letters count by
/// 1024, KB, MB, GB, TB by 1000. Nothing for anything else.
std::optional<std::uint64_t> parse_bytes(std::string_view text);
/// "30", "30s", "5m", "2h": seconds. Nothing for anything else.
std::optional<std::uint64_t> parse_seconds(std::string_view text);

} // namespace gpuwhy
