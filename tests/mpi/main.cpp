// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// doctest's main, of ranks that run all test cases side by side. A rank that fails ends all of them, so that no other
// one waits for it; the last line says that every rank has come to the end.
#define DOCTEST_CONFIG_IMPLEMENT
#define DOCTEST_CONFIG_NO_POSIX_SIGNALS  // mpiexec ends the others by signals
#include <zero/mpi/detail/mpi.hpp>

#include <doctest/doctest.h>

#include <cstdio>

int main(int argc, char** argv) {
  int level = 0, rank = 0, ranks = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &level);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  doctest::Context context(argc, argv);
  if (rank != 0) context.setOption("minimal", true);  // says nothing of what passes
  context.setOption("abort-after", 1);
  context.setOption("no-colors", true);
  int const result = context.run();
  if (result != 0) {
    std::fprintf(stderr, "rank %d has failed\n", rank);
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  if (rank == 0) std::printf("all %d ranks have passed\n", ranks);
  MPI_Finalize();
}
