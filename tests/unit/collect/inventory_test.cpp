// Versions of libraries whose file names hold none.
#include "collect/inventory.h"
#include "support/memory_system.h"

#include <gtest/gtest.h>

namespace gpuwhy {
namespace {

Fact<std::string> version_of(MemorySystem& system, const std::string& path) {
  Facts facts;
  Inventory(system, facts).add_file(path);
  return facts.libraries.files.at(path).version;
}

TEST(Inventory, AWheelOfAnEnvironmentThatIsNotLookedAtTellsItsVersionByItsMetadata) {
  MemorySystem system;
  const std::string site = "/home/u/old/lib/python3.11/site-packages";
  const auto path = site + "/nvidia/cudnn/lib/libcudnn.so.9";
  system.add_file(path, "not read");
  EXPECT_TRUE(version_of(system, path).absent());
  system.add_file(site + "/nvidia_cudnn_cu12-9.1.0.70.dist-info/METADATA", "");
  system.add_file(site + "/nvidia_cublas_cu12-12.1.0.26.dist-info/METADATA", "");
  system.add_file(site + "/nvidia_broken.dist-info/METADATA", "");
  const auto version = version_of(system, path);
  EXPECT_EQ(version.value_or(""), "9.1.0.70");
  EXPECT_EQ(version.source().where, site + "/nvidia_cudnn_cu12-9.1.0.70.dist-info");
}

TEST(Inventory, TwoWheelsThatOwnOneFolderLeaveItsVersionUnknown) {
  MemorySystem system;
  const std::string site = "/opt/site-packages";
  system.add_file(site + "/nvidia/cudnn/lib/libcudnn.so.9", "");
  system.add_file(site + "/nvidia_cudnn_cu12-9.1.0.70.dist-info/METADATA", "");
  system.add_file(site + "/nvidia_cudnn_cu13-9.14.0.64.dist-info/METADATA", "");
  EXPECT_TRUE(version_of(system, site + "/nvidia/cudnn/lib/libcudnn.so.9").open());
}

TEST(Inventory, TheNameOfTheRealFileComesFirst) {
  MemorySystem system;
  system.add_file("/usr/lib/libcudnn.so.8.9.7", "");
  system.add_link("/usr/lib/libcudnn.so.8", "libcudnn.so.8.9.7");
  EXPECT_EQ(version_of(system, "/usr/lib/libcudnn.so.8").value_or(""), "8.9.7");
}

} // namespace
} // namespace gpuwhy
