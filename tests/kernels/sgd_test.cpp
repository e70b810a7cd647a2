// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/kernels/sgd.hpp>

#include <doctest/doctest.h>
#include <kernels/rule_support.hpp>

#include <limits>

namespace kernels_sgd_test {

using kernel_test::compare_with_reference, kernel_test::complaint;
using zero::Sgd;

namespace {

reference::Sgd oracle(Sgd::Config const& c) { return {c.lr, c.momentum, c.dampening, c.weight_decay, c.nesterov}; }

}  // namespace

TEST_CASE("sgd: momentum, dampening, Nesterov and L2 decay agree with the reference") {
  for (Sgd::Config const& config :
       {Sgd::Config{}, Sgd::Config{.lr = 0.1, .momentum = 0.9},
        Sgd::Config{.lr = 0.1, .momentum = 0.9, .dampening = 0.3}, Sgd::Config{.lr = 0.1, .dampening = 0.3},
        Sgd::Config{.lr = 0.1, .momentum = 0.9, .weight_decay = 0.1, .nesterov = true}}) {
    for (std::uint64_t t : {1U, 2U, 1000U}) {
      compare_with_reference<Sgd>(config, oracle(config), t, {.s0 = 3, .s1 = 0, .p = 4});
    }
  }
}

TEST_CASE("sgd: the first step overwrites the momentum buffer, whatever the dampening") {
  float p = 0.0F, g = 3.0F, buffer = 100.0F;
  Sgd::Config const config{.lr = 1.0, .momentum = 0.5, .dampening = 0.25};
  auto const step = [&](std::uint64_t t) {
    zero::fused_update(
        zero::InstructionSet::baseline,
        zero::UpdateArguments<Sgd, float, float>{&p, nullptr, &g, {&buffer}, 1, Sgd::constants(config, t), 1.0F});
  };
  step(1);
  CHECK(buffer == 3.0F);
  CHECK(p == -3.0F);
  step(2);
  CHECK(buffer == 0.5F * 3.0F + 0.75F * 3.0F);
  CHECK(p == -3.0F - 3.75F);
}

TEST_CASE("sgd: tails of 1 to 33 elements have the bits of whole blocks in every instruction set") {
  kernel_test::check_tails<Sgd>({.lr = 0.1, .momentum = 0.9, .weight_decay = 0.1, .nesterov = true});
}

TEST_CASE("sgd: validate says what is wrong and what to write") {
  CHECK(complaint<Sgd>({}).empty());
  CHECK(complaint<Sgd>({.momentum = 0.9, .nesterov = true}).empty());
  CHECK(complaint<Sgd>({.lr = std::numeric_limits<double>::infinity()}) ==
        "zero::Sgd: lr is inf: write a finite number that is not negative");
  CHECK(complaint<Sgd>({.momentum = 1}) == "zero::Sgd: momentum is 1: write a number in [0, 1)");
  CHECK(complaint<Sgd>({.dampening = 1.5}) == "zero::Sgd: dampening is 1.5: write a number in [0, 1]");
  CHECK(complaint<Sgd>({.weight_decay = -1}).find("weight_decay is -1") != std::string::npos);
  std::string const nesterov =
      "zero::Sgd: nesterov needs momentum and no dampening: write e.g. {.momentum = 0.9, .dampening = 0, .nesterov = "
      "true}";
  CHECK(complaint<Sgd>({.nesterov = true}) == nesterov);
  CHECK(complaint<Sgd>({.momentum = 0.9, .dampening = 0.1, .nesterov = true}) == nesterov);
}

}  // namespace kernels_sgd_test
