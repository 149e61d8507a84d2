// A container that had its GPU and lost it while it ran: the rules of its control group were
// written anew. Truth: NVIDIA container toolkit, "containers losing access to GPUs"
// (loader.md 3.5): nodes and libraries are all there, and opening a node gives EPERM.
#include "rules/C_container/given_gpus.h"
#include "rules/H_hardware/gpus.h"

#include <array>

namespace gpuwhy::rules {
namespace {

constexpr std::array<std::string_view, 4> kExplains{"C01", "C02", "H08", "H18"};

Outcome check(const Case& c) {
  const auto& facts = c.facts;
  if (!in_container(facts)) return Outcome::not_applicable();
  const auto& mounts = facts.access.driver_mounts;
  const auto* node = refused_node(facts);
  if (node == nullptr) {
    if (facts.access.nodes.open()) return Outcome::not_applicable(); // C01 says what is missing
    return Outcome::clear("the control group refuses no device node");
  }
  if (!mounts.known() || mounts.value().empty())
    return Outcome::not_applicable(); // never set up: C01
  return Outcome::found("this container had the GPU and lost it: its control group was written "
                        "anew while it ran")
      .because(node->path + ": EPERM from the control group", node->usable.source())
      .because(std::to_string(mounts.value().size()) +
                   " files of the driver are mounted: it was started with the GPU",
               mounts.source())
      .mend({"start the container anew; to keep it from happening, use the cgroupfs driver or make "
             "the links in /dev/char "
             "(nvidia-ctk system create-dev-char-symlinks --create-all)",
             {"docker restart CONTAINER"},
             given(facts)});
}

} // namespace

extern constexpr Rule C06{
    .id = "C06",
    .slug = "cgroup-revoked",
    .title = "The container lost its GPU while it ran",
    .since = "0.1",
    .gate = Gate::access,
    .settled_by_driver = true,
    .explanation =
        R"(Which devices a container may open is a rule of its control group. With systemd as the manager of
control groups, `systemctl daemon-reload` on the host, also as part of an update, writes those rules anew, and the GPU's
are forgotten. A program in the container then gets "Failed to initialize NVML: Unknown Error", hours after it
worked.)",
    .fix =
        R"(Start the container anew. On the host run `nvidia-ctk system create-dev-char-symlinks --create-all` at each
start, or let Docker use `"exec-opts": ["native.cgroupdriver=cgroupfs"]`.)",
    .references =
        R"(- [Containers losing access to GPUs](https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/troubleshooting.html))",
    .explains = kExplains,
    .check = check,
};

} // namespace gpuwhy::rules
