// Releases: what the tables say, what an installation says, and what a machine has.
#include "judge/compat.h"
#include "support/machine_bench.h"

#include <gtest/gtest.h>

namespace gpuwhy::test {
namespace {

Compat needs(const std::string& specification) {
  auto answer = needs_of(healthy_facts(), specification);
  EXPECT_TRUE(answer) << specification;
  return answer ? *answer : Compat{};
}

const Fit* fit_of(const Compat& compat, const std::string& framework, const std::string& version,
                  const std::string& variant = {}) {
  for (const auto& table : compat.here) {
    for (const auto& fit : table.fits) {
      if (table.framework == framework && fit.needs.version == version &&
          fit.needs.variant == variant)
        return &fit;
    }
  }
  return nullptr;
}

TEST(Compat, a_release_of_the_table) {
  const auto compat = needs("tensorflow==2.16");
  ASSERT_EQ(compat.needs.size(), 1U);
  const auto& release = compat.needs.front();
  EXPECT_EQ(release.version, "2.16.1");
  EXPECT_EQ(release.python, "3.9-3.12");
  EXPECT_EQ(release.cuda, "12.3");
  EXPECT_EQ(release.driver, "525.60.13");
  EXPECT_EQ(release.install, "tensorflow[and-cuda]==2.16.1");
  EXPECT_FALSE(release.source.empty());
  EXPECT_FALSE(release.released.empty());
}

TEST(Compat, every_row_has_what_a_person_needs) {
  for (const auto* name : {"tensorflow", "jax", "torch"}) {
    const auto compat = compatible_here(healthy_facts());
    for (const auto& table : compat.here) {
      for (const auto& fit : table.fits) {
        EXPECT_FALSE(fit.needs.driver.empty()) << name << fit.needs.version;
        EXPECT_FALSE(fit.needs.source.empty()) << name << fit.needs.version;
        EXPECT_FALSE(fit.needs.released.empty()) << name << fit.needs.version;
      }
    }
  }
}

TEST(Compat, variants) {
  EXPECT_EQ(needs("torch==2.6").needs.size(), 3U);
  ASSERT_EQ(needs("torch==2.6+cu126").needs.size(), 1U);
  EXPECT_EQ(needs("jax==0.7.2").needs.size(), 2U);
  EXPECT_TRUE(needs("torch==2.6+cu999").needs.empty());
}

TEST(Compat, a_patch_release_is_taken_for_its_minor) {
  const auto compat = needs("tensorflow==2.18.1");
  EXPECT_EQ(compat.needs.front().version, "2.18.0");
  EXPECT_NE(compat.note.find("is taken for 2.18.0"), std::string::npos);
}

TEST(Compat, newer_than_the_table_is_said) {
  const auto compat = needs("tensorflow==2.99");
  EXPECT_TRUE(compat.needs.empty());
  EXPECT_NE(compat.note.find("is newer than gpuwhy's table, which ends with"), std::string::npos);
}

TEST(Compat, newer_than_the_table_and_installed) {
  Machine machine;
  machine.framework().version = Fact<std::string>::known("2.99.0");
  const auto compat = needs_of(machine.facts, "tensorflow==2.99");
  ASSERT_TRUE(compat);
  ASSERT_EQ(compat->needs.size(), 1U);
  EXPECT_EQ(compat->needs.front().cuda, "12.5.1");
  EXPECT_EQ(compat->needs.front().source, machine.framework().directory);
}

TEST(Compat, what_is_no_release) {
  for (const auto* text : {"numpy==1.0", "", "tensorflow>=2", "torch==x", "jax[cuda12"})
    EXPECT_FALSE(needs_of(healthy_facts(), text)) << text;
}

TEST(Compat, on_this_machine) {
  Machine machine; // Python 3.11, driver 550, an RTX 4090
  const auto compat = compatible_here(machine.facts);
  EXPECT_TRUE(fit_of(compat, "tensorflow", "2.18.0")->against.empty());
  EXPECT_TRUE(fit_of(compat, "torch", "2.6", "cu124")->against.empty());
  EXPECT_FALSE(fit_of(compat, "tensorflow", "2.4.0")->against.empty());     // its Python
  EXPECT_FALSE(fit_of(compat, "jax", "0.10.2", "cuda13")->against.empty()); // its driver
  EXPECT_FALSE(fit_of(compat, "tensorflow", "2.21.0")->open.empty());       // cuSOLVER
}

TEST(Compat, what_is_not_known_is_open) {
  Machine machine;
  machine.remove_driver();
  machine.facts.observed = {};
  const auto compat = compatible_here(machine.facts);
  const auto* fit = fit_of(compat, "tensorflow", "2.18.0");
  EXPECT_TRUE(fit->against.empty());
  EXPECT_FALSE(fit->open.empty());
}

} // namespace
} // namespace gpuwhy::test
