# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# cmake -P merge.cmake <out.json> <in.json>...
#
# Joins Google Benchmark's JSON files: the context of the first, the benchmarks of all, in order.

set(benchmarks "")
set(separator "")
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(argument RANGE 4 ${last})
  file(READ "${CMAKE_ARGV${argument}}" json)
  if(argument EQUAL 4)
    string(JSON context GET "${json}" context)
  endif()
  string(JSON count LENGTH "${json}" benchmarks)
  set(index 0)
  while(index LESS count)
    string(JSON benchmark GET "${json}" benchmarks ${index})
    string(APPEND benchmarks "${separator}${benchmark}")
    set(separator ",\n")
    math(EXPR index "${index} + 1")
  endwhile()
endforeach()
file(WRITE "${CMAKE_ARGV3}" "{\"context\": ${context},\n\"benchmarks\": [\n${benchmarks}\n]}\n")
message(STATUS "wrote ${CMAKE_ARGV3}")
