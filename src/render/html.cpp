#include "render/html.h"

#include "base/text.h"
#include "render/style.h"

namespace gpuwhy {
namespace {

/// Also fit for a quoted attribute.
void append_escaped(std::string& to, std::string_view text) {
  for (const char letter : text) {
    switch (letter) {
    case '&': to += "&amp;"; break;
    case '<': to += "&lt;"; break;
    case '>': to += "&gt;"; break;
    case '"': to += "&quot;"; break;
    case '\'': to += "&#39;"; break;
    default: to += letter;
    }
  }
}

} // namespace

void Html::call(std::string path, std::string_view name) {
  names_.emplace_back(std::move(path), name);
}

void Html::text(std::string_view text) {
  append_escaped(html_, printable(text));
}

void Html::words(std::string_view text) {
  auto named = printable(text);
  for (const auto& [path, name] : names_) named = with_name_for(named, path, name);
  append_escaped(html_, named);
}

void Html::element(std::string_view tag, const Attributes& attributes, std::string_view sentence) {
  open(tag, attributes);
  words(sentence);
  close(tag);
}

void Html::open(std::string_view tag, const Attributes& attributes) {
  html_.append("<").append(tag);
  for (const auto& [name, value] : attributes) {
    html_.append(" ").append(name);
    if (value.empty()) continue;
    html_ += "=\"";
    append_escaped(html_, printable(value));
    html_ += '"';
  }
  html_ += '>';
}

void Html::close(std::string_view tag) {
  html_.append("</").append(tag).append(">");
}

void Html::asset(std::string_view tag, std::string_view bytes) {
  open(tag, {});
  html_.append(bytes);
  close(tag);
}

void Html::data(std::string_view id, std::string_view json) {
  open("script", {{"type", "application/json"}, {"id", std::string(id)}});
  for (const char letter : json) {
    switch (letter) { // these stand in JSON's strings alone
    case '<': html_ += "\\u003c"; break;
    case '>': html_ += "\\u003e"; break;
    case '&': html_ += "\\u0026"; break;
    default: html_ += letter;
    }
  }
  close("script");
}

} // namespace gpuwhy
