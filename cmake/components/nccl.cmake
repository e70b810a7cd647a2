# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# zero::nccl: what a target needs that includes zero/communicators/nccl.hpp; brings zero::cuda. NCCL is looked for in
# NCCL_ROOT (a variable of CMake or of the environment), and only there where it is set; otherwise where pkg-config says,
# in the CUDA toolkit, and where libraries are. NCCL_ROOT may be the folder nvidia/nccl of Python's packages, or the one
# that it is in.

set(zero_nccl_needed 2.18)
include("${CMAKE_CURRENT_LIST_DIR}/cuda.cmake")
if(NOT TARGET zero::cuda)
  set(zero_nccl_FOUND FALSE)
  return()
endif()

set(zero_nccl_root "${NCCL_ROOT}")
if(NOT zero_nccl_root)
  set(zero_nccl_root "$ENV{NCCL_ROOT}")
endif()
set(zero_nccl_where HINTS)
if(zero_nccl_root)
  list(APPEND zero_nccl_where "${zero_nccl_root}" NO_DEFAULT_PATH)
else()
  find_package(PkgConfig QUIET)
  if(PkgConfig_FOUND)
    pkg_check_modules(zero_nccl_pc QUIET nccl)
  endif()
  list(APPEND zero_nccl_where ${zero_nccl_pc_INCLUDE_DIRS} ${zero_nccl_pc_LIBRARY_DIRS} ${zero_nccl_pc_PREFIX}
              ${CUDAToolkit_INCLUDE_DIRS} ${CUDAToolkit_LIBRARY_DIR} "${CUDAToolkit_LIBRARY_ROOT}")
endif()
find_path(zero_nccl_include nccl.h ${zero_nccl_where} PATH_SUFFIXES include nccl/include nvidia/nccl/include NO_CACHE)
# Python's packages have no libnccl.so.
find_library(zero_nccl_library NAMES nccl libnccl.so.2 ${zero_nccl_where}
             PATH_SUFFIXES lib lib64 nccl/lib nvidia/nccl/lib NO_CACHE)

set(zero_nccl_problem "")
if(NOT zero_nccl_include OR NOT zero_nccl_library)
  if(zero_nccl_root)
    set(zero_nccl_problem "which was not found in NCCL_ROOT=${zero_nccl_root}: set it to the folder that holds NCCL's "
                          "include/nccl.h and lib/libnccl.so.2, or unset it.")
  else()
    set(zero_nccl_problem "which was not found: install it (libnccl-dev, or Python's package nvidia-nccl), or set "
                          "NCCL_ROOT to the folder that holds its include/nccl.h and lib/libnccl.so.2.")
  endif()
else()
  file(STRINGS "${zero_nccl_include}/nccl.h" zero_nccl_lines REGEX "^#define NCCL_(MAJOR|MINOR) +[0-9]+")
  string(REGEX REPLACE ".*MAJOR +([0-9]+).*MINOR +([0-9]+).*" "\\1.\\2" zero_nccl_version "${zero_nccl_lines}")
  if(zero_nccl_version VERSION_LESS zero_nccl_needed)
    set(zero_nccl_problem "but ${zero_nccl_include}/nccl.h is of ${zero_nccl_version}: install a newer one and set "
                          "NCCL_ROOT to it.")
  endif()
endif()
if(zero_nccl_problem)
  list(JOIN zero_nccl_problem "" zero_nccl_problem)
  set(zero_nccl_FOUND FALSE)
  set(zero_NOT_FOUND_MESSAGE "zero's component nccl needs NCCL ${zero_nccl_needed} or newer, ${zero_nccl_problem}")
  return()
endif()

if(NOT TARGET zero::nccl)
  add_library(zero::nccl_library UNKNOWN IMPORTED)
  set_target_properties(zero::nccl_library PROPERTIES IMPORTED_LOCATION "${zero_nccl_library}"
                        INTERFACE_INCLUDE_DIRECTORIES "${zero_nccl_include}")
  add_library(zero::nccl INTERFACE IMPORTED)
  target_link_libraries(zero::nccl INTERFACE zero::cuda zero::nccl_library)
endif()
