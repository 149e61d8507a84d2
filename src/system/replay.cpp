// A System that answers from a tape.
#include "system/tape_format.h"
#include "system/unavailable.h"

#include <cerrno>
#include <optional>

namespace gpuwhy {
namespace {

using Kind = Question::Kind;

class Replay final : public System {
public:
  explicit Replay(Tape tape) : tape_(std::move(tape)) {
    environment_ = reply<Environment>({.kind = Kind::environment}).value_or(Environment{});
    identity_ = reply<Identity>({.kind = Kind::identity}).value_or(Identity{});
  }

  Answer<FileStatus> status(const std::string& path) override {
    return reply<FileStatus>({.kind = Kind::status, .object = path});
  }
  Answer<FileStatus> status_of_link(const std::string& path) override {
    return reply<FileStatus>({.kind = Kind::status_of_link, .object = path});
  }
  Answer<std::string> real_path(const std::string& path) override {
    return reply<std::string>({.kind = Kind::real_path, .object = path});
  }
  Answer<std::string> read_link(const std::string& path) override {
    return reply<std::string>({.kind = Kind::read_link, .object = path});
  }
  Answer<Entries> list(const std::string& path) override {
    return reply<Entries>({.kind = Kind::list, .object = path});
  }
  Answer<std::string> read(const std::string& path, std::size_t limit) override {
    const Question question{.kind = Kind::read, .object = path, .size = limit};
    if (tape_.contains(question)) return reply<std::string>(question);
    // Asked then with another limit: its bytes, or why there are none, answer this one as well.
    for (auto at = first(Kind::read, path); belongs(at, Kind::read, path); ++at) {
      const auto* bytes = std::get_if<std::string>(&at->second);
      if (bytes != nullptr && bytes->size() <= limit) return *bytes;
      if (bytes != nullptr) {
        return unavailable(Unavailable::Kind::unsuitable,
                           path + ": larger than " + std::to_string(limit) + " bytes", EFBIG);
      }
      const auto& refusal = std::get<Unavailable>(at->second);
      if (refusal.kind != Unavailable::Kind::unsuitable) return tl::unexpected(refusal);
    }
    return reply<std::string>(question);
  }
  Answer<std::string> read_at(const std::string& path, std::uint64_t offset,
                              std::size_t size) override {
    const Question question{.kind = Kind::read_at, .object = path, .offset = offset, .size = size};
    if (tape_.contains(question)) return reply<std::string>(question);
    for (auto at = first(Kind::read_at, path); belongs(at, Kind::read_at, path); ++at) {
      if (auto part = part_of(*at, offset, size)) return *part;
    }
    return reply<std::string>(question);
  }
  Answer<bool> open_device(const std::string& path) override {
    return reply<bool>({.kind = Kind::open_device, .object = path});
  }
  const Environment& environment() override { return environment_; }
  const Identity& identity() override { return identity_; }
  Names hardware_capabilities() override {
    return reply<Names>({.kind = Kind::hardware_capabilities}).value_or(Names{});
  }
  Answer<std::string> kernel_log() override {
    return reply<std::string>({.kind = Kind::kernel_log, .object = {}});
  }
  Answer<ProcessResult> run_probe(const std::string& name, const Environment& environment,
                                  std::chrono::milliseconds) override {
    return reply<ProcessResult>(
        {.kind = Kind::run_probe, .object = name, .environment = environment});
  }

private:
  template <class T> Answer<T> reply(const Question& question) const {
    const auto found = tape_.find(question);
    if (found == tape_.end()) {
      const std::string object = question.object.empty() ? "this" : question.object;
      return unavailable(Unavailable::Kind::not_looked, object + ": is not on the tape");
    }
    if (const auto* value = std::get_if<T>(&found->second)) return *value;
    return tl::unexpected(std::get<Unavailable>(found->second));
  }

  Tape::const_iterator first(Kind kind, const std::string& path) const {
    return tape_.lower_bound({.kind = kind, .object = path});
  }
  bool belongs(Tape::const_iterator at, Kind kind, const std::string& path) const {
    return at != tape_.end() && at->first.kind == kind && at->first.object == path;
  }

  static std::optional<std::string> part_of(const Tape::value_type& recorded, std::uint64_t offset,
                                            std::size_t size) {
    const auto& [question, answer] = recorded;
    const auto* bytes = std::get_if<std::string>(&answer);
    if (bytes == nullptr || offset < question.offset) return std::nullopt;
    const std::uint64_t skip = offset - question.offset;
    const bool ends_here = bytes->size() < question.size; // it was asked for more than there was
    if (skip > bytes->size()) return std::nullopt;
    if (size > bytes->size() - skip && !ends_here) return std::nullopt;
    return bytes->substr(static_cast<std::size_t>(skip), size);
  }

  Tape tape_;
  Environment environment_;
  Identity identity_;
};

} // namespace

Result<std::unique_ptr<System>> read_tape(std::string_view text) {
  auto tape = parse_tape(text);
  if (!tape) return tl::unexpected(tape.error());
  return std::make_unique<Replay>(std::move(*tape));
}

} // namespace gpuwhy
