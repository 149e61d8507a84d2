// `gpuwhy explain`: bytes in, an Explanation out. Constant memory, whatever comes.
//
//   Explainer explainer;
//   while (read(chunk)) explainer.feed(chunk);
//   const Explanation explanation = explainer.finish();
#pragma once

#include "explain/pasted_code.h"
#include "verdict/explanation.h"

#include <memory>
#include <string_view>

namespace gpuwhy::explain {

class Explainer {
public:
  /// `judge` reads the code that a text shows (lint::judge_pasted); without one, single lines of it
  /// are read as any others.
  explicit Explainer(CodeJudge judge = {});
  ~Explainer();
  Explainer(Explainer&&) noexcept;
  Explainer& operator=(Explainer&&) noexcept;

  void feed(std::string_view bytes);
  /// What the text so far says; a last line without an end is not read yet. For following a growing
  /// file.
  Explanation so_far() const;
  /// No byte may follow.
  Explanation finish();

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace gpuwhy::explain
