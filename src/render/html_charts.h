// Charts over time as plain values, and how they stand in a page: a still picture (SVG) that needs
// no script, and the numbers for the script that draws it anew with zoom and a cursor.
#pragma once

#include "render/html.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace gpuwhy {

struct ChartSeries {
  std::string name;
  int color = 1;                             // 1 to 4, of page.css
  std::vector<std::optional<double>> values; // one for each of the sheet's moments
  std::string summary;                       // "mean 38 %"
  enum class Form { line, area, dots, dashed } form = Form::line;
};

struct Chart {
  std::string id;
  std::string title;
  std::string unit;          // "%", "GiB"
  std::optional<double> top; // of the axis; empty: the highest value's
  std::vector<ChartSeries> series;
  enum class Width { half, third, whole } width = Width::half; // of the page
  std::string note = {};                                       // one line above the field
};

/// A stretch of the time.
struct ChartBand {
  std::string name;
  double from = 0;
  double to = 0;
  int color = 0; // 0 to 3, of page.css
};

/// Charts that share their time.
struct ChartSheet {
  std::vector<double> seconds; // rising
  double end = 0;
  std::vector<ChartBand> bands;
  std::vector<Chart> charts;
};

std::string charts_json(const ChartSheet& sheet);
void html_chart(Html& html, const ChartSheet& sheet, std::size_t index);
/// The bands as a strip, with their names and times.
void html_bands(Html& html, const ChartSheet& sheet);

/// "820", "12.3", "0.45", "0.045".
std::string short_number(double value);
/// "13.0 s", "12 min", "2 h 24 min".
std::string run_time(double seconds);

} // namespace gpuwhy
