// What the dynamic loader reads of an ELF file: header, program headers, dynamic section. elf(5),
// System V gABI. The file is not trusted: every offset in it may lie, and the work is bounded.
//
//   const auto image = read_elf(system, "/usr/lib/libcudnn.so.9");
//   if (image && image->refusal.empty()) use(image->soname, image->needed);
#pragma once

#include "system/system.h"

#include <optional>

namespace gpuwhy {

struct ElfImage {
  /// The loader's words for a file that it will not take ("file too short", "invalid ELF header");
  /// empty: it takes it. With a refusal the fields below are set as far as the header could be
  /// read.
  std::string refusal;
  bool refused_early = false; // before the loader looks for which processor the file is
  /// Something that the loader would trust points outside the file; it would die of it.
  std::string damage;

  int bits = 64; // of a 32-bit or big-endian file only bits, machine and type are read
  bool little_endian = true;
  std::uint16_t type = 0;    // ET_DYN ...
  std::uint16_t machine = 0; // EM_X86_64 ...
  /// Where the last segment that is mapped ends in the file: a shorter file is a truncated one.
  std::uint64_t extent = 0;

  std::string soname;
  std::vector<std::string> needed;
  /// Elements as written. An empty DT_RPATH or DT_RUNPATH gives one empty element: it names no
  /// directory, yet its presence has effects.
  std::vector<std::string> rpath;
  std::vector<std::string> runpath;
  bool no_default_lib = false; // DF_1_NODEFLIB

  std::uint64_t section_table = 0; // for find_section
  std::uint16_t section_count = 0;
  std::uint16_t section_names = 0;
};

/// Up to where the file is read or written when it is loaded: the tables of the dynamic section,
/// the places that relocations change, the first byte of each function that runs at once, and the
/// page in which a segment's zeros begin. A file that is longer than that, yet shorter than its
/// extent, is loaded without an error. Reads all relocations: for the file that was found to be
/// short.
Answer<std::uint64_t> end_of_loading(System& system, const std::string& path,
                                     const ElfImage& image);

struct ElfSection {
  std::uint64_t offset = 0; // in the file
  std::uint64_t size = 0;
};

/// Fails only if `path` cannot be read at all; whatever is wrong with its content is in the image.
/// Three or four ranges are read of an ordinary library, whatever its size.
Answer<ElfImage> read_elf(System& system, const std::string& path);

/// The section called `name` that takes room in the file; none in a file without a section table.
Answer<std::optional<ElfSection>> find_section(System& system, const std::string& path,
                                               const ElfImage& image, std::string_view name);

} // namespace gpuwhy
