# tree-sitter (Debian's static archive) and its Python grammar, which Debian does not carry: fetched by
# name, pinned, checked, kept in build/downloads. Grammar 0.23.6 has ABI 14, the newest that Debian's 0.20.7
# loads; its archive leaves out its headers, which the archive of tree-sitter itself has.
find_path(TREE_SITTER_INCLUDE tree_sitter/api.h)
find_library(TREE_SITTER_ARCHIVE libtree-sitter.a)
if(NOT TREE_SITTER_INCLUDE OR NOT TREE_SITTER_ARCHIVE)
  message(FATAL_ERROR "libtree-sitter.a: not found; install libtree-sitter-dev")
endif()
find_package(Python3 REQUIRED COMPONENTS Interpreter)

# gpuwhy_fetch(name version sha256 folder target [suffix...])
function(gpuwhy_fetch name version sha256 folder target)
  execute_process(
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/fetch_source.py ${name} ${version} ${sha256} ${folder}
            ${CMAKE_SOURCE_DIR}/build/downloads ${target} ${ARGN}
    RESULT_VARIABLE status ERROR_VARIABLE problem OUTPUT_QUIET)
  if(NOT status EQUAL 0)
    string(STRIP "${problem}" problem)
    message(FATAL_ERROR "${problem}")
  endif()
endfunction()

set(grammar ${CMAKE_BINARY_DIR}/tree_sitter_python)
gpuwhy_fetch(tree-sitter-python 0.23.6 354bfa0a2f9217431764a631516f85173e9711af2c13dbd796a8815acfe505d9
             src ${grammar} .c)
gpuwhy_fetch(tree-sitter 0.23.2 66bae8dd47f1fed7bdef816115146d3a41c39b5c482d7bad36d9ba1def088450
             tree_sitter/core/lib/src ${grammar}/tree_sitter .h)

add_library(tree_sitter_python STATIC ${grammar}/parser.c ${grammar}/scanner.c)
target_include_directories(tree_sitter_python BEFORE PRIVATE ${grammar})
target_compile_options(tree_sitter_python PRIVATE -w -O2)
set_target_properties(tree_sitter_python PROPERTIES C_CLANG_TIDY "") # not ours
add_library(tree_sitter INTERFACE)
target_include_directories(tree_sitter SYSTEM INTERFACE ${TREE_SITTER_INCLUDE})
target_link_libraries(tree_sitter INTERFACE tree_sitter_python ${TREE_SITTER_ARCHIVE})
