# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# Fails where a C++ header has more lines than docs/decisions.md allows. The C interface is one header on purpose.

cmake_minimum_required(VERSION 3.25)
set(most_lines 400)
cmake_path(SET root NORMALIZE "${CMAKE_CURRENT_LIST_DIR}/../..")
set(found "")
foreach(folder benchmarks examples include src tests tools)
  file(GLOB_RECURSE headers RELATIVE "${root}" "${root}/${folder}/*.hpp" "${root}/${folder}/*.cuh")
  list(APPEND found ${headers})
endforeach()

set(long "")
foreach(header IN LISTS found)
  file(READ "${root}/${header}" text)
  string(REGEX MATCHALL "\n" lines "${text}")
  list(LENGTH lines count)
  if(count GREATER most_lines)
    string(APPEND long "\n  ${header}: ${count}")
  endif()
endforeach()
list(LENGTH found headers)
if(headers LESS 100)
  message(FATAL_ERROR "only ${headers} headers were found below ${root}")
elseif(long)
  message(FATAL_ERROR "These headers have more than ${most_lines} lines. Let a part that is a noun of its own have its own "
                      "header (docs/decisions.md, 48):${long}")
endif()
message(STATUS "${headers} headers, none of more than ${most_lines} lines")
