# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# Fails where an example or a consumer of the package says `detail`, in code or in the name of a header: what they need
# is public. Comments may say it.

cmake_minimum_required(VERSION 3.25)
cmake_path(SET root NORMALIZE "${CMAKE_CURRENT_LIST_DIR}/../..")

set(patterns)
foreach(folder examples tests/consumer)
  foreach(extension cpp cu cuh hpp inc)
    list(APPEND patterns "${root}/${folder}/*.${extension}")
  endforeach()
endforeach()
file(GLOB_RECURSE sources RELATIVE "${root}" ${patterns})
if(NOT "examples/quickstart/quickstart.cpp" IN_LIST sources OR NOT "tests/consumer/main.cpp" IN_LIST sources)
  message(FATAL_ERROR "the examples or the consumers were not found below ${root}")
endif()

set(found "")
foreach(source IN LISTS sources)
  file(STRINGS "${root}/${source}" lines REGEX "detail")
  set(uses "")
  foreach(line IN LISTS lines)
    string(REGEX REPLACE "//.*" "" code "${line}")
    if(code MATCHES "(^|[^A-Za-z0-9_])detail([^A-Za-z0-9_]|$)")
      string(STRIP "${code}" code)
      string(APPEND uses "\n  ${source}: ${code}")
    endif()
  endforeach()
  string(APPEND found "${uses}")
endforeach()
if(NOT found STREQUAL "")
  message(FATAL_ERROR "what a user needs is public, but these lines use what is not:${found}")
endif()
