// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/kernels/lion.hpp>

#include <doctest/doctest.h>
#include <kernels/rule_support.hpp>

namespace kernels_lion_test {

using kernel_test::complaint;
using zero::Lion;

TEST_CASE("lion: agrees with the reference") {
  for (Lion::Config const& c :
       {Lion::Config{}, Lion::Config{.lr = 0.1, .beta1 = 0.95, .beta2 = 0.98, .weight_decay = 0.5}}) {
    reference::Lion const oracle{c.lr, c.beta1, c.beta2, c.weight_decay};
    for (std::uint64_t t : {1U, 2U, 1000U}) {
      kernel_test::compare_with_reference<Lion>(c, oracle, t, {.s0 = 2, .s1 = 0, .p = 3});
    }
  }
}

TEST_CASE("lion: the parameter moves by the sign before the momentum is updated, and not at all for zero") {
  float p[3] = {1.0F, 1.0F, 1.0F}, g[3] = {-1e-30F, 2.0F, 0.0F}, m[3] = {0.0F, -0.1F, -0.0F};
  zero::fused_update(zero::best_instruction_set(),
                     zero::UpdateArguments<Lion, float, float>{
                         p, nullptr, g, {m}, 3, Lion::constants({.lr = 0.5, .beta1 = 0.5, .beta2 = 0.0}, 1), 1.0F});
  CHECK(p[0] == 1.5F);
  CHECK(p[1] == 0.5F);
  CHECK(p[2] == 1.0F);
  CHECK(m[1] == 2.0F);
}

TEST_CASE("lion: tails of 1 to 33 elements have the bits of whole blocks in every instruction set") {
  kernel_test::check_tails<Lion>({.lr = 0.1, .weight_decay = 0.1});
}

TEST_CASE("lion: validate says what is wrong and what to write") {
  CHECK(complaint<Lion>({}).empty());
  CHECK(complaint<Lion>({.lr = -1}) == "zero::Lion: lr is -1: write a finite number that is not negative");
  CHECK(complaint<Lion>({.beta1 = 1.5}) == "zero::Lion: beta1 is 1.5: write a number in [0, 1)");
  CHECK(complaint<Lion>({.beta2 = 1.0}) == "zero::Lion: beta2 is 1: write a number in [0, 1)");
  CHECK(complaint<Lion>({.weight_decay = -1}).find("weight_decay is -1") != std::string::npos);
}

}  // namespace kernels_lion_test
