# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# cmake -DCOMPILER=<g++> -DOBJDUMP=<objdump> -DINCLUDE=<include> -DOBJECT=<file> -P hot_caller.cmake
#
# A compiler takes the whole way to a call of what is declared cold for cold, too, and makes it small and slow. So
# nothing that a trainer calls may be, or lead there on its usual way: its own loop beside it would be taken for cold.

execute_process(COMMAND "${COMPILER}" -std=c++20 -O2 -I "${INCLUDE}" -c "${CMAKE_CURRENT_LIST_DIR}/hot_caller.cpp"
                        -o "${OBJECT}" COMMAND_ERROR_IS_FATAL ANY)
foreach(section IN ITEMS .text .text.unlikely)
  execute_process(COMMAND "${OBJDUMP}" -dr -j ${section} "${OBJECT}" OUTPUT_VARIABLE code COMMAND_ERROR_IS_FATAL ANY)
  string(FIND "${code}" "work_of_the_caller" found)
  set(in_${section} ${found})
endforeach()
if(NOT in_.text.unlikely EQUAL -1 OR in_.text EQUAL -1)
  message(FATAL_ERROR "the caller's loop is taken for code that seldom runs: what of the engine is declared cold?")
endif()
