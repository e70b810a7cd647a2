// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#define DOCTEST_CONFIG_IMPLEMENT
#include <cuda_runtime_api.h>
#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>

// Exits with 77, which ctest shows as skipped, where there is no GPU; ZERO_REQUIRE_GPU=1 makes that a failure.
int main(int argc, char** argv) {
  int devices = 0;
  auto const code = cudaGetDeviceCount(&devices);
  if (code != cudaSuccess || devices == 0) {
    std::printf("not run: these tests need a GPU, and the CUDA runtime says: %s\n", cudaGetErrorString(code));
    return std::getenv("ZERO_REQUIRE_GPU") != nullptr ? EXIT_FAILURE : 77;
  }
  return doctest::Context(argc, argv).run();
}
