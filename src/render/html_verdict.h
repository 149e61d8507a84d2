// The verdict as one HTML file.
#pragma once

#include "render/html_page.h"
#include "verdict/verdict.h"

#include <string>

namespace gpuwhy {

std::string verdict_html(const Verdict& verdict, const PageContext& context);

} // namespace gpuwhy
