// Code in memory, as people paste it.
#include "lint/lint.h"

#include <gtest/gtest.h>

namespace gpuwhy::lint {
namespace {

std::string ids(const LintReport& report) {
  std::string all;
  for (const auto& finding : report.findings)
    all += (all.empty() ? "" : " ") + finding.id + ":" + std::to_string(finding.line);
  return all;
}

const std::string kTrains = "import torch\n"
                            "net = Net()\n"
                            "opt = torch.optim.SGD(net.parameters(), 0.1)\n"
                            "for x in data:\n"
                            "    loss = net(x)\n"
                            "    loss.backward()\n";

TEST(JudgePasted, AReportForEachText) {
  const auto reports = judge_pasted({"x = 1\n", "import tensorflow as tf\n"
                                                "tf.config.set_visible_devices([], 'GPU')\n"
                                                "tf.keras.Sequential([]).fit(x)\n"});
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports[0].files, 0U) << "names nothing of a framework";
  EXPECT_EQ(reports[1].files, 1U);
  EXPECT_EQ(ids(reports[1]), "P02:2");
}

TEST(JudgePasted, MagicsOfNotebooks) {
  EXPECT_EQ(ids(judge_pasted({"%env CUDA_VISIBLE_DEVICES=-1\n"
                              "import tensorflow as tf\n"
                              "tf.keras.Sequential([]).fit(x)\n"})
                    .front()),
            "P03:1");
}

TEST(JudgePasted, AnotherTextMayMoveTheModel) {
  EXPECT_EQ(judge_pasted({kTrains}).front().findings.front().id, "P15");
  EXPECT_EQ(
      ids(judge_pasted({kTrains, "import torch\ndef make():\n  return Net().cuda()\n"}).front()),
      "");
  EXPECT_EQ(judge_pasted({kTrains, "torch.cuda.is_available()\n"}).front().findings.front().id,
            "P15")
      << "a question moves nothing";
}

} // namespace
} // namespace gpuwhy::lint
