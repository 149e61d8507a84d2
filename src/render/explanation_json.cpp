#include "render/explanation.h"

#include "base/text.h"

#include <nlohmann/json.hpp>

namespace gpuwhy {
namespace {

using Json = nlohmann::ordered_json;

std::string_view word(explain::Verdict verdict) {
  switch (verdict) {
  case explain::Verdict::gpu: return "gpu";
  case explain::Verdict::no_gpu: return "no_gpu";
  case explain::Verdict::cannot_tell: break;
  }
  return "cannot_tell";
}

Json quotes(const std::vector<explain::Quote>& quotes) {
  Json list = Json::array();
  for (const auto& quote : quotes) {
    list.push_back({{"line", quote.line},
                    {"count", quote.count},
                    {"text", printable(quote.text)},
                    {"says", quote.says}});
  }
  return list;
}

Json cause(const explain::NamedCause& cause) {
  return {{"id", cause.id},
          {"slug", cause.slug},
          {"gate", cause.gate},
          {"title", cause.title},
          {"summary", printable(cause.summary)},
          {"evidence", quotes(cause.evidence)},
          {"fix", printable(cause.fix)},
          {"confirm", cause.confirm.empty() ? Json(nullptr) : Json(cause.confirm)}};
}

void put_judgement(Json& into, const explain::Judgement& judgement) {
  into["verdict"] = word(judgement.verdict);
  into["causes"] = Json::array();
  for (const auto& each : judgement.causes) into["causes"].push_back(cause(each));
  into["harmless"] = quotes(judgement.harmless);
  into["works"] = judgement.works ? quotes({*judgement.works}).front() : Json(nullptr);
  into["needs"] = judgement.needs.empty() ? Json(nullptr) : Json(judgement.needs);
}

} // namespace

std::string explanation_json(const explain::Explanation& explanation) {
  Json report{{"schema", "gpuwhy.report/1"}, {"command", "explain"}};
  put_judgement(report, explanation.whole);
  report["stated"] = Json::array();
  for (const auto& fact : explanation.stated) {
    report["stated"].push_back(
        {{"key", printable(fact.key)}, {"value", printable(fact.value)}, {"line", fact.line}});
  }
  if (!explanation.sections.empty()) {
    report["sections"] = Json::array();
    for (const auto& section : explanation.sections) {
      Json ranks = Json::array();
      for (const auto& rank : section.ranks) ranks.push_back(printable(rank));
      Json entry{{"ranks", ranks}};
      put_judgement(entry, section);
      report["sections"].push_back(std::move(entry));
    }
  }
  report["input"] = {{"bytes", explanation.input.bytes},
                     {"lines", explanation.input.lines},
                     {"encoding", explanation.input.encoding},
                     {"notes", explanation.input.notes}};
  return report.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace gpuwhy
