# What the build writes for itself: the catalogue of rules, the probes and the tables carried in the binary.

# Sets `output` to a generated source that lists every rule, sorted by id.
function(gpuwhy_rule_catalogue output)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/rules/*/*.cpp)
  set(ids "")
  foreach(file IN LISTS files)
    get_filename_component(name ${file} NAME)
    if(name MATCHES "^([A-Z][0-9][0-9])_[a-z0-9_]+\\.cpp$")
      list(APPEND ids ${CMAKE_MATCH_1})
    endif()
  endforeach()
  list(SORT ids)
  list(JOIN ids ", " declared)
  list(TRANSFORM ids PREPEND "&rules::" OUTPUT_VARIABLE pointers)
  list(JOIN pointers ", " pointers)
  list(LENGTH ids count)
  if(count EQUAL 0)
    set(declarations "")
  else()
    set(declarations "extern const Rule ${declared};")
  endif()
  set(path ${CMAKE_BINARY_DIR}/generated/rule_catalogue.cpp)
  file(CONFIGURE OUTPUT ${path} @ONLY CONTENT [[// Written by cmake/embed.cmake from the files in src/rules.
#include "rules/rule.h"

#include <array>

namespace gpuwhy {
namespace rules {
@declarations@
}
std::span<const Rule* const> all_rules() {
  static constexpr std::array<const Rule*, @count@> kRules{@pointers@};
  return kRules;
}
} // namespace gpuwhy
]])
  set(${output} ${path} PARENT_SCOPE)
endfunction()

# gpuwhy_embed_probes(output name=target ...): `output` becomes sources that carry the programs' bytes.
function(gpuwhy_embed_probes output)
  set(assembly "")
  set(declarations "")
  set(rows "")
  set(targets "")
  foreach(pair IN LISTS ARGN)
    string(REGEX MATCH "^(.*)=(.*)$" unused ${pair})
    set(name ${CMAKE_MATCH_1})
    set(target ${CMAKE_MATCH_2})
    list(APPEND targets ${target})
    string(APPEND assembly "  .globl probe_${name}_begin, probe_${name}_end
probe_${name}_begin:
  .incbin \"$<TARGET_FILE:${target}>\"
probe_${name}_end:
")
    string(APPEND declarations "extern \"C\" const std::byte probe_${name}_begin[], probe_${name}_end[];
")
    string(APPEND rows "    ProbeImage{\"${name}\", {probe_${name}_begin, probe_${name}_end}},
")
  endforeach()
  set(assembler ${CMAKE_BINARY_DIR}/generated/probe_bytes.S)
  file(GENERATE OUTPUT ${assembler} CONTENT "  .section .rodata
${assembly}  .section .note.GNU-stack,\"\",@progbits
")
  set(table ${CMAKE_BINARY_DIR}/generated/probe_images.cpp)
  file(GENERATE OUTPUT ${table} CONTENT "// Written by cmake/embed.cmake.
#include \"system/probe_images.h\"

#include <array>
#include <cstddef>

${declarations}
namespace gpuwhy {
std::span<const ProbeImage> probe_images() {
  static const std::array kImages{
${rows}  };
  return kImages;
}
} // namespace gpuwhy
")
  # A source's dependencies take no generator expressions: the programs' paths in words.
  list(TRANSFORM targets PREPEND ${CMAKE_BINARY_DIR}/probes/)
  set_source_files_properties(${assembler} PROPERTIES OBJECT_DEPENDS "${targets}")
  set(${output} ${assembler} ${table} PARENT_SCOPE)
endfunction()

# Sets `output` to sources that carry src/knowledge/*.tsv, byte for byte.
function(gpuwhy_embed_tables output)
  file(GLOB tables CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/knowledge/*.tsv)
  set(assembly "")
  set(declarations "")
  set(rows "")
  foreach(file IN LISTS tables)
    get_filename_component(name ${file} NAME_WE)
    string(APPEND assembly "  .globl table_${name}_begin, table_${name}_end
table_${name}_begin:
  .incbin \"${file}\"
table_${name}_end:
")
    string(APPEND declarations "extern \"C\" const char table_${name}_begin[], table_${name}_end[];
")
    string(APPEND rows "  if (name == \"${name}\") return {table_${name}_begin, table_${name}_end};
")
  endforeach()
  set(assembler ${CMAKE_BINARY_DIR}/generated/table_bytes.S)
  file(CONFIGURE OUTPUT ${assembler} @ONLY CONTENT "  .section .rodata
${assembly}  .section .note.GNU-stack,\"\",@progbits
")
  set_source_files_properties(${assembler} PROPERTIES OBJECT_DEPENDS "${tables}")
  set(source ${CMAKE_BINARY_DIR}/generated/knowledge_tables.cpp)
  file(CONFIGURE OUTPUT ${source} @ONLY CONTENT "// Written by cmake/embed.cmake.
#include \"knowledge/tables.h\"

${declarations}
namespace gpuwhy {
std::string_view knowledge_table(std::string_view name) {
${rows}  return {};
}
} // namespace gpuwhy
")
  set(${output} ${assembler} ${source} PARENT_SCOPE)
endfunction()
