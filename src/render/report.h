// What every JSON report is: schema, command, version, and then the fields of its command
// (render/shapes.h). Fields are only ever added to a report.
#pragma once

#include "render/shapes.h"

#include <string>

namespace gpuwhy {

inline constexpr const char* kReportSchema = "gpuwhy.report/1";

/// One JSON document and a line feed; valid UTF-8 whatever the value holds. `indent` -1: one line.
template <class T> std::string report_text(const char* command, const T& value, int indent = 2) {
  shapes::Json report = {
      {"schema", kReportSchema}, {"command", command}, {"version", GPUWHY_VERSION}};
  report.update(shapes::Writer::write(value));
  return report.dump(indent, ' ', false, shapes::Json::error_handler_t::replace) + "\n";
}

/// The schema of such a report, to which `definitions` belong.
template <class T> shapes::Json report_object(const char* command, shapes::Json& definitions) {
  using shapes::Json;
  const Json fields = shapes::Schema<T>::object(definitions);
  Json properties = {{"schema", {{"const", kReportSchema}}},
                     {"command", {{"const", command}}},
                     {"version", {{"description", "Version of gpuwhy"}, {"type", "string"}}}};
  Json required = {"schema", "command", "version"};
  properties.update(fields["properties"]);
  for (const auto& name : fields["required"]) required.push_back(name);
  return {{"type", "object"}, {"required", required}, {"properties", properties}};
}

/// The JSON Schema (draft 2020-12) of what report_text() writes.
template <class T> std::string report_schema_of(const char* command, const char* title) {
  shapes::Json definitions = shapes::Json::object();
  shapes::Json schema = {{"$schema", shapes::kDraft}, {"title", title}};
  schema.update(report_object<T>(command, definitions));
  if (!definitions.empty()) schema["$defs"] = definitions;
  return schema.dump(2) + "\n";
}

} // namespace gpuwhy
