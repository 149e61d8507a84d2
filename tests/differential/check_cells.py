"""Is the table of cells what the suite promises? Needs no TensorFlow: it looks at the cells alone."""

import os
import re
import sys

import cells
import environments

PEERS = ("env-doctor S1", "env-doctor S2", "env-doctor S3", "env-doctor S4", "env-doctor S5", "env-doctor S6",
         "env-doctor S7", "env-doctor S8", "env-doctor S9", "env-doctor S10", "env-doctor S11", "NVCheckup",
         "cuda-doctor", "torch-check", "libtree (a)", "libtree (b)", "libtree (c)")
PINNED = re.compile(r"^[A-Za-z0-9_.-]+==[^ ]+ --hash=sha256:[0-9a-f]{64}$")


def problems():
    names = [cell.name for cell in cells.CELLS]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"two cells are {name!r}"
    seeded = {fault.name for cell in cells.CELLS for fault in cell.seeded if fault.cause}
    if len(seeded) < 30:
        yield f"only {len(seeded)} faults"
    if not any(len([fault for fault in cell.seeded if fault.cause]) > 1 for cell in cells.CELLS):
        yield "no faults in pairs"
    told = " ".join(cell.peer for cell in cells.CELLS)
    for peer in PEERS:
        if not re.search(re.escape(peer) + r"(?!\d)", told):
            yield f"no cell for {peer}"
    for cell in cells.CELLS:
        if cell.environment not in environments.ENVIRONMENTS:
            yield f"{cell.name}: no such environment"
    folder = os.path.join(environments.HERE, "requirements")
    for name in environments.ENVIRONMENTS:
        if not os.path.exists(os.path.join(folder, name + ".txt")):
            yield f"no requirements for {name}"
    for file in sorted(os.listdir(folder)):
        with open(os.path.join(folder, file)) as lines:
            for line in lines:
                if not line.startswith("#") and not PINNED.match(line.rstrip("\n")):
                    yield f"{file}: not pinned with a hash: {line.strip()}"


def main():
    found = list(problems())
    print("\n".join(found) or f"{len(cells.CELLS)} cells, well formed")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
