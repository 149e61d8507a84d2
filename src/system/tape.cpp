// Reads the JSON form of a tape, which anybody may have written.
#include "base/text.h"
#include "system/base64.h"
#include "system/tape_format.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace gpuwhy {
namespace {

using Json = nlohmann::ordered_json;
using Kind = Question::Kind;

/// Fields of one line. The first that does not fit is remembered, and everything after it is a
/// default.
class Reader {
public:
  const std::string& problem() const { return problem_; }
  bool complain(std::string_view name, std::string_view expected) {
    if (problem_.empty())
      problem_ = "\"" + std::string(name) + "\" is not " + std::string(expected);
    return false;
  }

  const Json& field(const Json& object, const char* name) {
    static const Json kNothing;
    const auto found = object.is_object() ? object.find(name) : object.end();
    return object.is_object() && found != object.end() ? *found : kNothing;
  }

  std::string text(const Json& object, const char* name) {
    return text_of(field(object, name), name);
  }
  std::string text_of(const Json& value, std::string_view name) {
    if (value.is_string()) return value.get<std::string>();
    if (const auto& coded = field(value, "base64"); coded.is_string()) {
      if (auto bytes = decode_base64(coded.get_ref<const std::string&>())) return std::move(*bytes);
    }
    complain(name, "text");
    return {};
  }
  template <class T> T number(const Json& object, const char* name) {
    return number_of<T>(field(object, name), name);
  }
  template <class T> T number_of(const Json& value, std::string_view name) {
    // The library keeps numbers that are not negative as unsigned, and would convert without a
    // word.
    if (value.is_number_unsigned()) {
      if (const auto number = value.get<std::uint64_t>(); std::in_range<T>(number))
        return static_cast<T>(number);
    } else if (value.is_number_integer()) {
      if (const auto number = value.get<std::int64_t>(); std::in_range<T>(number))
        return static_cast<T>(number);
    }
    complain(name, "a number that fits");
    return {};
  }
  bool flag(const Json& object, const char* name) { return flag_of(field(object, name), name); }
  bool flag_of(const Json& value, std::string_view name) {
    return value.is_boolean() ? value.get<bool>() : complain(name, "true or false");
  }
  template <class Enum, std::size_t N>
  Enum one_of(const Json& object, const char* name, const std::array<std::string_view, N>& names) {
    const auto word = text(object, name);
    const auto found = std::find(names.begin(), names.end(), word);
    if (found == names.end()) complain(name, "a word that this gpuwhy knows");
    return static_cast<Enum>(found == names.end() ? 0 : found - names.begin());
  }
  template <class Take> void each(const Json& array, std::string_view name, Take take) {
    if (!array.is_array()) complain(name, "a list");
    if (array.is_array()) std::for_each(array.begin(), array.end(), take);
  }

  Environment environment(const Json& object) {
    Environment variables;
    if (!object.is_object()) complain("environment", "an object");
    if (object.is_object()) {
      for (const auto& [name, value] : object.items()) variables[name] = text_of(value, name);
    }
    return variables;
  }

private:
  std::string problem_;
};

Question read_question(Reader& reader, const Json& line) {
  Question question{.kind = reader.one_of<Kind>(line, "op", kQuestionNames)};
  if (question.kind == Kind::run_probe) {
    question.object = reader.text(line, "probe");
    question.environment = reader.environment(reader.field(line, "environment"));
  } else if (question.kind < Kind::environment) {
    question.object = reader.text(line, "path");
  }
  if (question.kind == Kind::read) question.size = reader.number<std::uint64_t>(line, "limit");
  if (question.kind == Kind::read_at) {
    question.offset = reader.number<std::uint64_t>(line, "offset");
    question.size = reader.number<std::uint64_t>(line, "size");
  }
  return question;
}

FileStatus read_status(Reader& reader, const Json& object) {
  FileStatus status;
  status.type = reader.one_of<FileStatus::Type>(object, "type", kTypeNames);
  status.size = reader.number<std::uint64_t>(object, "size");
  status.mode = reader.number<std::uint32_t>(object, "mode");
  status.user = reader.number<std::uint32_t>(object, "user");
  status.group = reader.number<std::uint32_t>(object, "group");
  status.device_major = reader.number<std::uint32_t>(object, "device_major");
  status.device_minor = reader.number<std::uint32_t>(object, "device_minor");
  status.device = reader.number<std::uint64_t>(object, "device");
  status.inode = reader.number<std::uint64_t>(object, "inode");
  status.modified = reader.number<std::int64_t>(object, "modified");
  return status;
}

Identity read_identity(Reader& reader, const Json& object) {
  Identity identity;
  identity.user = reader.number<std::uint32_t>(object, "user");
  reader.each(reader.field(object, "groups"), "groups", [&](const Json& group) {
    identity.groups.push_back(reader.number_of<std::uint32_t>(group, "groups"));
  });
  identity.user_name = reader.text(object, "user_name");
  identity.home = reader.text(object, "home");
  identity.host = reader.text(object, "host");
  identity.kernel_release = reader.text(object, "kernel_release");
  identity.machine = reader.text(object, "machine");
  identity.working_directory = reader.text(object, "working_directory");
  return identity;
}

Reply read_reply(Reader& reader, Kind kind, const Json& line) {
  if (const auto& none = reader.field(line, "unavailable"); !none.is_null()) {
    return Unavailable{reader.one_of<Unavailable::Kind>(none, "kind", kReasonNames),
                       reader.text(none, "reason"), reader.number<int>(none, "error")};
  }
  const auto& answer = reader.field(line, "answer");
  Names names;
  Entries entries;
  switch (kind) {
  case Kind::status:
  case Kind::status_of_link: return read_status(reader, answer);
  case Kind::list:
    reader.each(answer, "answer", [&](const Json& item) {
      auto name = reader.text_of(item, "answer");
      const bool directory = name.ends_with('/');
      if (directory) name.pop_back();
      entries.push_back({std::move(name), directory});
    });
    return entries;
  case Kind::open_device: return reader.flag_of(answer, "answer");
  case Kind::environment: return reader.environment(answer);
  case Kind::identity: return read_identity(reader, answer);
  case Kind::hardware_capabilities:
    reader.each(answer, "answer",
                [&](const Json& item) { names.push_back(reader.text_of(item, "answer")); });
    return names;
  case Kind::run_probe:
    return ProcessResult{reader.number<int>(answer, "exit_status"),
                         reader.number<int>(answer, "signal"), reader.flag(answer, "timed_out"),
                         reader.text(answer, "output"), reader.text(answer, "errors")};
  case Kind::real_path:
  case Kind::read_link:
  case Kind::read:
  case Kind::read_at:
  case Kind::kernel_log: break;
  }
  return reader.text_of(answer, "answer");
}

Result<Json> parse_line(std::string_view line, std::size_t number) {
  try {
    return Json::parse(line);
  } catch (const nlohmann::json::parse_error& error) {
    return fail("tape line " + std::to_string(number) + ", column " + std::to_string(error.byte) +
                ": broken JSON");
  } catch (const nlohmann::json::exception&) { // a number beyond every range
    return fail("tape line " + std::to_string(number) + ", column 1: a value that does not fit");
  }
}

/// Why this is not the first line of a tape that we can read; empty if it is.
std::string wrong_header(const Json& line) {
  Reader reader;
  const auto schema = reader.text(line, "schema");
  if (schema == kTapeSchema) return {};
  if (schema.starts_with("gpuwhy.tape/")) {
    return "tape: written as " + printable(schema) + ", this gpuwhy reads " +
           std::string(kTapeSchema);
  }
  return "tape line 1, column 1: not a gpuwhy tape, which begins {\"schema\":\"" +
         std::string(kTapeSchema) + "\"}";
}

} // namespace

Result<Tape> parse_tape(std::string_view text) {
  Tape tape;
  const auto lines = split_lines(text);
  if (lines.empty()) return fail(wrong_header(Json()));
  for (std::size_t at = 0; at < lines.size(); ++at) {
    if (at > 0 && trim(lines[at]).empty()) continue;
    const auto line = parse_line(lines[at], at + 1);
    if (!line) return tl::unexpected(line.error());
    if (at == 0) {
      if (auto problem = wrong_header(*line); !problem.empty()) return fail(std::move(problem));
      continue;
    }
    Reader reader;
    auto question = read_question(reader, *line);
    auto reply = read_reply(reader, question.kind, *line);
    if (!reader.problem().empty()) {
      return fail("tape line " + std::to_string(at + 1) +
                  ", column 1: " + printable(reader.problem()));
    }
    tape.try_emplace(std::move(question), std::move(reply));
  }
  return tape;
}

} // namespace gpuwhy
