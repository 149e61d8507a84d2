#include "use/signs.h"

#include <gtest/gtest.h>

namespace gpuwhy::use {
namespace {

std::vector<Sign> read(std::string_view text) {
  SignReader reader("output");
  reader.read(text);
  return reader.signs();
}

TEST(Signs, out_of_memory_in_the_words_of_each_framework) {
  for (const auto* line :
       {"torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1024.00 MiB.",
        "jax.errors.JaxRuntimeError: RESOURCE_EXHAUSTED: Out of memory while trying to allocate "
        "123 bytes.",
        "ResourceExhaustedError: OOM when allocating tensor with shape[64,3] and type float"}) {
    const auto signs = read(line);
    ASSERT_EQ(signs.size(), 1U) << line;
    EXPECT_EQ(signs[0].kind, Sign::Kind::out_of_memory);
  }
}

TEST(Signs, faults_of_the_device) {
  for (const auto* line : {"RuntimeError: CUDA error: an illegal memory access was encountered",
                           "NVRM: Xid (PCI:0000:01:00): 79, GPU has fallen off the bus.",
                           "CUDA_ERROR_LAUNCH_FAILED: unspecified launch failure"}) {
    const auto signs = read(line);
    ASSERT_EQ(signs.size(), 1U) << line;
    EXPECT_EQ(signs[0].kind, Sign::Kind::device_error);
  }
}

TEST(Signs, an_allocator_that_tries_again_is_no_fault) {
  EXPECT_TRUE(read("cuda_driver.cc:1000] failed to allocate 14.9G from device: "
                   "CUDA_ERROR_OUT_OF_MEMORY: out of memory")
                  .empty());
  EXPECT_TRUE(read("Epoch 1/10\rloss 0.3\n").empty());
}

std::string last_words(std::string_view text) {
  RunEnd end;
  end.exit_status = 1;
  end.signs = read(text);
  const auto* words = end.last_words();
  return words != nullptr ? words->text : "";
}

TEST(Signs, what_a_program_says_last_when_it_dies) {
  EXPECT_EQ(last_words("Traceback (most recent call last):\n"
                       "  File \"train.py\", line 1, in <module>\n    import keras\n"
                       "ModuleNotFoundError: No module named 'keras'"),
            "ModuleNotFoundError: No module named 'keras'");
  EXPECT_EQ(last_words("[rank1]: Traceback (most recent call last):\n[rank0]: loss 3\n"
                       "[rank1]:   File \"a.py\", line 3\n[rank1]: KeyError: 'x'\nbye\n"),
            "KeyError: 'x'");
  EXPECT_EQ(last_words("F0000 00:00:1795713829.97    1612 random_op_gpu.h:247] Non-OK-status: x\n"
                       "*** Check failure stack trace: ***\n"),
            "F0000 00:00:1795713829.97    1612 random_op_gpu.h:247] Non-OK-status: x");
  EXPECT_EQ(last_words("loss: 0.3\nFinal words: Error\n"), "");
}

TEST(Signs, a_program_that_ends_well_has_no_last_words) {
  RunEnd end;
  end.exit_status = 0;
  end.signs = read("Traceback (most recent call last):\nValueError: caught and printed\n");
  EXPECT_EQ(end.last_words(), nullptr);
}

TEST(Signs, pieces_make_lines_and_floods_stay_bounded) {
  SignReader reader("output");
  for (const char letter : std::string("x CUDA out of memory\x1b[31m\n")) reader.read({&letter, 1});
  ASSERT_EQ(reader.signs().size(), 1U);
  EXPECT_EQ(reader.signs()[0].text, "x CUDA out of memory\\x1b[31m");
  for (int i = 0; i < 1000; ++i) reader.read("CUDA out of memory " + std::to_string(i) + "\n");
  reader.read(std::string(1 << 20, 'x'));
  EXPECT_LE(reader.signs().size(), 8U);
}

} // namespace
} // namespace gpuwhy::use
