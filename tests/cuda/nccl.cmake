# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# Tests of the NCCL communicator: what a machine without a GPU can show, and a world of one rank on a GPU.

include("${PROJECT_SOURCE_DIR}/cmake/components/nccl.cmake")
if(NOT TARGET zero::nccl)
  message(STATUS "zero: leaving out the NCCL tests: ${zero_NOT_FOUND_MESSAGE}")
  return()
endif()

zero_add_test(NAME nccl_host SOURCES nccl_host_test.cpp LIBRARIES zero::nccl)
set_tests_properties(nccl_host PROPERTIES ENVIRONMENT CUDA_VISIBLE_DEVICES=-1)  # what it says without a GPU
zero_add_gpu_test(NAME nccl SOURCES nccl_test.cu LIBRARIES zero::nccl)
