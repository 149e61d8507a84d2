// Amounts as people type them and read them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gpuwhy {

/// "8GiB", "512 MiB", "8G", "1.5GB", "4096": bytes. KiB, MiB, GiB, TiB and their bare letters count
/// by 1024, KB, MB, GB, TB by 1000. Nothing for anything else.
std::optional<std::uint64_t> parse_bytes(std::string_view text);
/// "30", "30s", "5m", "2h": seconds. Nothing for anything else.
std::optional<std::uint64_t> parse_seconds(std::string_view text);

/// With this many digits after the point: "0.50".
std::string decimal(double value, int digits);
/// Three digits that count: "512 MiB", "78.7 GiB"; "55.2 GB/s", "825 TFLOP/s"; "4.10 ms".
std::string bytes_words(double bytes);
std::string rate_words(double per_second, std::string_view unit); // "B/s" or "FLOP/s"
std::string time_words(double seconds);

} // namespace gpuwhy
