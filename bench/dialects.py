"""Patterns of RE2 in the dialects of its rivals: Rust's regex crate (ripgrep) and the extended expressions of GNU grep.

All that matters here is which lines match: groups lose their names, and what is lazy becomes greedy.
"""

import re

REPEAT = re.compile(r"\{\d+(?:,\d*)?\}")
GROUP = re.compile(r"\((?:\?P<\w+>|\?(i?):)?")
SETS = {"d": "0-9", "w": "A-Za-z0-9_", "s": "\\s"}
CONTROLS = {"n": "\n", "t": "\t", "r": "\r"}


class Dialect:
    """How one rival writes what the walk over a pattern finds."""

    special = ".+*?()|[]{}^$\\"  # the walk escapes these outside of classes
    asserts = {"b": "\\b", "B": "\\B"}

    def open(self, folds):
        return "("

    def literal(self, char, folds):
        return "\\" + char if char in self.special else char


class Rust(Dialect):
    sets = {"d": "\\d", "D": "\\D", "w": "\\w", "W": "\\W", "s": "\\s", "S": "\\S"}

    def open(self, folds):
        return "(?i:" if folds else "(?:"

    def literal(self, char, folds):
        if char.isascii():
            return super().literal(char, folds)
        return "(?:" + "".join(f"\\x{byte:02x}" for byte in char.encode()) + ")"

    def bracket(self, negated, items, folds):
        escapes = {"\n": "\\n", **{char: "\\" + char for char in "[]^-&~\\"}}
        return "[" + "^" * negated + "".join(escapes.get(item, item) for item in items) + "]"


class Grep(Dialect):
    special = ".+*?()|[{^$\\"  # a lone "]" or "}" stands for itself
    sets = {"d": "[0-9]", "D": "[^0-9]", "w": "\\w", "W": "\\W", "s": "\\s", "S": "\\S"}

    def literal(self, char, folds):
        if not char.isascii():
            return f"({char})"  # several bytes to grep, in the C locale
        if folds and char.isalpha():
            return f"[{char.lower()}{char.upper()}]"
        return super().literal(char, folds)

    def bracket(self, negated, items, folds):
        items = [item for item in items if item != "\n"]  # a line holds none
        if negated and not items:
            return "."
        if folds:
            items += [item.swapcase() for item in items if item[0].isalpha()]
        items = ["[:space:]" if item == "\\s" else item for item in dict.fromkeys(items)]
        # Nothing escapes here: "]" stands first, "^" not first, "-" last.
        items.sort(key=lambda item: {"]": 0, "^": 2, "-": 3}.get(item, 1))
        if items == ["^"] and not negated:
            return "\\^"
        return "[" + "^" * negated + "".join(items) + "]"


def read_class(pattern, at):
    """Items of the class that opens at `at`: characters, ranges as "a-z", "\\s"; and where it ends."""
    at += 1
    negated = pattern[at] == "^"
    at += negated
    items = []
    while pattern[at] != "]" or not items:
        char, at = pattern[at], at + 1
        if char == "\\":
            char, at = pattern[at], at + 1
            if char in SETS:
                items += re.findall(r".-.|\\s|.", SETS[char])
                continue
            if char.isalnum() and char not in CONTROLS:
                raise ValueError(f"\\{char} in a class of {pattern}")
            char = CONTROLS.get(char, char)
        elif char == "[" and pattern[at] == ":":
            raise ValueError(f"a named class in {pattern}")
        if not char.isascii():
            raise ValueError(f"{char} in a class of {pattern}")
        if pattern[at] == "-" and pattern[at + 1] != "]":
            char, at = f"{char}-{pattern[at + 1]}", at + 2
        items.append(char)
    return negated, items, at + 1


def translate(pattern, dialect):
    out = []
    folding = [False]  # by open group
    at = 0
    while at < len(pattern):
        char = pattern[at]
        repeat = REPEAT.match(pattern, at)
        if char == "[":
            negated, items, at = read_class(pattern, at)
            out.append(dialect.bracket(negated, items, folding[-1]))
        elif char == "\\":
            escaped, at = pattern[at + 1], at + 2
            if escaped.isalnum():
                out.append({**dialect.sets, **dialect.asserts}[escaped])
            else:
                out.append(dialect.literal(escaped, folding[-1]))
        elif char == "(":
            group = GROUP.match(pattern, at)
            if group.group() == "(" and pattern[at + 1] == "?":
                raise ValueError(f"an unknown group in {pattern}")
            folding.append(folding[-1] or group.group(1) == "i")
            out.append(dialect.open(folding[-1]))
            at = group.end()
        elif char == ")":
            folding.pop()
            out.append(char)
            at += 1
        elif char in "*+?" or repeat:
            out.append(repeat.group() if repeat else char)
            at += len(out[-1])
            at += pattern[at : at + 1] == "?"  # lazy
        elif char in "|.^$":
            out.append(char)
            at += 1
        else:
            out.append(dialect.literal(char, folding[-1]))
            at += 1
    return "".join(out)


def alternation(patterns, dialect):
    return "|".join(dialect.open(False) + translate(pattern, dialect) + ")" for pattern in patterns)
