# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# Tests of the NCCL communicator: what a machine without a GPU can show, and a world of one rank on a GPU.

include("${PROJECT_SOURCE_DIR}/cmake/components/nccl.cmake")
if(NOT TARGET zero::nccl)
  message(STATUS "zero: leaving out the NCCL tests: ${zero_NOT_FOUND_MESSAGE}")
  return()
endif()

zero_add_test(NAME nccl_host SOURCES nccl_host_test.cpp LIBRARIES zero::nccl)
zero_add_gpu_test(NAME nccl SOURCES nccl_test.cu LIBRARIES zero::nccl)

# The communicator itself with several ranks, over a stand-in for NCCL and for the little of the CUDA runtime that it
# calls: nothing of theirs is linked.
zero_add_test(NAME nccl_ranks LABELS stand_in LIBRARIES Threads::Threads
  SOURCES ../nccl_stand_in/communicator_test.cpp ../nccl_stand_in/cuda_runtime.cpp ../nccl_stand_in/nccl.cpp)
target_include_directories(zero_nccl_ranks_test SYSTEM PRIVATE ${CUDAToolkit_INCLUDE_DIRS} "${zero_nccl_include}")
