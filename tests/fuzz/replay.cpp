// Runs a fuzz target without a fuzzer: over each file given (or each file of a folder given), cut
// at every byte, and with random bytes changed from a fixed seed. A crash, a sanitizer's report or
// the test's time limit is the failure.
//
//   elf_fuzz [--flips N] FILE|FOLDER...
#include "fuzz/target.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void run(const Bytes& bytes) {
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

/// A copy of exactly `size` bytes, so that a sanitizer sees the read behind them.
void run_cut(const Bytes& bytes, std::size_t size) {
  run(Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)));
}

void run_changed(const Bytes& bytes, int times, std::mt19937& random) {
  if (bytes.empty()) return;
  for (int i = 0; i < times; ++i) {
    auto changed = bytes;
    for (auto count = random() % 8 + 1; count > 0; --count) {
      // Mostly in front: there the headers are.
      const auto range =
          random() % 2 == 0 ? std::min<std::size_t>(bytes.size(), 1024) : bytes.size();
      changed[random() % range] = random() % 4 == 0 ? 0xff : static_cast<std::uint8_t>(random());
    }
    run(changed);
  }
}

} // namespace

int main(int argc, char** argv) {
  int flips = 3000;
  std::vector<std::filesystem::path> files;
  for (int i = 1; i < argc; ++i) {
    if (std::string(argv[i]) == "--flips" && i + 1 < argc) {
      flips = std::atoi(argv[++i]);
    } else if (std::filesystem::is_directory(argv[i])) {
      for (const auto& entry : std::filesystem::directory_iterator(argv[i]))
        files.push_back(entry.path());
    } else {
      files.emplace_back(argv[i]);
    }
  }
  std::sort(files.begin(), files.end());
  std::mt19937 random(20240229);
  for (const auto& path : files) {
    const auto bytes = read_file(path);
    // Of large files every byte of the first 8 KiB, then every 97th.
    for (std::size_t size = 0; size <= bytes.size(); size += size < 8192 ? 1 : 97)
      run_cut(bytes, size);
    run_changed(bytes, flips, random);
  }
  std::printf("%zu files, each cut everywhere and changed %d times\n", files.size(), flips);
  return files.empty() ? 1 : 0;
}
