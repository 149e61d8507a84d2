#include "places/accounts.h"

#include "base/text.h"

#include <algorithm>

namespace gpuwhy::places {
namespace {

constexpr std::size_t kLargest = 4U << 20U;

std::optional<std::uint32_t> number_of(std::string_view text) {
  const auto number = to_number(text);
  if (!number || *number < 0 || *number > 0xffffffffLL) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

} // namespace

Account account_of(System& system, const std::string& root, std::uint32_t user) {
  const auto text = system.read(root + "/etc/passwd", kLargest);
  return text ? find_account(*text, user).value_or(Account{}) : Account{};
}

std::string account_name(System& system, std::uint32_t user) {
  const auto account = account_of(system, {}, user);
  return account.name.empty() ? "user " + std::to_string(user) : printable(account.name);
}

std::optional<Identity> identity_of(System& system, std::string_view user) {
  const auto text = system.read("/etc/passwd", kLargest);
  if (!text) return std::nullopt;
  for (const auto line : split_lines(*text)) {
    const auto fields = split(line, ':');
    if (fields.size() < 6 || (fields[0] != user && fields[2] != user)) continue;
    const auto number = number_of(fields[2]);
    const auto group = number_of(fields[3]);
    if (!number || !group) continue;
    Identity identity = system.identity();
    identity.user = *number;
    identity.user_name = fields[0];
    identity.home = fields[5];
    identity.groups = {*group};
    const auto groups = system.read("/etc/group", kLargest).value_or("");
    for (const auto row : split_lines(groups)) {
      const auto parts = split(row, ':');
      if (parts.size() < 4) continue;
      const auto members = split(parts[3], ',');
      const auto id = number_of(parts[2]);
      if (id && std::find(members.begin(), members.end(), fields[0]) != members.end())
        identity.groups.push_back(*id);
    }
    return identity;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> group_number(System& system, std::string_view group) {
  if (const auto number = number_of(group)) return number;
  const auto text = system.read("/etc/group", kLargest);
  if (!text) return std::nullopt;
  for (const auto row : split_lines(*text)) {
    const auto parts = split(row, ':');
    if (parts.size() >= 3 && parts[0] == group) return number_of(parts[2]);
  }
  return std::nullopt;
}

} // namespace gpuwhy::places
