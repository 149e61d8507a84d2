// Where a report is written to.
#include "scratch.h"
#include "system/input.h"

#include <thread>

namespace gpuwhy {
namespace {

class Output : public Scratch {
protected:
  static std::string read(const std::string& path) { return read_input(path, 1U << 20U).value(); }
  bool is_link(const std::string& name) const { return std::filesystem::is_symlink(path(name)); }
};

TEST_F(Output, a_file_is_replaced_as_a_whole) {
  const auto file = add_file("report", "a long one that was there before");
  ASSERT_TRUE(write_output(file, "new"));
  EXPECT_EQ(read(file), "new");
  EXPECT_FALSE(std::filesystem::exists(file + ".part"));
}

/// /dev/stdout is a link, and what it leads to may be a file.
TEST_F(Output, a_link_stays_one) {
  const auto file = add_file("file", "a long one that was there before");
  ASSERT_TRUE(write_output(add_link("link", file), "new"));
  EXPECT_TRUE(is_link("link"));
  EXPECT_EQ(read(file), "new");
}

/// As root, a file put in the place of /dev/null would break the machine.
TEST_F(Output, a_device_stays_one_and_says_when_it_is_full) {
  ASSERT_TRUE(write_output(add_link("null", "/dev/null"), "text"));
  EXPECT_TRUE(is_link("null"));
  const auto full = write_output(add_link("full", "/dev/full"), "text");
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().message, path("full") + ": No space left on device");
}

TEST_F(Output, a_pipe_gets_the_text) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  std::string got;
  std::thread reader([&] { got = read(path("pipe")); });
  EXPECT_TRUE(write_output(path("pipe"), "text"));
  reader.join();
  EXPECT_EQ(got, "text");
}

} // namespace
} // namespace gpuwhy
