# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# Fails where cmake/headers.cmake does not list, sorted, exactly the headers under include/, where an internal header
# opens namespace zero without detail, and where a part below the engine includes it, itself or through another header.
# -DUPDATE=ON rewrites the lists.

cmake_minimum_required(VERSION 3.25)
cmake_path(SET root NORMALIZE "${CMAKE_CURRENT_LIST_DIR}/../..")
file(GLOB_RECURSE found RELATIVE "${root}" "${root}/include/*.h" "${root}/include/*.hpp" "${root}/include/*.cuh")
list(SORT found)
# The folder says whether a header is public.
set(internal_folder "^include/zero/((engine|gradients|joint|layout|memory|parameters|step|support)/|.*/detail/)")
set(ZERO_C_HEADERS_found ${found})
list(FILTER ZERO_C_HEADERS_found INCLUDE REGEX "\\.h$")
list(FILTER found EXCLUDE REGEX "\\.h$")
set(ZERO_INTERNAL_HEADERS_found ${found})
list(FILTER ZERO_INTERNAL_HEADERS_found INCLUDE REGEX "${internal_folder}")
set(ZERO_PUBLIC_HEADERS_found ${found})
list(FILTER ZERO_PUBLIC_HEADERS_found EXCLUDE REGEX "${internal_folder}")

set(list_file "${root}/cmake/headers.cmake")
if(UPDATE)
  file(READ "${list_file}" text)
  foreach(name ZERO_PUBLIC_HEADERS ZERO_INTERNAL_HEADERS ZERO_C_HEADERS)
    list(JOIN ${name}_found "\n  " lines)
    string(REGEX REPLACE "set\\(${name}[^)]*\\)" "set(${name}\n  ${lines})" text "${text}")
  endforeach()
  file(WRITE "${list_file}" "${text}")
endif()

include("${list_file}")
foreach(name ZERO_PUBLIC_HEADERS ZERO_INTERNAL_HEADERS ZERO_C_HEADERS)
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

foreach(header IN LISTS ZERO_INTERNAL_HEADERS)
  file(STRINGS "${root}/${header}" openings REGEX "^(inline )?namespace zero")
  list(FILTER openings EXCLUDE
       REGEX "^namespace zero::(([a-z_]+::)?detail|inline ZERO_KERNELS_NAMESPACE)(::[a-z_]+)* {$")
  if(openings)
    message(FATAL_ERROR "${header} is internal, and opens '${openings}': what it declares belongs to a namespace detail, or "
                        "the header to a public folder")
  endif()
endforeach()

set(below_the_engine "^zero/(backends|kernels|layout|memory|support|utility)/")
set(the_engine "^zero/(engine|gradients|joint|parameters|step)/|^zero/(any_|runtime_)?engine\\.|^zero/joint_step\\.")
foreach(header IN LISTS ZERO_PUBLIC_HEADERS ZERO_INTERNAL_HEADERS)
  file(STRINGS "${root}/${header}" lines REGEX "^ *# *include <zero/")
  list(TRANSFORM lines REPLACE ".*<(.*)>.*" "\\1")
  string(REGEX REPLACE "^include/" "" header "${header}")
  set("includes_${header}" ${lines})
endforeach()
foreach(header IN LISTS ZERO_PUBLIC_HEADERS ZERO_INTERNAL_HEADERS)
  string(REGEX REPLACE "^include/" "" header "${header}")
  if(NOT header MATCHES "${below_the_engine}")
    continue()
  endif()
  set(seen "${header}")
  set(waiting "${header}")
  while(waiting)
    list(POP_FRONT waiting next)
    foreach(included IN LISTS "includes_${next}")
      if(included MATCHES "${the_engine}")
        message(FATAL_ERROR "include/${header} is below the engine, but includes it: include/${next} has ${included}")
      endif()
      if(NOT included IN_LIST seen)
        list(APPEND seen "${included}")
        list(APPEND waiting "${included}")
      endif()
    endforeach()
  endwhile()
endforeach()
