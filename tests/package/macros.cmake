# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# cmake -DCOMPILER=<c++ or nvcc> -DWORK=<dir> [-DNCCL=<include folder>] [-DMPI=<include folder>] -P macros.cmake
#
# Fails where a public header, or what it includes of zero, uses a name below that is a macro in other projects' headers.
# The headers of the standard library, of the system, of CUDA, NCCL and MPI come first and know nothing of the macros. Each
# macro leaves a mark that says where it was expanded, so that the preprocessor's output tells all there is to know.

cmake_minimum_required(VERSION 3.25)
cmake_path(SET root NORMALIZE "${CMAKE_CURRENT_LIST_DIR}/../..")
include("${root}/cmake/headers.cmake")

set(objects
    small near far hyper interface IN OUT OPTIONAL CONST VOID DELETE ERROR STRICT # Windows
    Always Bool Complex Convex False None Status Success True Unsorted # X11
    emit foreach signals slots # Qt
    DEBUG INFO WARNING FATAL linux unix # of many
    A B C D E F G H I J K L M N O P Q R S T U V W X Y Z) # complex.h, termios.h, and many a kernel
set(functions
    min max # Windows
    check require verify # macOS
    abs copy fma # of many
    CHECK LOG TRUE FALSE MIN MAX ASSERT)

set(headers ${ZERO_HEADERS})
set(command "${COMPILER}" -std=c++20 -E -I "${root}/include")
cmake_path(GET COMPILER STEM name)
if(name STREQUAL "nvcc")
  # As a device sees them, too: a host compiler preprocesses both.
  list(APPEND command -x cu -D__CUDA_ARCH__=900)
  list(APPEND headers ${ZERO_COMPONENT_HEADERS})
  if(DEFINED NCCL)
    list(APPEND command -I "${NCCL}")
  else()
    list(FILTER headers EXCLUDE REGEX "nccl")
  endif()
  list(FILTER headers EXCLUDE REGEX "/mpi|/adapters/") # the host compilers see the former, torch is no small thing
else()
  list(APPEND command -x c++)
  if(DEFINED MPI)
    set(mpi_headers ${ZERO_COMPONENT_HEADERS})
    list(FILTER mpi_headers INCLUDE REGEX "/mpi")
    list(APPEND headers ${mpi_headers})
    list(APPEND command -I "${MPI}")
  endif()
endif()

set(foreign "")
set(own "")
foreach(header IN LISTS headers)
  file(STRINGS "${root}/${header}" lines REGEX "^ *# *include <")
  foreach(line IN LISTS lines)
    string(REGEX REPLACE ".*<(.*)>.*" "\\1" included "${line}")
    if(NOT included MATCHES "^zero/")
      list(APPEND foreign "${included}")
    endif()
  endforeach()
  if(header IN_LIST ZERO_PUBLIC_HEADERS OR header IN_LIST ZERO_C_HEADERS)
    string(REPLACE "include/" "" header "${header}")
    list(APPEND own "${header}")
  endif()
endforeach()
list(REMOVE_DUPLICATES foreign)

set(text "")
foreach(header IN LISTS foreign)
  string(APPEND text "#if __has_include(<${header}>)\n#include <${header}>\n#endif\n") # some are one architecture's
endforeach()
set(mark "zero_expanded_a_macro")
foreach(macro IN LISTS objects)
  string(APPEND text "#undef ${macro}\n#define ${macro} ${mark} ${macro} __FILE__ __LINE__ \n")
endforeach()
foreach(macro IN LISTS functions)
  string(APPEND text "#undef ${macro}\n#define ${macro}(...) ${mark} ${macro} __FILE__ __LINE__ \n")
endforeach()
foreach(header IN LISTS own)
  string(APPEND text "#include <${header}>\n")
endforeach()
string(APPEND text "small\n") # which must leave its mark
file(REMOVE_RECURSE "${WORK}")
file(WRITE "${WORK}/source" "${text}")

execute_process(COMMAND ${command} "${WORK}/source" -o "${WORK}/output" RESULT_VARIABLE result ERROR_VARIABLE output)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "the public headers cannot be preprocessed with the macros:\n${output}")
endif()
file(READ "${WORK}/output" text)
string(REGEX MATCHALL "${mark} [A-Za-z]+ *\"[^\"]*\" *[0-9]+" marks "${text}")
list(POP_BACK marks last)
if(NOT last MATCHES "${mark} small .*source")
  message(FATAL_ERROR "the macros leave no mark:\n${last}")
endif()
if(marks)
  list(REMOVE_DUPLICATES marks)
  list(TRANSFORM marks REPLACE "${mark} ([A-Za-z]+) *\"([^\"]*)\" *([0-9]+)" "  \\2:\\3: \\1")
  list(JOIN marks "\n" marks)
  message(FATAL_ERROR "A macro may have these names. Give what is ours another one; call what is not, or is public, in "
                      "parentheses, such as (std::min)(a, b):\n${marks}")
endif()
