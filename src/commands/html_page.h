// --html: the report as a page, beside what the command says anyway.
#pragma once

#include "base/result.h"
#include "commands/command.h"
#include "render/html_page.h"

#include <string>

namespace gpuwhy {

inline constexpr Option kHtmlOption{
    "html", 0, "FILE",
    "also write the report as a page, one HTML file; - is standard output, alone"};

/// The page takes standard output for itself.
bool page_to_output(const Arguments& arguments);

/// Why the page cannot have standard output for itself; empty: it can, or need not.
std::string output_clash(const Arguments& arguments);

/// What --from names, without the folder that it lies in.
std::string replayed(const Arguments& arguments);

/// `subject` is what was looked at, in words.
PageContext page_context(const Console& console, std::string command, std::string subject);

/// Where --html says; nothing without it.
Result<void> write_page(const Arguments& arguments, Console& console, const std::string& page);

} // namespace gpuwhy
