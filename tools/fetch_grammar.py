#!/usr/bin/env python3
"""Fetches the source archive of a package by name, checks its SHA-256 and unpacks its src folder.

    fetch_grammar.py NAME VERSION SHA256 DOWNLOADS TARGET

The archive stays in DOWNLOADS, so that later builds need no network. TARGET receives what is in
the archive's src/: the generated parser, its scanner and their headers. Standard library only.
"""
import hashlib
import pathlib
import shutil
import subprocess
import sys
import tarfile


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def download(name, version, sha256, folder):
    """The checked archive, from `folder` if an earlier build left it there."""
    archive = folder / f"{name.replace('-', '_')}-{version}.tar.gz"
    if archive.is_file() and digest(archive) == sha256:
        return archive
    folder.mkdir(parents=True, exist_ok=True)
    wanted = folder / f"{name}.requirement.txt"
    wanted.write_text(f"{name}=={version} --hash=sha256:{sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
               "--no-deps", "--no-binary", ":all:", "--require-hashes", "-r", str(wanted),
               "-d", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        sys.exit(f"{name} {version}: could not be fetched with pip ({last}); "
                 f"with no network, put its source archive into {folder}")
    if not archive.is_file() or digest(archive) != sha256:
        sys.exit(f"{archive}: not the pinned archive (SHA-256 differs)")
    return archive


def unpack(archive, target):
    """Regular files of the archive's src/ only, by our own names: no path of the archive is trusted."""
    fresh = target.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            parts = pathlib.PurePosixPath(member.name).parts
            if not member.isfile() or len(parts) < 3 or parts[1] != "src" or ".." in parts:
                continue
            path = fresh.joinpath(*parts[2:])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(tar.extractfile(member).read())
    if not (fresh / "parser.c").is_file():
        sys.exit(f"{archive}: holds no src/parser.c")
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)


def main():
    name, version, sha256, downloads, target = sys.argv[1:]
    target = pathlib.Path(target)
    stamp = target.with_suffix(".sha256")
    if stamp.is_file() and stamp.read_text() == sha256 and (target / "parser.c").is_file():
        return
    unpack(download(name, version, sha256, pathlib.Path(downloads)), target)
    stamp.write_text(sha256)


if __name__ == "__main__":
    main()
