#include "render/html_page.h"

#include "render/page_assets.h"

#include <algorithm>
#include <array>

namespace gpuwhy {
namespace {

/// A file, a variable, a library: its first letter stays as it is.
bool begins_with_name(std::string_view text) {
  return text.substr(0, text.find(' ')).find_first_of("./_=:'\"0123456789") !=
         std::string_view::npos;
}

struct Shape {
  std::string_view id;
  std::string_view outline; // filled; the ground of the sign
  std::string_view sign;    // a stroke on it
};

/// Drawn on a field of 24 by 24: a disc, an octagon, a triangle, a ring.
constexpr std::array<Shape, 6> kShapes{{
    {"mark-good", "M12 1a11 11 0 1 0 0 22a11 11 0 1 0 0-22z", "M7 12.5l3.4 3.4L17 8.8"},
    {"mark-bad", "M7.5 1h9L23 7.5v9L16.5 23h-9L1 16.5v-9z", "M8 8l8 8M16 8l-8 8"},
    {"mark-limited", "M12 1.5L23.3 21.5H.7z", "M12 8.5v6M12 17.6v.6"},
    {"mark-open", "M12 2a10 10 0 1 0 0 20a10 10 0 1 0 0-20z",
     "M9 9.4a3 3 0 1 1 4.4 2.7c-1 .6-1.4 1.1-1.4 2.1M12 17v.5"},
    {"mark-hint", "M12 2a10 10 0 1 0 0 20a10 10 0 1 0 0-20z", "M12 11v6M12 7v.4"},
    {"mark-gpu", "M6 4h12a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2z",
     "M9 9h6v6H9zM8 4V1M12 4V1M16 4V1M8 23v-3M12 23v-3M16 23v-3M1 8h3M1 12h3M1 16h3M20 8h3M20 "
     "12h3M20 16h3"},
}};

void shapes(Html& html) {
  html.element("svg", {{"class", "shapes"}, {"aria-hidden", "true"}}, [&] {
    for (const auto& shape : kShapes) {
      html.element("symbol", {{"id", std::string(shape.id)}, {"viewBox", "0 0 24 24"}}, [&] {
        html.element("path", {{"class", "ground"}, {"d", std::string(shape.outline)}}, "");
        html.element("path", {{"class", "sign"}, {"d", std::string(shape.sign)}}, "");
      });
    }
  });
  html.line();
}

std::string policy(const std::vector<PageAsset>& styles, const std::vector<PageAsset>& scripts) {
  const auto sources = [](std::string text, const std::vector<PageAsset>& assets) {
    for (const auto& asset : assets) text.append(" '").append(asset.hash).append("'");
    return text;
  };
  return "default-src 'none';" + sources(" style-src", styles) + ";" +
         sources(" script-src", scripts) + "; base-uri 'none'; form-action 'none'";
}

void head(Html& html, const PageFrame& frame, const std::vector<PageAsset>& styles,
          const std::vector<PageAsset>& scripts) {
  html.alone("meta", {{"charset", "utf-8"}});
  html.line();
  html.alone("meta",
             {{"http-equiv", "Content-Security-Policy"}, {"content", policy(styles, scripts)}});
  html.line();
  for (const auto& [name, content] : std::initializer_list<std::pair<const char*, const char*>>{
           {"viewport", "width=device-width, initial-scale=1"},
           {"color-scheme", "light dark"},
           {"referrer", "no-referrer"},
           {"generator", "gpuwhy " GPUWHY_VERSION}}) {
    html.alone("meta", {{"name", name}, {"content", content}});
    html.line();
  }
  html.element("title", {}, "gpuwhy: " + frame.title);
  html.line();
  for (const auto& style : styles) html.asset("style", style.bytes);
  html.line();
}

void banner(Html& html, const PageContext& context) {
  html.element("header", {{"class", "banner"}}, [&] {
    html.element("p", {{"class", "brand"}}, [&] {
      html.element("b", {}, "gpuwhy");
      html.text(" " + context.command);
      if (context.subject.empty()) return;
      html.text(" ");
      html.element("span", {{"class", "subject"}}, context.subject);
    });
    html.element("button", {{"type", "button"}, {"id", "theme"}, {"class", "quiet"}, {"hidden"}},
                 "theme");
  });
  html.line();
}

void closing(Html& html, const PageContext& context) {
  html.element("footer", {}, [&] {
    html.element("p", {},
                 "gpuwhy " GPUWHY_VERSION +
                     (context.made.empty() ? std::string() : ", page made " + context.made) +
                     ". This page loads nothing and sends nothing.");
  });
  html.line();
}

void evidence(Html& html, const Cause& cause) {
  if (cause.evidence.empty()) return;
  html.element("ul", {{"class", "evidence"}}, [&] {
    for (const auto& each : cause.evidence) html.element("li", {}, evidence_words(each));
  });
}

void cause(Html& html, const Cause& cause, std::string_view label, const std::string& proof,
           const CausesView& view) {
  html_row(html, label, [&] {
    html.element(view.head,
                 {{"class", begins_with_name(cause.summary) ? "summary literal" : "summary"}},
                 cause.summary);
    html.element("p", {{"class", "name"}}, [&] {
      html.element("code", {{"class", "id"}}, cause.id);
      html.text(" " + cause.slug);
    });
    evidence(html, cause);
  });
  if (!cause.fix) return;
  html_row(html, "fix", [&] {
    html.element("p", {}, [&] {
      html.words(cause.fix->words);
      if (proof.empty()) return;
      html.text(" ");
      html.element("span", {{"class", "proof"}}, proof);
    });
    html_commands(html, cause.fix->commands);
  });
}

} // namespace

std::string html_page(const PageContext& context, const PageFrame& frame,
                      const std::function<void(Html&)>& body) {
  std::vector<PageAsset> styles{page_asset("page.css")};
  std::vector<PageAsset> scripts{page_asset("page.js")};
  const bool charts = !frame.charts.empty() && !page_asset("charts.js").bytes.empty();
  if (charts) {
    styles.insert(styles.begin(), page_asset("charts.css")); // ours comes last and has its way
    scripts.push_back(page_asset("charts.js"));
  }
  Html html;
  html.call(context.home, "~");
  html.alone("!DOCTYPE", {{"html"}});
  html.line();
  html.element("html", {{"lang", "en"}}, [&] {
    html.element("head", {}, [&] { head(html, frame, styles, scripts); });
    html.line();
    html.element("body", {}, [&] {
      shapes(html);
      banner(html, context);
      html.element("main", {}, [&] { body(html); });
      html.line();
      closing(html, context);
      if (charts) html.data("charts", frame.charts);
      html.line();
      for (const auto& script : scripts) html.asset("script", script.bytes);
    });
  });
  html.line();
  return html.take();
}

namespace {

void mark(Html& html, const std::string& name) {
  html.element("svg", {{"class", "mark " + name}, {"aria-hidden", "true"}}, [&] {
    html.element("use", {{"href", "#mark-" + name}}, "");
  });
}

} // namespace

void html_mark(Html& html, Tone tone) {
  static constexpr std::array kNames{"good", "limited", "bad", "open"};
  mark(html, kNames[static_cast<std::size_t>(tone)]);
}

void html_hint(Html& html) {
  mark(html, "hint");
}

void html_answer(Html& html, std::string_view tag, std::string_view id, Tone tone,
                 std::string_view sentence) {
  html.element(tag, {{"class", "answer"}, {"id", std::string(id)}}, [&] {
    html_mark(html, tone);
    html.element("span", {}, sentence);
  });
  html.line();
}

void html_commands(Html& html, const std::vector<std::string>& commands) {
  if (commands.empty()) return;
  html.element("div", {{"class", "commands"}}, [&] {
    html.element("pre", {{"tabindex", "0"}}, [&] {
      bool first = true;
      for (const auto& each : commands) {
        if (!first) html.line();
        html.element("code", {}, [&] { html.text(each); });
        first = false;
      }
    });
    html.element("button", {{"type", "button"}, {"class", "copy"}, {"hidden"}}, "Copy");
  });
}

void html_row(Html& html, std::string_view label, const std::function<void()>& body) {
  html.element("div", {{"class", "row"}}, [&] {
    html.element("span", {{"class", "label"}}, label);
    html.element("div", {{"class", "value"}}, body);
  });
}

void html_folded(Html& html, std::string_view title, const std::vector<std::string>& lines) {
  if (lines.empty()) return;
  html.element("details", {}, [&] {
    html.element("summary", {}, [&] {
      html.text(title);
      html.element("span", {{"class", "count"}}, " " + std::to_string(lines.size()));
    });
    html.element("ul", {{"class", "plain"}}, [&] {
      for (const auto& each : lines) html.element("li", {}, each);
    });
  });
  html.line();
}

void html_section(Html& html, std::string_view title, const std::vector<std::string>& lines) {
  if (lines.empty()) return;
  html.element("section", {}, [&] {
    html.element("h2", {}, title);
    html.element("ul", {{"class", "plain"}}, [&] {
      for (const auto& each : lines) html.element("li", {}, each);
    });
  });
  html.line();
}

void html_causes(Html& html, const std::vector<Cause>& causes, const CausesView& view) {
  if (causes.empty()) return;
  html.element("ol", {{"class", "causes"}}, [&] {
    bool simulated = view.in_sequence; // the fixes before this one were
    for (std::size_t index = 0; index < causes.size(); ++index) {
      const auto& each = causes[index];
      html.element(
          "li",
          {{"class", std::string(index == 0 ? "root" : "later") +
                         (each.effect == Effect::slows ? " slows" : "")},
           {"id", view.prefix + "cause-" + std::to_string(index + 1)}},
          [&] {
            cause(html, each, index == 0 ? "cause" : simulated ? "next" : "also", view.proof, view);
            if (index == 0 && !each.fix)
              html_row(html, "fix", [&] { html.element("p", {}, no_fix_words(each)); });
          });
      html.line();
      simulated = simulated && each.fix && each.fix->verified;
    }
  });
  const auto steps = std::count_if(causes.begin(), causes.end(), [](const Cause& each) {
    return each.fix && !each.fix->commands.empty();
  });
  if (view.outcome.empty() && steps < 2) return;
  html.element("div", {{"class", "after"}}, [&] {
    if (!view.outcome.empty()) html_row(html, "then", [&] { html.element("p", {}, view.outcome); });
    if (steps > 1)
      html.element("button", {{"type", "button"}, {"class", "copy-all"}, {"hidden"}},
                   "Copy all commands");
  });
  html.line();
}

} // namespace gpuwhy
