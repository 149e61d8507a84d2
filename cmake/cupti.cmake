# CUPTI's headers, for the library that counts CUDA calls: from two packages of PyPI, by name, pinned and
# checked; only their headers are used, and nothing of them is carried in the binary. Without them (no network, no pip)
# gpuwhy is built without that library and observes with NVML alone.
set(GPUWHY_DOWNLOADS ${CMAKE_SOURCE_DIR}/build/downloads CACHE PATH "Where packages that the build needs are kept")
option(GPUWHY_CUPTI "Build the library that counts CUDA calls" ON)

function(gpuwhy_fetch_wheel package version sha256 file)
  set(wheel ${GPUWHY_DOWNLOADS}/${file})
  if(NOT EXISTS ${wheel})
    file(MAKE_DIRECTORY ${GPUWHY_DOWNLOADS})
    execute_process(
      COMMAND python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all:
              --platform manylinux_2_25_x86_64 --platform manylinux2014_x86_64 --platform manylinux_2_17_x86_64
              --dest ${GPUWHY_DOWNLOADS} ${package}==${version}
      RESULT_VARIABLE failed OUTPUT_QUIET ERROR_QUIET)
  endif()
  if(NOT EXISTS ${wheel})
    return()
  endif()
  file(SHA256 ${wheel} found)
  if(NOT found STREQUAL sha256)
    message(FATAL_ERROR "${wheel} is not the package that was pinned")
  endif()
  file(ARCHIVE_EXTRACT INPUT ${wheel} DESTINATION ${GPUWHY_DOWNLOADS}/cuda PATTERNS "nvidia/*/include/*")
endfunction()

# Sets `output` to the folders of headers, or to nothing.
function(gpuwhy_cupti_headers output)
  set(${output} "" PARENT_SCOPE)
  if(NOT GPUWHY_CUPTI)
    return()
  endif()
  set(folders ${GPUWHY_DOWNLOADS}/cuda/nvidia/cuda_cupti/include ${GPUWHY_DOWNLOADS}/cuda/nvidia/cuda_runtime/include)
  if(NOT EXISTS ${GPUWHY_DOWNLOADS}/cuda/nvidia/cuda_cupti/include/cupti_callbacks.h OR
     NOT EXISTS ${GPUWHY_DOWNLOADS}/cuda/nvidia/cuda_runtime/include/cuda.h)
    gpuwhy_fetch_wheel(nvidia-cuda-cupti-cu12 12.9.79
      096bcf334f13e1984ba36685ad4c1d6347db214de03dbb6eebb237b41d9d934f
      nvidia_cuda_cupti_cu12-12.9.79-py3-none-manylinux_2_25_x86_64.whl)
    gpuwhy_fetch_wheel(nvidia-cuda-runtime-cu12 12.9.79
      25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3
      nvidia_cuda_runtime_cu12-12.9.79-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl)
  endif()
  foreach(header cuda_cupti/include/cupti_callbacks.h cuda_runtime/include/cuda.h)
    if(NOT EXISTS ${GPUWHY_DOWNLOADS}/cuda/nvidia/${header})
      message(WARNING "no CUPTI headers: 'gpuwhy run' will observe with NVML alone")
      return()
    endif()
  endforeach()
  set(${output} ${folders} PARENT_SCOPE)
endfunction()
