#include "places/found_place.h"

#include "support/case_builder.h"

#include <gtest/gtest.h>

namespace gpuwhy::places {
namespace {

DeviceNode node(const std::string& path, Fact<bool> usable = {}) {
  DeviceNode made;
  made.path = path;
  made.mode = "0666";
  made.usable = std::move(usable);
  return made;
}

Facts facts_with_nodes() {
  Facts facts = test::healthy_facts();
  facts.access.nodes = Fact<std::vector<DeviceNode>>::known(
      {node("/dev/nvidia0"), node("/dev/nvidiactl"), node("/dev/nvidia-uvm")}, {"/dev", 0});
  return facts;
}

std::string usable(const Facts& facts) {
  std::string text;
  for (const auto& each : facts.access.nodes.value())
    text += each.usable.known() ? (each.usable.value() ? "y" : "n") : "?";
  return text;
}

std::string with(const DeviceRules& rules) {
  auto facts = facts_with_nodes();
  FoundPlace place;
  place.devices = rules;
  complete_facts(place, facts);
  return usable(facts);
}

TEST(FoundPlace, device_rules_decide) {
  using Kind = DeviceRules::Kind;
  const Source unit{"/etc/systemd/system/t.service", 4};
  EXPECT_EQ(with({Kind::as_ours, "", unit, {}, {}}), "yyy");
  EXPECT_EQ(with({Kind::hidden, "", unit, {}, {}}), "");
  EXPECT_EQ(with({Kind::hidden, "", unit, {"/dev/nvidia0"}, {}}), "?");
  EXPECT_EQ(with({Kind::unknown, "why", unit, {}, {}}), "???");
  EXPECT_EQ(with({Kind::unknown, "why", unit, {}, {"/dev/nvidia0"}}), "y??");
  EXPECT_EQ(with({Kind::listed, "", unit, {}, {}}), "nnn");
  EXPECT_EQ(with({Kind::listed, "", unit, {"/dev/nvidiactl", "char-nvidia-uvm"}, {}}), "nyy");
  EXPECT_EQ(with({Kind::listed, "", unit, {"char-nvidia*"}, {}}), "yyy");
  EXPECT_EQ(with({Kind::listed, "", unit, {"char-nvidia"}, {}}), "yyn");
}

TEST(FoundPlace, permission_bits_come_first) {
  auto facts = facts_with_nodes();
  facts.access.nodes.value()[0] =
      node("/dev/nvidia0", Fact<bool>::known(false, {"/dev/nvidia0", 0}));
  complete_facts({}, facts);
  EXPECT_EQ(usable(facts), "nyy");
}

TEST(FoundPlace, origins) {
  auto facts = test::healthy_facts();
  test::set_variable(facts, "A", "1", {test::origin("/home/u/.bashrc", 3, "export A=1")});
  test::set_variable(facts, "B", "2", {test::origin("/home/u/.bashrc", 4, "export B=2")});
  FoundPlace place;
  place.origins["A"] = test::origin("/k/kernel.json", 5, "\"A\": \"1\"");
  complete_facts(place, facts);
  EXPECT_EQ(facts.environment.find("A")->origins.front().path, "/k/kernel.json");
  EXPECT_TRUE(facts.environment.find("B")->origins.empty());
}

} // namespace
} // namespace gpuwhy::places
