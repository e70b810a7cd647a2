# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# cmake -DSOURCE=<consumer> -DBINARY=<dir> -DCACHE=<initial cache> [-DOPTION=<-Dname=value>]
#       [-DRUN=<program> | -DREFUSAL=<regex>] -P consumer.cmake
#
# Configures a consumer project from scratch, builds it and runs its program, or, where none is named, its tests;
# with REFUSAL, fails unless the configuration is refused in these words (a run of white space counts as one space).

function(run_or_stop)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    list(JOIN ARGV " " command)
    message(FATAL_ERROR "failed: ${command}\n${output}")
  endif()
endfunction()

file(REMOVE_RECURSE "${BINARY}")
set(configure "${CMAKE_COMMAND}" -S "${SOURCE}" -B "${BINARY}" ${OPTION} -C "${CACHE}")
if(DEFINED REFUSAL)
  execute_process(COMMAND ${configure} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  string(REGEX REPLACE "[ \n]+" " " output "${output}")
  if(result EQUAL 0 OR NOT output MATCHES "${REFUSAL}")
    message(FATAL_ERROR "not refused with '${REFUSAL}', but: ${result} ${output}")
  endif()
  return()
endif()

run_or_stop(${configure})
run_or_stop("${CMAKE_COMMAND}" --build "${BINARY}")
if(DEFINED RUN)
  run_or_stop("${BINARY}/${RUN}")
else()
  run_or_stop("${CMAKE_CTEST_COMMAND}" --test-dir "${BINARY}" --output-on-failure --no-tests=error)
endif()
