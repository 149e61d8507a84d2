// What a text was found to say: plain values, for renderers and programs. Texts from the input are
// not yet safe for a terminal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gpuwhy::explain {

struct Quote {
  std::uint64_t line = 0;
  std::uint64_t count = 1; // how often the text repeats it
  std::string text;
  std::string says; // what it means
};

/// Another way in which what the text shows can have come about.
struct Alternative {
  std::string id;
  std::string slug;
  std::string when; // what would be so: "the machine has no NVIDIA GPU"
};

struct NamedCause {
  std::string id;
  std::string slug;
  std::string gate;
  std::string effect; // "hides", "breaks", "slows"
  std::string title;
  std::string summary;
  std::string fix;
  std::string confirm; // a command that would confirm it; empty: the text settles it
  std::vector<Alternative> alternatives; // the text alone does not tell the cause from these
  std::vector<Quote> evidence;
};

enum class Verdict { gpu, no_gpu, cannot_tell };

struct Judgement {
  std::vector<std::string> ranks; // whom it is about; empty: the whole text
  Verdict verdict = Verdict::cannot_tell;
  std::vector<NamedCause> causes; // root first
  std::vector<Quote> harmless;
  std::optional<Quote> works; // the last line that shows the GPU in use
  /// The one command that would settle it, where the verdict is cannot_tell, the first cause has
  /// alternatives, or the GPU is said to be used little and nothing tells why.
  std::string needs;
};

struct StatedFact {
  std::string key;
  std::string value;
  std::uint64_t line = 0;
};

struct Input {
  std::uint64_t bytes = 0;
  std::uint64_t lines = 0;
  std::string encoding = "utf-8";
  std::vector<std::string> notes; // what is odd about it, a sentence each
};

struct Explanation {
  Judgement whole;
  std::vector<Judgement> sections; // by rank, where ranks fare differently
  std::vector<StatedFact> stated;  // versions, GPUs, drivers that the text names
  Input input;
};

} // namespace gpuwhy::explain
