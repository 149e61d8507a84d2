// GPUs, drivers and error codes; TensorFlow releases and sonames have files of their own.
#include "knowledge/knowledge.h"

#include "knowledge/cells.h"

#include <algorithm>

namespace gpuwhy {
namespace {

constexpr std::uint64_t kFirstTuring = 0x1e00;

struct Gpus {
  std::vector<GpuProduct> products; // by device_id
  std::vector<std::string> problems;
};

Gpus read_gpus() {
  Gpus gpus;
  TableReader table("gpu_pci_ids", {"id", "chip", "architecture", "compute_capability", "product",
                                    "last_driver_branch"});
  gpus.products.reserve(table.rows.size());
  for (const auto& [line, cells] : table.rows) {
    GpuProduct gpu{cells[0], cells[1], cells[2], cell_capability(cells[3]), cells[4], 0};
    const auto branch = to_number(cells[5]);
    if (branch && *branch < 10'000) gpu.last_driver_branch = static_cast<int>(*branch);
    const bool right = gpu.device_id.size() == 4 && hex_to_number(gpu.device_id) &&
                       lower(gpu.device_id) == gpu.device_id && !gpu.chip.empty() &&
                       !gpu.architecture.empty() && !gpu.product.empty() &&
                       gpu.compute_capability.has_value() != cells[3].empty() &&
                       branch.has_value() != cells[5].empty();
    if (!right) table.complain(line, "a cell does not parse");
    if (!gpus.products.empty() && gpus.products.back().device_id >= gpu.device_id) {
      table.complain(line, "not after the row above");
    }
    gpus.products.push_back(gpu);
  }
  gpus.problems = std::move(table.problems);
  return gpus;
}

const Gpus& gpus() {
  static const Gpus kGpus = read_gpus();
  return kGpus;
}

struct Drivers {
  struct Pair {
    Version key;
    Version value;
  };
  std::vector<Pair> toolkits; // CUDA release -> oldest driver, by release
  std::vector<Pair> branches; // driver branch -> CUDA version, by branch
  std::vector<std::string> problems;
};

Drivers read_drivers() {
  Drivers drivers;
  TableReader table("driver_minimums", {"kind", "key", "value", "bundled", "source"});
  for (const auto& [line, cells] : table.rows) {
    const auto key = Version::parse(cells[1]);
    const auto value = Version::parse(cells[2]);
    if (!key || !value || (cells[0] != "toolkit" && cells[0] != "branch")) {
      table.complain(line, "a cell does not parse");
      continue;
    }
    auto& pairs = cells[0] == "toolkit" ? drivers.toolkits : drivers.branches;
    if (!pairs.empty() && pairs.back().key >= *key) table.complain(line, "not after the row above");
    pairs.push_back({*key, *value});
  }
  drivers.problems = std::move(table.problems);
  return drivers;
}

const Drivers& drivers() {
  static const Drivers kDrivers = read_drivers();
  return kDrivers;
}

struct Errors {
  struct Entry {
    int code = 0;
    std::string_view name;
    std::string_view text;
  };
  std::vector<Entry> cuda; // by code
  std::vector<Entry> nvml;
  std::vector<std::string> problems;
};

Errors read_errors() {
  Errors errors;
  TableReader table("cuda_errors", {"api", "code", "name", "text"});
  for (const auto& [line, cells] : table.rows) {
    const auto code = to_number(cells[1]);
    if (!code || *code > 100'000 || cells[2].empty() ||
        (cells[0] != "cuda" && cells[0] != "nvml")) {
      table.complain(line, "a cell does not parse");
      continue;
    }
    auto& entries = cells[0] == "cuda" ? errors.cuda : errors.nvml;
    if (!entries.empty() && entries.back().code >= *code) {
      table.complain(line, "not after the row above");
    }
    entries.push_back({static_cast<int>(*code), cells[2], cells[3]});
  }
  errors.problems = std::move(table.problems);
  return errors;
}

const Errors& errors() {
  static const Errors kErrors = read_errors();
  return kErrors;
}

Errors::Entry find_code(const std::vector<Errors::Entry>& entries, int code) {
  const auto found =
      std::lower_bound(entries.begin(), entries.end(), code,
                       [](const Errors::Entry& entry, int wanted) { return entry.code < wanted; });
  return found != entries.end() && found->code == code ? *found : Errors::Entry{};
}

} // namespace

const GpuProduct* find_gpu(std::string_view device_id) {
  const std::string wanted = lower(device_id);
  const auto& products = gpus().products;
  const auto found = std::lower_bound(
      products.begin(), products.end(), wanted,
      [](const GpuProduct& gpu, const std::string& id) { return gpu.device_id < id; });
  return found != products.end() && found->device_id == wanted ? &*found : nullptr;
}

bool newer_than_table(std::string_view device_id) {
  const auto number = hex_to_number(device_id);
  return number && *number >= kFirstTuring && *number <= 0xffff && find_gpu(device_id) == nullptr;
}

std::optional<Version> minimum_driver(const Version& cuda) {
  const Drivers::Pair* same_major = nullptr;
  const Drivers::Pair* same_minor = nullptr;
  for (const auto& row : drivers().toolkits) {
    if (row.key.major() != cuda.major()) continue;
    same_major = &row;
    if (row.key == cuda) return row.value;
    if (row.key.minor() == cuda.minor() && same_minor == nullptr) same_minor = &row;
  }
  if (same_minor != nullptr) return same_minor->value;
  if (same_major != nullptr) return same_major->value;
  return std::nullopt;
}

std::optional<Version> cuda_of_driver(const Version& driver) {
  const auto& branches = drivers().branches;
  if (branches.empty() || driver.major() > branches.back().key.major()) return std::nullopt;
  const auto after = std::upper_bound(
      branches.begin(), branches.end(), driver.major(),
      [](int branch, const Drivers::Pair& row) { return branch < row.key.major(); });
  if (after == branches.begin()) return std::nullopt;
  return std::prev(after)->value;
}

std::string_view cuda_error_name(int code) {
  return find_code(errors().cuda, code).name;
}

std::string_view cuda_error_text(int code) {
  return find_code(errors().cuda, code).text;
}

std::string_view nvml_error_name(int code) {
  return find_code(errors().nvml, code).name;
}

std::string_view nvml_error_text(int code) {
  return find_code(errors().nvml, code).text;
}

std::vector<std::string> knowledge_problems() {
  std::vector<std::string> all;
  for (const auto* problems : {&gpus().problems, &drivers().problems, &errors().problems,
                               &tensorflow_problems(), &soname_problems(), &framework_problems()}) {
    all.insert(all.end(), problems->begin(), problems->end());
  }
  return all;
}

} // namespace gpuwhy
