#include "elf/library.h"

#include "base/text.h"
#include "elf/image.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <elf.h>

namespace gpuwhy {
namespace {

struct Machine {
  std::uint16_t number;
  std::string_view kernel_name; // uname -m
  std::string_view title;
};

constexpr auto kMachines = std::to_array<Machine>({
    {EM_X86_64, "x86_64", "x86-64"},
    {EM_AARCH64, "aarch64", "AArch64"},
    {EM_386, "i686", "Intel 80386"},
    {EM_ARM, "armv7l", "ARM"},
    {EM_PPC64, "ppc64le", "PowerPC64"},
    {EM_S390, "s390x", "S/390"},
    {EM_RISCV, "riscv64", "RISC-V"},
    {EM_MIPS, "mips64", "MIPS"},
});

std::string describe(const ElfImage& image) {
  const auto* machine = std::find_if(kMachines.begin(), kMachines.end(), [&](const Machine& known) {
    return known.number == image.machine;
  });
  const std::string title = machine != kMachines.end() ? std::string(machine->title)
                                                       : "machine " + std::to_string(image.machine);
  return "ELF " + std::to_string(image.bits) + "-bit " + title;
}

/// True if unsure: a machine name that we do not know proves nothing about a file.
bool runs_on(const ElfImage& image, std::string_view kernel_name) {
  const auto* machine = std::find_if(kMachines.begin(), kMachines.end(), [&](const Machine& known) {
    return known.kernel_name == kernel_name;
  });
  return machine == kMachines.end() || machine->number == image.machine;
}

/// What stands where a library should be. The usual ways for that to happen are worth a name.
std::string describe_content(std::string_view head) {
  struct Kind {
    std::string_view start, title;
  };
  constexpr auto kKinds = std::to_array<Kind>({
      {"version https://git-lfs", "a git-lfs pointer: the file itself was never downloaded"},
      {"/* GNU ld script", "a linker script"},
      {"OUTPUT_FORMAT", "a linker script"},
      {"INPUT", "a linker script"},
      {"GROUP", "a linker script"},
      {"<!doctype html", "an HTML page"},
      {"<html", "an HTML page"},
      {"<?xml", "an XML document"},
      {"!<arch>", "a static archive"},
      {"PK\x03\x04", "a zip archive"},
      {"\x1f\x8b", "gzip data"},
      {"\xfd"
       "7zXZ",
       "xz data"},
      {"\x28\xb5\x2f\xfd", "zstd data"},
      {"MZ", "a Windows program"},
      {"#!", "a script"},
  });
  if (head.find_first_not_of('\0') == std::string_view::npos) return "zero bytes";
  const auto text = trim(head);
  const auto folded = lower(text.substr(0, 64));
  for (const auto& kind : kKinds) {
    if (text.starts_with(kind.start) || folded.starts_with(kind.start)) {
      return std::string(kind.title);
    }
  }
  const bool plain = std::all_of(text.begin(), text.end(), [](char letter) {
    return (letter >= ' ' && letter <= '~') || letter == '\n' || letter == '\t' || letter == '\r';
  });
  return plain ? "plain text" : "not an ELF file";
}

std::string special_title(FileStatus::Type type) {
  if (type == FileStatus::Type::fifo) return "a FIFO";
  if (type == FileStatus::Type::socket) return "a socket";
  return "a device";
}

void mark(LibraryFile& file, LibraryFile::Status status, std::string detail) {
  file.status = status;
  file.detail = std::move(detail);
}

/// There is no status: a broken link, no permission, or something that we cannot name.
void mark_unreachable(System& system, LibraryFile& file, const Unavailable& why) {
  using Kind = Unavailable::Kind;
  if (why.error == ELOOP) return mark(file, LibraryFile::Status::dangling, "a loop of links");
  if (why.kind != Kind::absent) return mark(file, LibraryFile::Status::unreadable, why.reason);
  const auto target = system.read_link(file.path);
  mark(file, LibraryFile::Status::dangling,
       target ? "points to " + *target + ", which is missing" : why.reason);
}

void fill_from_image(LibraryFile& file, ElfImage image) {
  file.soname = std::move(image.soname);
  file.needed = std::move(image.needed);
  // An empty RUNPATH names no directory, yet the loader drops the RPATH beside it.
  file.rpath = std::move(image.rpath);
  file.runpath = std::move(image.runpath);
  file.no_default_lib = image.no_default_lib;
}

void examine_content(System& system, LibraryFile& file) {
  using Status = LibraryFile::Status;
  auto image = read_elf(system, file.path);
  if (!image) return mark(file, Status::unreadable, image.error().reason);
  if (image->refusal == "file too short") {
    return mark(file, Status::too_short, std::to_string(file.size) + " bytes");
  }
  if (image->refusal == "invalid ELF header") {
    return mark(file, Status::not_elf,
                describe_content(system.read_at(file.path, 0, 512).value_or(std::string())));
  }
  if (image->bits == 32) return mark(file, Status::wrong_class, describe(*image));
  if (!image->refused_early && !runs_on(*image, system.identity().machine)) {
    return mark(file, Status::wrong_machine, describe(*image));
  }
  if (!image->refusal.empty()) return mark(file, Status::not_elf, image->refusal);
  if (file.size < image->extent) {
    const auto touched = end_of_loading(system, file.path, *image);
    const bool loads = image->damage.empty() && touched && file.size >= *touched;
    mark(file, loads ? Status::incomplete : Status::truncated,
         std::to_string(file.size) + " of at least " + std::to_string(image->extent) + " bytes");
  } else if (!image->damage.empty()) {
    mark(file, Status::truncated, image->damage);
  }
  fill_from_image(file, std::move(*image));
}

} // namespace

std::optional<std::string> version_in_file_name(std::string_view name) {
  const auto suffix = name.find(".so.");
  if (suffix == std::string_view::npos) return std::nullopt;
  const auto version = name.substr(suffix + 4);
  const auto parts = split(version, '.');
  const bool numbers = std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
    return to_number(part).has_value();
  });
  if (parts.size() < 2 || !numbers) return std::nullopt;
  // WSL calls its driver library libcuda.so.1.1, which is not a driver version.
  if (version == "1.1") return std::nullopt;
  return std::string(version);
}

LibraryFile classify_library(System& system, const std::string& path) {
  using Status = LibraryFile::Status;
  LibraryFile file;
  file.path = path;
  const auto status = system.status(path);
  if (!status) {
    mark_unreachable(system, file, status.error());
    return file;
  }
  file.size = status->size;
  file.identity = std::to_string(status->device) + ":" + std::to_string(status->inode);
  file.real_path = system.real_path(path).value_or(std::string());
  if (status->type == FileStatus::Type::directory) {
    mark(file, Status::directory, "a directory");
  } else if (status->type != FileStatus::Type::regular) {
    mark(file, Status::special, special_title(status->type));
  } else {
    examine_content(system, file);
  }
  const auto version =
      version_in_file_name(base_name(file.real_path.empty() ? path : file.real_path));
  file.version = version ? Fact<std::string>::known(*version, {file.real_path, 0})
                         : Fact<std::string>::absent({path, 0}, "its file name holds no version");
  return file;
}

} // namespace gpuwhy
