#include "system/identity.h"

#include "base/text.h"
#include "system/descriptor.h"

#include <algorithm>
#include <cstdlib>
#include <sys/stat.h>
#include <sys/utsname.h>

namespace gpuwhy {
namespace {

/// /etc/passwd, or nothing. It cannot come through a System: a System's identity is made from it.
std::string passwd_text() {
  constexpr std::size_t kMost = 4U << 20U;
  const Descriptor file(::open("/etc/passwd", O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  std::string text(std::min(static_cast<std::size_t>(status.st_size), kMost), '\0');
  std::size_t filled = 0;
  while (filled < text.size()) {
    const auto count = ::read(file.get(), text.data() + filled, text.size() - filled);
    if (count <= 0) break;
    filled += static_cast<std::size_t>(count);
  }
  text.resize(filled);
  return text;
}

std::string first_set(const Environment& environment, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const auto found = environment.find(name);
    if (found != environment.end() && !found->second.empty()) return found->second;
  }
  return {};
}

std::vector<std::uint32_t> own_groups() {
  std::vector<std::uint32_t> groups;
  if (const int count = ::getgroups(0, nullptr); count > 0) {
    groups.resize(static_cast<std::size_t>(count));
    groups.resize(static_cast<std::size_t>(std::max(0, ::getgroups(count, groups.data()))));
  }
  groups.push_back(::getegid());
  std::sort(groups.begin(), groups.end());
  groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
  return groups;
}

std::string own_directory() {
  const std::unique_ptr<char, void (*)(void*)> directory(::getcwd(nullptr, 0), std::free);
  // A directory outside our root is reported as "(unreachable)/..."; a removed one is not.
  return directory && directory.get()[0] == '/' ? directory.get() : "";
}

} // namespace

Environment own_environment() {
  Environment variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto equals = text.find('=');
    if (equals == 0 || equals == std::string_view::npos) continue;
    variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

std::optional<Account> find_account(std::string_view passwd, std::uint32_t user) {
  for (const auto line : split_lines(passwd)) {
    const auto fields = split(line, ':');
    if (fields.size() < 6 || to_number(fields[2]) != static_cast<std::int64_t>(user)) continue;
    return Account{std::string(fields[0]), std::string(fields[5])};
  }
  return std::nullopt;
}

Identity own_identity(const Environment& environment) {
  Identity identity;
  identity.user = ::geteuid();
  identity.groups = own_groups();
  const auto account = find_account(passwd_text(), identity.user).value_or(Account{});
  identity.user_name =
      account.name.empty() ? first_set(environment, {"LOGNAME", "USER"}) : account.name;
  identity.home = first_set(environment, {"HOME"});
  if (identity.home.empty()) identity.home = account.home;
  identity.working_directory = own_directory();
  if (utsname names{}; ::uname(&names) == 0) {
    identity.host = names.nodename;
    identity.kernel_release = names.release;
    identity.machine = names.machine;
  }
  return identity;
}

} // namespace gpuwhy
