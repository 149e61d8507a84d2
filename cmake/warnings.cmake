# Warnings are errors; sanitizers where a preset asks for them.
add_library(gpuwhy_warnings INTERFACE)
target_compile_options(gpuwhy_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Werror
  -Wno-missing-field-initializers # designated initialisers leave out what has a default
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict> # false alarms on std::string in GCC 12: gcc.gnu.org/PR105651
  $<$<COMPILE_LANGUAGE:CXX>:-Wconversion -Wsign-conversion -Wnon-virtual-dtor -Woverloaded-virtual>)
if(GPUWHY_SANITIZE)
  add_compile_options(-fsanitize=${GPUWHY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${GPUWHY_SANITIZE})
  add_compile_definitions(_GLIBCXX_ASSERTIONS) # an empty optional that is read, an index past the end
endif()
if(GPUWHY_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link) # coverage, for libFuzzer to steer by
endif()
