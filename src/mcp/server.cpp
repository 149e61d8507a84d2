#include "mcp/server.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace gpuwhy::mcp {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kRevision = "2026-07-28"; // each request names it in params._meta
constexpr std::array<std::string_view, 4> kHandshakeRevisions{"2024-11-05", "2025-03-26",
                                                              "2025-06-18", "2025-11-25"};
constexpr const char* kRevisionKey = "io.modelcontextprotocol/protocolVersion";
constexpr const char* kCapabilitiesKey = "io.modelcontextprotocol/clientCapabilities";
constexpr const char* kServerKey = "io.modelcontextprotocol/serverInfo";

enum Code {
  kParseError = -32700,
  kInvalidRequest = -32600,
  kNoSuchMethod = -32601,
  kInvalidParameters = -32602,
  kUnsupportedRevision = -32022,
};

constexpr std::string_view kInstructions =
    "gpuwhy tells why a program with Keras, TensorFlow, JAX or PyTorch does not use the GPU. Ask "
    "'check' first: it looks at this machine and names the root cause and a fix. 'explain' reads a "
    "log or error that a person pasted, 'lint' reads their code, 'rule' explains one cause by its "
    "id. Nothing is changed on the machine.";

std::string line_of(const Json& message) {
  return message.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string error(const Json& id, Code code, const std::string& message, Json data = nullptr) {
  Json what{{"code", static_cast<int>(code)}, {"message", message}};
  if (!data.is_null()) what["data"] = std::move(data);
  return line_of({{"jsonrpc", "2.0"}, {"id", id}, {"error", std::move(what)}});
}

Json server_info() {
  return {{"name", "gpuwhy"}, {"title", "gpuwhy"}, {"version", GPUWHY_VERSION}};
}

Json schema_of(const std::vector<Parameter>& parameters) {
  Json properties = Json::object();
  Json required = Json::array();
  for (const auto& parameter : parameters) {
    Json property{{"description", parameter.description}};
    Json text{{"type", "string"}};
    if (!parameter.choices.empty()) text["enum"] = parameter.choices;
    if (parameter.several) {
      property["type"] = "array";
      property["items"] = std::move(text);
    } else {
      property.update(text);
    }
    properties[parameter.name] = std::move(property);
    if (parameter.required) required.push_back(parameter.name);
  }
  Json schema{{"type", "object"}, {"properties", properties}};
  if (!required.empty()) schema["required"] = required;
  schema["additionalProperties"] = false;
  return schema;
}

/// The texts of one argument; nothing if it is of the wrong kind.
std::optional<std::vector<std::string>> texts_of(const Json& value, bool several) {
  if (!several) {
    if (!value.is_string()) return std::nullopt;
    return std::vector<std::string>{value.get<std::string>()};
  }
  if (!value.is_array()) return std::nullopt;
  std::vector<std::string> texts;
  for (const auto& each : value) {
    if (!each.is_string()) return std::nullopt;
    texts.push_back(each.get<std::string>());
  }
  return texts;
}

/// Fills `given`; else what is wrong, for the assistant to mend.
std::string check_arguments(const Tool& tool, const Json& arguments, Given& given) {
  for (const auto& [name, value] : arguments.items()) {
    const auto parameter =
        std::find_if(tool.parameters.begin(), tool.parameters.end(),
                     [&, &key = name](const Parameter& each) { return each.name == key; });
    if (parameter == tool.parameters.end())
      return "no parameter '" + printable(name) + "' of '" + tool.name + "'";
    auto texts = texts_of(value, parameter->several);
    if (!texts)
      return "'" + name + "' must be " + (parameter->several ? "an array of strings" : "a string");
    for (const auto& text : *texts) {
      const auto& choices = parameter->choices;
      if (!choices.empty() && std::find(choices.begin(), choices.end(), text) == choices.end())
        return "'" + name + "' must be one of: " + join(choices, ", ");
      if (text.find('\0') != std::string::npos) return "'" + name + "' holds a zero byte";
    }
    given[name] = std::move(*texts);
  }
  for (const auto& parameter : tool.parameters) {
    if (parameter.required && !given.contains(parameter.name))
      return "'" + parameter.name + "' is missing: " + parameter.description;
  }
  return {};
}

/// How one request is answered: its id, and whether it comes from a client of the newest revision.
struct Request {
  Json id;
  bool handshake = true;

  std::string result(Json body, bool cacheable = false) const {
    if (!handshake) {
      body["resultType"] = "complete";
      if (cacheable) {
        body["ttlMs"] = 3'600'000;
        body["cacheScope"] = "public";
      }
      body["_meta"] = {{kServerKey, server_info()}};
    }
    return line_of({{"jsonrpc", "2.0"}, {"id", id}, {"result", std::move(body)}});
  }
};

std::string initialize(const Request& request, const Json& params) {
  std::string revision(kHandshakeRevisions.back());
  const auto wanted = params.find("protocolVersion");
  if (wanted != params.end() && wanted->is_string()) {
    const auto found = std::find(kHandshakeRevisions.begin(), kHandshakeRevisions.end(),
                                 wanted->get<std::string>());
    if (found != kHandshakeRevisions.end()) revision = *found;
  }
  return request.result({{"protocolVersion", revision},
                         {"capabilities", {{"tools", Json::object()}}},
                         {"serverInfo", server_info()},
                         {"instructions", kInstructions}});
}

std::string list_tools(const Request& request, const std::vector<Tool>& tools) {
  Json list = Json::array();
  for (const auto& tool : tools) {
    list.push_back({{"name", tool.name},
                    {"title", tool.title},
                    {"description", tool.description},
                    {"inputSchema", schema_of(tool.parameters)},
                    {"annotations", {{"readOnlyHint", true}, {"openWorldHint", false}}}});
  }
  return request.result({{"tools", list}}, true);
}

std::string call_tool(const Request& request, const Json& params, const std::vector<Tool>& tools) {
  const auto name = params.find("name");
  if (name == params.end() || !name->is_string())
    return error(request.id, kInvalidParameters, "'name' of the tool is missing");
  const auto tool = std::find_if(tools.begin(), tools.end(), [&](const Tool& each) {
    return each.name == name->get<std::string>();
  });
  if (tool == tools.end())
    return error(request.id, kInvalidParameters,
                 "no tool '" + printable(name->get<std::string>().substr(0, 200)) + "'");
  const auto found = params.find("arguments");
  const auto arguments = found == params.end() || found->is_null() ? Json::object() : *found;
  if (!arguments.is_object())
    return error(request.id, kInvalidParameters, "'arguments' must be an object");
  Given given;
  ToolAnswer answer;
  if (auto wrong = check_arguments(*tool, arguments, given); !wrong.empty())
    answer = {.text = std::move(wrong), .failed = true};
  else
    answer = tool->call(given);
  return request.result(
      {{"content", {{{"type", "text"}, {"text", answer.text}}}}, {"isError", answer.failed}});
}

/// What a request of the newest revision must carry; empty: it does, or it is of an older one.
std::string check_envelope(Request& request, const Json& params, const std::string& method) {
  const auto meta = params.find("_meta");
  const bool object = meta != params.end() && meta->is_object();
  if (!object || !meta->contains(kRevisionKey)) {
    if (method != "server/discover") return {};
    return error(request.id, kInvalidParameters,
                 std::string("params._meta must hold '") + kRevisionKey + "'");
  }
  request.handshake = false;
  const auto& revision = (*meta)[kRevisionKey];
  if (!revision.is_string() || !meta->contains(kCapabilitiesKey)) {
    return error(request.id, kInvalidParameters,
                 std::string("params._meta must hold '") + kRevisionKey + "' as a string and '" +
                     kCapabilitiesKey + "'");
  }
  if (revision.get<std::string>() == kRevision) return {};
  return error(request.id, kUnsupportedRevision, "unsupported protocol version",
               {{"supported", {kRevision}}, {"requested", revision}});
}

} // namespace

Server::Server(std::vector<Tool> tools, std::size_t longest_line)
    : tools_(std::move(tools)), longest_(longest_line) {}

void Server::feed(std::string_view bytes, const std::function<void(const std::string&)>& reply) {
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    const auto piece = bytes.substr(0, end);
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
    if (!too_long_ && line_.size() + piece.size() > longest_) {
      too_long_ = true;
      std::string().swap(line_);
      reply(error(nullptr, kInvalidRequest,
                  "a message is longer than " + std::to_string(longest_) + " bytes"));
    }
    if (!too_long_) line_ += piece;
    if (end == std::string_view::npos) return;
    if (!too_long_) {
      if (const auto said = answer(line_)) reply(*said);
    }
    line_.clear();
    too_long_ = false;
  }
}

std::optional<std::string> Server::answer(std::string_view line) const {
  if (trim(line).empty()) return std::nullopt;
  const auto message = Json::parse(line, nullptr, false);
  if (message.is_discarded()) return error(nullptr, kParseError, "not JSON");
  const bool named = message.is_object() && message.contains("method") &&
                     message["method"].is_string() && message.contains("jsonrpc") &&
                     message["jsonrpc"] == "2.0";
  if (!named) {
    // An answer to us: we ask nothing, so that nobody waits for a word on it.
    if (message.is_object() && (message.contains("result") || message.contains("error")))
      return std::nullopt;
    return error(nullptr, kInvalidRequest, "not a request of JSON-RPC 2.0");
  }
  if (!message.contains("id")) return std::nullopt; // a notification
  Request request{.id = message["id"]};
  if (!request.id.is_string() && !request.id.is_number_integer())
    return error(nullptr, kInvalidRequest, "'id' must be a string or a whole number");
  const auto method = message["method"].get<std::string>();
  const auto params = message.contains("params") ? message["params"] : Json::object();
  if (!params.is_object())
    return error(request.id, kInvalidParameters, "'params' must be an object");
  if (auto refusal = check_envelope(request, params, method); !refusal.empty()) return refusal;
  if (method == "server/discover") {
    return request.result({{"supportedVersions", {kRevision}},
                           {"capabilities", {{"tools", Json::object()}}},
                           {"instructions", kInstructions}},
                          true);
  }
  if (method == "initialize") return initialize(request, params);
  if (method == "ping") return request.result(Json::object());
  if (method == "tools/list") return list_tools(request, tools_);
  if (method == "tools/call") return call_tool(request, params, tools_);
  return error(request.id, kNoSuchMethod, "no method '" + printable(method.substr(0, 200)) + "'");
}

} // namespace gpuwhy::mcp
