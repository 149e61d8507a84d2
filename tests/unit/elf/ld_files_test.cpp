// ld.so.cache and ld.so.conf.
#include "elf/ld_cache.h"
#include "elf/ld_conf.h"

#include "support/memory_system.h"

#include <gtest/gtest.h>

namespace gpuwhy {
namespace {

using Names = std::vector<std::string>;

template <class T> void append(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

struct Line {
  std::string soname, path;
  std::uint32_t flags = 0x0303;
  std::uint64_t capability = 0;
};

/// As ldconfig writes it, with the extension that names "x86-64-v3".
std::string cache_of(const std::vector<Line>& lines) {
  const auto table = static_cast<std::uint32_t>(48 + 24 * lines.size());
  std::string strings("x86-64-v3\0", 10), entries;
  for (const auto& line : lines) {
    append(entries, line.flags);
    append(entries, static_cast<std::uint32_t>(table + strings.size()));
    strings += line.soname + '\0';
    append(entries, static_cast<std::uint32_t>(table + strings.size()));
    strings += line.path + '\0';
    append(entries, std::uint32_t{0});
    append(entries, line.capability);
  }
  std::string bytes = "glibc-ld.so.cache1.1";
  const auto extensions = static_cast<std::uint32_t>(table + strings.size());
  for (const auto value :
       {static_cast<std::uint32_t>(lines.size()), static_cast<std::uint32_t>(strings.size()), 2U,
        extensions, 0U, 0U, 0U}) {
    append(bytes, value);
  }
  bytes += entries + strings;
  for (const auto value : {0xEAA42174U, 1U, 1U, 0U, extensions + 24, 4U, table})
    append(bytes, value);
  return bytes;
}

Result<std::vector<CacheEntry>> parse(const std::string& bytes, std::string_view machine = "x86_64",
                                      const std::function<bool(std::string_view)>& wanted = {}) {
  return parse_ld_cache(std::as_bytes(std::span(bytes.data(), bytes.size())), machine, wanted);
}

TEST(LdCache, lists_entries_of_this_machine) {
  const auto bytes = cache_of({{"libx.so.1", "/a/libx.so.1"},
                               {"libx.so.1", "/32/libx.so.1", 0x0003},
                               {"libx.so.1", "/arm/libx.so.1", 0x0a03},
                               {"libx.so.1", "/v3/libx.so.1", 0x0303, std::uint64_t{1} << 62U},
                               {"libx.so.1", "/old/libx.so.1", 0x0303, 4}});
  const auto entries = parse(bytes);
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 3u);
  EXPECT_EQ((*entries)[0].path, "/a/libx.so.1");
  EXPECT_EQ((*entries)[0].capability, "");
  EXPECT_EQ((*entries)[1].capability, "x86-64-v3");
  EXPECT_EQ((*entries)[2].capability, "legacy:4");
  EXPECT_EQ(parse(bytes, "aarch64")->front().path, "/arm/libx.so.1");
}

TEST(LdCache, keeps_what_is_wanted) {
  const auto bytes = cache_of({{"liba.so", "/a"}, {"libb.so", "/b"}});
  const auto entries =
      parse(bytes, "x86_64", [](std::string_view name) { return name == "libb.so"; });
  ASSERT_EQ(entries->size(), 1u);
  EXPECT_EQ(entries->front().soname, "libb.so");
}

TEST(LdCache, reads_the_new_block_behind_an_old_one) {
  std::string old = "ld.so-1.7.0";
  old += '\0';
  append(old, std::uint32_t{1});
  old.append(12 + 4, '\0');
  EXPECT_EQ(parse(old + cache_of({{"liba.so", "/a"}}))->size(), 1u);
}

TEST(LdCache, what_the_loader_would_not_use_is_an_error) {
  EXPECT_FALSE(parse(""));
  EXPECT_FALSE(parse("musl has no such file, and this is text of some length"));
  EXPECT_FALSE(parse(cache_of({{"liba.so", "/a"}}), "pdp11"));
  auto many = cache_of({{"liba.so", "/a"}});
  many[23] = '\x7f'; // the count's high byte
  EXPECT_FALSE(parse(many));
}

TEST(LdConf, follows_includes_in_order_once_each) {
  MemorySystem system;
  system.add_file(
      "/etc/ld.so.conf",
      "# first\ninclude ld.so.conf.d/*.conf /etc/extra.conf\n/opt/lib/ # mine\nrelative\n");
  system.add_file("/etc/ld.so.conf.d/b.conf", "/b//lib\n/opt/lib\n");
  system.add_file("/etc/ld.so.conf.d/a.conf", "/a/lib=libc6\n\thwcap 0 nosegneg\n");
  system.add_file("/etc/ld.so.conf.d/.hidden.conf", "/hidden\n");
  system.add_file("/etc/ld.so.conf.d/c.conf.bak", "/backup\n");
  system.add_file("/etc/extra.conf", "include /etc/ld.so.conf /etc/extra.conf\n/extra\n");
  const auto conf = read_ld_conf(system);
  EXPECT_EQ(conf.directories, (Names{"/a/lib", "/b/lib", "/opt/lib", "/extra"}));
  EXPECT_EQ(conf.files, (Names{"/etc/ld.so.conf", "/etc/ld.so.conf.d/a.conf",
                               "/etc/ld.so.conf.d/b.conf", "/etc/extra.conf"}));
  EXPECT_TRUE(conf.problems.empty());
}

TEST(LdConf, tells_unreadable_from_missing) {
  MemorySystem system;
  EXPECT_TRUE(read_ld_conf(system).problems.empty());
  system.add_file("/etc/ld.so.conf", "include [ab]?.conf\n");
  system.add_file("/etc/a1.conf", "/a1\n");
  system.unreadable("/etc/a1.conf");
  system.add_file("/etc/b2.conf", "/b2\n");
  system.add_file("/etc/c3.conf", "/c3\n");
  const auto conf = read_ld_conf(system);
  EXPECT_EQ(conf.directories, Names{"/b2"});
  EXPECT_EQ(conf.problems.size(), 1u);
}

} // namespace
} // namespace gpuwhy
