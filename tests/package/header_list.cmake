# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# Fails where cmake/headers.cmake does not list, sorted, exactly the headers under include/. -DUPDATE=ON rewrites it.

cmake_path(SET root NORMALIZE "${CMAKE_CURRENT_LIST_DIR}/../..")
file(GLOB_RECURSE found RELATIVE "${root}" "${root}/include/*.hpp" "${root}/include/*.cuh")
list(SORT found)
# What only the user of a component can compile: kernels, and what includes CUDA, NCCL or MPI.
set(ZERO_COMPONENT_HEADERS_found ${found})
list(FILTER ZERO_COMPONENT_HEADERS_found INCLUDE REGEX "\\.cuh$|/cuda/|/nccl/|/(cuda|nccl|mpi)\\.hpp$")
set(ZERO_HEADERS_found ${found})
list(REMOVE_ITEM ZERO_HEADERS_found ${ZERO_COMPONENT_HEADERS_found})

set(list_file "${root}/cmake/headers.cmake")
if(UPDATE)
  file(READ "${list_file}" text)
  foreach(name ZERO_HEADERS ZERO_COMPONENT_HEADERS)
    list(JOIN ${name}_found "\n  " lines)
    string(REGEX REPLACE "set\\(${name}[^)]*\\)" "set(${name}\n  ${lines})" text "${text}")
  endforeach()
  file(WRITE "${list_file}" "${text}")
endif()

include("${list_file}")
foreach(name ZERO_HEADERS ZERO_COMPONENT_HEADERS)
  if(NOT "${${name}}" STREQUAL "${${name}_found}")
    set(unlisted ${${name}_found})
    list(REMOVE_ITEM unlisted ${${name}})
    set(missing ${${name}})
    list(REMOVE_ITEM missing ${${name}_found})
    message(FATAL_ERROR "cmake/headers.cmake: ${name} is out of date, or not sorted.\n  Not listed: ${unlisted}\n"
                        "  Listed, but gone: ${missing}\n"
                        "  Write it anew with: cmake -DUPDATE=ON -P tests/package/header_list.cmake")
  endif()
endforeach()
