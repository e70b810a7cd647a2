# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# cmake -P reference.cmake: docs/reference.md names every public header, by its path or by its folder, and no other one.

cmake_minimum_required(VERSION 3.25)
cmake_path(SET root NORMALIZE "${CMAKE_CURRENT_LIST_DIR}/../..")
include("${root}/cmake/headers.cmake")
file(READ "${root}/docs/reference.md" page)
set(public ${ZERO_PUBLIC_HEADERS} ${ZERO_C_HEADERS})
foreach(header IN LISTS public)
  string(REGEX REPLACE "^include/" "" header "${header}")
  cmake_path(GET header PARENT_PATH folder)
  string(FIND "${page}" "`${header}`" by_path)
  string(FIND "${page}" "`${folder}/`" by_folder)
  if(by_path EQUAL -1 AND (folder STREQUAL "zero" OR by_folder EQUAL -1))
    message(SEND_ERROR "docs/reference.md: does not name the public header ${header}, nor its folder")
  endif()
endforeach()
string(REGEX MATCHALL "`zero/[a-z_/]+\\.(h|hpp|cuh)`" named "${page}")
foreach(header IN LISTS named)
  string(REPLACE "`" "" header "${header}")
  if(NOT "include/${header}" IN_LIST public)
    message(SEND_ERROR "docs/reference.md: ${header} is no public header")
  endif()
endforeach()
