#include "commands/command.h"

#include "base/text.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string_view>
#include <sys/ioctl.h>
#include <unistd.h>

namespace {

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : value;
}

/// https://no-color.org, and what POSIX says of COLUMNS (8.3) and the locale (8.2).
gpuwhy::Style style_of_output() {
  gpuwhy::Style style;
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  style.color = terminal && variable("NO_COLOR").empty() && variable("TERM") != "dumb";
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const auto value = variable(name);
    if (value.empty()) continue;
    const auto lowered = gpuwhy::lower(value);
    style.unicode = gpuwhy::contains(lowered, "utf-8") || gpuwhy::contains(lowered, "utf8");
    break;
  }
  winsize size{};
  if (terminal && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    style.width = size.ws_col;
  if (const auto columns = gpuwhy::to_number(variable("COLUMNS")); columns && *columns > 0) {
    style.width = static_cast<std::size_t>(*columns);
  }
  style.home = variable("HOME");
  style.width = std::min<std::size_t>(std::max<std::size_t>(style.width, 30), 110);
  return style;
}

} // namespace

int main(int count, char** words) {
  std::ios::sync_with_stdio(false);
  gpuwhy::Console console{std::cin, std::cout, std::cerr, style_of_output()};
  const auto exit = gpuwhy::run_gpuwhy({words + (count > 0 ? 1 : 0), words + count}, console);
  std::cout.flush();
  if (!std::cout) {
    std::cerr << "gpuwhy: cannot write the output\n";
    return static_cast<int>(gpuwhy::Exit::usage);
  }
  return static_cast<int>(exit);
}
