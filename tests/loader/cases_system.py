"""Files that are no good libraries (loader.md 1.5), and searches that reach /etc/ld.so.cache."""

import os


def needs(predicate):
    def mark(case):
        case.needs = predicate
        return case

    return mark


def mounts(can_mount):
    return can_mount()


def not_root(_):
    return os.geteuid() != 0


def bad_then_good(tree, content):
    tree.file("a/libx.so.1", content)
    tree.lib("b/libx.so.1")
    tree.library_path = f"{tree.root}/a:{tree.root}/b"
    return ["open", "libx.so.1"]


def case_stop_empty_file(tree):
    """0 bytes stop the search."""
    return bad_then_good(tree, b"")


def case_stop_short_file(tree):
    """63 bytes with a good beginning: too short."""
    return bad_then_good(tree, b"\x7fELF\x02\x01\x01" + b"\0" * 56)


def case_stop_linker_script(tree):
    """Text stops the search."""
    return bad_then_good(tree, "/* GNU ld script */\nINPUT(libx.so.1.2 AS_NEEDED(liby.so))\n" + " " * 64)


def case_stop_short_text(tree):
    """Text shorter than an ELF header is too short first."""
    return bad_then_good(tree, "INPUT(libx.so.1.2)\n")


def case_stop_directory(tree):
    """A directory of that name stops the search."""
    os.makedirs(tree.path("a/libx.so.1"))
    tree.lib("b/libx.so.1")
    tree.library_path = f"{tree.root}/a:{tree.root}/b"
    return ["open", "libx.so.1"]


def case_stop_in_dependency(tree):
    """A bad dependency is reported by its path."""
    tree.file("a/libinner.so.1", b"")
    tree.lib("a/libouter.so.1", needed=["libinner.so.1"], runpath="$ORIGIN")
    return ["open", tree.path("a/libouter.so.1")]


def case_stop_object_file(tree):
    """An ELF file that is not a shared object stops the search."""
    elf = bytearray(open(tree.lib("good/liby.so"), "rb").read())
    elf[16] = 1  # ET_REL
    tree.file("a/libx.so.1", bytes(elf))
    tree.lib("b/libx.so.1")
    tree.library_path = f"{tree.root}/a:{tree.root}/b"
    return ["open", "libx.so.1"]


def patched(tree, name, offset, value):
    elf = bytearray(open(tree.lib("good/liby.so", soname="libx.so.1"), "rb").read())
    elf[offset : offset + len(value)] = value
    return tree.file(name, bytes(elf))


def case_skip_other_class(tree):
    """A 32-bit library is passed over."""
    patched(tree, "a/libx.so.1", 4, b"\x01")
    tree.lib("b/libx.so.1")
    tree.library_path = f"{tree.root}/a:{tree.root}/b"
    return ["open", "libx.so.1"]


def case_other_class_alone(tree):
    """If nothing else is found, the message speaks of the class."""
    patched(tree, "a/libx.so.1", 4, b"\x01")
    tree.library_path = tree.path("a")
    return ["open", "libx.so.1"]


def case_other_class_by_path(tree):
    """By path, a 32-bit library is an error."""
    return ["open", patched(tree, "a/libx.so.1", 4, b"\x01")]


def case_skip_other_machine(tree):
    """A library for another processor is passed over."""
    patched(tree, "a/libx.so.1", 18, b"\xb7\x00")
    tree.lib("b/libx.so.1")
    tree.library_path = f"{tree.root}/a:{tree.root}/b"
    return ["open", "libx.so.1"]


def case_other_machine_alone(tree):
    """If nothing else is found, the message does not speak of the processor."""
    patched(tree, "a/libx.so.1", 18, b"\xb7\x00")
    tree.library_path = tree.path("a")
    return ["open", "libx.so.1"]


def case_other_machine_by_path(tree):
    """By path, a library for another processor counts as missing."""
    return ["open", patched(tree, "a/libx.so.1", 18, b"\xb7\x00")]


def case_big_endian(tree):
    """Another byte order stops the search, before the processor is looked at."""
    patched(tree, "a/libx.so.1", 5, b"\x02")
    tree.lib("b/libx.so.1")
    tree.library_path = f"{tree.root}/a:{tree.root}/b"
    return ["open", "libx.so.1"]


def case_system_of_other_kind(tree):
    """Another OS ABI (FreeBSD) stops the search."""
    patched(tree, "a/libx.so.1", 7, b"\x09")
    tree.lib("b/libx.so.1")
    tree.library_path = f"{tree.root}/a:{tree.root}/b"
    return ["open", "libx.so.1"]


def case_skip_dangling(tree):
    """A broken link is passed over."""
    tree.link("a/libx.so.1", "libx.so.1.2.3")
    tree.lib("b/libx.so.1")
    tree.library_path = f"{tree.root}/a:{tree.root}/b"
    return ["open", "libx.so.1"]


def case_dangling_by_path(tree):
    """By path, a broken link is a missing file."""
    return ["open", tree.link("a/libx.so.1", "libx.so.1.2.3")]


@needs(not_root)
def case_skip_unreadable(tree):
    """A file without read permission is passed over."""
    os.chmod(tree.lib("a/libx.so.1"), 0)
    tree.lib("b/libx.so.1")
    tree.library_path = f"{tree.root}/a:{tree.root}/b"
    return ["open", "libx.so.1"]


def case_link_loop(tree):
    """A link to itself ends this list of directories, not the search."""
    tree.link("a/libx.so.1", "libx.so.1")
    tree.lib("b/libx.so.1")
    tree.lib("c/libx.so.1")
    tree.program(runpath="$ORIGIN/../c")
    tree.library_path = f"{tree.root}/a:{tree.root}/b"
    return ["open", "libx.so.1"]


def case_truncated(tree):
    """A good header over a body that is not there: the process dies."""
    source = "int big[65536] = {1}; int* where = big;"
    whole = open(tree.lib("good/liby.so", soname="libx.so.1", source=source), "rb").read()
    tree.file("a/libx.so.1", whole[:8192])
    tree.library_path = tree.path("a")
    return ["open", "libx.so.1"]


def case_not_loadable(tree):
    """A header without segments."""
    patched(tree, "a/libx.so.1", 56, b"\0\0")
    tree.lib("b/libx.so.1")
    tree.library_path = f"{tree.root}/a:{tree.root}/b"
    return ["open", "libx.so.1"]


def case_default_directory(tree):
    """Found in the system: by the cache."""
    return ["open", "libz.so.1"]


def case_no_default_lib(tree):
    """DF_1_NODEFLIB: neither default directories nor the cache's entries in them."""
    tree.opener("o/libopen.so", flags=["-Wl,-z,nodefaultlib"])
    return ["via", tree.path("o/libopen.so"), "libz.so.1"]


@needs(mounts)
def case_cache(tree):
    """Only the cache knows the directory."""
    tree.lib("cached/libx.so.1")
    tree.make_cache("cached")
    return ["open", "libx.so.1"]


@needs(mounts)
def case_cache_first_directory(tree):
    """Two directories of ld.so.conf: the first wins."""
    for folder in ("one", "two"):
        tree.lib(f"{folder}/libx.so.1")
    tree.make_cache("two", "one")
    return ["open", "libx.so.1"]


@needs(mounts)
def case_configured_but_not_cached(tree):
    """In a directory of ld.so.conf, but ldconfig was not run since: not found."""
    os.makedirs(tree.path("cached"))
    tree.make_cache("cached")
    tree.lib("cached/libx.so.1")
    return ["open", "libx.so.1"]


@needs(mounts)
def case_cached_but_gone(tree):
    """The cache's entry lost its file: not found."""
    path = tree.lib("cached/libx.so.1")
    tree.make_cache("cached")
    os.remove(path)
    return ["open", "libx.so.1"]


@needs(mounts)
def case_cached_no_longer_configured(tree):
    """The cache counts, not ld.so.conf: a directory taken out of it still works."""
    tree.lib("cached/libx.so.1")
    tree.make_cache("cached")
    tree.file("ld.so.conf", "")
    return ["open", "libx.so.1"]


@needs(mounts)
def case_cached_first_gone_second_there(tree):
    """Only the best entry is tried: a second directory with the library does not help."""
    first = tree.lib("one/libx.so.1")
    tree.lib("two/libx.so.1")
    tree.make_cache("one", "two")
    os.remove(first)
    return ["open", "libx.so.1"]


@needs(mounts)
def case_cache_capability(tree):
    """A glibc-hwcaps entry of the cache is better than a plain one of an earlier directory."""
    tree.lib("one/libx.so.1")
    tree.lib("two/libx.so.1")
    tree.lib("two/glibc-hwcaps/x86-64-v2/libx.so.1")
    tree.make_cache("one", "two")
    return ["open", "libx.so.1"]


@needs(mounts)
def case_cache_stop(tree):
    """The cached file is no longer a library: the search stops."""
    path = tree.lib("cached/libx.so.1")
    tree.make_cache("cached")
    os.remove(path)
    tree.file("cached/libx.so.1", b"")
    return ["open", "libx.so.1"]


@needs(mounts)
def case_no_default_lib_and_cache(tree):
    """DF_1_NODEFLIB leaves the cache's other entries usable."""
    tree.lib("cached/libx.so.1")
    tree.make_cache("cached")
    tree.opener("o/libopen.so", flags=["-Wl,-z,nodefaultlib"])
    return ["via", tree.path("o/libopen.so"), "libx.so.1"]
