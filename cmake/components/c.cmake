# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# zero::c: what a target needs that includes zero/c.h, in C or any C++: libzero_c, where the package was installed with it
# (ZERO_BUILD_C); else, in a project with C++, it is compiled from the sources that every package holds, once, as
# the target zero_c.

if(TARGET zero::c)
  return()
endif()
get_target_property(zero_c_include zero::zero INTERFACE_INCLUDE_DIRECTORIES)
list(GET zero_c_include 0 zero_c_include)
cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH zero_c_package) # <prefix>/share/cmake/zero
cmake_path(SET zero_c_sources NORMALIZE "${zero_c_package}/../../zero/src/c")
cmake_path(SET zero_c_prefix NORMALIZE "${zero_c_package}/../../..")
find_library(zero_c_library zero_c PATHS "${zero_c_prefix}" NO_DEFAULT_PATH NO_CACHE
             PATH_SUFFIXES lib lib64 "lib/${CMAKE_LIBRARY_ARCHITECTURE}")

if(zero_c_library)
  add_library(zero::c SHARED IMPORTED)
  set_target_properties(zero::c PROPERTIES IMPORTED_LOCATION "${zero_c_library}"
                        INTERFACE_INCLUDE_DIRECTORIES "${zero_c_include}")
elseif(CMAKE_CXX_COMPILER_LOADED AND EXISTS "${zero_c_sources}/zero_c.cpp")
  add_library(zero_c SHARED "${zero_c_sources}/zero_c.cpp")
  add_library(zero::c ALIAS zero_c)
  target_link_libraries(zero_c PRIVATE zero::zero)
  target_include_directories(zero_c INTERFACE "${zero_c_include}")
  target_link_options(zero_c PRIVATE "LINKER:--version-script=${zero_c_sources}/zero_c.map" "LINKER:-z,nodelete")
  set_target_properties(zero_c PROPERTIES CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
else()
  set(zero_c_FOUND FALSE)
  set(zero_NOT_FOUND_MESSAGE "zero's component c needs libzero_c, which this package was installed without: install zero "
                             "from a build with -DZERO_BUILD_C=ON, or enable the language CXX, so that it can be compiled.")
  list(JOIN zero_NOT_FOUND_MESSAGE "" zero_NOT_FOUND_MESSAGE)
endif()
