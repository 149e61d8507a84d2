// The commands that start the runs of a text, and which of them are there for comparison only.
#pragma once

#include "explain/reading.h"

#include <string_view>

namespace gpuwhy::explain {

/// As it was typed; empty where the text does not show it.
std::string_view command_of(const View& text, int run);

/// The command itself keeps the program on the processor: a variable before it, or a switch.
bool chooses_processor(std::string_view command);

/// A run on the processor of a program that the text starts without that choice, too: what it says
/// of the GPU is what was asked for.
bool for_comparison(const View& text, int run);
/// The same of all runs in which the message was seen.
bool for_comparison(const View& text, const Sighting& seen);

} // namespace gpuwhy::explain
