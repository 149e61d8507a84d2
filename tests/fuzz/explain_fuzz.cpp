// Any bytes as a log, in pieces of any size, to both renderings.
#include "explain/explainer.h"
#include "lint/lint.h"
#include "render/explanation.h"

#include "fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gpuwhy;
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t piece = size == 0 ? 1 : std::size_t{1} + data[0];
  explain::Explainer explainer(lint::judge_pasted);
  for (std::size_t at = 0; at < bytes.size(); at += piece) explainer.feed(bytes.substr(at, piece));
  const auto explanation = explainer.finish();
  (void)explanation_json(explanation);
  for (const char c : explanation_text(explanation, Style{}, true)) {
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n')
      __builtin_trap(); // nothing drives the terminal
  }
  return 0;
}
