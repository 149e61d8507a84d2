// What a text said, in bounded memory: which messages were seen where, and which facts were stated.
#pragma once

#include "explain/messages.h"
#include "explain/session.h"
#include "facts/code_finding.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy::explain {

/// One message, with the same values, of one rank: seen once or a million times.
struct Sighting {
  const Message* message = nullptr;
  Values values;
  std::string rank;        // empty: the text does not say
  std::string text;        // of the first, cut to a readable length; not yet safe for a terminal
  std::uint64_t first = 0; // line numbers
  std::uint64_t last = 0;
  std::uint64_t count = 0;
  int first_run = 0; // a run begins where the text shows a program being started
  int last_run = 0;

  /// Empty where the pattern has no such group or it took no part.
  std::string_view value(std::string_view group) const {
    for (const auto& [name, text_of] : values) {
      if (name == group) return text_of;
    }
    return {};
  }
};

/// "gpu" = "RTX 3090", by the writer's word ("- gpu: RTX 3090") or by a tool's output.
struct Said {
  std::string key;
  std::string value;
  std::uint64_t line = 0;
  bool by_hand = false;
};

/// The log stood still: the time between one line and the next.
struct Pause {
  double seconds = 0;
  std::uint64_t line = 0; // the line before
  std::string text;
};

/// A program or a container is started: the line as it was typed.
struct RunStart {
  std::uint64_t line = 0;
  std::string command;
};

/// The signal of a CodeSighting.
inline constexpr std::string_view kPastedCode = "pasted-code";

/// What is wrong in code that the text shows, and where it shows it.
struct CodeSighting {
  CodeFinding finding;
  Sighting seen;
};

/// The code as it was judged.
struct ReadCode {
  std::vector<CodeSighting> findings;
  std::vector<std::uint64_t> lines; // of programs that were judged as a whole, rising

  bool judged(std::uint64_t line) const {
    return std::binary_search(lines.begin(), lines.end(), line);
  }
  /// The line was judged as part of a program, and there is nothing wrong in it.
  bool clears(std::uint64_t line) const {
    return judged(line) && std::none_of(findings.begin(), findings.end(),
                                        [&](const auto& each) { return each.seen.first == line; });
  }
};

struct Reading {
  std::vector<Sighting> sightings; // by first line
  std::vector<Said> said;
  std::optional<Pause> pause;     // the longest behind a line in which a GPU is started
  std::vector<std::string> ranks; // that the prefixes name, in order of appearance
  std::uint64_t left_out = 0;     // sightings and statements beyond the bounds
  int runs = 0;
  std::vector<RunStart> starts; // of run 1, 2, ...
  /// Line at which the program was last started: at a prompt, under a heading ("After the
  /// update:"), or where what a process says once is said anew, later. 0: started once.
  std::uint64_t last_start = 0;

  ReadCode code;

  std::vector<Place> places = {Place{}};
  const Place& place_of(std::uint64_t line) const { return place_at(places, line); }

  /// Said by an earlier run, and not again by the last.
  bool is_past(const Sighting& sighting) const { return sighting.last < last_start; }
};

/// A Reading as one rank shows it (lines without a rank belong to every rank), or as a whole.
class View {
public:
  explicit View(const Reading& reading, std::optional<std::string_view> rank = std::nullopt)
      : reading_(reading), rank_(rank) {}

  const Reading& reading() const { return reading_; }
  std::vector<const Sighting*> all() const;
  std::vector<const Sighting*> all(std::string_view signal) const;
  /// The first; nullptr if the text does not show it.
  const Sighting* find(std::string_view signal) const;
  bool has(std::string_view signal) const { return find(signal) != nullptr; }
  /// The value said last; empty if none was.
  std::string_view said(std::string_view key) const;
  std::vector<std::string_view> all_said(std::string_view key) const;
  bool says(std::string_view key) const;
  /// Any statement by hand whose value holds this word, letters' case aside.
  bool mentions(std::string_view word) const;

private:
  bool mine(const Sighting& sighting) const {
    return (!rank_ || sighting.rank.empty() || sighting.rank == *rank_) && !cleared(sighting);
  }
  /// A row for single lines of code took it for a choice of devices, and the code as a whole makes
  /// no such choice there: it is commented out, or its other branch runs.
  bool cleared(const Sighting& sighting) const;
  bool cleared(const Said& said) const;
  const Reading& reading_;
  std::optional<std::string_view> rank_;
};

} // namespace gpuwhy::explain
