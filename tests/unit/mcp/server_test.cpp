// The protocol, line by line: both eras, and what no client should send.
#include "mcp/server.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace gpuwhy::mcp {
namespace {

using Json = nlohmann::json;

std::vector<Tool> tools() {
  return {{.name = "say",
           .title = "Say",
           .description = "says it",
           .parameters = {{.name = "word", .description = "what to say", .required = true},
                          {.name = "how", .description = "how", .choices = {"low", "loud"}},
                          {.name = "to", .description = "whom", .several = true}},
           .call = [](const Given& given) {
             std::string text = given.at("word").front();
             if (given.contains("to"))
               for (const auto& each : given.at("to")) text += " " + each;
             return ToolAnswer{.text = text, .failed = text == "fail"};
           }}};
}

std::vector<Json> said(const std::string& bytes, std::size_t longest = 10'000,
                       std::size_t cut = 0) {
  Server server(tools(), longest);
  std::vector<Json> lines;
  const auto reply = [&](const std::string& line) {
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    lines.push_back(Json::parse(line));
  };
  if (cut == 0) cut = bytes.size() + 1;
  for (std::size_t at = 0; at < bytes.size(); at += cut)
    server.feed(std::string_view(bytes).substr(at, cut), reply);
  return lines;
}

std::string call(const std::string& method, const std::string& params = "{}") {
  return R"({"jsonrpc":"2.0","id":1,"method":")" + method + R"(","params":)" + params + "}\n";
}

Json one(const std::string& bytes) {
  const auto lines = said(bytes);
  EXPECT_EQ(lines.size(), 1U) << bytes;
  return lines.empty() ? Json() : lines.front();
}

Json result(const std::string& method, const std::string& params = "{}") {
  return one(call(method, params))["result"];
}

int error(const std::string& bytes) {
  return one(bytes)["error"]["code"].get<int>();
}

const std::string kMeta = R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
                          R"("io.modelcontextprotocol/clientCapabilities":{}})";

TEST(Mcp, Handshake) {
  for (const std::string known : {"2024-11-05", "2025-06-18", "2025-11-25"}) {
    const auto answer = result("initialize", R"({"protocolVersion":")" + known + "\"}");
    EXPECT_EQ(answer["protocolVersion"], known);
    EXPECT_TRUE(answer["capabilities"].contains("tools"));
    EXPECT_EQ(answer["serverInfo"]["name"], "gpuwhy");
    EXPECT_FALSE(answer.contains("resultType"));
  }
  EXPECT_EQ(result("initialize", R"({"protocolVersion":"1999-01-01"})")["protocolVersion"],
            "2025-11-25");
  EXPECT_EQ(result("initialize", R"({"protocolVersion":7})")["protocolVersion"], "2025-11-25");
}

TEST(Mcp, NewestRevisionNamesItselfInEachRequest) {
  const auto found = result("server/discover", "{" + kMeta + "}");
  EXPECT_EQ(found["supportedVersions"], Json::array({"2026-07-28"}));
  EXPECT_EQ(found["resultType"], "complete");
  EXPECT_EQ(found["cacheScope"], "public");
  const auto answer =
      result("tools/call", R"({"name":"say","arguments":{"word":"yes"},)" + kMeta + "}");
  EXPECT_EQ(answer["content"][0]["text"], "yes");
  EXPECT_EQ(answer["resultType"], "complete");
  EXPECT_FALSE(answer.contains("cacheScope"));
}

TEST(Mcp, NewestRevisionRefuses) {
  const auto refusal = one(call(
      "tools/list",
      R"({"_meta":{"io.modelcontextprotocol/protocolVersion":"2030-01-01","io.modelcontextprotocol/clientCapabilities":{}}})"));
  EXPECT_EQ(refusal["error"]["code"], -32022);
  EXPECT_EQ(refusal["error"]["data"]["supported"], Json::array({"2026-07-28"}));
  EXPECT_EQ(refusal["error"]["data"]["requested"], "2030-01-01");
  EXPECT_EQ(error(call("server/discover")), -32602);
  EXPECT_EQ(
      error(call("ping", R"({"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}})")),
      -32602);
  EXPECT_EQ(error(call("ping", R"({"_meta":{"io.modelcontextprotocol/protocolVersion":[]}})")),
            -32602);
}

TEST(Mcp, Tools) {
  const auto tool = result("tools/list")["tools"][0];
  EXPECT_EQ(tool["name"], "say");
  const auto& schema = tool["inputSchema"];
  EXPECT_EQ(schema["required"], Json::array({"word"}));
  EXPECT_EQ(schema["properties"]["how"]["enum"], Json::array({"low", "loud"}));
  EXPECT_EQ(schema["properties"]["to"]["type"], "array");
  const auto answer =
      result("tools/call", R"({"name":"say","arguments":{"word":"hello","to":["a","b"]}})");
  EXPECT_EQ(answer["content"][0]["text"], "hello a b");
  EXPECT_EQ(answer["isError"], false);
  EXPECT_EQ(result("tools/call", R"({"name":"say","arguments":{"word":"fail"}})")["isError"], true);
}

TEST(Mcp, WrongArgumentsAreToldToTheAssistant) {
  const auto told = [](const std::string& arguments) {
    const auto answer = result("tools/call", R"({"name":"say","arguments":)" + arguments + "}");
    EXPECT_EQ(answer["isError"], true);
    return answer["content"][0]["text"].get<std::string>();
  };
  EXPECT_EQ(told("{}"), "'word' is missing: what to say");
  EXPECT_EQ(told(R"({"word":7})"), "'word' must be a string");
  EXPECT_EQ(told(R"({"word":"a","to":"b"})"), "'to' must be an array of strings");
  EXPECT_EQ(told(R"({"word":"a","to":[1]})"), "'to' must be an array of strings");
  EXPECT_EQ(told(R"({"word":"a","how":"soft"})"), "'how' must be one of: low, loud");
  EXPECT_EQ(told(R"({"word":"a","x\u001b":"b"})"), "no parameter 'x\\x1b' of 'say'");
  EXPECT_EQ(told(R"({"word":"a\u0000b"})"), "'word' holds a zero byte");
  EXPECT_EQ(error(call("tools/call", R"({"name":"shout"})")), -32602);
  EXPECT_EQ(error(call("tools/call", R"({"arguments":{}})")), -32602);
  EXPECT_EQ(error(call("tools/call", R"({"name":"say","arguments":[]})")), -32602);
}

TEST(Mcp, WhatIsNoRequest) {
  EXPECT_EQ(error("{\n"), -32700);
  EXPECT_EQ(error("\xff\xfe\n"), -32700);
  EXPECT_EQ(error("[]\n"), -32600); // batches left the protocol in 2025-06-18
  EXPECT_EQ(error("7\n"), -32600);
  EXPECT_EQ(error(R"({"id":1,"method":"ping"})"
                  "\n"),
            -32600);
  EXPECT_EQ(error(R"({"jsonrpc":"2.0","id":null,"method":"ping"})"
                  "\n"),
            -32600);
  EXPECT_EQ(error(R"({"jsonrpc":"2.0","id":[1],"method":"ping"})"
                  "\n"),
            -32600);
  EXPECT_EQ(error(call("ping", "[]")), -32602);
  EXPECT_EQ(error(call("resources/list")), -32601);
  EXPECT_TRUE(said("\n \r\n").empty());
  EXPECT_TRUE(said(R"({"jsonrpc":"2.0","method":"notifications/initialized"})"
                   "\n")
                  .empty());
  EXPECT_TRUE(said(R"({"jsonrpc":"2.0","id":4,"result":{}})"
                   "\n")
                  .empty());
}

TEST(Mcp, LinesComeInAnyPieces) {
  const auto two = call("ping") + call("ping");
  for (const std::size_t cut : {1U, 7U, 1000U}) EXPECT_EQ(said(two, 10'000, cut).size(), 2U);
  EXPECT_TRUE(said(R"({"jsonrpc":"2.0","id":1,"method":"ping"})").empty()); // no end of line yet
}

TEST(Mcp, ALongLineIsDroppedAndTheNextOneAnswered) {
  for (const std::size_t cut : {13U, 100'000U}) {
    const auto lines = said(std::string(1000, '[') + "\n" + call("ping"), 100, cut);
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0]["error"]["code"], -32600);
    EXPECT_EQ(lines[0]["id"], nullptr);
    EXPECT_EQ(lines[1]["id"], 1);
  }
}

} // namespace
} // namespace gpuwhy::mcp
