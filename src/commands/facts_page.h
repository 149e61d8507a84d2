// Everything that gpuwhy looks at on a machine, as a page: docs/facts.md.
#pragma once

#include <string>

namespace gpuwhy {

/// Markdown, from the descriptions in src/facts and the lists of src/collect.
std::string facts_page();

} // namespace gpuwhy
