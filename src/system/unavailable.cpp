#include "system/unavailable.h"

#include <cerrno>
#include <cstring>

namespace gpuwhy {
namespace {

Unavailable::Kind kind_of(int error) {
  switch (error) {
  case ENOENT:
  case ENOTDIR: return Unavailable::Kind::absent;
  case EACCES:
  case EPERM: return Unavailable::Kind::unreadable;
  default: return Unavailable::Kind::failed;
  }
}

} // namespace

NoAnswer unavailable(Unavailable::Kind kind, std::string reason, int error) {
  return NoAnswer(Unavailable{kind, std::move(reason), error});
}

NoAnswer unavailable(const std::string& object, int error) {
  // Not strerror(): that one may translate, and may share its buffer between threads.
  const char* words = strerrordesc_np(error);
  return unavailable(kind_of(error),
                     object + ": " + (words ? words : "error " + std::to_string(error)), error);
}

} // namespace gpuwhy
