#include "render/compat_text.h"

#include "base/text.h"
#include "render/page.h"
#include "render/wording.h"

#include <algorithm>

namespace gpuwhy {
namespace {

std::string name_of(const Needs& needs) {
  return std::string(product_name(needs.framework)) + " " + needs.version +
         (needs.variant.empty() ? "" : " (" + needs.variant + ")");
}

std::string or_unknown(const std::string& text) {
  return text.empty() ? "not known" : text;
}

std::string gpus_of(const Needs& needs) {
  if (needs.machine_code.empty() && needs.ptx.empty()) return "not known";
  auto text = "compute capability " + join(needs.machine_code, ", ");
  if (needs.machine_code.empty()) text = "none by machine code";
  if (!needs.ptx.empty())
    text += "; later ones through PTX of " + needs.ptx.back() + ", compiled at the first start";
  return text;
}

void needs_rows(Page& page, const Style& style, const Needs& needs) {
  page.blank();
  page.headline(style.unicode ? "•" : "*", Ink::plain,
                name_of(needs) + (needs.released.empty() ? "" : ", released " + needs.released));
  page.row("Python", or_unknown(needs.python));
  page.row("CUDA", or_unknown(needs.cuda) + (needs.cudnn.empty() ? "" : ", cuDNN " + needs.cudnn));
  page.row("driver", needs.driver.empty() ? "not known" : needs.driver + " or newer");
  page.row("GPU", gpus_of(needs));
  if (!needs.install.empty()) page.row("install", "pip install '" + needs.install + "'");
  if (!needs.notes.empty()) page.row("note", needs.notes);
  if (!needs.source.empty()) page.row("source", needs.source);
}

bool works(const Fit& fit) {
  return fit.against.empty() && fit.open.empty();
}

bool may_work(const Fit& fit) {
  return fit.against.empty();
}

/// What speaks against taking it: open questions, and that no plain pip gets it.
std::size_t doubts(const Fit& fit) {
  return 2 * fit.open.size() + (fit.needs.install.empty() ? 1 : 0);
}

void fit_line(Page& page, const Style& style, const std::string& label, const Fit& fit) {
  if (works(fit)) {
    page.item(label, mark_good(style), Ink::good, name_of(fit.needs));
  } else if (may_work(fit)) {
    page.item(label, mark_open(style), Ink::open, name_of(fit.needs));
    page.under(join(fit.open, "; "), Ink::faint, 1);
  } else {
    page.item(label, mark_bad(style), Ink::bad,
              name_of(fit.needs) + ": " + join(fit.against, "; "));
  }
}

/// The newest that works, what else does, and why the newest of all does not.
void brief(Page& page, const Style& style, const FitTable& table) {
  const std::string label = table.framework == "tensorflow" ? "TF"
                            : table.framework == "jax"      ? "JAX"
                                                            : "PyTorch";
  const auto& fits = table.fits;
  auto best = fits.end(); // the newest of those about which least is open
  for (auto each = fits.begin(); each != fits.end(); ++each) {
    if (may_work(*each) && (best == fits.end() || doubts(*each) < doubts(*best))) best = each;
  }
  if (best == fits.end()) {
    page.item(label, mark_bad(style), Ink::bad,
              "no release that gpuwhy knows: of " + name_of(fits.front().needs) + ", " +
                  join(fits.front().against, "; "));
    return;
  }
  fit_line(page, style, label, *best);
  if (!best->needs.install.empty()) page.command("pip install '" + best->needs.install + "'");
  const Needs* oldest = nullptr;
  std::size_t count = 0;
  for (const auto& fit : fits) {
    if (!(works(*best) ? works(fit) : may_work(fit))) continue;
    oldest = &fit.needs;
    ++count;
  }
  if (count > 1)
    page.under("back to " + name_of(*oldest) + ", " + std::to_string(count) + " builds in all",
               Ink::faint, 1);
  if (best != fits.begin() && !fits.front().against.empty()) {
    page.under("not " + name_of(fits.front().needs) + ": " + join(fits.front().against, "; "),
               Ink::faint, 1);
  }
}

} // namespace

std::string compat_text(const Compat& compat, const Style& style, bool all) {
  Page page(style, true);
  if (!compat.asked.empty()) {
    page.headline(compat.needs.empty() ? mark_open(style) : mark_good(style),
                  compat.needs.empty() ? Ink::open : Ink::good,
                  compat.asked + (compat.note.empty() ? "" : ": " + compat.note));
    for (const auto& needs : compat.needs) needs_rows(page, style, needs);
    return page.take();
  }
  page.headline(style.unicode ? "•" : "*", Ink::plain, "what this machine can run on its GPU");
  page.blank();
  page.row("GPU", compat.gpu.empty() ? "none that can be seen from here: builds are not held "
                                       "against it"
                                     : compat.gpu);
  page.row("driver", compat.driver.empty() ? "none" : compat.driver);
  std::string python;
  for (const auto& table : compat.here) {
    if (table.python != python) {
      page.blank();
      page.row("Python", table.python + " (" + table.interpreter + ")");
    }
    python = table.python;
    if (!all) {
      brief(page, style, table);
      continue;
    }
    for (const auto& fit : table.fits) fit_line(page, style, "", fit);
  }
  if (compat.here.empty()) page.row("Python", "none was found here");
  return page.take();
}

} // namespace gpuwhy
