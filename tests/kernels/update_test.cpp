// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/kernels/adagrad.hpp>
#include <zero/kernels/adam.hpp>
#include <zero/kernels/lion.hpp>
#include <zero/kernels/sgd.hpp>
#include <zero/kernels/update.hpp>

#include <doctest/doctest.h>
#include <kernels/support.hpp>

#include <random>
#include <vector>

namespace kernels_update_test {

using zero::bfloat16, zero::float16;

namespace {

// The arrays of one fused update, the copy 64-byte aligned or not.
template <class Rule, class Compute, class Sum>
struct Arrays {
  explicit Arrays(std::size_t n)
      : master(n), copy(n + 64), gradient(n), states(Rule::state_count, std::vector<float>(n)) {
    std::mt19937_64 random(n);
    for (std::size_t i = 0; i < n; ++i) {
      master[i] = kernel_test::ordinary(random);
      gradient[i] = zero::narrow<Sum>(1024.0F * kernel_test::ordinary(random));
      for (auto& state : states) state[i] = std::abs(kernel_test::ordinary(random));
    }
  }

  // Where `copy` is 64-byte aligned, plus `offset` elements: streaming stores are for the aligned only.
  Compute* value(std::size_t offset) {
    auto const misaligned = reinterpret_cast<std::uintptr_t>(copy.data()) % 64 / sizeof(Compute);
    return copy.data() + (misaligned == 0 ? 0 : 64 / sizeof(Compute) - misaligned) + offset;
  }

  void update(zero::InstructionSet set, typename Rule::Constants const& constants, std::size_t offset,
              bool copies = true) {
    zero::UpdateArguments<Rule, Compute, Sum> a{
        master.data(), copies ? value(offset) : nullptr, gradient.data(), {}, master.size(), constants, 1.0F / 1536.0F};
    for (std::size_t k = 0; k < states.size(); ++k) a.states[k] = states[k].data();
    zero::fused_update(set, a);
  }

  std::vector<float> master;
  std::vector<Compute> copy;
  std::vector<Sum> gradient;
  std::vector<std::vector<float>> states;
};

template <class Rule, class Compute, class Sum>
void check_bits() {
  auto const constants = Rule::constants({}, 3);
  for (std::size_t n : {1U, 31U, 128U, 1025U}) {
    Arrays<Rule, Compute, Sum> const before(n);
    auto expected = before;
    expected.update(zero::InstructionSet::baseline, constants, 0);
    for (auto set : kernel_test::instruction_sets()) {
      for (std::size_t offset : {0U, 1U, 8U}) {
        auto actual = before;
        actual.update(set, constants, offset);
        CHECK(kernel_test::same_bits(actual.master, expected.master));
        CHECK(!kernel_test::same_bits(actual.master, before.master));
        for (std::size_t k = 0; k < Rule::state_count; ++k) {
          CHECK(kernel_test::same_bits(actual.states[k], expected.states[k]));
        }
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < n; ++i) {
          wrong +=
              zero::widen(actual.value(offset)[i]) == zero::widen(zero::narrow<Compute>(expected.master[i])) ? 0 : 1;
        }
        CHECK(wrong == 0);
        CHECK(zero::widen(actual.value(offset)[n]) == 0.0F);  // nothing behind the end
      }
    }
  }
}

template <class Rule>
void check_precisions() {
  check_bits<Rule, float, float>();
  check_bits<Rule, bfloat16, float>();
  check_bits<Rule, float16, float>();
  check_bits<Rule, bfloat16, bfloat16>();
  check_bits<Rule, float16, bfloat16>();
  check_bits<Rule, float, bfloat16>();
}

// A user's rule without a state.
struct SignDescent {
  static constexpr std::size_t state_count = 0;
  struct Config {
    float lr = 0.5F;
  };
  struct Constants {
    float minus_lr;
  };
  static Constants constants(Config const& c, std::uint64_t) { return {-c.lr}; }
  template <class Real>
  static void update(Real& p, Real const& g, zero::States<Real, 0>&, Constants const& c) {
    p = fma(Real(c.minus_lr), sign(g), p);
  }
};

}  // namespace

TEST_CASE(
    "update: rules and precisions have the same bits in every instruction set, with streaming stores and without") {
  check_precisions<zero::Adam>();
  check_precisions<zero::AdamW>();
  check_precisions<zero::Sgd>();
  check_precisions<zero::Lion>();
  check_precisions<zero::Adagrad>();
}

TEST_CASE("update: the gradient is multiplied first, rounded once") {
  std::vector<float> p(40, 0.0F), g(40), buffer(40);
  for (std::size_t i = 0; i < g.size(); ++i) g[i] = static_cast<float>(i) + 0.3F;
  auto const constants = zero::Sgd::constants({.lr = 1.0}, 1);
  for (auto set : kernel_test::instruction_sets()) {
    std::fill(p.begin(), p.end(), 0.0F);
    zero::fused_update(set, zero::UpdateArguments<zero::Sgd, float, float>{
                                p.data(), nullptr, g.data(), {buffer.data()}, p.size(), constants, 0.1F});
    for (std::size_t i = 0; i < p.size(); ++i) REQUIRE(p[i] == -(g[i] * 0.1F));
  }
}

TEST_CASE("update: without a copy to write, none is written") {
  Arrays<zero::AdamW, bfloat16, float> arrays(100);
  arrays.update(zero::best_instruction_set(), zero::AdamW::constants({}, 1), 0, false);
  for (auto x : arrays.copy) REQUIRE(x.bits == 0);
}

TEST_CASE("update: a user's rule without a state runs in every instruction set") {
  for (auto set : kernel_test::instruction_sets()) {
    std::vector<float> p(37, 1.0F), g(37);
    for (std::size_t i = 0; i < g.size(); ++i) g[i] = i % 3 == 0 ? 2.0F : i % 3 == 1 ? -2.0F : 0.0F;
    zero::fused_update(set, zero::UpdateArguments<SignDescent, float, float>{
                                p.data(), nullptr, g.data(), {}, p.size(), SignDescent::constants({}, 1), 1.0F});
    for (std::size_t i = 0; i < p.size(); ++i) REQUIRE(p[i] == (i % 3 == 0 ? 0.5F : i % 3 == 1 ? 1.5F : 1.0F));
  }
}

}  // namespace kernels_update_test
