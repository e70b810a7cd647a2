// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/kernels/adam.hpp>

#include <doctest/doctest.h>
#include <kernels/rule_support.hpp>

#include <limits>

namespace kernels_adam_test {

using kernel_test::compare_with_reference, kernel_test::complaint;
using zero::Adam, zero::AdamW;

namespace {

reference::Adam oracle(auto const& c, bool decoupled) {
  return {c.lr, c.beta1, c.beta2, c.eps, c.weight_decay, decoupled};
}

// Two roundings for each moment's first term, three for the second moment, six for the parameter.
constexpr kernel_test::Bounds bounds{.s0 = 2, .s1 = 3, .p = 6};

}  // namespace

TEST_CASE("adam: AdamW agrees with the reference, at the first step and at the thousandth") {
  for (AdamW::Config const& config : {AdamW::Config{}, AdamW::Config{.lr = 0.3, .beta2 = 0.95, .weight_decay = 0.1},
                                      AdamW::Config{.beta1 = 0.0, .eps = 1e-3, .weight_decay = 0.0}}) {
    for (std::uint64_t t : {1U, 2U, 10U, 999U, 1000U, 100000U}) {
      compare_with_reference<AdamW>(config, oracle(config, true), t, bounds);
    }
  }
}

TEST_CASE("adam: Adam adds its decay to the gradient and agrees with the reference") {
  for (Adam::Config const& config : {Adam::Config{}, Adam::Config{.lr = 0.3, .beta2 = 0.95, .weight_decay = 0.1}}) {
    for (std::uint64_t t : {1U, 2U, 999U, 1000U}) {
      // The gradient is rounded once more when it takes the decay up.
      compare_with_reference<Adam>(config, oracle(config, false), t, {.s0 = 3, .s1 = 5, .p = 7});
    }
  }
}

TEST_CASE("adam: decay is decoupled in AdamW and is not in Adam") {
  float p = 1.0F, g = 0.0F, m = 0.0F, v = 0.0F;
  zero::fused_update(zero::InstructionSet::baseline,
                     zero::UpdateArguments<AdamW, float, float>{
                         &p, nullptr, &g, {&m, &v}, 1, AdamW::constants({.lr = 0.5, .weight_decay = 0.5}, 1), 1.0F});
  CHECK(p == 0.75F);
  CHECK(m == 0.0F);
  p = 1.0F;
  zero::fused_update(zero::InstructionSet::baseline,
                     zero::UpdateArguments<Adam, float, float>{
                         &p, nullptr, &g, {&m, &v}, 1, Adam::constants({.lr = 0.5, .weight_decay = 0.5}, 1), 1.0F});
  CHECK(p == doctest::Approx(0.5F));  // a whole step of lr: the bias-corrected moment over its own root
  CHECK(m == doctest::Approx(0.05F));
}

TEST_CASE("adam: tails of 1 to 33 elements have the bits of whole blocks in every instruction set") {
  kernel_test::check_tails<AdamW>({.lr = 0.1, .weight_decay = 0.1});
  kernel_test::check_tails<Adam>({.lr = 0.1, .weight_decay = 0.1});
}

TEST_CASE("adam: constants round once from double") {
  auto const c = AdamW::constants({.lr = 1e-3, .beta1 = 0.9, .beta2 = 0.999}, 1);
  CHECK(c.one_minus_beta2 == static_cast<float>(1.0 - 0.999));
  CHECK(c.minus_lr_over_correction1 == static_cast<float>(-1e-3 / (1.0 - 0.9)));
  CHECK(c.decay == static_cast<float>(1.0 - 1e-3 * 0.01));
  auto const late = AdamW::constants({}, 1'000'000'000);
  CHECK(late.minus_lr_over_correction1 == -1e-3F);
  CHECK(late.inverse_root_correction2 == 1.0F);
}

TEST_CASE("adam: validate says what is wrong and what to write") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(complaint<AdamW>({}).empty());
  CHECK(complaint<AdamW>({.lr = 0, .beta1 = 0, .beta2 = 0, .eps = 0, .weight_decay = 0}).empty());
  CHECK(complaint<AdamW>({.lr = -0.1}) == "zero::AdamW: lr is -0.1: write a finite number that is not negative");
  CHECK(complaint<Adam>({.lr = nan}) == "zero::Adam: lr is nan: write a finite number that is not negative");
  CHECK(complaint<AdamW>({.beta1 = 1}) == "zero::AdamW: beta1 is 1: write a number in [0, 1)");
  CHECK(complaint<AdamW>({.beta2 = -0.5}) == "zero::AdamW: beta2 is -0.5: write a number in [0, 1)");
  CHECK(complaint<AdamW>({.eps = -1e-8}) == "zero::AdamW: eps is -1e-08: write a finite number that is not negative");
  CHECK(complaint<Adam>({.weight_decay = nan}).find("weight_decay is nan") != std::string::npos);
}

}  // namespace kernels_adam_test
