#!/usr/bin/env python3
"""Fetches a package's archive by name, checks its SHA-256 and unpacks one folder of it.

    fetch_source.py [--npm] NAME VERSION SHA256 FOLDER DOWNLOADS TARGET [SUFFIX...]

The archive is a source archive of PyPI's, fetched with pip; with --npm a package of npm's, fetched with npm.

FOLDER is the folder inside the archive whose files (not its subfolders) go to TARGET; with suffixes
only files that end so. The archive stays in DOWNLOADS, so that later builds need no network.
Standard library only.
"""
import hashlib
import pathlib
import subprocess
import sys
import tarfile


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def download(name, version, sha256, folder):
    """The checked archive, from `folder` if an earlier build left it there."""
    for spelling in (name, name.replace("-", "_")):
        archive = folder / f"{spelling}-{version}.tar.gz"
        if archive.is_file() and digest(archive) == sha256:
            return archive
    folder.mkdir(parents=True, exist_ok=True)
    wanted = folder / f"{name}.requirement.txt"
    wanted.write_text(f"{name}=={version} --hash=sha256:{sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
               "--no-deps", "--no-binary", ":all:", "--require-hashes", "-r", str(wanted),
               "-d", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    for spelling in (name, name.replace("-", "_")):
        archive = folder / f"{spelling}-{version}.tar.gz"
        if archive.is_file() and digest(archive) == sha256:
            return archive
    last = (done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
    sys.exit(f"{name} {version}: could not be fetched with pip ({last}); "
             f"with no network, put its source archive into {folder}")


def plain(name):
    """As npm names a package's archive: "@microsoft/jest-sarif" is "microsoft-jest-sarif"."""
    return name.lstrip("@").replace("/", "-")


def download_npm(name, version, sha256, folder):
    archive = folder / f"{plain(name)}-{version}.tgz"
    if not (archive.is_file() and digest(archive) == sha256):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            done = subprocess.run(["npm", "pack", "--loglevel=error", "--ignore-scripts", "--pack-destination", str(folder),
                                   f"{name}@{version}"], capture_output=True, text=True, cwd=folder)
            last = (done.stderr.strip().splitlines() or ["npm gave another archive than the one that was pinned"])[-1]
        except FileNotFoundError:
            last = "npm is not installed"
        if not (archive.is_file() and digest(archive) == sha256):
            sys.exit(f"{name} {version}: could not be fetched with npm ({last}); "
                     f"with no network, put its archive into {folder}")
    return archive


def unpack(archive, folder, target, suffixes):
    """Regular files only, by their last name: no path of the archive is trusted."""
    wanted = pathlib.PurePosixPath(folder)
    target.mkdir(parents=True, exist_ok=True)
    count = 0
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            path = pathlib.PurePosixPath(member.name)
            inner = pathlib.PurePosixPath(*path.parts[1:])
            if not member.isfile() or inner.parent != wanted:
                continue
            if suffixes and not inner.name.endswith(tuple(suffixes)):
                continue
            (target / inner.name).write_bytes(tar.extractfile(member).read())
            count += 1
    if count == 0:
        sys.exit(f"{archive}: holds nothing in {folder}")


def main():
    arguments = sys.argv[1:]
    fetch = download
    if arguments[0] == "--npm":
        fetch = download_npm
        arguments = arguments[1:]
    name, version, sha256, folder, downloads, target, *suffixes = arguments
    target = pathlib.Path(target)
    stamp = target / f"{plain(name)}.sha256"
    if stamp.is_file() and stamp.read_text() == sha256:
        return
    unpack(fetch(name, version, sha256, pathlib.Path(downloads)), folder, target, suffixes)
    stamp.write_text(sha256)


if __name__ == "__main__":
    main()
