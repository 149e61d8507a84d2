"""Does the stub driver answer as the real one did?

    python3 check_stub.py PROBE_CUDA_INIT PROBE_NVML STUB_LIB

The table was observed on one H100 with driver 580.159.04; UUID stands for that GPU's own UUID.
"""

import json
import os
import subprocess
import sys
import tempfile

UUID = "GPU-57ab0000-0000-4000-8000-000000000000"
OBSERVED = {
    100: ["", " ", "1", "1,0", "-1", "-1,0", "abc", "NoDevFiles", "none", "void", "all", ",0", "GPU-",
          "gpu-0000", "GPU-00000000-0000-0000-0000-000000000000", "MIG-UUID", "MIG-0",
          "99999999999", '"0"', "'0'", "[0]", "gpu-57ab0000-0000-4000-8000-000000000000", " UUID",
          "57ab0000-0000-4000-8000-000000000000", "18446744073709551616", "4294967295",
          "GPU-57ab0000-0000-40x"],
    101: ["0,0", "0,00", "0,0abc", "UUID,UUID", "UUID,GPU-57ab0000"],
    0: ["0", "0,1", "0,-1", "00", "+0", "-0", "0x0", "0x1", " 0", "0 ", "0 ,1", "0abc", "0,", "UUID",
        "GPU-57ab0000", "GPU-5", "GPU-57", "0,UUID", "UUID,0", "GPU-57ab0000,0", "0;1", "0,abc,0",
        "0,1,0", "0,,0", "4294967296", "0.5", "0 0", "\t0", "\n0", "UUID,abc,UUID", "UUIDx", "UUID ",
        "GPU-57AB0000-0000-4000-8000-000000000000"],
}


def ask(probe, stub, **variables):
    environment = {"LD_LIBRARY_PATH": stub, **variables}
    done = subprocess.run([probe], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert done.returncode == 0, (probe, variables, done.returncode)
    assert done.stdout.count(b"\n") == 1
    return json.loads(done.stdout)


def main():
    cuda, nvml, stub = map(os.path.abspath, sys.argv[1:4])
    wrong = []

    def expect(what, got, wanted):
        if got != wanted:
            wrong.append(f"{what}: {got}, expected {wanted}")

    def init(**variables):
        return ask(cuda, stub, **variables)["init"]

    for wanted, values in OBSERVED.items():
        for value in values:
            value = value.replace("UUID", UUID)
            expect(f"CUDA_VISIBLE_DEVICES={value!r}", init(CUDA_VISIBLE_DEVICES=value), wanted)
    for order, wanted in {"": 101, " ": 101, "PCI_BUS_ID": 0, "pci_bus_id": 101, "FASTEST_FIRST": 0}.items():
        expect(f"CUDA_DEVICE_ORDER={order!r}", init(CUDA_DEVICE_ORDER=order), wanted)
    expect("unknown order of nothing", init(CUDA_DEVICE_ORDER="x", CUDA_VISIBLE_DEVICES=""), 101)

    two = {"STUB_CUDA_DEVICES": "2", "STUB_CUDA_SMS": "5,128"}
    slots = lambda answer: [int(device["uuid"][-2:], 16) for device in answer["devices"]]
    expect("fastest first", slots(ask(cuda, stub, **two)), [1, 0])
    expect("by bus", slots(ask(cuda, stub, CUDA_DEVICE_ORDER="PCI_BUS_ID", **two)), [0, 1])
    expect("chosen", slots(ask(cuda, stub, CUDA_VISIBLE_DEVICES="1", **two)), [0])
    expect("NVML ignores it", slots(ask(nvml, stub, CUDA_VISIBLE_DEVICES="1", **two)), [0, 1])
    expect("forced", init(STUB_CUDA_INIT="803"), 803)

    nodes = {"nvidiactl", "nvidia0", "nvidia-uvm"}
    for missing, wanted, management in [(set(), 0, (0, 1)), ({"nvidia-uvm"}, 999, (0, 1)),
                                        ({"nvidiactl"}, 100, (9, None)), ({"nvidia0"}, 100, (0, 0)),
                                        (nodes, 100, (9, None))]:
        with tempfile.TemporaryDirectory() as folder:
            for node in nodes - missing:
                open(os.path.join(folder, node), "w").close()
            variables = {"STUB_CUDA_CHECK_NODES": "1", "STUB_CUDA_DEV": folder}
            expect(f"cuInit without {missing}", init(**variables), wanted)
            answer = ask(nvml, stub, **variables)
            expect(f"NVML without {missing}", (answer["init"], answer.get("count")), management)

    print("\n".join(wrong) or "the stub driver answers as observed")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
