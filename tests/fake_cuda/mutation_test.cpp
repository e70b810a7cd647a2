// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fake_cuda/mutation.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace fake_cuda_mutation_test {

TEST_CASE("mutation: without any one of the places that record events or wait for them there is a race") {
  std::vector<fake_cuda::Scenario> all;
  for (auto const& small : fake_cuda::orderings()) all.push_back({small});
  auto const train = [](fake_cuda::Small const& small) {
    fake_cuda::Seen seen;
    fake_cuda::train_small(small, seen);
  };
  fake_cuda::check_sites(train, all, 75, [](fake_cuda::Site const&) { return false; });
}

}  // namespace fake_cuda_mutation_test
