# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# zero::libtorch: what a target needs that includes zero/adapters/libtorch.hpp: torch 2.6 or newer. It is the torch that
# the project has found before, by find_package(Torch); else the one in LIBTORCH_ROOT (a variable of CMake or of the
# environment), the folder that holds its include and lib: an unpacked libtorch, or the folder `torch` of a Python
# package; else one that Torch_DIR or CMAKE_PREFIX_PATH leads to. In LIBTORCH_ROOT only the headers, libc10 and
# libtorch_cpu are used, and not torch's own package file, which of a package with CUDA wants all of CUDA.

set(zero_libtorch_needed 2.6)
set(zero_libtorch_problem "")
if(TARGET torch AND NOT LIBTORCH_ROOT)
  get_target_property(zero_libtorch_root torch LOCATION) # <root>/lib/libtorch.so
  foreach(zero_libtorch_step RANGE 1)
    cmake_path(GET zero_libtorch_root PARENT_PATH zero_libtorch_root)
  endforeach()
else()
  set(zero_libtorch_root "${LIBTORCH_ROOT}")
  if(NOT zero_libtorch_root)
    set(zero_libtorch_root "$ENV{LIBTORCH_ROOT}")
  endif()
  if(NOT zero_libtorch_root)
    find_path(zero_libtorch_package TorchConfig.cmake HINTS ${Torch_DIR} PATH_SUFFIXES share/cmake/Torch NO_CACHE)
    if(zero_libtorch_package)
      cmake_path(SET zero_libtorch_root NORMALIZE "${zero_libtorch_package}/../../..")
      string(REGEX REPLACE "/$" "" zero_libtorch_root "${zero_libtorch_root}")
    endif()
    unset(zero_libtorch_package)
  endif()
endif()

set(zero_libtorch_api "${zero_libtorch_root}/include/torch/csrc/api/include")
set(zero_libtorch_version "")
foreach(zero_libtorch_file IN ITEMS "${zero_libtorch_root}/include/torch/headeronly/version.h"
                                    "${zero_libtorch_api}/torch/version.h")
  if(NOT zero_libtorch_version AND EXISTS "${zero_libtorch_file}")
    file(STRINGS "${zero_libtorch_file}" zero_libtorch_lines REGEX "^#define TORCH_VERSION_(MAJOR|MINOR) +[0-9]+")
    if(zero_libtorch_lines)
      string(REGEX REPLACE ".*MAJOR +([0-9]+).*MINOR +([0-9]+).*" "\\1.\\2" zero_libtorch_version
             "${zero_libtorch_lines}")
    endif()
  endif()
endforeach()
if(NOT zero_libtorch_root)
  set(zero_libtorch_problem "which was not found: call find_package(Torch) before, or set LIBTORCH_ROOT to the folder "
                            "that holds its include and lib, such as `torch` among Python's packages.")
elseif(NOT EXISTS "${zero_libtorch_api}/torch/torch.h" OR NOT EXISTS "${zero_libtorch_root}/lib/libtorch_cpu.so")
  set(zero_libtorch_problem "which was not found in ${zero_libtorch_root}: set LIBTORCH_ROOT to the folder that holds "
                            "include/torch/csrc/api/include/torch/torch.h and lib/libtorch_cpu.so.")
elseif(zero_libtorch_version VERSION_LESS zero_libtorch_needed)
  set(zero_libtorch_problem "but ${zero_libtorch_root} is of version ${zero_libtorch_version}: install a newer one and "
                            "set LIBTORCH_ROOT to it.")
endif()

# A libtorch_cpu that was built with CUDA needs two of its libraries, whatever is linked: those beside it in Python's
# packages, of the CUDA toolkit, or where libraries are.
set(zero_libtorch_cuda "")
if(NOT zero_libtorch_problem AND NOT TARGET torch AND CMAKE_READELF)
  execute_process(COMMAND "${CMAKE_READELF}" -d "${zero_libtorch_root}/lib/libtorch_cpu.so"
                  OUTPUT_VARIABLE zero_libtorch_dynamic ERROR_QUIET)
  string(REGEX MATCHALL "lib(cudart|cupti)\\.so\\.[0-9.]+" zero_libtorch_names "${zero_libtorch_dynamic}")
  file(GLOB zero_libtorch_places "${zero_libtorch_root}/../nvidia/*/lib" "/usr/local/cuda*/lib*"
       "/usr/local/cuda*/extras/CUPTI/lib*")
  foreach(zero_libtorch_name IN LISTS zero_libtorch_names)
    find_file(zero_libtorch_found "${zero_libtorch_name}" PATHS "${zero_libtorch_root}/lib" ${zero_libtorch_places}
              ENV LD_LIBRARY_PATH PATHS /usr/local/lib /usr/local/lib64 /usr/lib "/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}"
              "${CUDAToolkit_ROOT}/lib64" "$ENV{CUDA_PATH}/lib64" NO_DEFAULT_PATH NO_CACHE)
    if(NOT zero_libtorch_found)
      set(zero_libtorch_problem "and that in ${zero_libtorch_root} needs ${zero_libtorch_name}, which was not found: "
                                "install Python's packages nvidia-cuda-runtime and nvidia-cuda-cupti beside it, or the "
                                "CUDA toolkit, or set LIBTORCH_ROOT to a torch without CUDA.")
      break()
    endif()
    list(APPEND zero_libtorch_cuda "${zero_libtorch_found}")
    unset(zero_libtorch_found)
  endforeach()
endif()

if(zero_libtorch_problem)
  list(JOIN zero_libtorch_problem "" zero_libtorch_problem)
  set(zero_libtorch_FOUND FALSE)
  set(zero_NOT_FOUND_MESSAGE "zero's component libtorch needs torch ${zero_libtorch_needed} or newer, "
                             "${zero_libtorch_problem}")
  list(JOIN zero_NOT_FOUND_MESSAGE "" zero_NOT_FOUND_MESSAGE)
  return()
endif()

if(NOT TARGET zero::libtorch)
  add_library(zero::libtorch INTERFACE IMPORTED)
  if(TARGET torch AND NOT LIBTORCH_ROOT)
    if(NOT TORCH_LIBRARIES)
      set(TORCH_LIBRARIES torch)
    endif()
    target_link_libraries(zero::libtorch INTERFACE zero::zero ${TORCH_LIBRARIES})
  else()
    set(zero_libtorch_libraries c10 torch_cpu)
    foreach(zero_libtorch_name IN LISTS zero_libtorch_libraries)
      add_library(zero::libtorch_${zero_libtorch_name} SHARED IMPORTED)
      set_target_properties(zero::libtorch_${zero_libtorch_name} PROPERTIES
                            IMPORTED_LOCATION "${zero_libtorch_root}/lib/lib${zero_libtorch_name}.so")
    endforeach()
    target_include_directories(zero::libtorch SYSTEM INTERFACE "${zero_libtorch_root}/include" "${zero_libtorch_api}")
    # Needed by libtorch_cpu, and found by the loader because the program itself names them and where they are.
    target_link_libraries(zero::libtorch INTERFACE zero::zero "-Wl,--no-as-needed" zero::libtorch_torch_cpu
                          zero::libtorch_c10 ${zero_libtorch_cuda} "-Wl,--as-needed")
    # Packages before torch 2.7 or so were built with the older of libstdc++'s two ABIs, and their package file says so.
    set(zero_libtorch_file "${zero_libtorch_root}/share/cmake/Torch/TorchConfig.cmake")
    if(EXISTS "${zero_libtorch_file}")
      file(STRINGS "${zero_libtorch_file}" zero_libtorch_lines REGEX "_GLIBCXX_USE_CXX11_ABI=[01]")
      string(REGEX MATCH "_GLIBCXX_USE_CXX11_ABI=[01]" zero_libtorch_abi "${zero_libtorch_lines}")
      if(zero_libtorch_abi)
        target_compile_definitions(zero::libtorch INTERFACE "${zero_libtorch_abi}")
      endif()
    endif()
  endif()
endif()
