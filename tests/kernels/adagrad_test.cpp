// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/kernels/adagrad.hpp>

#include <doctest/doctest.h>
#include <kernels/rule_support.hpp>

namespace kernels_adagrad_test {

using kernel_test::complaint;
using zero::Adagrad;

TEST_CASE("adagrad: agrees with the reference, with decay of the rate and of the weights") {
  for (Adagrad::Config const& c : {Adagrad::Config{}, Adagrad::Config{.lr = 0.5, .lr_decay = 0.01, .eps = 1e-3},
                                   Adagrad::Config{.lr = 0.5, .weight_decay = 0.1}}) {
    reference::Adagrad const oracle{c.lr, c.lr_decay, c.eps, c.weight_decay};
    for (std::uint64_t t : {1U, 2U, 1000U}) {
      // Where g and λ p nearly cancel, so may the sum of squares at the first step: its root multiplies the error.
      bool const cancels = c.weight_decay != 0 && t == 1;
      kernel_test::compare_with_reference<Adagrad>(c, oracle, t, {.s0 = 3, .s1 = 0, .p = cancels ? 8.0 : 6.0}, true);
    }
  }
}

TEST_CASE("adagrad: the accumulator sums squares and the rate decays with the step") {
  float p = 0.0F, g = 3.0F, sum = 16.0F;
  zero::fused_update(
      zero::InstructionSet::baseline,
      zero::UpdateArguments<Adagrad, float, float>{
          &p, nullptr, &g, {&sum}, 1, Adagrad::constants({.lr = 1.0, .lr_decay = 0.5, .eps = 1.0}, 5), 1.0F});
  CHECK(sum == 25.0F);
  CHECK(p == doctest::Approx(-1.0 / 3.0 * 3.0 / 6.0));
}

TEST_CASE("adagrad: tails of 1 to 33 elements have the bits of whole blocks in every instruction set") {
  kernel_test::check_tails<Adagrad>({.lr = 0.1, .weight_decay = 0.1});
}

TEST_CASE("adagrad: validate says what is wrong and what to write") {
  CHECK(complaint<Adagrad>({}).empty());
  CHECK(complaint<Adagrad>({.lr = -1}) == "zero::Adagrad: lr is -1: write a finite number that is not negative");
  CHECK(complaint<Adagrad>({.lr_decay = -1}).find("lr_decay is -1") != std::string::npos);
  CHECK(complaint<Adagrad>({.eps = -1}).find("eps is -1") != std::string::npos);
  CHECK(complaint<Adagrad>({.weight_decay = -1}).find("weight_decay is -1") != std::string::npos);
}

}  // namespace kernels_adagrad_test
