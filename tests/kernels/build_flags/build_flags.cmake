# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# cmake -DCOMPILERS=<compiler>[;<compiler>...] -DINCLUDE=<include> -DWORK=<folder> -P build_flags.cmake
#
# Builds the kernels as consumers do, with flags that change what floating-point code means, and compares what they
# compute: every compiler, build and instruction set must print the same line. Then links two units built with different
# flags in both orders, as the linker keeps the inline functions of the first.

cmake_minimum_required(VERSION 3.25)

set(here "${CMAKE_CURRENT_LIST_DIR}")
file(MAKE_DIRECTORY "${WORK}")

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

function(compile object source flags)
  separate_arguments(flags UNIX_COMMAND "${flags}")
  run("${compiler}" -std=c++20 "-I${INCLUDE}" ${flags} -c "${here}/${source}" -o "${WORK}/${object}" ${ARGN})
endfunction()

# The program's lines must all be the expected one, which the first program sets.
function(check program what)
  run("${WORK}/${program}")
  string(REGEX MATCHALL "[^\n]+" lines "${output}")
  list(REMOVE_DUPLICATES lines)
  if(NOT DEFINED expected)
    set(expected "${lines}" PARENT_SCOPE)
    set(expected "${lines}")
  endif()
  list(LENGTH lines distinct)
  if(NOT distinct EQUAL 1 OR NOT lines STREQUAL expected OR NOT lines MATCHES "finite inf nan settings refused$")
    message(FATAL_ERROR "${compiler} ${what}:\n${output}differs from\n${expected}")
  endif()
  message(STATUS "${compiler} ${what}: ${lines}")
endfunction()

foreach(compiler IN LISTS COMPILERS)
  compile(one_unit.o main.cpp "-O1")
  foreach(flags "-O2" "-O3 -march=native" "-Ofast" "-O0")
    compile(unit.o unit.cpp "${flags}" -DZERO_UNIT=first_unit)
    separate_arguments(link_flags UNIX_COMMAND "${flags}")  # linking with -Ofast sets FTZ and DAZ in the whole process
    run("${compiler}" ${link_flags} "${WORK}/one_unit.o" "${WORK}/unit.o" -o "${WORK}/program")
    check(program "${flags}")
  endforeach()

  # unit.o is now the one of -O0.
  compile(two_units.o main.cpp "-O1" -DZERO_TWO_UNITS)
  compile(fast.o unit.cpp "-Ofast -march=native" -DZERO_UNIT=second_unit)
  run("${compiler}" -Ofast "${WORK}/two_units.o" "${WORK}/unit.o" "${WORK}/fast.o" -o "${WORK}/plain_first")
  run("${compiler}" -Ofast "${WORK}/two_units.o" "${WORK}/fast.o" "${WORK}/unit.o" -o "${WORK}/fast_first")
  check(plain_first "-O0 linked before -Ofast -march=native")
  check(fast_first "-Ofast -march=native linked before -O0")
endforeach()
