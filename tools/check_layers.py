#!/usr/bin/env python3
"""Which room of src/ may include which, what pure rooms may not touch, and how long a file may be.

    check_layers.py [ROOT]      exit 1 and one line for each breach

The table is the one of ARCHITECTURE.md. A new room is a new row; a room may always include itself.
"""
import re
import sys
from pathlib import Path

PURE = {"base", "facts", "loader", "knowledge", "verdict"}

SEES = {
    "base": set(),
    "system": {"base"},
    "facts": {"base"},
    "elf": {"base", "facts", "system"},
    "loader": {"base", "facts"},
    "knowledge": {"base", "facts"},
    "collect": {"base", "facts", "system", "elf", "loader", "knowledge"},
    "places": {"base", "facts", "system"},
    "verdict": {"base", "facts"},
    "rules": PURE | {"program", "use"},  # causes in code look at its syntax, causes of use at a run's statistics
    "judge": PURE | {"rules", "use"},
    "render": {"base", "verdict", "use"},
    # Programs that are read, logs that are read, proofs and choices: each beside the route, none behind it.
    "program": {"base", "system"},
    "lint": {"base", "facts", "system", "program", "rules", "verdict"},
    "explain": PURE,
    "prove": PURE | {"rules"},
    "pick": PURE,
    "mcp": {"base"},
    "use": {"base", "system"},
    "watch": {"base", "system", "use"},
    "mend": {"base", "system"},  # the only room that writes the user's files
    "commands": None,  # wires all of them
}

# Rooms whose answers follow from their arguments alone.
NO_DOORS = {"base", "facts", "loader", "knowledge", "verdict", "rules", "judge", "render", "pick", "explain", "mcp"}
DOORS = re.compile(
    r"^(fstream|iostream|filesystem|unistd\.h|fcntl\.h|dlfcn\.h|spawn\.h|csignal|thread|random|chrono|ctime"
    r"|sys/(?!types\.h).*|netinet/.*|arpa/.*)$")
DOOR_CALLS = re.compile(r"\b(getenv|popen|fopen|printf|fprintf|puts|fputs)\(")  # snprintf only formats
# Headers that a probe and what reads its words have in common.
SHARED = {"cuda_windows.h": {"system", "watch"}, "loader_audit.h": {"system", "watch"}}
# Who may know nlohmann's header: it is slow to compile, and JSON is a border's business.
JSON = {"facts", "system", "collect", "render", "commands", "explain", "prove", "use", "lint", "program", "watch",
        "places", "mend", "mcp"}
LONGEST = {"src": 500, "tests": 650, "tools": 400, "probes": 400}  # lines

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def breaches(root):
    source = root / "src"
    rooms = sorted(path.name for path in source.iterdir() if path.is_dir())
    for room in rooms:
        if room not in SEES:
            yield f"src/{room}: this room is not in the table of tools/check_layers.py"
    for path in sorted(source.rglob("*")):
        if path.suffix not in (".cpp", ".h"):
            continue
        room = path.relative_to(source).parts[0]
        allowed = SEES.get(room, set())
        text = path.read_text(encoding="utf-8", errors="replace")
        for match in INCLUDE.finditer(text):
            place = f"{path.relative_to(root)}:{text.count(chr(10), 0, match.start(2)) + 1}"
            quoted, name = match.group(1) == '"', match.group(2)
            other = name.split("/")[0]
            if quoted and room in SHARED.get(name, ()):
                continue
            if quoted and "/" not in name:
                yield f"{place}: \"{name}\" does not name its room"
            elif quoted and other not in SEES and not (source / name).exists():
                yield f"{place}: {other} is no room"
            elif quoted and allowed is not None and other != room and other not in allowed:
                yield f"{place}: {room} must not see {other}"
            if not quoted and room in NO_DOORS and DOORS.match(name):
                yield f"{place}: {room} is pure, and <{name}> opens a door"
            if name.startswith("nlohmann/") and room not in JSON:
                yield f"{place}: {room} must not see JSON"
        if room in NO_DOORS and (match := DOOR_CALLS.search(text)):
            yield f"{path.relative_to(root)}: {room} is pure, and {match.group(1)}() opens a door"


def long_files(root):
    for folder, longest in LONGEST.items():
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in (".cpp", ".h", ".c", ".py"):
                continue
            lines = path.read_text(encoding="utf-8", errors="replace").count("\n")
            name = path.relative_to(root).as_posix()
            most = longest
            if lines > most:
                yield f"{name}: {lines} lines, at most {most}: it hides two rooms"


def untold(root):
    """Rooms that ARCHITECTURE.md does not mention."""
    page = root / "ARCHITECTURE.md"
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    for path in sorted((root / "src").iterdir()):
        if path.is_dir() and f"`src/{path.name}`" not in text:
            yield f"ARCHITECTURE.md: does not tell of src/{path.name}"


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent).resolve()
    found = [*breaches(root), *long_files(root), *untold(root)]
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
