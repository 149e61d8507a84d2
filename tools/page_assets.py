#!/usr/bin/env python3
"""Writes the source that carries the page's style sheets and scripts, with the hashes that its policy names.

    page_assets.py OUTPUT NAME=FILE[,FILE...] ...

Files of one name follow one another; a licence becomes a comment before the code that it is for. What would end the
element that an asset stands in is an error here.
"""
import base64
import hashlib
import pathlib
import re
import sys

ENDS = re.compile(rb"</(script|style)|<!--|<script", re.I)
PIECE = 4000  # bytes a literal: compilers need not take longer ones


def literal(data):
    """A raw string per piece; adjacent literals are one."""
    pieces = [data[at:at + PIECE] for at in range(0, len(data), PIECE)] or [b""]
    return "\n".join('      R"~asset~(' + piece.decode("latin-1") + ')~asset~"' for piece in pieces)


def content(file):
    data = pathlib.Path(file).read_bytes().strip() + b"\n"
    return b"/*\n" + data + b"*/\n" if pathlib.Path(file).name == "LICENSE" else data


def main():
    output, *assets = sys.argv[1:]
    rows = []
    for asset in assets:
        name, files = asset.split("=", 1)
        data = b"".join(content(file) for file in files.split(",") if file)
        ending = ENDS.search(data)
        if ending:
            sys.exit(f"{files}: holds {ending.group().decode()!r}, which a page cannot carry")
        digest = base64.b64encode(hashlib.sha256(data).digest()).decode() if data else ""
        rows.append(f'  if (name == "{name}")\n    return {{std::string_view(\n{literal(data)},\n'
                    f'      {len(data)}), "{"sha256-" + digest if digest else ""}"}};\n')
    text = ('// Written by tools/page_assets.py.\n#include "render/page_assets.h"\n\nnamespace gpuwhy {\n'
            "PageAsset page_asset(std::string_view name) {\n" + "".join(rows) + "  return {};\n}\n} // namespace gpuwhy\n")
    pathlib.Path(output).write_bytes(text.encode("latin-1"))


if __name__ == "__main__":
    main()
