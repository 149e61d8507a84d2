// Fills a tape and writes it; tape.cpp is the way back.
#include "base/text.h"
#include "system/base64.h"
#include "system/tape_format.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>

namespace gpuwhy {
namespace {

using Json = nlohmann::ordered_json;
using Kind = Question::Kind;

/// Well-formed as the JSON library understands it: not overlong, no surrogate, in range.
bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned first = byte(at);
    const std::size_t length = first < 0x80                    ? 1
                               : first >= 0xc2 && first < 0xe0 ? 2
                               : first >= 0xe0 && first < 0xf0 ? 3
                               : first >= 0xf0 && first < 0xf5 ? 4
                                                               : 0;
    if (length == 0 || text.size() - at < length) return false;
    unsigned code = length == 1 ? first : first & (0xffU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
      if ((byte(at + i) & 0xc0U) != 0x80U) return false;
      code = code << 6U | (byte(at + i) & 0x3fU);
    }
    if ((length == 3 && code < 0x800) || (length == 4 && (code < 0x10000 || code > 0x10ffff)) ||
        (code >= 0xd800 && code <= 0xdfff)) {
      return false;
    }
    at += length;
  }
  return true;
}

bool in_proc(const std::string& path) {
  return normalize_path(path).starts_with("/proc/");
}

/// /proc/PID/environ: variables with a NUL after each.
bool holds_variables(const Question& question) {
  return (question.kind == Kind::read || question.kind == Kind::read_at) &&
         in_proc(question.object) && question.object.ends_with("/environ");
}

/// A file whose bytes mean something by their position. Files of procfs are text with NULs in it.
bool looks_binary(const Question& question, const std::string& bytes) {
  if (in_proc(question.object)) return false;
  if (question.offset == 0) {
    for (const std::string_view magic : {"\177ELF", "ld.so-1.", "glibc-ld.so.cache"}) {
      if (bytes.starts_with(magic)) return true;
    }
  }
  return bytes.find('\0') != std::string::npos && !is_utf8(bytes);
}

/// The JSON lines. A string that is not UTF-8 is written {"base64": "..."}.
class Writer {
public:
  Writer(const Tape& tape, const TapePolicy& policy) : tape_(tape), policy_(policy) {
    for (const auto& [question, reply] : tape_) {
      if (question.kind != Kind::read && question.kind != Kind::read_at) continue;
      const auto* bytes = std::get_if<std::string>(&reply);
      if (bytes != nullptr && looks_binary(question, *bytes)) binaries_.insert(question.object);
    }
  }

  std::string write() const {
    std::string lines = Json{{"schema", kTapeSchema}}.dump() + "\n";
    for (const auto& [question, reply] : tape_) {
      const bool variables = policy_.allow_variable && holds_variables(question);
      if (variables && question.kind == Kind::read_at) continue; // half a variable hides its name
      Json line = head(question);
      if (const auto* none = std::get_if<Unavailable>(&reply)) {
        line["unavailable"] = value(*none);
      } else if (const auto* bytes = std::get_if<std::string>(&reply)) {
        // Where a link to a binary file leads is text, as every path.
        const bool contents = question.kind == Kind::read || question.kind == Kind::read_at;
        const bool binary = contents && binaries_.contains(question.object);
        line["answer"] = variables ? text(allowed(*bytes))
                         : binary  ? raw(*bytes)
                                   : text(content(question, *bytes));
      } else {
        line["answer"] = std::visit([&](const auto& known) { return value(known); }, reply);
      }
      lines += line.dump();
      lines += '\n';
    }
    return lines;
  }

private:
  static Json raw(const std::string& bytes) {
    if (is_utf8(bytes)) return bytes;
    return Json{{"base64", encode_base64(bytes)}};
  }
  Json text(const std::string& words) const {
    return raw(policy_.redact ? policy_.redact(words) : words);
  }

  std::string content(const Question& question, const std::string& bytes) const {
    const auto kind = question.kind;
    const bool file = kind == Kind::read || kind == Kind::read_at || kind == Kind::kernel_log;
    return file && policy_.contents ? policy_.contents(question.object, bytes) : bytes;
  }
  bool may_write(std::string_view variable) const {
    return !policy_.allow_variable || policy_.allow_variable(variable);
  }
  /// Of NUL-separated assignments those that may be written.
  std::string allowed(const std::string& assignments) const {
    std::string kept;
    for (const auto assignment : split(assignments, '\0')) {
      if (assignment.empty() || !may_write(assignment.substr(0, assignment.find('=')))) continue;
      kept.append(assignment).push_back('\0');
    }
    return kept;
  }

  Json head(const Question& question) const {
    Json line{{"op", kQuestionNames[static_cast<std::size_t>(question.kind)]}};
    if (question.kind == Kind::run_probe) {
      line["probe"] = raw(question.object);
      line["environment"] = value(question.environment);
    } else if (question.kind < Kind::environment) {
      line["path"] = text(question.object);
    }
    if (question.kind == Kind::read) line["limit"] = question.size;
    if (question.kind == Kind::read_at) {
      line["offset"] = question.offset;
      line["size"] = question.size;
    }
    return line;
  }

  Json value(const Unavailable& none) const {
    return {{"kind", kReasonNames[static_cast<std::size_t>(none.kind)]},
            {"reason", text(none.reason)},
            {"error", none.error}};
  }
  static Json value(const FileStatus& status) {
    return {{"type", kTypeNames[static_cast<std::size_t>(status.type)]},
            {"size", status.size},
            {"mode", status.mode},
            {"user", status.user},
            {"group", status.group},
            {"device_major", status.device_major},
            {"device_minor", status.device_minor},
            {"device", status.device},
            {"inode", status.inode},
            {"modified", status.modified}};
  }
  Json value(const std::string& words) const { return text(words); }
  static Json value(bool flag) { return flag; }
  /// Names; a directory's ends with a slash, which no name can.
  Json value(Entries entries) const {
    if (policy_.redact) {
      for (auto& entry : entries) entry.name = policy_.redact(std::move(entry.name));
      std::sort(entries.begin(), entries.end(),
                [](const auto& left, const auto& right) { return left.name < right.name; });
    }
    Json array = Json::array();
    for (const auto& [name, directory] : entries)
      array.push_back(raw(directory ? name + "/" : name));
    return array;
  }
  Json value(const Environment& variables) const {
    Json object = Json::object();
    for (const auto& [name, content] : variables) {
      if (is_utf8(name) && may_write(name)) object[name] = text(content);
    }
    return object;
  }
  Json value(const Identity& identity) const {
    return {{"user", identity.user},
            {"groups", identity.groups},
            {"user_name", text(identity.user_name)},
            {"home", text(identity.home)},
            {"host", text(identity.host)},
            {"kernel_release", text(identity.kernel_release)},
            {"machine", text(identity.machine)},
            {"working_directory", text(identity.working_directory)}};
  }
  Json value(const Names& names) const {
    Json array = Json::array();
    for (const auto& name : names) array.push_back(text(name));
    return array;
  }
  Json value(const ProcessResult& result) const {
    return {{"exit_status", result.exit_status},
            {"signal", result.signal},
            {"timed_out", result.timed_out},
            {"output", text(result.output)},
            {"errors", text(result.errors)}};
  }

  const Tape& tape_;
  const TapePolicy& policy_;
  std::set<std::string> binaries_;
};

class Recorder final : public RecordingSystem {
public:
  Recorder(System& inner, TapePolicy policy) : inner_(inner), policy_(std::move(policy)) {}

  void write(std::ostream& out) const override { out << write_tape(tape_, policy_); }

  Answer<FileStatus> status(const std::string& path) override {
    return once<FileStatus>({.kind = Kind::status, .object = path},
                            [&] { return inner_.status(path); });
  }
  Answer<FileStatus> status_of_link(const std::string& path) override {
    return once<FileStatus>({.kind = Kind::status_of_link, .object = path},
                            [&] { return inner_.status_of_link(path); });
  }
  Answer<std::string> real_path(const std::string& path) override {
    return once<std::string>({.kind = Kind::real_path, .object = path},
                             [&] { return inner_.real_path(path); });
  }
  Answer<std::string> read_link(const std::string& path) override {
    return once<std::string>({.kind = Kind::read_link, .object = path},
                             [&] { return inner_.read_link(path); });
  }
  Answer<Entries> list(const std::string& path) override {
    return once<Entries>({.kind = Kind::list, .object = path}, [&] { return inner_.list(path); });
  }
  Answer<std::string> read(const std::string& path, std::size_t limit) override {
    return once<std::string>({.kind = Kind::read, .object = path, .size = limit},
                             [&] { return inner_.read(path, limit); });
  }
  Answer<std::string> read_at(const std::string& path, std::uint64_t offset,
                              std::size_t size) override {
    return once<std::string>(
        {.kind = Kind::read_at, .object = path, .offset = offset, .size = size},
        [&] { return inner_.read_at(path, offset, size); });
  }
  Answer<bool> open_device(const std::string& path) override {
    return once<bool>({.kind = Kind::open_device, .object = path},
                      [&] { return inner_.open_device(path); });
  }
  const Environment& environment() override {
    const auto& variables = inner_.environment();
    tape_.try_emplace({.kind = Kind::environment}, variables);
    return variables;
  }
  const Identity& identity() override {
    const auto& identity = inner_.identity();
    tape_.try_emplace({.kind = Kind::identity}, identity);
    return identity;
  }
  Names hardware_capabilities() override {
    auto names = inner_.hardware_capabilities();
    tape_.try_emplace({.kind = Kind::hardware_capabilities}, names);
    return names;
  }
  Answer<std::string> kernel_log() override {
    return once<std::string>({.kind = Kind::kernel_log}, [&] { return inner_.kernel_log(); });
  }
  Answer<ProcessResult> run_probe(const std::string& name, const Environment& environment,
                                  std::chrono::milliseconds deadline) override {
    return once<ProcessResult>(
        {.kind = Kind::run_probe, .object = name, .environment = environment},
        [&] { return inner_.run_probe(name, environment, deadline); });
  }

private:
  template <class T, class Ask> Answer<T> once(Question question, Ask ask) {
    auto known = tape_.find(question);
    if (known == tape_.end()) {
      Answer<T> answer = ask();
      Reply reply = answer ? Reply(std::move(*answer)) : Reply(std::move(answer.error()));
      known = tape_.emplace(std::move(question), std::move(reply)).first;
    }
    if (const auto* value = std::get_if<T>(&known->second)) return *value;
    return tl::unexpected(std::get<Unavailable>(known->second));
  }

  System& inner_;
  const TapePolicy policy_;
  Tape tape_;
};

} // namespace

std::string write_tape(const Tape& tape, const TapePolicy& policy) {
  return Writer(tape, policy).write();
}

std::unique_ptr<RecordingSystem> make_recording_system(System& inner, TapePolicy policy) {
  return std::make_unique<Recorder>(inner, std::move(policy));
}

} // namespace gpuwhy
