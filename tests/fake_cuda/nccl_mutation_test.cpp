// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fake_cuda/mutation.hpp"
#include "fake_cuda/nccl_fixtures.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace fake_cuda_nccl_mutation_test {

TEST_CASE("nccl mutation: without any one of the places that record events or wait for them there is a race") {
  std::vector<fake_cuda::Scenario> all;
  for (auto const& small : fake_cuda::orderings()) all.push_back({small, small.world});
  auto const train = [](fake_cuda::Small const& small) {
    (void)fake_cuda::first_of(fake_cuda::train_small_over_nccl(small));
  };
  // The watchdog's events order nothing: without them a rank that does not come is not noticed.
  auto const spared = [](fake_cuda::Site const& site) {
    return fake_cuda::describe(site).find("NcclWatchdog") != std::string::npos;
  };
  fake_cuda::check_sites(train, all, 60, spared);
}

}  // namespace fake_cuda_nccl_mutation_test
