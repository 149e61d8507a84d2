# tree-sitter (Debian's static archive) and its Python grammar, which Debian does not carry: fetched by
# name, pinned, checked, kept in build/downloads. 0.23.6 has ABI 14, the newest that Debian's 0.20.7 loads.
set(GPUWHY_GRAMMAR_VERSION 0.23.6)
set(GPUWHY_GRAMMAR_SHA256 354bfa0a2f9217431764a631516f85173e9711af2c13dbd796a8815acfe505d9)

find_path(TREE_SITTER_INCLUDE tree_sitter/api.h)
find_library(TREE_SITTER_ARCHIVE libtree-sitter.a)
if(NOT TREE_SITTER_INCLUDE OR NOT TREE_SITTER_ARCHIVE)
  message(FATAL_ERROR "libtree-sitter.a: not found; install libtree-sitter-dev")
endif()

find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(grammar ${CMAKE_BINARY_DIR}/tree_sitter_python)
execute_process(
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/fetch_grammar.py tree-sitter-python
          ${GPUWHY_GRAMMAR_VERSION} ${GPUWHY_GRAMMAR_SHA256} ${CMAKE_SOURCE_DIR}/build/downloads ${grammar}
  RESULT_VARIABLE status ERROR_VARIABLE problem OUTPUT_QUIET)
if(NOT status EQUAL 0)
  string(STRIP "${problem}" problem)
  message(FATAL_ERROR "${problem}")
endif()

add_library(tree_sitter_python STATIC ${grammar}/parser.c ${grammar}/scanner.c)
target_include_directories(tree_sitter_python PRIVATE ${grammar})
target_compile_options(tree_sitter_python PRIVATE -w -O2)
add_library(tree_sitter INTERFACE)
target_include_directories(tree_sitter SYSTEM INTERFACE ${TREE_SITTER_INCLUDE})
target_link_libraries(tree_sitter INTERFACE tree_sitter_python ${TREE_SITTER_ARCHIVE})
