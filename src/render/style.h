// How text for people is laid out: with or without colour, with or without letters beyond ASCII, how wide.
#pragma once

#include <cstddef>

namespace gpuwhy {

struct Style {
  bool color = false;
  bool unicode = true;
  std::size_t width = 100; // columns
};

} // namespace gpuwhy
