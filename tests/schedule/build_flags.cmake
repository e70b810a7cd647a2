# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# cmake -DCOMPILERS=<compiler>[;<compiler>...] -DINCLUDE=<include> -DWORK=<folder> -P build_flags.cmake
#
# Builds the schedules as consumers do, with flags that change what floating-point code means: every compiler and build
# must print the same hash of rates, which is the one of every machine.

cmake_minimum_required(VERSION 3.25)

set(expected "1a6b58272d611974 2 refused")
file(MAKE_DIRECTORY "${WORK}")
foreach(compiler IN LISTS COMPILERS)
  foreach(flags "-O0" "-O2" "-Ofast -march=native")
    separate_arguments(list UNIX_COMMAND "${flags}")
    execute_process(COMMAND "${compiler}" -std=c++20 "-I${INCLUDE}" ${list} "${CMAKE_CURRENT_LIST_DIR}/build_flags.cpp"
                            -o "${WORK}/program" COMMAND_ERROR_IS_FATAL ANY)
    execute_process(COMMAND "${WORK}/program" OUTPUT_VARIABLE hash OUTPUT_STRIP_TRAILING_WHITESPACE
                            COMMAND_ERROR_IS_FATAL ANY)
    if(NOT hash STREQUAL expected)
      message(FATAL_ERROR "${compiler} ${flags}: the rates have the hash ${hash}, not ${expected}")
    endif()
    message(STATUS "${compiler} ${flags}: ${hash}")
  endforeach()
endforeach()
