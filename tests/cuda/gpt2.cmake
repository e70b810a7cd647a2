# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# GPT-2 on a GPU: its kernels, its model and the trainer. Included by CMakeLists.txt.

if(TARGET zero_example_gpt2_cuda)
  zero_add_gpu_test(NAME cuda_gpt2 SOURCES gpt2_test.cu gpt2_train_test.cpp LIBRARIES zero_example_gpt2_cuda)
  target_compile_definitions(zero_cuda_gpt2_test PRIVATE "TRAIN_GPT2=\"$<TARGET_FILE:train_gpt2>\"")
  add_dependencies(zero_cuda_gpt2_test train_gpt2)
endif()
