// Users and groups by the files passwd(5) and group(5). Accounts of LDAP and SSSD are not in them.
#pragma once

#include "system/identity.h"
#include "system/system.h"

#include <optional>
#include <string>
#include <string_view>

namespace gpuwhy::places {

/// The account of a number, from `root`/etc/passwd; empty names where it is not listed.
Account account_of(System& system, const std::string& root, std::uint32_t user);
std::string account_name(System& system, std::uint32_t user);
/// User (by name or number) with all groups; nothing if it is not listed.
std::optional<Identity> identity_of(System& system, std::string_view user);
std::optional<std::uint32_t> group_number(System& system, std::string_view group);

} // namespace gpuwhy::places
