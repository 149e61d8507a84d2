"""One rule of the search a function; its docstring says which. A case builds its tree and returns what the
program does: ["open", NAME] from the program itself, ["via", LIBRARY, NAME] from the code of a library."""


def three_copies(tree, name="libx.so.1"):
    for folder in ("a", "b", "c"):
        tree.lib(f"{folder}/{name}")


def case_library_path_order(tree):
    """The first directory that has it wins."""
    three_copies(tree)
    tree.library_path = f"{tree.root}/none:{tree.root}/b:{tree.root}/a"
    return ["open", "libx.so.1"]


def case_rpath_before_library_path(tree):
    """RPATH wins over LD_LIBRARY_PATH."""
    three_copies(tree)
    tree.program(rpath="$ORIGIN/../a")
    tree.library_path = tree.path("b")
    return ["open", "libx.so.1"]


def case_library_path_before_runpath(tree):
    """LD_LIBRARY_PATH wins over RUNPATH."""
    three_copies(tree)
    tree.program(runpath="$ORIGIN/../a")
    tree.library_path = tree.path("b")
    return ["open", "libx.so.1"]


def case_runpath_alone(tree):
    """RUNPATH is used after LD_LIBRARY_PATH had nothing."""
    three_copies(tree)
    tree.program(runpath="$ORIGIN/../none:$ORIGIN/../c")
    tree.library_path = tree.path("none")
    return ["open", "libx.so.1"]


def case_program_runpath_not_for_library(tree):
    """RUNPATH of the program is not used for what a library opens."""
    three_copies(tree)
    tree.opener("o/libopen.so")
    tree.program(runpath="$ORIGIN/../a")
    return ["via", tree.path("o/libopen.so"), "libx.so.1"]


def case_program_rpath_for_library(tree):
    """RPATH of the program is used for a library that has neither tag."""
    three_copies(tree)
    tree.opener("o/libopen.so")
    tree.program(rpath="$ORIGIN/../a")
    return ["via", tree.path("o/libopen.so"), "libx.so.1"]


def case_program_rpath_ignored_for_library_with_runpath(tree):
    """A library with RUNPATH switches every RPATH off."""
    three_copies(tree)
    tree.opener("o/libopen.so", runpath="$ORIGIN/none")
    tree.program(rpath="$ORIGIN/../a")
    return ["via", tree.path("o/libopen.so"), "libx.so.1"]


def case_own_rpath_before_programs(tree):
    """The opener's RPATH comes before the program's."""
    three_copies(tree)
    tree.opener("o/libopen.so", rpath="$ORIGIN/../b")
    tree.program(rpath="$ORIGIN/../a")
    return ["via", tree.path("o/libopen.so"), "libx.so.1"]


def case_rpath_chain(tree):
    """RPATH of the library that needs a library counts for what the latter needs."""
    tree.lib("deep/libinner.so.1")
    tree.lib("mid/libmiddle.so.1", needed=["libinner.so.1"])
    tree.lib("top/libouter.so.1", needed=["libmiddle.so.1"], rpath="$ORIGIN/../mid:$ORIGIN/../deep")
    return ["open", tree.path("top/libouter.so.1")]


def case_runpath_not_inherited(tree):
    """RUNPATH of a library does not count for what its dependencies need."""
    tree.lib("deep/libinner.so.1")
    tree.lib("mid/libmiddle.so.1", needed=["libinner.so.1"])
    tree.lib("top/libouter.so.1", needed=["libmiddle.so.1"], runpath="$ORIGIN/../mid:$ORIGIN/../deep")
    return ["open", tree.path("top/libouter.so.1")]


def case_chain_passes_object_with_runpath(tree):
    """In the walk up the chain an object with RUNPATH gives nothing, but those above it do."""
    tree.lib("deep/libinner.so.1")
    tree.lib("mid/libmiddle.so.1", needed=["libinner.so.1"])
    tree.lib("top/libouter.so.1", needed=["libmiddle.so.1"], runpath="$ORIGIN/../mid")
    tree.program(rpath="$ORIGIN/../deep")
    return ["open", tree.path("top/libouter.so.1")]


def case_origin_of_library(tree):
    """$ORIGIN is the directory of the object that carries the string."""
    tree.lib("o/sub/libx.so.1")
    tree.opener("o/libopen.so", runpath="${ORIGIN}/sub")
    return ["via", tree.path("o/libopen.so"), "libx.so.1"]


def case_origin_through_linked_directory(tree):
    """$ORIGIN of a library keeps the link by which it was opened; ".." is the kernel's."""
    tree.lib("store/x/libx.so.1")
    tree.lib("env/x/libx.so.1")
    tree.opener("store/pkg/libopen.so", runpath="$ORIGIN/../x")
    tree.link("env/pkg", "../store/pkg")
    tree.lib("bin/y")
    return ["via", tree.path("env/pkg/libopen.so"), "libx.so.1"]


def case_origin_of_linked_library(tree):
    """A link to a library: $ORIGIN is where the link stands."""
    tree.lib("links/libx.so.1")
    tree.lib("store/libx.so.1")
    tree.opener("store/libopen.so.1", soname="libopen.so", runpath="$ORIGIN")
    tree.link("links/libopen.so", "../store/libopen.so.1")
    return ["via", tree.path("links/libopen.so"), "libx.so.1"]


def case_origin_of_linked_program(tree):
    """The program's $ORIGIN is that of the real file."""
    tree.lib("lib/libx.so.1")
    tree.program(rpath="$ORIGIN/../lib")
    tree.link("elsewhere/deep/program", "../../bin/program")
    tree.real_program = tree.path("elsewhere/deep/program")
    return ["open", "libx.so.1"]


def case_origin_in_library_path(tree):
    """$ORIGIN in LD_LIBRARY_PATH is the program's directory."""
    tree.lib("bin/sub/libx.so.1")
    tree.opener("o/libopen.so")
    tree.library_path = "$ORIGIN/sub"
    return ["via", tree.path("o/libopen.so"), "libx.so.1"]


def case_lib_token(tree):
    """$LIB expands to the distribution's library directory."""
    tree.lib("r/lib/x86_64-linux-gnu/libx.so.1")
    tree.library_path = tree.path("r/$LIB")
    return ["open", "libx.so.1"]


def case_platform_token(tree):
    """$PLATFORM expands to AT_PLATFORM."""
    tree.lib("r/x86_64/libx.so.1")
    tree.program(rpath="$ORIGIN/../r/$PLATFORM")
    return ["open", "libx.so.1"]


def case_token_must_end(tree):
    """$ORIGINAL is no token."""
    tree.lib("bin/AL/libx.so.1")
    tree.lib("binAL/libx.so.1")
    tree.library_path = "$ORIGINAL"
    return ["open", "libx.so.1"]


def case_token_in_name(tree):
    """$ORIGIN works in the name given to dlopen: the directory of the caller."""
    tree.lib("o/libx.so.1")
    tree.opener("o/libopen.so")
    return ["via", tree.path("o/libopen.so"), "$ORIGIN/libx.so.1"]


def case_empty_element(tree):
    """An empty element is the working directory."""
    tree.lib("here/libx.so.1")
    tree.cwd = tree.path("here")
    tree.library_path = tree.path("none") + "::"
    return ["open", "libx.so.1"]


def case_leading_colon(tree):
    """A leading colon is an empty element; it comes first."""
    tree.lib("here/libx.so.1")
    tree.lib("a/libx.so.1")
    tree.cwd = tree.path("here")
    tree.library_path = ":" + tree.path("a")
    return ["open", "libx.so.1"]


def case_empty_variable(tree):
    """A variable that is set and empty names nothing."""
    tree.lib("here/libx.so.1")
    tree.cwd = tree.path("here")
    tree.library_path = ""
    return ["open", "libx.so.1"]


def case_relative_element(tree):
    """A relative directory is seen from the working directory."""
    tree.lib("here/sub/libx.so.1")
    tree.cwd = tree.path("here")
    tree.library_path = "./sub"
    return ["open", "libx.so.1"]


def case_semicolon(tree):
    """LD_LIBRARY_PATH may be split at ';' too."""
    three_copies(tree)
    tree.library_path = f"{tree.root}/none;{tree.root}/c:{tree.root}/a"
    return ["open", "libx.so.1"]


def case_semicolon_in_rpath(tree):
    """RPATH is split at ':' alone: a ';' belongs to the name."""
    tree.lib("a/libx.so.1")
    tree.program(rpath=f"{tree.root}/none;{tree.root}/a")
    return ["open", "libx.so.1"]


def case_trailing_slash(tree):
    """Trailing slashes change nothing."""
    tree.lib("a/libx.so.1")
    tree.library_path = tree.path("a///")
    return ["open", "libx.so.1"]


def case_tilde(tree):
    """'~' is not expanded."""
    tree.lib("a/libx.so.1")
    tree.library_path = "~/a"
    return ["open", "libx.so.1"]


def case_empty_rpath_element(tree):
    """An empty element of RPATH is the working directory."""
    tree.lib("here/libx.so.1")
    tree.cwd = tree.path("here")
    tree.program(rpath=tree.path("none") + ":")
    return ["open", "libx.so.1"]


def case_capability_directory_first(tree):
    """glibc-hwcaps/x86-64-v2 is tried before the directory itself."""
    tree.lib("a/libx.so.1")
    tree.lib("a/glibc-hwcaps/x86-64-v2/libx.so.1")
    tree.library_path = tree.path("a")
    return ["open", "libx.so.1"]


def case_capability_directory_only(tree):
    """A copy in glibc-hwcaps alone is found."""
    tree.lib("a/glibc-hwcaps/x86-64-v2/libx.so.1")
    tree.program(runpath="$ORIGIN/../a")
    return ["open", "libx.so.1"]


def case_capability_best_first(tree):
    """The best level that the processor has comes first; one it lacks is never used."""
    for level in ("v2", "v3", "v4", "v9"):
        tree.lib(f"a/glibc-hwcaps/x86-64-{level}/libx.so.1")
    tree.library_path = tree.path("a")
    return ["open", "libx.so.1"]


def case_capability_unknown_level(tree):
    """A level that no processor has is passed over."""
    tree.lib("a/glibc-hwcaps/x86-64-v9/libx.so.1")
    tree.lib("a/libx.so.1")
    tree.library_path = tree.path("a")
    return ["open", "libx.so.1"]


def case_capability_of_earlier_directory(tree):
    """A plain copy in the first directory beats a better one in the second."""
    tree.lib("a/libx.so.1")
    tree.lib("b/glibc-hwcaps/x86-64-v2/libx.so.1")
    tree.library_path = f"{tree.root}/a:{tree.root}/b"
    return ["open", "libx.so.1"]


def case_missing(tree):
    """Nothing found."""
    tree.library_path = tree.path("none")
    return ["open", "libgpuwhy-missing.so.1"]


def case_soname_loaded_by_path(tree):
    """A library opened by path is found again by its soname."""
    tree.lib("hidden/x-1.2.so", soname="libx.so.1")
    tree.lib("b/libx.so.1")
    tree.library_path = tree.path("b")
    return ["open", tree.path("hidden/x-1.2.so"), "open", "libx.so.1"]


def case_same_soname_second_path(tree):
    """Another path with the same soname is a second copy."""
    tree.lib("a/libx.so.1")
    tree.lib("b/libx.so.1")
    return ["open", tree.path("a/libx.so.1"), "open", tree.path("b/libx.so.1"), "open", "libx.so.1"]


def case_same_file_by_link(tree):
    """Another name of the same file is the same object, and adds the name."""
    tree.lib("a/libx.so.1.2", soname="libx.so.1")
    tree.link("b/libother.so", "../a/libx.so.1.2")
    tree.library_path = tree.path("b")
    return ["open", tree.path("a/libx.so.1.2"), "open", "libother.so", "open", "libother.so"]


def case_loaded_with_the_program(tree):
    """What the program needs is there before anything is opened."""
    tree.lib("a/libx.so.1")
    tree.lib("b/libx.so.1")
    tree.program(needed=["libx.so.1"], rpath="$ORIGIN/../a")
    tree.opener("o/libopen.so", runpath="$ORIGIN/../b")
    return ["via", tree.path("o/libopen.so"), "libx.so.1"]


def case_name_without_soname(tree):
    """Without DT_SONAME only the requested names count."""
    tree.lib("a/libx.so.1", soname="")
    tree.lib("b/libx.so.1", soname="")
    tree.library_path = tree.path("b")
    return ["open", tree.path("a/libx.so.1"), "open", "libx.so.1"]


def case_needed_by_two(tree):
    """A diamond: each library is loaded once, breadth first."""
    tree.lib("a/libbase.so.1")
    tree.lib("a/libleft.so.1", needed=["libdeep.so.1", "libbase.so.1"], runpath="$ORIGIN")
    tree.lib("a/libright.so.1", needed=["libbase.so.1"], runpath="$ORIGIN")
    tree.lib("a/libdeep.so.1", needed=["libbase.so.1"], runpath="$ORIGIN")
    tree.lib("a/libtop.so.1", needed=["libleft.so.1", "libright.so.1"], runpath="$ORIGIN")
    tree.library_path = tree.path("a")
    return ["open", "libtop.so.1"]


def case_dependency_missing(tree):
    """The inner name is reported, and nothing stays loaded."""
    tree.lib("a/libouter.so.1", needed=["libgone.so.1"])
    tree.lib("b/libx.so.1", soname="libouter.so.1")
    tree.library_path = f"{tree.root}/a"
    return ["open", "libouter.so.1", "open", tree.path("b/libx.so.1")]


def case_dependency_missing_deep(tree):
    """Two levels down."""
    tree.lib("a/libmiddle.so.1", needed=["libgone.so.1"])
    tree.lib("a/libouter.so.1", needed=["libmiddle.so.1"])
    tree.library_path = f"{tree.root}/a"
    return ["open", "libouter.so.1"]
