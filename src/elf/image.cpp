#include "elf/image.h"

#include "base/bytes.h"
#include "base/text.h"
#include "elf/ranges.h"

#include <algorithm>
#include <array>
#include <elf.h>
#include <limits>
#include <map>

namespace gpuwhy {
namespace {

constexpr std::size_t kFirstRead = 4096;
constexpr std::size_t kMostSegments = 1024;
constexpr std::size_t kLargestDynamic = 64U << 10U;
constexpr std::size_t kMostNeeded = 1024;
constexpr std::size_t kLongestString = 256U << 10U; // TensorFlow 2.21 has a RUNPATH of 22 KiB
constexpr std::size_t kStringTail =
    2048; // room for a RUNPATH, so that it comes with its neighbours

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// The loader's own tests of a header, in its order (glibc, open_verify in elf/dl-load.c). A file
/// of the other class or processor is not refused here: in a search it is passed over.
std::string refuse_header(std::string_view head, ElfImage& image) {
  if (head.size() < sizeof(Elf64_Ehdr)) return "file too short";
  if (!head.starts_with(std::string_view(ELFMAG, SELFMAG))) return "invalid ELF header";
  const auto ident = [&](std::size_t at) { return static_cast<unsigned char>(head[at]); };
  image.bits = ident(EI_CLASS) == ELFCLASS32 ? 32 : 64;
  image.little_endian = ident(EI_DATA) != ELFDATA2MSB;
  auto number = [&](std::uint64_t offset) {
    const auto value = read_value<std::uint16_t>(bytes_of(head), offset).value_or(0);
    return image.little_endian ? value : static_cast<std::uint16_t>(value << 8U | value >> 8U);
  };
  image.type = number(offsetof(Elf64_Ehdr, e_type)); // at the same place in both classes
  image.machine = number(offsetof(Elf64_Ehdr, e_machine));
  if (image.bits == 32) return {};
  if (!image.little_endian) return "ELF file data encoding not little-endian";
  if (ident(EI_VERSION) != EV_CURRENT) {
    return "ELF file version ident does not match current one";
  }
  const auto abi = ident(EI_OSABI);
  if (abi != ELFOSABI_SYSV && abi != ELFOSABI_GNU) return "ELF file OS ABI invalid";
  return {};
}

std::string refuse_type(const Elf64_Ehdr& header) {
  if (header.e_version != EV_CURRENT) return "ELF file version does not match current one";
  if (header.e_type != ET_DYN && header.e_type != ET_EXEC) {
    return "only ET_DYN and ET_EXEC can be loaded";
  }
  if (header.e_phentsize != sizeof(Elf64_Phdr)) {
    return "ELF file's phentsize not the expected size";
  }
  return {};
}

Answer<std::vector<Elf64_Phdr>> read_segments(FileRanges& file, const Elf64_Ehdr& header) {
  const std::size_t count = std::min<std::size_t>(header.e_phnum, kMostSegments);
  const auto bytes = file.get(header.e_phoff, count * sizeof(Elf64_Phdr));
  if (!bytes) return tl::unexpected(bytes.error());
  std::vector<Elf64_Phdr> segments;
  for (std::size_t i = 0; i < count; ++i) {
    const auto segment = read_value<Elf64_Phdr>(bytes_of(*bytes), i * sizeof(Elf64_Phdr));
    if (!segment) break;
    segments.push_back(*segment);
  }
  return segments;
}

/// End of a range of the file, at most the largest number.
std::uint64_t end_of(std::uint64_t offset, std::uint64_t size) {
  const auto most = std::numeric_limits<std::uint64_t>::max();
  return size > most - offset ? most : offset + size;
}

struct Place {
  std::uint64_t offset = 0; // in the file
  std::uint64_t room = 0;   // bytes from there to the end of its segment
};

/// Where the file keeps what will be found at `address`.
std::optional<Place> translate(const std::vector<Elf64_Phdr>& segments, std::uint64_t address) {
  for (const auto& segment : segments) {
    if (segment.p_type != PT_LOAD || address < segment.p_vaddr) continue;
    const auto into = address - segment.p_vaddr;
    if (into >= segment.p_filesz || into > ~segment.p_offset) continue;
    return Place{segment.p_offset + into, segment.p_filesz - into};
  }
  return std::nullopt;
}

/// Entries of the dynamic section that say something about other files.
struct Dynamic {
  std::optional<std::uint64_t> strings;                // address
  std::optional<std::uint64_t> soname, rpath, runpath; // offsets in the strings
  std::vector<std::uint64_t> needed;
  std::uint64_t flags = 0;
};

Answer<Dynamic> read_dynamic(FileRanges& file, Place place, std::uint64_t size) {
  const auto length = std::min({size, place.room, std::uint64_t{kLargestDynamic}});
  const auto bytes = file.get(place.offset, static_cast<std::size_t>(length));
  if (!bytes) return tl::unexpected(bytes.error());
  Dynamic dynamic;
  for (std::uint64_t at = 0;; at += sizeof(Elf64_Dyn)) {
    const auto entry = read_value<Elf64_Dyn>(bytes_of(*bytes), at);
    if (!entry || entry->d_tag == DT_NULL) return dynamic;
    const auto value = entry->d_un.d_val;
    switch (entry->d_tag) {
    case DT_STRTAB: dynamic.strings = value; break;
    case DT_SONAME: dynamic.soname = value; break;
    case DT_RPATH: dynamic.rpath = value; break;
    case DT_RUNPATH: dynamic.runpath = value; break;
    case DT_FLAGS_1: dynamic.flags = value; break;
    case DT_NEEDED:
      if (dynamic.needed.size() < kMostNeeded) dynamic.needed.push_back(value);
      break;
    default: break;
    }
  }
}

/// Strings at `offsets` of the table at `table`. Neighbours are read together: the table of a large
/// library has tens of megabytes, of which a few lines are wanted. Lacks those that are not there.
Answer<std::map<std::uint64_t, std::string>> read_strings(FileRanges& file, Place table,
                                                          std::vector<std::uint64_t> offsets) {
  std::map<std::uint64_t, std::string> strings;
  std::sort(offsets.begin(), offsets.end());
  std::erase_if(offsets, [&](std::uint64_t offset) { return offset >= table.room; });
  const auto read = [&](std::uint64_t start, std::uint64_t size) {
    return file.get(table.offset + start,
                    static_cast<std::size_t>(std::min(size, table.room - start)));
  };
  for (std::size_t first = 0, last = 0; first < offsets.size(); first = last) {
    const auto start = offsets[first];
    last = first + 1;
    while (last < offsets.size() && offsets[last] - offsets[last - 1] <= kStringTail) ++last;
    const auto together = read(start, offsets[last - 1] - start + kStringTail);
    if (!together) return tl::unexpected(together.error());
    for (std::size_t i = first; i < last; ++i) {
      if (const auto text = read_c_string(bytes_of(*together), offsets[i] - start)) {
        strings.emplace(offsets[i], *text);
        continue;
      }
      const auto alone = read(offsets[i], kLongestString);
      if (!alone) return tl::unexpected(alone.error());
      if (const auto text = read_c_string(bytes_of(*alone), 0)) strings.emplace(offsets[i], *text);
    }
  }
  return strings;
}

/// Without repetitions, which the loader skips too (fillin_rpath in elf/dl-load.c).
std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> elements;
  for (const auto element : split(path, ':')) {
    if (std::find(elements.begin(), elements.end(), element) == elements.end())
      elements.emplace_back(element);
  }
  return elements;
}

Answer<bool> fill_names(FileRanges& file, const std::vector<Elf64_Phdr>& segments,
                        const Dynamic& dynamic, ElfImage& image) {
  image.no_default_lib = (dynamic.flags & DF_1_NODEFLIB) != 0;
  std::vector<std::uint64_t> wanted = dynamic.needed;
  for (const auto& offset : {dynamic.soname, dynamic.rpath, dynamic.runpath}) {
    if (offset) wanted.push_back(*offset);
  }
  if (wanted.empty()) return true;
  const auto table = dynamic.strings ? translate(segments, *dynamic.strings) : std::nullopt;
  if (!table) {
    image.damage = "its string table lies outside its segments";
    return true;
  }
  const auto strings = read_strings(file, *table, wanted);
  if (!strings) return tl::unexpected(strings.error());
  const auto text = [&](std::uint64_t offset) -> std::string {
    const auto found = strings->find(offset);
    if (found != strings->end()) return found->second;
    image.damage = "a name lies outside its string table";
    return {};
  };
  if (dynamic.soname) image.soname = text(*dynamic.soname);
  if (dynamic.rpath) image.rpath = split_path(text(*dynamic.rpath));
  if (dynamic.runpath) image.runpath = split_path(text(*dynamic.runpath));
  for (const auto offset : dynamic.needed) {
    if (auto name = text(offset); !name.empty()) image.needed.push_back(std::move(name));
  }
  return true;
}

Answer<bool> fill_from_segments(FileRanges& file, const std::vector<Elf64_Phdr>& segments,
                                ElfImage& image) {
  const Elf64_Phdr* dynamic_segment = nullptr;
  bool loadable = false;
  for (const auto& segment : segments) {
    if (segment.p_type == PT_DYNAMIC) dynamic_segment = &segment;
    if (segment.p_type != PT_LOAD) continue;
    loadable = true;
    image.extent = std::max(image.extent, end_of(segment.p_offset, segment.p_filesz));
  }
  if (!loadable)
    image.refusal = "object file has no loadable segments";
  else if (dynamic_segment == nullptr)
    image.refusal = "object file has no dynamic section";
  if (!image.refusal.empty()) return true;
  const auto place = translate(segments, dynamic_segment->p_vaddr);
  if (!place) {
    image.damage = "its dynamic section lies outside its segments";
    return true;
  }
  const auto dynamic = read_dynamic(file, *place, dynamic_segment->p_filesz);
  if (!dynamic) return tl::unexpected(dynamic.error());
  return fill_names(file, segments, *dynamic, image);
}

/// What the loader touches, entry by entry of the dynamic section.
class Reach {
public:
  Reach(System& system, const std::string& path, const std::vector<Elf64_Phdr>& segments)
      : system_(system), path_(path), segments_(segments) {}

  /// Nothing where the relocations are packed, or more than are read.
  Answer<std::optional<std::uint64_t>> run(std::string_view dynamic) {
    read_tags(bytes_of(dynamic));
    const bool too_much = tag(DT_RELASZ) > kMostRelocations || segments_.size() > kMostMapped;
    if (tag(DT_RELR) != 0 || too_much) return std::nullopt;
    for (const auto& segment : segments_) add_segment(segment);
    constexpr std::array kTables = {std::pair{DT_STRTAB, DT_STRSZ}, std::pair{DT_RELA, DT_RELASZ},
                                    std::pair{DT_JMPREL, DT_PLTRELSZ},
                                    std::pair{DT_INIT_ARRAY, DT_INIT_ARRAYSZ}};
    for (const auto& [address, size] : kTables) add(tag(address), tag(size));
    for (const auto start : {DT_SYMTAB, DT_GNU_HASH, DT_HASH, DT_VERSYM, DT_VERNEED, DT_INIT})
      add(tag(start), 1);
    for (const auto& [address, size] : {kTables[1], kTables[2]}) {
      if (const auto read = read_relocations(tag(address), tag(size)); !read)
        return tl::unexpected(read.error());
    }
    return end_;
  }

private:
  static constexpr std::uint64_t kPage = 4096;
  static constexpr std::uint64_t kMostRelocations = 64U << 20U; // bytes
  static constexpr std::size_t kMostMapped = 64;                // segments
  static constexpr std::uint64_t kTogether = 40'000 * sizeof(Elf64_Rela);

  void read_tags(std::span<const std::byte> bytes) {
    for (std::uint64_t at = 0;; at += sizeof(Elf64_Dyn)) {
      const auto entry = read_value<Elf64_Dyn>(bytes, at);
      if (!entry || entry->d_tag == DT_NULL) return;
      tags_.emplace(entry->d_tag, entry->d_un.d_val);
    }
  }
  std::uint64_t tag(Elf64_Sxword name) const {
    const auto found = tags_.find(name);
    return found == tags_.end() ? 0 : found->second;
  }

  void add(std::uint64_t address, std::uint64_t size) {
    if (address == 0 || size == 0) return;
    if (const auto place = translate(segments_, address))
      end_ = std::max(end_, end_of(place->offset, std::min(size, place->room)));
  }

  void add_segment(const Elf64_Phdr& segment) {
    const auto end = end_of(segment.p_offset, segment.p_filesz);
    if (segment.p_type == PT_DYNAMIC || segment.p_type == PT_GNU_RELRO) end_ = std::max(end_, end);
    const bool zeros = segment.p_type == PT_LOAD && segment.p_memsz > segment.p_filesz &&
                       segment.p_filesz > 0 && end % kPage != 0;
    if (zeros) end_ = std::max(end_, end - end % kPage + 1);
  }

  Answer<bool> read_relocations(std::uint64_t address, std::uint64_t size) {
    const auto place = address == 0 ? std::nullopt : translate(segments_, address);
    if (!place) return true;
    const auto length = std::min({size, place->room, kMostRelocations});
    for (std::uint64_t done = 0; done < length; done += kTogether) {
      const auto bytes =
          system_.read_at(path_, place->offset + done,
                          static_cast<std::size_t>(std::min(kTogether, length - done)));
      if (!bytes) return tl::unexpected(bytes.error());
      for (std::uint64_t at = 0;; at += sizeof(Elf64_Rela)) {
        const auto relocation = read_value<Elf64_Rela>(bytes_of(*bytes), at);
        if (!relocation) break;
        add(relocation->r_offset, sizeof(std::uint64_t));
        const auto first = tag(DT_INIT_ARRAY);
        const bool runs =
            relocation->r_offset >= first && relocation->r_offset - first < tag(DT_INIT_ARRAYSZ);
        if (runs) add(static_cast<std::uint64_t>(relocation->r_addend), 1);
      }
      if (bytes->size() < kTogether) break;
    }
    return true;
  }

  System& system_;
  const std::string& path_;
  const std::vector<Elf64_Phdr>& segments_;
  std::map<Elf64_Sxword, std::uint64_t> tags_;
  std::uint64_t end_ = 0;
};

} // namespace

Answer<std::uint64_t> end_of_loading(System& system, const std::string& path,
                                     const ElfImage& image) {
  FileRanges file(system, path);
  const auto head = file.get(0, kFirstRead);
  if (!head) return tl::unexpected(head.error());
  const auto header = read_value<Elf64_Ehdr>(bytes_of(*head), 0);
  if (!header) return image.extent;
  const auto segments = read_segments(file, *header);
  if (!segments) return tl::unexpected(segments.error());
  for (const auto& segment : *segments) {
    if (segment.p_type != PT_DYNAMIC) continue;
    const auto place = translate(*segments, segment.p_vaddr);
    if (!place) return image.extent;
    const auto size = std::min({segment.p_filesz, place->room, std::uint64_t{kLargestDynamic}});
    const auto dynamic = file.get(place->offset, static_cast<std::size_t>(size));
    if (!dynamic) return tl::unexpected(dynamic.error());
    if (dynamic->size() < size) return image.extent; // the loader reads it first of all
    const auto touched = Reach(system, path, *segments).run(*dynamic);
    if (!touched) return tl::unexpected(touched.error());
    return touched->value_or(image.extent);
  }
  return image.extent;
}

Answer<ElfImage> read_elf(System& system, const std::string& path) {
  FileRanges file(system, path);
  const auto head = file.get(0, kFirstRead);
  if (!head) return tl::unexpected(head.error());
  ElfImage image;
  image.refusal = refuse_header(*head, image);
  image.refused_early = !image.refusal.empty();
  if (image.refused_early || image.bits == 32) return image;
  const auto header = read_value<Elf64_Ehdr>(bytes_of(*head), 0);
  image.refusal = refuse_type(*header);
  if (!image.refusal.empty()) return image;
  image.section_table = header->e_shoff;
  image.section_count = header->e_shentsize == sizeof(Elf64_Shdr) ? header->e_shnum : 0;
  image.section_names = header->e_shstrndx;

  const auto segments = read_segments(file, *header);
  if (!segments) return tl::unexpected(segments.error());
  if (segments->size() < std::min<std::size_t>(header->e_phnum, kMostSegments)) {
    image.refusal = "cannot read file data";
    return image;
  }
  if (auto filled = fill_from_segments(file, *segments, image); !filled) {
    return tl::unexpected(filled.error());
  }
  return image;
}

Answer<std::optional<ElfSection>> find_section(System& system, const std::string& path,
                                               const ElfImage& image, std::string_view name) {
  const std::size_t count = image.section_count;
  if (image.section_table == 0 || image.section_names >= count) return std::nullopt;
  FileRanges file(system, path);
  const auto table = file.get(image.section_table, count * sizeof(Elf64_Shdr));
  if (!table) return tl::unexpected(table.error());
  const auto section = [&](std::size_t index) {
    return read_value<Elf64_Shdr>(bytes_of(*table), index * sizeof(Elf64_Shdr));
  };
  const auto strings = section(image.section_names);
  if (!strings) return std::nullopt;
  constexpr std::uint64_t kLargestNames = 1U << 20U;
  const auto names = file.get(strings->sh_offset,
                              static_cast<std::size_t>(std::min(strings->sh_size, kLargestNames)));
  if (!names) return tl::unexpected(names.error());
  for (std::size_t index = 0; index < count; ++index) {
    const auto found = section(index);
    if (!found) break;
    if (found->sh_type == SHT_NOBITS || found->sh_type == SHT_NULL) continue;
    if (read_c_string(bytes_of(*names), found->sh_name) == name) {
      return ElfSection{found->sh_offset, found->sh_size};
    }
  }
  return std::nullopt;
}

} // namespace gpuwhy
