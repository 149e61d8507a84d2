// The findings of a lint as one HTML file: by file, each with its lines and a mark under the place.
#pragma once

#include "render/html_page.h"
#include "verdict/lint_report.h"

#include <string>

namespace gpuwhy::render {

/// One finding with its lines, a mark under the place, why, and what to change.
void html_finding(Html& html, const CodeFinding& finding);

std::string lint_html(const LintReport& report, const PageContext& context);

} // namespace gpuwhy::render
