#include "explain/explainer.h"

#include "explain/decode.h"
#include "explain/judge.h"
#include "explain/lines.h"
#include "explain/reader.h"

#include <algorithm>
#include <array>

namespace gpuwhy::explain {
namespace {

/// What the reader of a report wants to see again; the rest of what was stated only serves the
/// judge.
constexpr std::array<std::string_view, 12> kShown = {"os",  "python", "tensorflow",  "torch",
                                                     "jax", "jaxlib", "cuda",        "cudnn",
                                                     "gpu", "driver", "driver_cuda", "image"};

std::string encoding_name(Decoder::Encoding encoding) {
  switch (encoding) {
  case Decoder::Encoding::utf16_little: return "utf-16le";
  case Decoder::Encoding::utf16_big: return "utf-16be";
  case Decoder::Encoding::utf8: break;
  }
  return "utf-8";
}

} // namespace

struct Explainer::State {
  Decoder decoder;
  Reader reader;
  LineSieve sieve;
  CodeJudge judge_code;

  explicit State(CodeJudge judge)
      : reader(MessageTable::get(), [this] { sieve.want_next(); }),
        sieve(MessageTable::get().sieve(), Reader::kHead,
              [this](std::string_view line, std::uint64_t number) { reader.line(line, number); }),
        judge_code(std::move(judge)) {}

  Input input() const {
    Input input;
    input.bytes = decoder.bytes();
    input.lines = sieve.lines();
    input.encoding = encoding_name(decoder.encoding());
    auto& notes = input.notes;
    if (input.bytes == 0) notes.emplace_back("the input is empty");
    if (decoder.binary())
      notes.emplace_back("this is binary data, not a log; only text in it was read");
    else if (decoder.nul_bytes() > 0 && input.encoding == "utf-8") {
      notes.push_back(std::to_string(decoder.nul_bytes()) + " NUL bytes were passed over");
    }
    if (decoder.invalid() > 0 && !decoder.binary()) {
      notes.push_back(std::to_string(decoder.invalid()) + " bytes are not valid " +
                      (input.encoding == "utf-8" ? "UTF-8" : "UTF-16") +
                      "; they are shown as \\xNN");
    }
    if (sieve.longest_line() > LineSieve::kLongestPiece) {
      notes.push_back("a line of at least " + std::to_string(sieve.longest_line()) +
                      " bytes was read in pieces");
    }
    if (reader.reading().left_out > 0) {
      notes.push_back(std::to_string(reader.reading().left_out) +
                      " further messages of many different ones were left out");
    }
    return input;
  }

  Explanation explain() {
    reader.judge_code(judge_code);
    const auto& reading = reader.reading();
    Explanation explanation;
    explanation.whole = judge(reading);
    explanation.sections = judge_ranks(reading);
    for (const auto& said : reading.said) {
      if (std::find(kShown.begin(), kShown.end(), said.key) != kShown.end() &&
          explanation.stated.size() < 32) {
        explanation.stated.push_back({said.key, said.value, said.line});
      }
    }
    explanation.input = input();
    return explanation;
  }
};

Explainer::Explainer(CodeJudge judge) : state_(std::make_unique<State>(std::move(judge))) {}
Explainer::~Explainer() = default;
Explainer::Explainer(Explainer&&) noexcept = default;
Explainer& Explainer::operator=(Explainer&&) noexcept = default;

void Explainer::feed(std::string_view bytes) {
  state_->sieve.feed(state_->decoder.feed(bytes));
}

Explanation Explainer::so_far() const {
  return state_->explain();
}

Explanation Explainer::finish() {
  state_->sieve.feed(state_->decoder.finish());
  state_->sieve.finish();
  state_->reader.finish();
  return state_->explain();
}

} // namespace gpuwhy::explain
