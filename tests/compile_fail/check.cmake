# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# cmake -DCOMPILER=<c++> -DINCLUDE=<dir> -DCASE=<file.cpp> [-DENGINE=<header>] -P check.cmake
#
# Fails unless CASE does not compile, the compiler says each of its `// expected-error: <text>`, and its twin, the same
# file with ZERO_COMPILES defined, does compile: a case that fails for another reason proves nothing. ENGINE is what
# precompile.cmake has made.

file(STRINGS "${CASE}" expected REGEX "^// expected-error: ")
list(TRANSFORM expected REPLACE "^// expected-error: " "")
if(NOT expected)
  message(FATAL_ERROR "${CASE}: no line `// expected-error: <text>`")
endif()

set(command "${COMPILER}" -std=c++20 -fsyntax-only -I "${INCLUDE}")
if(DEFINED ENGINE)
  list(APPEND command -include "${ENGINE}")
endif()

execute_process(COMMAND ${command} -DZERO_COMPILES "${CASE}" RESULT_VARIABLE result ERROR_VARIABLE output)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${CASE}: the twin (-DZERO_COMPILES) does not compile:\n${output}")
endif()

execute_process(COMMAND ${command} "${CASE}" RESULT_VARIABLE result ERROR_VARIABLE output)
if(result EQUAL 0)
  message(FATAL_ERROR "${CASE}: the case compiles, but should not")
endif()
foreach(text IN LISTS expected)
  string(FIND "${output}" "${text}" position)
  if(position EQUAL -1)
    message(FATAL_ERROR "${CASE}: the compiler does not say\n  ${text}\nbut:\n${output}")
  endif()
endforeach()
