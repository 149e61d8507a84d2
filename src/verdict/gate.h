// The route to the GPU: gates in the order in which a program meets them.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace gpuwhy {

enum class Gate {
  hardware,
  driver,
  access,
  libcuda,
  program,
  build,
  libraries,
  architecture,
  visibility,
  code,
  capacity,
  use,
};

struct GateText {
  Gate gate;
  std::string_view name;
  std::string_view question;
};

inline constexpr std::array<GateText, 12> kGates = {{
    {Gate::hardware, "hardware", "is there a GPU that a framework can use?"},
    {Gate::driver, "driver", "is its kernel driver loaded, and does it match its libraries?"},
    {Gate::access, "access", "may this process open it?"},
    {Gate::libcuda, "libcuda", "is the real libcuda.so.1 found, does it start, is it new enough?"},
    {Gate::program, "program", "which interpreter and environment run this program?"},
    {Gate::build, "build", "can the installed framework build use a GPU here?"},
    {Gate::libraries, "libraries", "will every CUDA library that this build opens be found?"},
    {Gate::architecture, "architecture", "does the build carry code for this GPU?"},
    {Gate::visibility, "visibility", "does an environment variable hide the GPU?"},
    {Gate::code, "code", "does the program itself keep work off the GPU?"},
    {Gate::capacity, "capacity", "is there memory, is the compute mode open?"},
    {Gate::use, "use", "seen running: how well is the GPU used?"},
}};

constexpr std::string_view name_of(Gate gate) {
  return kGates[static_cast<std::size_t>(gate)].name;
}

} // namespace gpuwhy
