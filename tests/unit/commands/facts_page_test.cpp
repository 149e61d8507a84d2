#include "commands/facts_page.h"

#include "base/text.h"

#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <set>
#include <sstream>

namespace gpuwhy {
namespace {

TEST(FactsPage, tells_every_fact_once) {
  const auto page = facts_page();
  std::set<std::string> paths;
  for (const auto line : split_lines(page)) {
    if (!line.starts_with("| `")) continue;
    const std::string path(line.substr(3, line.find('`', 3) - 3));
    EXPECT_TRUE(paths.insert(path).second) << path;
    EXPECT_FALSE(line.ends_with("|  |")) << path << " has no description";
  }
  for (const auto* path : {"hardware.gpus[].vendor", "observed.nvml.devices[].mig", "place.kind",
                           "pythons[].frameworks[].build.cuda", "libraries.files{}.runpath[]"}) {
    EXPECT_TRUE(paths.contains(path)) << path;
  }
  EXPECT_TRUE(contains(page, "| `place.shell.access` | "));
  EXPECT_FALSE(paths.contains("place.shell.access.nodes[].path")); // told in its own section
}

/// GPUWHY_ACCEPT=1 writes the page; read the difference before committing it.
TEST(FactsPage, the_page_in_docs_is_this_one) {
  const std::string path = GPUWHY_SOURCE_DIR "/docs/facts.md";
  if (const char* accept = std::getenv("GPUWHY_ACCEPT");
      accept != nullptr && std::string_view(accept) == "1") {
    std::ofstream(path) << facts_page();
  }
  std::stringstream published;
  published << std::ifstream(path).rdbuf();
  EXPECT_EQ(published.str(), facts_page()) << path << " is out of date: run with GPUWHY_ACCEPT=1";
}

} // namespace
} // namespace gpuwhy
