"""Makes a recording small enough to be kept as a fixture: NVML's looks merged to two a second, paths and the
card's number taken out.

    python compact.py EXPECTED RECORDING FOLDER    writes FOLDER/EXPECTED-NAME.jsonl
"""

import json
import os
import sys

MEANS = ("busy", "sm", "w", "mhz", "c", "rx", "tx")


def merge(ticks):
    """One look for several: means of the gauges, the last of the rest, the most of the memory."""
    merged = {"t": ticks[-1]["t"], "gpus": []}
    for place in range(len(ticks[0]["gpus"])):
        looks = [tick["gpus"][place] for tick in ticks]
        gpu = dict(looks[-1])
        for key in MEANS:
            values = [look[key] for look in looks if key in look]
            if values:
                gpu[key] = round(sum(values) / len(values), 1)
        gpu["mem"] = max(look.get("mem", 0) for look in looks)
        gpu["why"] = looks[-1].get("why", 0)
        for look in looks:
            if "procs" in look:
                gpu["procs"] = look["procs"]
        merged["gpus"].append(gpu)
    return merged


def shorten(value):
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, list):
        return [shorten(each) for each in value]
    if isinstance(value, dict):
        return {key: shorten(each) for key, each in value.items()}
    return value


def main():
    expected, recording, folder = sys.argv[1:4]
    lines = [json.loads(line) for line in open(recording)]
    start, ticks, end = lines[0], lines[1:-1], lines[-1]
    start["command"] = ["python3", "workloads.py", os.path.basename(recording).split(".")[0]]
    for gpu in start["gpus"]:
        gpu["uuid"] = "GPU-00000000-0000-0000-0000-000000000000"
    kept, pending = [start], []
    for tick in ticks:
        if "gpus" in tick:
            pending.append(tick)
            if len(pending) < 5:
                continue
            tick, pending = merge(pending), []
        if tick.get("processes"):
            # A compiler or a worker more says no more.
            named = {}
            for process in tick["processes"]:
                named[(process["pid"])] = process
            tick["processes"] = list(named.values())
        kept.append(tick)
    if pending:
        kept.append(merge(pending))
    path = os.path.join(folder, expected + "-" + start["command"][2] + ".jsonl")
    with open(path, "w") as file:
        for line in kept + [end]:
            file.write(json.dumps(shorten(line), separators=(",", ":")) + "\n")
    print(path, os.path.getsize(path))


if __name__ == "__main__":
    main()
