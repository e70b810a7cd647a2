# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# Fails where cmake/headers.cmake does not list, sorted, exactly the headers under include/. -DUPDATE=ON rewrites it.

cmake_path(SET root NORMALIZE "${CMAKE_CURRENT_LIST_DIR}/../..")
file(GLOB_RECURSE found RELATIVE "${root}" "${root}/include/*.hpp" "${root}/include/*.cuh")
list(SORT found)

set(list_file "${root}/cmake/headers.cmake")
if(UPDATE)
  file(READ "${list_file}" text)
  list(JOIN found "\n  " lines)
  string(REGEX REPLACE "set\\(ZERO_HEADERS[^)]*\\)" "set(ZERO_HEADERS\n  ${lines})" text "${text}")
  file(WRITE "${list_file}" "${text}")
endif()

include("${list_file}")
set(unlisted ${found})
list(REMOVE_ITEM unlisted ${ZERO_HEADERS})
set(missing ${ZERO_HEADERS})
list(REMOVE_ITEM missing ${found})
if(unlisted OR missing)
  message(FATAL_ERROR "cmake/headers.cmake is out of date.\n  Not listed: ${unlisted}\n  Listed, but gone: ${missing}\n"
                      "  Write it anew with: cmake -DUPDATE=ON -P tests/package/header_list.cmake")
endif()
if(NOT found STREQUAL ZERO_HEADERS)
  message(FATAL_ERROR "cmake/headers.cmake is not sorted")
endif()
