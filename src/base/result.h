// Errors are values here. `Result<T>` is a T or an Error; an ignored result is a compiler warning.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace gpuwhy {

/// What went wrong, in one line that a user can act on: the object first, lower case, no full stop.
struct Error {
  std::string message;
};

template <class T> using Result = tl::expected<T, Error>;

/// `return fail("PATH: not an ELF file");`
inline tl::unexpected<Error> fail(std::string message) {
  return tl::unexpected<Error>(Error{std::move(message)});
}

} // namespace gpuwhy
