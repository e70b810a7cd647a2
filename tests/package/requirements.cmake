# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# cmake -DCOMPILER=<c++ or nvcc> -DWORK=<dir> -P requirements.cmake
#
# Fails unless a public header, compiled as C++17 or without exceptions, ends at once with one sentence that names the
# cause and the cure; and unless those that need the standard library only compile without run-time type information.

cmake_minimum_required(VERSION 3.25)
cmake_path(SET root NORMALIZE "${CMAKE_CURRENT_LIST_DIR}/../..")
include("${root}/cmake/headers.cmake")
file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}")

cmake_path(GET COMPILER STEM name)
if(name STREQUAL "nvcc")
  set(command "${COMPILER}" -x cu -c -o "${WORK}/object")
  set(host_option -Xcompiler=)
else()
  set(command "${COMPILER}" -x c++ -fsyntax-only)
  set(host_option "")
endif()
list(APPEND command -I "${root}/include")

set(refused ${ZERO_PUBLIC_HEADERS})
list(REMOVE_ITEM refused include/zero/version.hpp) # macros only, which code of every standard may ask
if(name MATCHES "clang|nvcc") # takes long to start; that all headers begin alike is what g++ shows
  set(refused include/zero/engine.hpp include/zero/engine.cuh)
endif()

# compile(<option...>): the file that is written last, into `result` and `output`.
macro(compile)
  execute_process(COMMAND ${command} ${ARGV} "${WORK}/source" RESULT_VARIABLE result OUTPUT_VARIABLE output
                  ERROR_VARIABLE output)
endmacro()

# expect_sentence(<header> <sentence> <option...>)
function(expect_sentence header sentence)
  string(REPLACE "include/" "" header "${header}")
  file(WRITE "${WORK}/source" "#include <${header}>\n")
  compile(${ARGN})
  string(FIND "${output}" "${sentence}" position)
  string(REGEX MATCHALL "error: [^\n]*" errors "${output}")
  list(LENGTH errors count)
  if(result EQUAL 0 OR position EQUAL -1 OR NOT count EQUAL 2 OR NOT errors MATCHES "stopped_by_the_error_above"
     OR output MATCHES "warning")
    message(FATAL_ERROR "${header} with ${ARGN}: expected one error that says\n  ${sentence}\nand the end of it, not:\n"
                        "${output}")
  endif()
endfunction()

foreach(header IN LISTS refused)
  expect_sentence("${header}" "zero needs C++20: compile with -std=c++20, or link the CMake target zero::zero" -std=c++17)
  expect_sentence("${header}" "zero reports failures by exceptions: compile without -fno-exceptions" -std=c++20
                  ${host_option}-fno-exceptions)
endforeach()

if(NOT name STREQUAL "nvcc")
  set(text "")
  foreach(header IN LISTS ZERO_PUBLIC_HEADERS)
    if(header IN_LIST ZERO_HEADERS)
      string(REPLACE "include/" "" header "${header}")
      string(APPEND text "#include <${header}>\n")
    endif()
  endforeach()
  file(WRITE "${WORK}/source" "${text}")
  compile(-std=c++20 -fno-rtti)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "the public headers need run-time type information:\n${output}")
  endif()
endif()
