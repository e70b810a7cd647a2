# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# train_images --device cuda.

include("${PROJECT_SOURCE_DIR}/cmake/components/nccl.cmake")
set(images_nccl_include "${zero_nccl_include}")
set(images_nccl_library "${zero_nccl_library}")

# torch brings a CUDA runtime, libcudart, and an NCCL of its own: the program uses those, so that a process has one of
# each. Its NCCL has no older functions than the one that was found, whose header is used.
add_library(zero_example_images_gpu INTERFACE)
target_link_libraries(zero_example_images_gpu INTERFACE zero::zero)
target_include_directories(zero_example_images_gpu SYSTEM INTERFACE ${CUDAToolkit_INCLUDE_DIRS})
target_compile_options(zero_example_images_gpu INTERFACE "$<$<COMPILE_LANG_AND_ID:CUDA,NVIDIA>:-std=c++20>")

# What includes torch, compiled wherever its headers are.
add_library(zero_example_images_gpu_learner OBJECT cuda/learner.cpp)
target_link_libraries(zero_example_images_gpu_learner PUBLIC zero_example_images_gpu zero_example_images_model
  PRIVATE zero::libtorch zero_warnings)
if(TARGET zero::nccl)
  target_compile_definitions(zero_example_images_gpu_learner PRIVATE IMAGES_HAVE_NCCL)
  target_include_directories(zero_example_images_gpu_learner SYSTEM PUBLIC "${images_nccl_include}")
endif()
set_source_files_properties(cuda/learner.cpp PROPERTIES
  COMPILE_OPTIONS "$<$<CONFIG:Release,RelWithDebInfo>:-O1>")

find_library(images_torch_cuda torch_cuda PATHS "${zero_libtorch_root}/lib" NO_DEFAULT_PATH NO_CACHE)
find_library(images_c10_cuda c10_cuda PATHS "${zero_libtorch_root}/lib" NO_DEFAULT_PATH NO_CACHE)
if(NOT images_torch_cuda OR NOT images_c10_cuda)
  message(STATUS "zero: train_images is built without --device cuda: ${zero_libtorch_root}/lib has no libtorch_cuda.so. "
                 "Set LIBTORCH_ROOT to a torch with CUDA")
  target_sources(train_images PRIVATE cuda/without_cuda.cpp)
  target_compile_definitions(train_images PRIVATE IMAGES_TORCH_LACKS_CUDA)
  return()
endif()

add_library(zero_example_images_gpu_engines STATIC cuda/engines.cu)
set_target_properties(zero_example_images_gpu_engines train_images PROPERTIES CUDA_RUNTIME_LIBRARY Shared)
target_link_libraries(zero_example_images_gpu_engines PUBLIC zero_example_images_gpu PRIVATE zero_warnings)
target_sources(train_images PRIVATE cuda/run.cpp)
target_link_libraries(train_images PRIVATE zero_example_images_gpu_learner zero_example_images_gpu_engines)
if(TARGET zero::nccl)
  file(GLOB images_nccl_of_torch "${zero_libtorch_root}/../nvidia/nccl/lib/libnccl.so.2")
  if(images_nccl_of_torch)
    set(images_nccl_library "${images_nccl_of_torch}")
  endif()
  target_sources(zero_example_images_gpu_engines PRIVATE cuda/nccl_engines.cu)
  target_include_directories(zero_example_images_gpu_engines SYSTEM PUBLIC "${images_nccl_include}")
  target_sources(train_images PRIVATE cuda/with_nccl.cpp)
  target_link_libraries(train_images PRIVATE "${images_nccl_library}")
else()
  message(STATUS "zero: train_images --device cuda is built for one process: ${zero_NOT_FOUND_MESSAGE}")
  target_sources(train_images PRIVATE cuda/without_nccl.cpp)
endif()
# Nothing names the functions of libtorch_cuda, which registers itself when it is loaded.
target_link_libraries(train_images PRIVATE "-Wl,--no-as-needed" "${images_torch_cuda}" "${images_c10_cuda}"
  ${zero_libtorch_cuda} "-Wl,--as-needed")
