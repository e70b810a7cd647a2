# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# zero::cuda: what a target needs that includes zero/engine.cuh or zero/backends/cuda.hpp. The project enables the
# language CUDA itself where it has .cu files.

set(zero_cuda_needed 12.0)
find_package(CUDAToolkit ${zero_cuda_needed} QUIET)
if(NOT CUDAToolkit_FOUND)
  set(zero_cuda_FOUND FALSE)
  if(CUDAToolkit_VERSION)
    set(zero_NOT_FOUND_MESSAGE "zero's component cuda needs CUDA ${zero_cuda_needed} or newer, but this is "
                               "${CUDAToolkit_VERSION}: install a newer toolkit and set CUDAToolkit_ROOT to it.")
  else()
    set(zero_NOT_FOUND_MESSAGE "zero's component cuda needs the CUDA toolkit ${zero_cuda_needed} or newer, which was "
                               "not found: install it, or set CUDAToolkit_ROOT to where it is.")
  endif()
  list(JOIN zero_NOT_FOUND_MESSAGE "" zero_NOT_FOUND_MESSAGE)
  return()
endif()

if(NOT TARGET zero::cuda)
  add_library(zero::cuda INTERFACE IMPORTED)
  # The runtime that CMake links to every target with CUDA sources by default: there is only one in a program.
  target_link_libraries(zero::cuda INTERFACE zero::zero CUDA::cudart_static)
  # CMake 3.25 passes neither CUDA_STANDARD 20 nor cxx_std_20 to nvcc.
  target_compile_options(zero::cuda INTERFACE "$<$<COMPILE_LANG_AND_ID:CUDA,NVIDIA>:-std=c++20>")
endif()
