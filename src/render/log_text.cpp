#include "render/log_text.h"

#include "render/page.h"

namespace gpuwhy {
namespace {

constexpr std::size_t kMostCauses = 3;

std::string standing(const LogCause& cause, bool elsewhere) {
  switch (cause.here) {
  case LogCause::Here::found: return "the same is found here";
  case LogCause::Here::ruled_out:
    return (elsewhere ? "not so here: " : "no longer so: ") + cause.reason;
  case LogCause::Here::open: break;
  }
  return elsewhere ? "nothing here can tell" : "nothing here speaks against it";
}

} // namespace

std::string log_text(const LogReport& log, const Style& style) {
  Page page(style);
  page.blank();
  const bool elsewhere = !log.contradictions.empty();
  if (elsewhere) {
    page.row("log", log.path + " is of another environment: " + log.contradictions.front());
    for (std::size_t at = 1; at < log.contradictions.size(); ++at)
      page.under(log.contradictions[at]);
  } else if (log.causes.empty()) {
    page.row("log", log.path + (log.says == LogReport::Says::gpu
                                    ? " shows the GPU in use"
                                    : " does not say why a GPU would not be used"));
  }
  for (std::size_t at = 0; at < log.causes.size() && at < kMostCauses; ++at) {
    const auto& cause = log.causes[at];
    const auto line = cause.line == 0 ? "" : ":" + std::to_string(cause.line);
    page.row(at == 0 && !elsewhere ? "log" : "", log.path + line + ": " + cause.summary,
             {cause.id + " " + cause.slug, cause.id});
    page.under(standing(cause, elsewhere), Ink::faint);
  }
  return page.take();
}

} // namespace gpuwhy
