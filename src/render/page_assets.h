// The page's style sheets and scripts, carried in the binary (tools/page_assets.py writes the
// source that belongs to this), each with its hash for the page's Content-Security-Policy.
#pragma once

#include <string_view>

namespace gpuwhy {

struct PageAsset {
  std::string_view bytes;
  std::string_view hash; // "sha256-..."
};

/// "page.css", "page.js", "charts.css", "charts.js"; empty where the build had none: charts need
/// uPlot.
PageAsset page_asset(std::string_view name);

} // namespace gpuwhy
