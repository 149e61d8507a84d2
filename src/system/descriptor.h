// Owns one file descriptor.
#pragma once

#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace gpuwhy {

class Descriptor {
public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() { reset(); }

  explicit operator bool() const { return number_ >= 0; }
  int get() const { return number_; }
  int release() { return std::exchange(number_, -1); }
  void reset() {
    if (number_ >= 0) ::close(number_);
    number_ = -1;
  }
  /// Moves it out of the way of stdin, stdout and stderr, which a caller may have started us
  /// without.
  void keep_above_standard() {
    if (number_ < 0 || number_ > STDERR_FILENO) return;
    Descriptor low(std::exchange(number_, -1));
    number_ = ::fcntl(low.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  }

private:
  int number_ = -1;
};

} // namespace gpuwhy
