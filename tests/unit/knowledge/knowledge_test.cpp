#include "knowledge/knowledge.h"

#include "base/text.h"
#include "knowledge/tables.h"

#include <gtest/gtest.h>

namespace gpuwhy {
namespace {

Version version(std::string_view text) {
  return *Version::parse(text);
}

TEST(Tables, sources_are_told_in_words) {
  const auto table = "# source: docs = the table of builds\n# source: notes = the release notes\n";
  EXPECT_EQ(source_words(table, "docs; pins: notes (CUDA 12.3); gate: docs"),
            "the table of builds; the release notes");
  EXPECT_EQ(source_words(table, "a mail"), "a mail");
  EXPECT_EQ(source_words("", "docs"), "docs");
}

TEST(Knowledge, EveryRowParsesAndIsInOrder) {
  for (const auto& problem : knowledge_problems()) ADD_FAILURE() << problem;
}

TEST(Knowledge, EveryTableNamesItsSource) {
  for (const char* name :
       {"gpu_pci_ids", "driver_minimums", "cuda_errors", "tensorflow_releases", "soname_sets"}) {
    EXPECT_NE(knowledge_table(name).find("\n# source: "), std::string_view::npos) << name;
  }
  EXPECT_TRUE(knowledge_table("no such table").empty());
}

TEST(Knowledge, GpusById) {
  const auto* gpu = find_gpu("2684");
  ASSERT_NE(gpu, nullptr);
  EXPECT_EQ(gpu->product, "GeForce RTX 4090");
  EXPECT_EQ(gpu->compute_capability->sm(), "sm_89");
  EXPECT_EQ(gpu->last_driver_branch, 0);
  EXPECT_EQ(find_gpu("13C2")->last_driver_branch, 580);
  EXPECT_EQ(find_gpu("0190")->chip, "G80"); // the first row
  EXPECT_EQ(find_gpu(""), nullptr);
  EXPECT_EQ(find_gpu("zzzz"), nullptr);
}

TEST(Knowledge, UnlistedIds) {
  EXPECT_TRUE(newer_than_table("fffe"));
  EXPECT_FALSE(newer_than_table("2684")); // listed
  EXPECT_FALSE(newer_than_table("0001"));
  EXPECT_FALSE(newer_than_table("1ffffff"));
  EXPECT_FALSE(newer_than_table("nothing"));
}

TEST(Knowledge, DriversThatAToolkitNeeds) {
  EXPECT_EQ(minimum_driver(version("12.5.1"))->str(), "525.60.13");
  EXPECT_EQ(minimum_driver(version("12.5"))->str(), "525.60.13");
  EXPECT_EQ(minimum_driver(version("12.99"))->str(), "525.60.13");
  EXPECT_EQ(minimum_driver(version("13.0"))->str(), "580.65.6");
  EXPECT_EQ(minimum_driver(version("11.0"))->str(), "450.36.6");
  EXPECT_EQ(minimum_driver(version("11.8"))->str(), "450.80.2");
  EXPECT_EQ(minimum_driver(version("10.1"))->str(), "418.39");
  EXPECT_FALSE(minimum_driver(version("99.0")));
  EXPECT_FALSE(minimum_driver(version("1.0")));
}

TEST(Knowledge, CudaOfADriver) {
  EXPECT_EQ(cuda_of_driver(version("580.159.04"))->str(), "13.0");
  EXPECT_EQ(cuda_of_driver(version("550.54.14"))->str(), "12.4");
  EXPECT_EQ(cuda_of_driver(version("552.22"))->str(), "12.4"); // between branches
  EXPECT_FALSE(cuda_of_driver(version("340.108")));
  EXPECT_FALSE(cuda_of_driver(version("9999.1")));
}

TEST(Knowledge, ErrorNames) {
  EXPECT_EQ(cuda_error_name(0), "CUDA_SUCCESS");
  EXPECT_EQ(cuda_error_name(100), "CUDA_ERROR_NO_DEVICE");
  EXPECT_EQ(cuda_error_name(803), "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH");
  EXPECT_EQ(cuda_error_name(999), "CUDA_ERROR_UNKNOWN");
  EXPECT_EQ(cuda_error_name(-1), "");
  EXPECT_EQ(cuda_error_name(12345), "");
  EXPECT_EQ(nvml_error_name(18), "NVML_ERROR_LIB_RM_VERSION_MISMATCH");
  EXPECT_EQ(nvml_error_text(9), "Driver Not Loaded");
}

TEST(Knowledge, TensorFlowReleases) {
  const auto* release = find_tensorflow("2.18.1");
  ASSERT_NE(release, nullptr);
  EXPECT_EQ(release->version, "2.18.0");
  EXPECT_EQ(release->cuda.str(), "12.5");
  EXPECT_EQ(release->cudnn.major(), 9);
  EXPECT_EQ(release->min_capability->str(), "6.0");
  EXPECT_EQ(release->newest_ptx->str(), "9.0");
  EXPECT_TRUE(release->supports_python(version("3.12.4")));
  EXPECT_FALSE(release->supports_python(version("3.13")));
  EXPECT_FALSE(release->supports_python(version("3.8.1")));
  EXPECT_EQ(release->pins.size(), 12U);
  EXPECT_EQ(find_tensorflow("2.15.1")->version, "2.15.1");
  EXPECT_EQ(find_tensorflow("2.15.0.post1")->version, "2.15.0");
  EXPECT_EQ(find_tensorflow("2.16.0rc0")->version, "2.16.1"); // older than the one listed
  EXPECT_TRUE(find_tensorflow("1.15.5")->supports_python(version("2.7.18")));
  EXPECT_EQ(find_tensorflow("2.99"), nullptr);
  EXPECT_EQ(find_tensorflow("nightly"), nullptr);
}

TEST(Knowledge, SonamesOfAllGateLibrariesAreKnown) {
  for (const auto& release : tensorflow_releases()) {
    for (const auto product : release.gate_libraries) {
      // The driver's, with every CUDA; a part of cuDNN, which opens it itself.
      if (product == "nvidia-ml" || product == "cudnn_graph") continue;
      const auto& by = product == "cudnn" ? release.cudnn : release.cuda;
      EXPECT_FALSE(soname(product, by).empty()) << release.version << " " << product;
    }
    EXPECT_EQ(minimum_driver(release.cuda), release.min_driver) << release.version;
  }
}

TEST(Knowledge, Sonames) {
  EXPECT_EQ(soname("cudart", version("11.8")), "libcudart.so.11.0");
  EXPECT_EQ(soname("cudart", version("12.5.1")), "libcudart.so.12");
  EXPECT_EQ(soname("cusolver", version("11.0")), "libcusolver.so.10");
  EXPECT_EQ(soname("cusolver", version("13.0")), "libcusolver.so.12");
  EXPECT_EQ(soname("cupti", version("11.5")), "libcupti.so.11.5");
  EXPECT_EQ(soname("cublasLt", version("10.0")), "");
  EXPECT_EQ(soname("cudnn", version("8.9.7")), "libcudnn.so.8");
  EXPECT_EQ(soname("cudart", version("14.0")), "");
  EXPECT_EQ(soname("", version("12.0")), "");
  const auto all = sonames_for(version("12.5"), version("9.3"));
  EXPECT_EQ(all.size(), 11U);
  EXPECT_EQ(all[0].soname, "libcublas.so.12");
}

TEST(Knowledge, BadRowsAreCounted) {
  std::vector<int> bad;
  const auto rows = table_rows("# c\na\tb\n1\t-\n2\n\n3\t4\t5\n", {"a", "b"}, &bad);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].line, 3);
  EXPECT_EQ(rows[0].cells[1], "");
  EXPECT_EQ(bad, (std::vector<int>{4, 6}));
}

} // namespace
} // namespace gpuwhy
