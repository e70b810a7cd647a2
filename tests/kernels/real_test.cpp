// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/kernels/real.hpp>
#include <zero/kernels/update.hpp>

#include <doctest/doctest.h>
#include <kernels/support.hpp>

#include <cfenv>
#include <limits>
#include <random>
#include <vector>

namespace kernels_real_test {

using zero::Double, zero::Real1;

namespace {

float value(Real1 const& x) { return std::bit_cast<float>(x.bits[0]); }

// The same bits, or both NaN.
bool same(float a, float b) {
  return std::isnan(a) ? std::isnan(b) : std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}

// Not a rule that anybody trains with: each state takes the result of one operation on p and g.
struct EveryOperation {
  static constexpr std::size_t state_count = 10;
  struct Config {};
  struct Constants {
    float c;
  };
  template <class Real>
  static void update(Real& p, Real const& g, zero::States<Real, state_count>& s, Constants const& k) {
    s[9] = fma(p, g, s[9]);
    s[0] = p + g, s[1] = p - g, s[2] = p * g, s[3] = p / g, s[4] = sqrt(p), s[5] = abs(p), s[6] = -p;
    s[7] = max(p, g), s[8] = sign(p);
    p = Real(k.c);
  }
};

struct Operands {
  explicit Operands(std::size_t n) : p(n), g(n), s(EveryOperation::state_count, std::vector<float>(n)) {}
  std::vector<float> p, g;
  std::vector<std::vector<float>> s;
};

Operands every_operation(zero::InstructionSet set, Operands x) {
  zero::UpdateArguments<EveryOperation, float, float> a{x.p.data(), nullptr, x.g.data(), {}, x.p.size(), {0.25F}, 1.0F};
  for (std::size_t k = 0; k < x.s.size(); ++k) a.states[k] = x.s[k].data();
  zero::fused_update(set, a);
  return x;
}

Operands any_operands(std::size_t n) {
  std::mt19937_64 random(5);
  Operands x(n);
  float const special[] = {0.0F, -0.0F, 1.0F, INFINITY, -INFINITY, NAN, 1e-45F, 3.4e38F};
  for (std::size_t i = 0; i < n; ++i) {
    x.p[i] = i < 64 ? special[i / 8] : kernel_test::any_finite(random);
    x.g[i] = i < 64 ? special[i % 8] : kernel_test::any_finite(random);
    x.s[9][i] =
        i % 3 == 0 ? -x.p[i] * x.g[i] : kernel_test::any_finite(random);  // cancels the product but for its tail
  }
  return x;
}

}  // namespace

TEST_CASE("real: every operation rounds as IEEE 754 says, in every instruction set") {
  auto const x = any_operands(100'003);
  for (auto set : kernel_test::instruction_sets()) {
    INFO("instruction set ", static_cast<int>(set));
    auto const r = every_operation(set, x);
    std::size_t wrong[10] = {};
    for (std::size_t i = 0; i < x.p.size(); ++i) {
      float const p = x.p[i], g = x.g[i];
      float const sign = std::isnan(p) ? p : p > 0 ? 1.0F : p < 0 ? -1.0F : 0.0F;
      float const expected[] = {p + g,       p - g, p * g,         p / g, std::sqrt(p),
                                std::abs(p), -p,    p > g ? p : g, sign,  std::fma(p, g, x.s[9][i])};
      for (std::size_t k = 0; k < 10; ++k) wrong[k] += same(r.s[k][i], expected[k]) ? 0 : 1;
    }
    for (std::size_t k = 0; k < 10; ++k) {
      INFO("operation ", k);
      CHECK(wrong[k] == 0);
    }
    CHECK(r.p[0] == 0.25F);
    CHECK(r.p.back() == 0.25F);
  }
}

TEST_CASE("real: the fused multiply-add of CPUs without one rounds once, ties and denormals included") {
  // Halfway between two floats but for a tail that only the exact product knows; twice rounded, it is a tie to even.
  float const a = 1.0F + 0x1p-12F, b = 1.0F + 0x1p-12F, c = 0x1p-60F;
  CHECK(value(fma(Real1(a), Real1(b), Real1(c))) == std::fma(a, b, c));
  CHECK(value(fma(Real1(1.0F + 0x1p-23F), Real1(1.0F - 0x1p-23F), Real1(0x1p-25F))) ==
        std::fma(1.0F + 0x1p-23F, 1.0F - 0x1p-23F, 0x1p-25F));
  CHECK(value(fma(Real1(0x1p-100F), Real1(0x1.8p-49F), Real1(1e-45F))) == std::fma(0x1p-100F, 0x1.8p-49F, 1e-45F));
  CHECK(value(fma(Real1(0x1p127F), Real1(2.0F), Real1(-0x1p127F))) == 0x1p127F);
  CHECK(std::signbit(value(fma(Real1(0.0F), Real1(1.0F), Real1(-0.0F)))) == false);
  CHECK(std::signbit(value(fma(Real1(-0.0F), Real1(1.0F), Real1(-0.0F)))));
  CHECK(std::isnan(value(fma(Real1(INFINITY), Real1(0.0F), Real1(1.0F)))));
}

TEST_CASE("real: power and the square root are those of exact arithmetic, rounded") {
  CHECK(zero::power(0.5, 10) == 0x1p-10);
  CHECK(zero::power(3.0, 33) == 5559060566555523.0);
  CHECK(zero::power(0.9, 0) == 1.0);
  CHECK(zero::power(0.999, 1000) == doctest::Approx(std::pow(0.999, 1000)).epsilon(1e-14));
  CHECK(zero::power(0.9, ~std::uint64_t{0}) == 0.0);
  CHECK(sqrt(Double(2.0)).value() == 0x1.6a09e667f3bcdp+0);
}

TEST_CASE("real: a Double is not contracted and converts to float in one rounding") {
  Double const x = 1.0 + 0x1p-30;
  CHECK((x * x - Double(1.0 + 0x1p-29)).value() == 0.0);  // the product's 2^-60 is rounded away; contracted, it is not
  CHECK(Double(1.0 + 0x1p-24 + 0x1p-50).to_float() == 1.0F + 0x1p-23F);
  CHECK((Double(1.0) / Double(3.0)).value() == 1.0 / 3.0);
  CHECK((-Double(2.0) + Double(0.5)).value() == -1.5);
}

TEST_CASE("real: the guard rounds to nearest with denormals, and restores what was set before") {
  std::fesetround(FE_UPWARD);
  std::feclearexcept(FE_ALL_EXCEPT);
  {
    zero::FloatingPointGuard const guard;
    CHECK((Double(1.0) + Double(0x1p-60)).value() == 1.0);
    CHECK((Double(0x1p-1060) * Double(1.0)).value() == 0x1p-1060);
  }
  CHECK((Double(1.0) + Double(0x1p-60)).value() > 1.0);
  CHECK(std::fegetround() == FE_UPWARD);
  std::fesetround(FE_TONEAREST);
}

TEST_CASE("real: a kernel leaves no trace in the sticky exception flags") {
  auto const x = any_operands(1000);
  std::feclearexcept(FE_ALL_EXCEPT);
  auto const results = every_operation(zero::best_instruction_set(), x);
  CHECK(std::fetestexcept(FE_INEXACT | FE_INVALID | FE_OVERFLOW) == 0);
  CHECK(results.s[0][100] == x.p[100] + x.g[100]);
}

TEST_CASE("real: constants and updates do not depend on the caller's rounding mode, nor on flushed denormals") {
  auto const x = any_operands(1000);
  auto const expected = every_operation(zero::InstructionSet::baseline, x);
  std::fesetround(FE_DOWNWARD);
#if defined(__x86_64__)
  __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040);  // FTZ and DAZ: what -ffast-math sets when it links
#endif
  auto const actual = every_operation(zero::best_instruction_set(), x);
  std::fesetenv(FE_DFL_ENV);
  for (std::size_t k = 0; k < expected.s.size(); ++k) {
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < x.p.size(); ++i) wrong += same(actual.s[k][i], expected.s[k][i]) ? 0 : 1;
    CHECK(wrong == 0);
  }
}

}  // namespace kernels_real_test
