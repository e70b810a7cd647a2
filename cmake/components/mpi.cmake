# SPDX-FileCopyrightText: 2026 The zero authors
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# zero::mpi: what a target needs that includes zero/communicators/mpi.hpp: any MPI of version 3.0 or newer, which
# CMake's FindMPI finds by its compiler wrapper (MPI_CXX_COMPILER, or MPI_HOME).

set(zero_mpi_needed 3.0)
set(MPI_CXX_SKIP_MPICXX ON) # MPI has given up its C++ bindings
find_package(MPI QUIET COMPONENTS CXX)
set(zero_mpi_problem "")
if(NOT MPI_CXX_FOUND)
  set(zero_mpi_problem "which was not found: install one with its development files (Debian, Ubuntu: libopenmpi-dev or "
                       "libmpich-dev), or set MPI_HOME to the folder that holds its bin/mpicxx.")
elseif(MPI_CXX_VERSION VERSION_LESS zero_mpi_needed)
  set(zero_mpi_problem "but this one (${MPI_CXX_COMPILER}) is of version ${MPI_CXX_VERSION}: install a newer one and "
                       "set MPI_HOME to it.")
endif()
if(zero_mpi_problem)
  list(JOIN zero_mpi_problem "" zero_mpi_problem)
  set(zero_mpi_FOUND FALSE)
  set(zero_NOT_FOUND_MESSAGE "zero's component mpi needs MPI ${zero_mpi_needed} or newer, ${zero_mpi_problem}")
  return()
endif()

if(NOT TARGET zero::mpi)
  add_library(zero::mpi INTERFACE IMPORTED)
  target_link_libraries(zero::mpi INTERFACE zero::zero MPI::MPI_CXX)
endif()
