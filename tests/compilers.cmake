# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# ZERO_HOST_COMPILERS: the compiler of this build, and those of g++ and clang++ that are installed beside it: a consumer
# may have either.

set(ZERO_HOST_COMPILERS "${CMAKE_CXX_COMPILER}")
foreach(other g++ clang++)
  find_program(ZERO_OTHER_${other} ${other})
  mark_as_advanced(ZERO_OTHER_${other})
  if(NOT ZERO_OTHER_${other})
    message(STATUS "zero: leaving out tests of what ${other} says: it was not found")
  elseif(NOT (other STREQUAL "g++" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
         AND NOT (other STREQUAL "clang++" AND CMAKE_CXX_COMPILER_ID MATCHES "Clang"))
    list(APPEND ZERO_HOST_COMPILERS "${ZERO_OTHER_${other}}")
  endif()
endforeach()
