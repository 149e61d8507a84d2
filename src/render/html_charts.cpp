#include "render/html_charts.h"

#include "base/amount.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

namespace gpuwhy {
namespace {

using Json = nlohmann::ordered_json;

// The field of a still picture; its text stands outside, so that it may be stretched.
constexpr double kWidth = 1000;
constexpr double kHeight = 100;
constexpr std::size_t kPoints = 240; // of one line

double rounded(double value) {
  if (value == 0 || !std::isfinite(value)) return 0;
  const double scale = std::pow(10, 3 - std::floor(std::log10(std::abs(value))));
  return std::round(value * scale) / scale;
}

Json numbers(const std::vector<std::optional<double>>& values) {
  Json all = Json::array();
  for (const auto& value : values)
    all.push_back(value && std::isfinite(*value) ? Json(rounded(*value)) : Json());
  return all;
}

double top_of(const Chart& chart) {
  if (chart.top) return *chart.top;
  double top = 0;
  for (const auto& series : chart.series) {
    for (const auto& value : series.values) top = std::max(top, value.value_or(0));
  }
  return top > 0 ? top : 1;
}

std::string number(double value) {
  return decimal(value, 1);
}

struct Field {
  double end;
  double top;
  std::string x(double seconds) const {
    return number(end > 0 ? std::clamp(seconds / end, 0.0, 1.0) * kWidth : 0);
  }
  std::string y(double value) const {
    return number(kHeight - std::clamp(value / top, 0.0, 1.0) * kHeight);
  }
};

struct Point {
  double seconds;
  double value;
};

/// What was seen of a series, neighbours averaged where there are more than a still picture shows.
std::vector<Point> points_of(const ChartSheet& sheet, const ChartSeries& each) {
  std::vector<Point> seen;
  for (std::size_t i = 0; i < each.values.size(); ++i) {
    const auto& value = each.values[i];
    if (value && std::isfinite(*value)) seen.push_back({sheet.seconds[i], *value});
  }
  const std::size_t step = seen.size() / kPoints + 1;
  if (step == 1) return seen;
  std::vector<Point> merged;
  for (std::size_t i = 0; i < seen.size(); i += step) {
    const std::size_t end = std::min(i + step, seen.size());
    double sum = 0;
    for (std::size_t j = i; j < end; ++j) sum += seen[j].value;
    merged.push_back({seen[i].seconds, sum / static_cast<double>(end - i)});
  }
  return merged;
}

void series(Html& html, const ChartSheet& sheet, const ChartSeries& each, const Field& field) {
  using Form = ChartSeries::Form;
  const auto points = points_of(sheet, each);
  if (points.empty()) return;
  std::string path;
  for (const auto& [seconds, value] : points) {
    const auto place = field.x(seconds) + " " + field.y(value);
    if (each.form == Form::dots)
      path += "M" + place + "h0.01";
    else
      path += (path.empty() ? "M" : "L") + place;
  }
  const std::string color = " s" + std::to_string(each.color);
  if (each.form == Form::area) {
    const auto ground = " " + number(kHeight);
    html.element("path",
                 {{"class", "area" + color},
                  {"d", path + "L" + field.x(points.back().seconds) + ground + "L" +
                            field.x(points.front().seconds) + ground + "Z"}},
                 "");
  }
  const char* form = each.form == Form::dots     ? "dots"
                     : each.form == Form::dashed ? "stroke dashed"
                                                 : "stroke";
  html.element("path", {{"class", form + color}, {"d", path}}, "");
}

void bands(Html& html, const ChartSheet& sheet, double height) {
  const Field field{sheet.end, 1};
  for (const auto& band : sheet.bands) {
    const double share = sheet.end > 0 ? (band.to - band.from) / sheet.end : 0;
    html.element("rect",
                 {{"class", "band b" + std::to_string(band.color)},
                  {"x", field.x(band.from)},
                  {"y", "0"},
                  {"width", number(std::max(share, 0.0) * kWidth)},
                  {"height", number(height)}},
                 "");
  }
}

Attributes field_attributes(std::string_view kind, double height) {
  return {{"class", std::string(kind)},
          {"viewBox", "0 0 " + number(kWidth) + " " + number(height)},
          {"preserveAspectRatio", "none"},
          {"aria-hidden", "true"}};
}

void still(Html& html, const ChartSheet& sheet, const Chart& chart) {
  const Field field{sheet.end, top_of(chart)};
  html.element("div", {{"class", "still"}}, [&] {
    html.element("p", {{"class", "scale"}}, short_number(field.top) + " " + chart.unit);
    html.element("svg", field_attributes("field", kHeight), [&] {
      bands(html, sheet, kHeight);
      for (const auto& each : chart.series) series(html, sheet, each, field);
    });
    html.element("p", {{"class", "scale ends"}}, [&] {
      html.element("span", {}, "0 s");
      html.element("span", {}, run_time(sheet.end));
    });
  });
}

} // namespace

std::string charts_json(const ChartSheet& sheet) {
  static constexpr std::array kForms{"line", "area", "dots", "dashed"};
  Json bands = Json::array();
  for (const auto& band : sheet.bands)
    bands.push_back({{"from", band.from}, {"to", band.to}, {"color", band.color}});
  Json charts = Json::array();
  for (const auto& chart : sheet.charts) {
    Json all = Json::array();
    for (const auto& each : chart.series)
      all.push_back({{"name", each.name},
                     {"color", each.color},
                     {"form", kForms[static_cast<std::size_t>(each.form)]},
                     {"values", numbers(each.values)}});
    charts.push_back({{"id", chart.id},
                      {"title", chart.title},
                      {"unit", chart.unit},
                      {"top", chart.top ? Json(*chart.top) : Json()},
                      {"series", all}});
  }
  Json seconds = Json::array();
  for (const double each : sheet.seconds) seconds.push_back(std::round(each * 1000) / 1000);
  const Json all{{"seconds", seconds}, {"end", sheet.end}, {"bands", bands}, {"charts", charts}};
  return all.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void html_chart(Html& html, const ChartSheet& sheet, std::size_t index) {
  const auto& chart = sheet.charts[index];
  const char* kind = chart.width == Chart::Width::whole   ? "chart whole"
                     : chart.width == Chart::Width::third ? "chart third"
                                                          : "chart";
  html.element("figure", {{"class", kind}, {"data-chart", std::to_string(index)}}, [&] {
    html.element("figcaption", {{"id", "caption-" + chart.id}}, [&] {
      html.element("b", {}, chart.title);
      html.text(", " + chart.unit);
      for (const auto& each : chart.series) {
        html.text(" ");
        html.element("span", {{"class", "key s" + std::to_string(each.color)}}, [&] {
          html.words(each.name);
          html.text(" ");
          html.element("span", {{"class", "now"}}, each.summary);
        });
      }
    });
    if (!chart.note.empty()) html.element("p", {{"class", "note"}}, chart.note);
    html.element("div", {{"class", "plot"}}, "");
    still(html, sheet, chart);
  });
  html.line();
}

void html_bands(Html& html, const ChartSheet& sheet) {
  constexpr double kStrip = 12;
  html.element("div", {{"class", "phases"}}, [&] {
    html.element("svg", field_attributes("strip", kStrip), [&] { bands(html, sheet, kStrip); });
    html.element("ul", {}, [&] {
      for (const auto& band : sheet.bands)
        html.element("li", {{"class", "key b" + std::to_string(band.color)}},
                     run_time(band.from) + " to " + run_time(band.to) + ": " + band.name);
    });
  });
  html.line();
}

std::string short_number(double value) {
  const double size = std::abs(value);
  if (size >= 100 || value == std::round(value)) return decimal(value, 0);
  return decimal(value, size >= 10 ? 1 : size >= 0.1 ? 2 : 3);
}

std::string run_time(double seconds) {
  if (seconds < 120) return decimal(seconds, 1) + " s";
  const auto minutes = std::llround(std::clamp(seconds, 0.0, 1e12) / 60);
  if (minutes < 120) return std::to_string(minutes) + " min";
  return std::to_string(minutes / 60) + " h " + std::to_string(minutes % 60) + " min";
}

} // namespace gpuwhy
