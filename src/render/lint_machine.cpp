// Findings for programs: SARIF 2.1.0, GitHub's workflow commands.
// Truth: the OASIS SARIF 2.1.0 specification; GitHub's documentation of workflow commands.
#include "render/lint.h"

#include "base/text.h"

#include <map>
#include <nlohmann/json.hpp>

namespace gpuwhy::render {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// SARIF's URI of a path: what RFC 3986 does not allow is percent-encoded.
std::string uri(std::string_view path) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string result;
  for (const char letter : path) {
    const auto byte = static_cast<unsigned char>(letter);
    const bool plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                       (letter >= '0' && letter <= '9') ||
                       contains("-._~/", std::string_view(&letter, 1));
    if (plain) {
      result += letter;
    } else {
      result += '%';
      result += kDigits[byte >> 4U];
      result += kDigits[byte & 15U];
    }
  }
  return result;
}

const char* level(Severity severity) {
  switch (severity) {
  case Severity::error: return "error";
  case Severity::warning: return "warning";
  case Severity::info: return "note";
  }
  return "none";
}

Json sarif_result(const CodeFinding& finding) {
  // A line in a cell is no line of the file: only the cell is named.
  Json region{{"startLine", finding.line},
              {"startColumn", finding.column},
              {"endLine", finding.end_line},
              {"endColumn", finding.end_column}};
  if (finding.end_line == finding.line && finding.end_column < finding.column)
    region.erase("endColumn");
  Json location{{"physicalLocation", {{"artifactLocation", {{"uri", uri(finding.path)}}}}}};
  if (finding.cell == 0) {
    location["physicalLocation"]["region"] = region;
  } else {
    location["logicalLocations"] =
        Json::array({{{"name", "cell " + std::to_string(finding.cell) + ", line " +
                                   std::to_string(finding.line)},
                      {"kind", "member"}}});
  }
  return {{"ruleId", finding.id},
          {"level", level(finding.severity)},
          {"message", {{"text", finding.message + ". Fix: " + finding.fix + "."}}},
          {"locations", Json::array({location})}};
}

/// GitHub's escapes: of a message, and more of a property.
std::string escaped(std::string text, bool property) {
  text = replace_all(std::move(text), "%", "%25");
  text = replace_all(std::move(text), "\r", "%0D");
  text = replace_all(std::move(text), "\n", "%0A");
  if (property) {
    text = replace_all(std::move(text), ":", "%3A");
    text = replace_all(std::move(text), ",", "%2C");
  }
  return text;
}

} // namespace

std::string lint_sarif(const LintReport& report) {
  std::map<std::string, const CodeFinding*> rules;
  Json results = Json::array();
  for (const auto& finding : report.findings) {
    rules.emplace(finding.id, &finding);
    results.push_back(sarif_result(finding));
  }
  Json descriptors = Json::array();
  for (const auto& [id, finding] : rules) {
    descriptors.push_back(
        {{"id", id}, {"name", finding->slug}, {"shortDescription", {{"text", finding->title}}}});
  }
  Json notifications = Json::array();
  for (const auto& note : report.notes) {
    notifications.push_back(
        {{"level", "note"},
         {"message", {{"text", note.text}}},
         {"locations", Json::array({{{"physicalLocation",
                                      {{"artifactLocation", {{"uri", uri(note.path)}}}}}}})}});
  }
  const Json driver{{"name", "gpuwhy"}, {"version", GPUWHY_VERSION}, {"rules", descriptors}};
  const Json run{{"tool", {{"driver", driver}}},
                 {"columnKind", "unicodeCodePoints"},
                 {"invocations", Json::array({{{"executionSuccessful", true},
                                               {"toolExecutionNotifications", notifications}}})},
                 {"results", results}};
  return dump({{"$schema", "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/"
                           "sarif-schema-2.1.0.json"},
               {"version", "2.1.0"},
               {"runs", Json::array({run})}});
}

std::string lint_github(const LintReport& report) {
  std::string out;
  for (const auto& finding : report.findings) {
    const char* command = finding.severity == Severity::info ? "notice" : level(finding.severity);
    out += "::" + std::string(command) + " file=" + escaped(finding.path, true);
    if (finding.cell == 0) {
      out += ",line=" + std::to_string(finding.line) + ",col=" + std::to_string(finding.column) +
             ",endLine=" + std::to_string(finding.end_line);
    }
    out += ",title=" + escaped(finding.id + " " + finding.title, true) + "::" +
           escaped((finding.cell != 0 ? "cell " + std::to_string(finding.cell) + ", line " +
                                            std::to_string(finding.line) + ": "
                                      : "") +
                       finding.message + "; " + finding.fix,
                   false) +
           "\n";
  }
  return out;
}

} // namespace gpuwhy::render
