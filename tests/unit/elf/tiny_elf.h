// Writes small ELF files: a header, one PT_LOAD over the whole file, PT_DYNAMIC, strings.
#pragma once

#include <cstdint>
#include <cstring>
#include <elf.h>
#include <string>
#include <utility>
#include <vector>

namespace gpuwhy {

struct TinyElf {
  std::vector<std::pair<Elf64_Sxword, std::string>> names; // DT_NEEDED, DT_SONAME, DT_RUNPATH ...
  Elf64_Xword flags = 0;                                   // DT_FLAGS_1
  std::uint16_t machine = EM_X86_64;
  std::uint16_t type = ET_DYN;
  std::string fatbin;      // content of .nv_fatbin; empty: no section table
  std::size_t padding = 0; // bytes in front of the strings
  std::string kernels;     // content of a second PT_LOAD, behind the strings; empty: there is none
  std::uint64_t relocated = 0; // offset in the file that the one relocation changes; 0: no table

  template <class T> static void append(std::string& bytes, const T& value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof(T));
  }

  std::string bytes() const {
    constexpr std::uint64_t kAddress = 0x10000; // so that addresses are not offsets
    std::string strings(1, '\0'), dynamic;
    const std::uint16_t segments = kernels.empty() ? 2 : 3;
    const std::uint64_t start = sizeof(Elf64_Ehdr) + segments * sizeof(Elf64_Phdr);
    for (const auto& [tag, name] : names) {
      append(dynamic, Elf64_Dyn{tag, {strings.size()}});
      strings += name + '\0';
    }
    const std::uint64_t tags = relocated == 0 ? 3 : 5;
    const std::uint64_t dynamic_size = dynamic.size() + tags * sizeof(Elf64_Dyn);
    append(dynamic, Elf64_Dyn{DT_STRTAB, {kAddress + start + dynamic_size + padding}});
    if (relocated != 0) {
      append(dynamic,
             Elf64_Dyn{DT_RELA, {kAddress + start + dynamic_size + padding + strings.size()}});
      append(dynamic, Elf64_Dyn{DT_RELASZ, {sizeof(Elf64_Rela)}});
      append(strings, Elf64_Rela{kAddress + relocated, 8, 0}); // behind the strings
    }
    append(dynamic, Elf64_Dyn{DT_FLAGS_1, {flags}});
    append(dynamic, Elf64_Dyn{DT_NULL, {0}});
    const std::string body = dynamic + std::string(padding, 'p') + strings;

    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = type;
    header.e_machine = machine;
    header.e_version = EV_CURRENT;
    header.e_phoff = sizeof(Elf64_Ehdr);
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = segments;
    const std::string tail = kernels + sections(start + body.size() + kernels.size(), header);
    std::string file;
    append(file, header);
    append(file, Elf64_Phdr{PT_LOAD, PF_R, 0, kAddress, kAddress, start + body.size(),
                            start + body.size(), 4096});
    append(file, Elf64_Phdr{PT_DYNAMIC, PF_R, start, kAddress + start, kAddress + start,
                            dynamic.size(), dynamic.size(), 8});
    if (!kernels.empty()) {
      const auto at = start + body.size();
      append(file, Elf64_Phdr{PT_LOAD, PF_R | PF_W, at, kAddress + at, kAddress + at,
                              kernels.size(), kernels.size(), 4096});
    }
    return file + body + tail;
  }

private:
  std::string sections(std::uint64_t at, Elf64_Ehdr& header) const {
    if (fatbin.empty()) return {};
    const std::string names_table("\0.nv_fatbin\0.names\0", 19);
    std::string tail = fatbin + names_table;
    header.e_shoff = at + tail.size();
    header.e_shentsize = sizeof(Elf64_Shdr);
    header.e_shnum = 3;
    header.e_shstrndx = 2;
    append(tail, Elf64_Shdr{});
    append(tail, Elf64_Shdr{1, SHT_PROGBITS, 0, 0, at, fatbin.size(), 0, 0, 8, 0});
    append(tail,
           Elf64_Shdr{12, SHT_STRTAB, 0, 0, at + fatbin.size(), names_table.size(), 0, 0, 1, 0});
    return tail;
  }
};

/// An entry of a fatbin with a payload of 24 bytes.
inline std::string fatbin_entry(std::uint16_t kind, std::uint32_t architecture,
                                std::uint64_t flags = 0) {
  std::string entry;
  TinyElf::append(entry, kind);
  TinyElf::append(entry, std::uint16_t{0x0101});
  TinyElf::append(entry, std::uint32_t{64});
  TinyElf::append(entry, std::uint64_t{24});
  entry.append(12, '\0');
  TinyElf::append(entry, architecture);
  entry.append(8, '\0');
  TinyElf::append(entry, flags);
  entry.append(16 + 24, '\0');
  return entry;
}

inline std::string fatbin_container(const std::string& entries) {
  std::string container;
  TinyElf::append(container, std::uint32_t{0xBA55ED50});
  TinyElf::append(container, std::uint16_t{1});
  TinyElf::append(container, std::uint16_t{16});
  TinyElf::append(container, std::uint64_t{entries.size()});
  return container + entries;
}

} // namespace gpuwhy
