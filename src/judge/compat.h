// Releases against machines, from the tables of releases; for one that is newer than they are, from
// what is installed. Pure.
#pragma once

#include "base/result.h"
#include "facts/facts.h"
#include "verdict/compat.h"

#include <string_view>

namespace gpuwhy {

/// "tensorflow==2.16", "jax", "torch==2.6+cu126". Fails for what is no such specification.
Result<Compat> needs_of(const Facts& facts, std::string_view specification);

/// What can work on this machine: each framework for each Python that was found.
Compat compatible_here(const Facts& facts);

} // namespace gpuwhy
