// A copy of the library that cannot be loaded here is met before the one that can.
// Truth: the loader's search as things are, and again without that directory in LD_LIBRARY_PATH.
#include "base/text.h"
#include "rules/F_framework/installation.h"
#include "rules/L_libraries/library_faults.h"
#include "rules/L_libraries/library_path.h"

namespace gpuwhy::rules {
namespace {

Outcome report(const Case& c, const std::vector<LibraryFault>& faults) {
  const auto& fault = faults.front();
  const std::string directory(parent_path(fault.path));
  return Outcome::found(fault.need->soname + " is taken from " + directory +
                        ", where it cannot be loaded; without " + directory +
                        " a good copy would be found")
      .because(fault.path + " comes first through " + fault.because +
                   set_where(c, "LD_LIBRARY_PATH", directory),
               source_of(c, "LD_LIBRARY_PATH", directory))
      .because("it needs " + fault.detail, {fault.path, 0})
      .mend(shorten_library_path(c, directory));
}

Outcome check(const Case& c) {
  return judge_faults(
      c, "no library is shadowed by a copy that cannot be loaded",
      [](const LibraryFault& fault) { return fault.fault == Fault::shadowed; },
      [&](const std::vector<LibraryFault>& faults) { return report(c, faults); });
}

} // namespace

extern constexpr Rule L06{
    .id = "L06",
    .slug = "library-shadowed",
    .title = "A copy of a library that cannot be loaded is found before the good one",
    .since = "0.1",
    .gate = Gate::libraries,
    .explanation = R"(The same library is on the machine more than once, and the loader takes the
first that it meets. `LD_LIBRARY_PATH` comes before the wheels that pip put beside TensorFlow, so
a line from an old CUDA installation decides, although the wheels are right. Here the copy that
comes first cannot be loaded.)",
    .fix = R"(Take the directory out of `LD_LIBRARY_PATH` (often a line in `~/.bashrc`). A
TensorFlow with its CUDA wheels needs no `LD_LIBRARY_PATH` at all.)",
    .references = R"(- [ld.so(8)](https://man7.org/linux/man-pages/man8/ld.so.8.html))",
    .explains = {},
    .check = check,
};

} // namespace gpuwhy::rules
