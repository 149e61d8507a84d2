// Every object of the report has one table of its fields (render/shapes.h).
#include "render/explanation.h"

#include "base/text.h"
#include "render/report.h"

namespace gpuwhy {
namespace shapes {

using explain::Alternative;
using explain::Explanation;
using explain::Input;
using explain::Judgement;
using explain::NamedCause;
using explain::Quote;
using explain::StatedFact;

template <> struct Words<explain::Verdict> {
  static constexpr std::string_view all[] = {"gpu", "no_gpu", "cannot_tell"};
};

/// Texts of the input, made safe for a terminal.
template <class T> auto safe(std::string T::*member) {
  return [member](const T& object) { return printable(object.*member); };
}

template <> struct Shape<Quote> {
  static constexpr const char* name = "quote";
  template <class V> static void fields(V&& v) {
    v("line", &Quote::line, "Line of the text, from 1");
    v("count", &Quote::count, "How often the text says it");
    v("text", safe(&Quote::text), "The line, cut to a readable length");
    v("says", &Quote::says, "What it means");
  }
};

template <> struct Shape<Alternative> {
  static constexpr const char* name = "alternative";
  template <class V> static void fields(V&& v) {
    v("id", &Alternative::id, "Stable id");
    v("slug", &Alternative::slug, "Its name for a URL");
    v("when", safe(&Alternative::when), "What would be so");
  }
};

template <> struct Shape<NamedCause> {
  static constexpr const char* name = "cause";
  template <class V> static void fields(V&& v) {
    v("id", &NamedCause::id, "Stable id, as in check's report");
    v("slug", &NamedCause::slug, "Its name for a URL");
    v("gate", &NamedCause::gate, "The gate of the route at which it stands");
    v("title", &NamedCause::title, "What the cause is, in general");
    v("summary", safe(&NamedCause::summary), "What it is here");
    v("evidence", &NamedCause::evidence, "The lines that speak for it, the telling one first");
    v("fix", safe(&NamedCause::fix), "What to do");
    v("alternatives", &NamedCause::alternatives,
      "From what the text alone does not tell it; empty: it is the cause");
    v("confirm", or_null(&NamedCause::confirm),
      "A command that would confirm it; null: the text settles it");
  }
};

/// What is found of the whole text, and of the ranks of a section.
template <class T, class V, class Of> void judgement_fields(V&& v, const Of& of) {
  const auto member = [&](auto pointer) {
    return [of, pointer](const T& object) { return of(object).*pointer; };
  };
  v("verdict", member(&Judgement::verdict),
    "gpu: it is used, or reached and held back; no_gpu: something keeps it from being used");
  v("causes", member(&Judgement::causes), "The root first; what follows from it is left out");
  v("harmless", member(&Judgement::harmless), "Lines that look like faults and are none");
  v("works", member(&Judgement::works), "The last line that shows the GPU in use; null: none does");
  v(
      "needs",
      [of](const T& object) {
        const auto& needs = of(object).needs;
        return needs.empty() ? std::optional<std::string>() : needs;
      },
      "The one command whose output would settle it, where the verdict is cannot_tell, the first "
      "cause has alternatives, or the GPU is said to be used little and nothing tells why");
}

template <> struct Shape<Judgement> {
  static constexpr const char* name = "section";
  template <class V> static void fields(V&& v) {
    v(
        "ranks",
        [](const Judgement& section) {
          std::vector<std::string> ranks;
          for (const auto& rank : section.ranks) ranks.push_back(printable(rank));
          return ranks;
        },
        "The processes that it is about");
    judgement_fields<Judgement>(v, [](const Judgement& section) { return section; });
  }
};

template <> struct Shape<StatedFact> {
  static constexpr const char* name = "stated";
  template <class V> static void fields(V&& v) {
    v("key", safe(&StatedFact::key), "What it is about: a package, 'gpu', 'driver', ...");
    v("value", safe(&StatedFact::value), "As the text says it");
    v("line", &StatedFact::line, "Line of the text");
  }
};

template <> struct Shape<Input> {
  static constexpr const char* name = "input";
  template <class V> static void fields(V&& v) {
    v("bytes", &Input::bytes, "How much was read");
    v("lines", &Input::lines, "Lines of it");
    v("encoding", &Input::encoding, "What it was taken for");
    v("notes", &Input::notes, "What is odd about it");
  }
};

template <> struct Shape<Explanation> {
  static constexpr const char* name = "explanation";
  template <class V> static void fields(V&& v) {
    judgement_fields<Explanation>(v, [](const Explanation& each) { return each.whole; });
    v("stated", &Explanation::stated, "Versions, GPUs and drivers that the text names");
    v("sections", &Explanation::sections,
      "By rank, where ranks fare differently; empty: all do as the whole");
    v("input", &Explanation::input, "What was read");
  }
};

} // namespace shapes

std::string explanation_json(const explain::Explanation& explanation) {
  return report_text("explain", explanation);
}

std::string explanation_schema() {
  return report_schema_of<explain::Explanation>("explain",
                                                "gpuwhy explain: what a log says about the GPU");
}

} // namespace gpuwhy
