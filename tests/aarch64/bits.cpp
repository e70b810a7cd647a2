// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Prints a hash of all that a training of the oracle leaves behind, one line for each of many configurations: the same
// lines on every processor. That configurations agree among themselves is what engine_equivalence tests.

#include "engine/runs.hpp"

#include <cinttypes>
#include <cstddef>
#include <cstdio>

using engine_test::Run;

namespace {

void print(Run const& run) {
  auto const result = engine_test::train(run);
  std::printf("%016" PRIx64 " %s\n", result.hash, engine_test::describe(run).c_str());
}

// Six micro-batches in every world that divides them.
void print_worlds(Run run) {
  for (int const world : {1, 2, 3, 6}) {
    run.world = world;
    run.accumulation = 6 / world;
    print(run);
  }
}

}  // namespace

int main() {
  for (auto const types : engine_test::all_types) {
    print({.types = types, .self = true, .accumulation = 6, .clipping = 0.5});
    for (auto const stage : engine_test::stages) {
      for (bool const offload : {false, true}) {
        for (std::size_t const bucket : {std::size_t{1024}, std::size_t{1} << 16}) {
          print_worlds(
              {.types = types, .stage = stage, .offload = offload, .bucket_elements = bucket, .clipping = 0.5});
        }
      }
    }
  }
}
