# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# cmake -DNM=<nm> -DFIRST=<library> -DSECOND=<library> -P symbols.cmake
#
# Fails where a library shows others its kernels or what launches them, or where both call theirs the same.

set(hidden "kernels::accumulate<" "kernels::copy_many<" "kernels::decide<" "kernels::squares<" "kernels::update<"
           "CudaStream::accumulate<" "CudaBackend::squares<" "CudaBackend::decide<" "CudaBackend::update<"
           "CudaBackend::launch_copies<")
foreach(library IN ITEMS FIRST SECOND)
  execute_process(COMMAND "${NM}" -C --defined-only "${${library}}" OUTPUT_VARIABLE all COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND "${NM}" -C -D --defined-only "${${library}}" OUTPUT_VARIABLE shown COMMAND_ERROR_IS_FATAL ANY)
  foreach(name IN LISTS hidden)
    string(FIND "${all}" "${name}" at)
    if(at EQUAL -1)
      message(FATAL_ERROR "${${library}} has no ${name}: this test looks for the wrong names")
    endif()
    string(FIND "${shown}" "${name}" at)
    if(NOT at EQUAL -1)
      string(SUBSTRING "${shown}" ${at} 200 text)
      message(FATAL_ERROR "${${library}} shows others what launches its kernels: ${text}")
    endif()
  endforeach()
  string(REGEX MATCH "zero::[a-z0-9_]+::kernels::update<" ${library}_name "${all}")
endforeach()
if(FIRST_name STREQUAL SECOND_name)
  message(FATAL_ERROR "the kernels of both libraries are called ${FIRST_name}")
endif()
