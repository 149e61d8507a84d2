#include "commands/html_page.h"

#include "base/text.h"
#include "system/input.h"

#include <array>
#include <ctime>
#include <ostream>

namespace gpuwhy {
namespace {

std::string now() {
  const auto time = std::time(nullptr);
  std::tm fields{};
  std::array<char, 32> text{};
  if (::gmtime_r(&time, &fields) == nullptr) return {};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M UTC", &fields)};
}

} // namespace

bool page_to_output(const Arguments& arguments) {
  return arguments.value("html") == "-";
}

std::string output_clash(const Arguments& arguments) {
  const bool report =
      (arguments.has("json") && !arguments.has("output")) || arguments.has("format");
  if (!page_to_output(arguments) || !report) return {};
  return "standard output takes one report: give --html a file, or leave out the other form";
}

std::string replayed(const Arguments& arguments) {
  const auto path = arguments.value("from");
  return path == "-" ? "a record from standard input" : std::string(base_name(path));
}

PageContext page_context(const Console& console, std::string command, std::string subject) {
  return {std::move(command), std::move(subject), now(), console.style.home};
}

Result<void> write_page(const Arguments& arguments, Console& console, const std::string& page) {
  if (!arguments.has("html")) return {};
  if (!page_to_output(arguments)) return write_output(arguments.value("html"), page);
  console.out << page;
  return {};
}

} // namespace gpuwhy
