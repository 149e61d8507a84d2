// The route to the GPU as a picture: the gates in their order on a line that ends where the program
// does, each with what was seen there.
#pragma once

#include "render/html.h"
#include "verdict/verdict.h"

#include <string>

namespace gpuwhy {

void html_route(Html& html, const FrameworkVerdict& verdict, const std::string& prefix);

} // namespace gpuwhy
