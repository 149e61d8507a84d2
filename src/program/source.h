// The text of a file as a program sees it, and the way back to what its author sees. A notebook's
// cells become one Python text in which magics are statements and shell lines are blank; each line
// remembers its cell and how it was written.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy::program {

struct Place {
  std::uint32_t cell = 0; // counted from 1; 0: not a notebook
  std::uint32_t line = 1; // in the cell, or in the file
};

/// A line that a notebook hands to a shell or to pip: "pip install tensorflow-cpu".
struct ShellLine {
  std::uint32_t line = 1; // of `Source::text`
  std::string words;
};

struct Source {
  std::string text;               // UTF-8, what is parsed
  std::vector<std::string> shown; // the lines as written
  std::vector<Place> places;      // by line of `text`, from 0; empty: a plain file
  std::vector<ShellLine> shell;
  bool verbatim = false; // `text` is the file, byte for byte
  bool colab = false;    // metadata say that it was written in Colab
  bool kaggle = false;
  std::string accelerator; // that the notebook asks Colab or Kaggle for: "gpu", "tpu", "none", in
                           // lower case; empty: its metadata name none
  std::vector<std::string> notes; // what was odd: "not UTF-8: read as Latin-1"

  Place place(std::uint32_t line) const;
  std::string_view line_text(std::uint32_t line) const;
};

/// A text file: byte order mark and encoding are settled. Fails for binary content.
Result<Source> read_text(std::string bytes);
/// A .ipynb; fails if it is not JSON of that form.
Result<Source> read_notebook(std::string_view bytes);
/// Code as a person pastes it, from a script or from a notebook's cells: magics as in a notebook.
Source read_cell(std::string_view code);

} // namespace gpuwhy::program
