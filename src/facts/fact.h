// A value that was observed, or the reason why there is none.
//
//   Fact<Version> module = Fact<Version>::known(version, {"/proc/driver/nvidia/version", 1});
//   if (const auto* v = module.get()) ...       // known
//   if (module.absent()) ...                    // looked, and it is not there
//   module.reason()                             // why it is absent or unknown, for a person
//
// "Not looked" and "unknown" never make a rule fire: only "known" and "absent" are evidence.
#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <utility>

namespace gpuwhy {

/// Where something was seen: a path, "$NAME" for an environment variable, or "probe nvml".
struct Source {
  std::string where;
  int line = 0; // 1 is the first; 0 = the whole

  bool operator==(const Source&) const = default;
  std::string str() const { return line > 0 ? where + ":" + std::to_string(line) : where; }
};

template <class T> class Fact {
public:
  enum class State { not_looked, unknown, absent, known };

  Fact() = default; // not looked
  static Fact known(T value, Source source = {}) {
    Fact fact(State::known, {}, std::move(source));
    fact.value_ = std::move(value);
    return fact;
  }
  static Fact absent(Source source, std::string reason = {}) {
    return Fact(State::absent, std::move(reason), std::move(source));
  }
  static Fact unknown(std::string reason, Source source = {}) {
    return Fact(State::unknown, std::move(reason), std::move(source));
  }

  State state() const { return state_; }
  bool known() const { return state_ == State::known; }
  bool absent() const { return state_ == State::absent; }
  /// Neither known nor absent: nothing may be concluded.
  bool open() const { return !known() && !absent(); }
  const T& value() const {
    assert(known());
    return *value_;
  }
  T& value() {
    assert(known());
    return *value_;
  }
  const T* get() const { return known() ? &*value_ : nullptr; }
  T* get() { return known() ? &*value_ : nullptr; }
  T value_or(T fallback) const { return known() ? *value_ : std::move(fallback); }
  const std::string& reason() const { return reason_; }
  const Source& source() const { return source_; }

private:
  Fact(State state, std::string reason, Source source)
      : state_(state), reason_(std::move(reason)), source_(std::move(source)) {}

  State state_ = State::not_looked;
  std::optional<T> value_;
  std::string reason_;
  Source source_;
};

} // namespace gpuwhy
