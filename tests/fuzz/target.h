// A fuzz target is one function over bytes. libFuzzer calls it; replay.cpp calls it in the ordinary
// tests.
#pragma once

#include "system/system.h"
#include "system/unavailable.h"

#include <cstddef>
#include <cstdint>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace gpuwhy {

/// A machine with one file, whatever path is asked for.
class OneFile : public System {
public:
  OneFile(const std::uint8_t* data, std::size_t size)
      : bytes_(reinterpret_cast<const char*>(data), size) {
    identity_.machine = "x86_64";
  }

  Answer<FileStatus> status(const std::string&) override {
    FileStatus status;
    status.size = bytes_.size();
    return status;
  }
  Answer<FileStatus> status_of_link(const std::string& path) override { return status(path); }
  Answer<std::string> real_path(const std::string& path) override { return path; }
  Answer<std::string> read_link(const std::string& path) override { return none(path); }
  Answer<std::vector<DirectoryEntry>> list(const std::string&) override {
    return std::vector<DirectoryEntry>{{"a.conf", false}, {"b", true}};
  }
  Answer<std::string> read(const std::string&, std::size_t) override { return bytes_; }
  Answer<std::string> read_at(const std::string&, std::uint64_t offset, std::size_t size) override {
    if (offset >= bytes_.size()) return std::string();
    return bytes_.substr(static_cast<std::size_t>(offset), size);
  }
  Answer<bool> open_device(const std::string& path) override { return none(path); }
  const Environment& environment() override { return environment_; }
  const Identity& identity() override { return identity_; }
  std::vector<std::string> hardware_capabilities() override { return {}; }
  Answer<std::string> kernel_log() override { return none("kernel log"); }
  Answer<ProcessResult> run_probe(const std::string& name, const Environment&,
                                  std::chrono::milliseconds) override {
    return none(name);
  }

private:
  static NoAnswer none(const std::string& object) {
    return NoAnswer(Unavailable{Unavailable::Kind::not_looked, object, 0});
  }

  std::string bytes_;
  Environment environment_;
  Identity identity_;
};

} // namespace gpuwhy
