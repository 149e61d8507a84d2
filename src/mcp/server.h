// The server's side of the Model Context Protocol over a stream of lines (stdio), tools only.
// Truth: modelcontextprotocol.io, revision 2026-07-28 (no handshake: each request names its
// revision) and the revisions before it, which begin with "initialize"; JSON-RPC 2.0.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy::mcp {

/// A parameter of a tool: a text, several, or one of `choices`.
struct Parameter {
  std::string name;
  std::string description;
  bool required = false;
  bool several = false;
  std::vector<std::string> choices = {};
};

/// Checked against the parameters; a text that is not several has one element.
using Given = std::map<std::string, std::vector<std::string>, std::less<>>;

struct ToolAnswer {
  std::string text;
  bool failed = false; // it could not be done; `text` says what to change
};

struct Tool {
  std::string name;
  std::string title;
  std::string description;
  std::vector<Parameter> parameters;
  std::function<ToolAnswer(const Given&)> call;
};

class Server {
public:
  explicit Server(std::vector<Tool> tools, std::size_t longest_line = std::size_t{16} << 20U);

  /// Takes bytes as they come; each line that asks for an answer gets one, through `reply`, as one
  /// line with its line break. A line that is too long is answered with an error and dropped.
  void feed(std::string_view bytes, const std::function<void(const std::string&)>& reply);

private:
  std::optional<std::string> answer(std::string_view line) const;

  std::vector<Tool> tools_;
  std::size_t longest_;
  std::string line_;
  bool too_long_ = false;
};

} // namespace gpuwhy::mcp
