# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# cmake -DCOMPILER=<c++> -P self_test.cmake
#
# Proves that check.cmake accepts a sound case and refuses each kind of unsound one, for the right reason.

# expect(<case> <what the refusal must say, or empty where the case must pass>)
function(expect case reason)
  execute_process(
    COMMAND "${CMAKE_COMMAND}" "-DCOMPILER=${COMPILER}" "-DINCLUDE=${CMAKE_CURRENT_LIST_DIR}"
            "-DCASE=${CMAKE_CURRENT_LIST_DIR}/self_test/${case}.cpp" -P "${CMAKE_CURRENT_LIST_DIR}/check.cmake"
    RESULT_VARIABLE result ERROR_VARIABLE output)
  string(REGEX REPLACE "[ \n]+" " " output "${output}")
  if(reason STREQUAL "" AND NOT result EQUAL 0)
    message(FATAL_ERROR "${case}: refused, though sound: ${output}")
  elseif(NOT reason STREQUAL "" AND (result EQUAL 0 OR NOT output MATCHES "${reason}"))
    message(FATAL_ERROR "${case}: not refused with '${reason}', but: ${result} ${output}")
  endif()
endfunction()

expect(sound "")
expect(other_error "the compiler does not say the sentence")
expect(case_compiles "the case compiles, but should not")
expect(twin_fails "the twin .* does not compile")
expect(nothing_expected "no line .// expected-error")
