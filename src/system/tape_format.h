// What is on a tape: recording.cpp fills and writes it, tape.cpp reads it, replay.cpp answers from
// it.
#pragma once

#include "system/tape.h"

#include <array>
#include <compare>
#include <variant>

namespace gpuwhy {

struct Question {
  enum class Kind {
    status,
    status_of_link,
    real_path,
    read_link,
    list,
    read,
    read_at,
    open_device,
    environment,
    identity,
    hardware_capabilities,
    kernel_log,
    run_probe,
  };
  Kind kind = Kind::status;
  std::string object = {};      // a path, or the name of a probe
  std::uint64_t offset = 0;     // of read_at
  std::uint64_t size = 0;       // of read_at; the limit of read
  Environment environment = {}; // of run_probe

  auto operator<=>(const Question&) const = default;
};

inline constexpr std::string_view kTapeSchema = "gpuwhy.tape/1";
// The words on the tape, in the order of the enumerations.
inline constexpr std::array<std::string_view, 13> kQuestionNames{"status",
                                                                 "status_of_link",
                                                                 "real_path",
                                                                 "read_link",
                                                                 "list",
                                                                 "read",
                                                                 "read_at",
                                                                 "open_device",
                                                                 "environment",
                                                                 "identity",
                                                                 "hardware_capabilities",
                                                                 "kernel_log",
                                                                 "run_probe"};
inline constexpr std::array<std::string_view, 7> kTypeNames{
    "regular", "directory", "link", "fifo", "socket", "character_device", "block_device"};
inline constexpr std::array<std::string_view, 5> kReasonNames{"absent", "unreadable", "unsuitable",
                                                              "failed", "not_looked"};

using Names = std::vector<std::string>;
using Entries = std::vector<DirectoryEntry>;
using Reply = std::variant<Unavailable, FileStatus, std::string, Entries, bool, Environment,
                           Identity, Names, ProcessResult>;

using Tape = std::map<Question, Reply>;

std::string write_tape(const Tape& tape, const TapePolicy& policy);
Result<Tape> parse_tape(std::string_view text);

} // namespace gpuwhy
