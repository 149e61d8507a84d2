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
  set_source_files_properties(${assembler} PROPERTIES OBJECT_DEPENDS "${targets}")
  foreach(target IN LISTS targets)
    set_property(SOURCE ${assembler} APPEND PROPERTY OBJECT_DEPENDS $<TARGET_FILE:${target}>)
  endforeach()
  set(${output} ${assembler} ${table} PARENT_SCOPE)
endfunction()

# Sets `output` to sources made from src/knowledge/*.tsv.
function(gpuwhy_embed_tables output)
  set(${output} "" PARENT_SCOPE)
endfunction()
