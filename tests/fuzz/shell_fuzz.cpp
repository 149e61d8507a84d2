// Any bytes in place of a start-up file, in every dialect, and cleaned for a tape.
#include "base/text.h"
#include "collect/privacy.h"
#include "collect/shell_assignments.h"

#include "fuzz/target.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gpuwhy;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto dialect :
       {ShellDialect::posix, ShellDialect::fish, ShellDialect::plain, ShellDialect::environment}) {
    (void)read_assignments(text, dialect);
  }
  (void)parse_quoted(text);
  // What was cleaned has nothing left to clean.
  const auto kept = only_allowed_lines(text);
  if (only_allowed_lines(kept).size() > kept.size() + 1) std::abort();
  return 0;
}
