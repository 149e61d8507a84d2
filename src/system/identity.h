// Who runs this process, and with which variables.
#pragma once

#include "system/system.h"

#include <optional>

namespace gpuwhy {

/// This process's variables. Of a name given twice the first counts, as getenv() has it.
Environment own_environment();
Identity own_identity(const Environment& environment);

struct Account {
  std::string name;
  std::string home;
};

/// The account of `user` in the text of /etc/passwd; see passwd(5). Without NSS, accounts that live
/// in LDAP or SSSD are not found: a static program cannot load NSS modules.
std::optional<Account> find_account(std::string_view passwd, std::uint32_t user);

} // namespace gpuwhy
