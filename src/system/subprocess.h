// Runs a program that may hang, crash, flood or fork, and always comes back soon after the
// deadline.
//
// The child gets /dev/null as stdin, no descriptor of ours but its two pipes, default signals, a
// session of its own, no core dump, and SIGKILL should we die first. Whatever it leaves behind in
// its process group is killed. A descendant that makes a session of its own escapes that; it cannot
// hold us, though.
#pragma once

#include "system/system.h"

#include <span>

namespace gpuwhy {

class Child; // system/child.h

/// What a child process of ours is started with.
struct ChildCommand {
  std::vector<std::string> arguments; // argv, with the name the program shall see first
  Environment environment;            // exactly this
  std::chrono::milliseconds deadline{};
  std::size_t output_limit = 64U << 10U; // bytes kept of stdout, and of stderr
};

enum class ImagePlace { memory_or_file, file };

/// Runs an ELF executable that is held in memory, through memfd_create(2). Where that is forbidden,
/// from a private file that is removed once the program has started. An Answer without value: never
/// started.
Answer<ProcessResult> run_image(const std::string& name, std::span<const std::byte> image,
                                const ChildCommand& command,
                                ImagePlace place = ImagePlace::memory_or_file);

/// Starts it and comes back once it runs. `command.deadline` bounds the start, not the run: the
/// program ends with the Child.
Answer<std::unique_ptr<Child>> start_image(const std::string& name,
                                           std::span<const std::byte> image,
                                           const ChildCommand& command,
                                           ImagePlace place = ImagePlace::memory_or_file);

/// Runs the executable at `path`; PATH is not searched.
Answer<ProcessResult> run_executable(const std::string& path, const ChildCommand& command);

} // namespace gpuwhy
