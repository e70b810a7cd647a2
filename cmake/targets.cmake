# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# What zero's own tests, examples and benchmarks share. Nothing here reaches a consumer of zero::zero.

include(FetchContent)

# Warnings are for our own targets only. GCC 12 sees overlapping copies in std::string's operator+ where there are none
# (GCC bug 105651).
add_library(zero_warnings INTERFACE)
target_compile_options(zero_warnings INTERFACE
  "$<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wpedantic;-Wconversion;-Wshadow>"
  "$<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-restrict>"
  "$<$<AND:$<COMPILE_LANGUAGE:CXX>,$<BOOL:${ZERO_WERROR}>>:-Werror>"
  # What nvcc hands to the host's compiler is not what somebody wrote: pedantry is for the .cpp files.
  "$<$<COMPILE_LANG_AND_ID:CUDA,NVIDIA>:-Xcompiler=-Wall,-Wextra,-Wno-restrict>"
  "$<$<AND:$<COMPILE_LANG_AND_ID:CUDA,NVIDIA>,$<BOOL:${ZERO_WERROR}>>:-Werror=all-warnings>")

# zero_find_or_fetch(<target> <package> GIT <url> COMMIT <hash> DEBIAN <package> FOR <what needs it>
#                    [SETTINGS <name=value>...])
#
# Leaves <target> defined where the package is installed, or where ZERO_FETCH_DEPENDENCIES allows its download (with
# the package's own SETTINGS); otherwise says what is left out for lack of it.
function(zero_find_or_fetch target package)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "GIT;COMMIT;DEBIAN;FOR" "SETTINGS")
  find_package(${package} QUIET GLOBAL)
  if(TARGET ${target})
    return()
  endif()
  if(NOT ZERO_FETCH_DEPENDENCIES)
    message(STATUS "zero: leaving out ${arg_FOR}: ${package} was not found. Install it (Debian, Ubuntu: "
                   "${arg_DEBIAN}), or let CMake download it with -DZERO_FETCH_DEPENDENCIES=ON")
    return()
  endif()
  message(STATUS "zero: downloading ${package} from ${arg_GIT}")
  foreach(setting IN LISTS arg_SETTINGS)
    string(REGEX MATCH "^([^=]+)=(.*)$" setting "${setting}")
    set(${CMAKE_MATCH_1} "${CMAKE_MATCH_2}")
  endforeach()
  FetchContent_Declare(${package} SYSTEM GIT_REPOSITORY "${arg_GIT}" GIT_TAG ${arg_COMMIT})
  FetchContent_MakeAvailable(${package})
endfunction()
