# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# ZERO_BUILD_CUDA: whether tests, examples and benchmarks for CUDA are built; by default wherever a CUDA compiler is.

include(CheckLanguage)
set(zero_cuda_default OFF)
if(PROJECT_IS_TOP_LEVEL AND NOT DEFINED ZERO_BUILD_CUDA)
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    set(zero_cuda_default ON)
  else()
    message(STATUS "zero: leaving out CUDA tests, examples and benchmarks: no CUDA compiler was found. Install the "
                   "CUDA toolkit, or set CMAKE_CUDA_COMPILER to its nvcc")
  endif()
endif()
option(ZERO_BUILD_CUDA "Build zero's CUDA tests, examples and benchmarks" ${zero_cuda_default})

if(ZERO_BUILD_CUDA)
  if(NOT CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES 75-real 80-real 90)
  endif()
  enable_language(CUDA)
  include("${CMAKE_CURRENT_LIST_DIR}/components/cuda.cmake")
  if(NOT TARGET zero::cuda)
    message(FATAL_ERROR "${zero_NOT_FOUND_MESSAGE}")
  endif()
endif()
