// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <gpt2/kernels.hpp>
#include <gpt2/random.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

namespace gpt2_kernels_test {

namespace {

using zero::InstructionSet;

std::vector<InstructionSet> runnable_sets() {
  std::vector<InstructionSet> sets;
  for (auto const set : {InstructionSet::baseline, InstructionSet::avx2, InstructionSet::avx512}) {
    if (set <= zero::best_instruction_set()) sets.push_back(set);
  }
  return sets;
}

std::vector<float> random_values(std::size_t count, std::uint64_t key, double scale = 1.0) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = static_cast<float>(scale * (2.0 * gpt2::CounterRandom(key).uniform(i) - 1.0));
  }
  return values;
}

// A product of random matrices whose rows are longer than they need to be.
struct Product {
  Product(std::size_t m, std::size_t n, std::size_t k, bool a_transposed, bool b_transposed)
      : rows(m),
        columns(n),
        depth(k),
        a{random_values((a_transposed ? k : m) * ((a_transposed ? m : k) + 3), 1)},
        b{random_values((b_transposed ? n : k) * ((b_transposed ? k : n) + 5), 2)},
        left{a.data(), (a_transposed ? m : k) + 3, a_transposed},
        right{b.data(), (b_transposed ? k : n) + 5, b_transposed} {}

  double exact(std::size_t i, std::size_t j) const {
    double sum = 0.0;
    for (std::size_t t = 0; t < depth; ++t) {
      double const x = static_cast<double>(left.transposed ? a[t * left.stride + i] : a[i * left.stride + t]);
      double const y = static_cast<double>(right.transposed ? b[j * right.stride + t] : b[t * right.stride + j]);
      sum += x * y;
    }
    return sum;
  }

  std::size_t rows, columns, depth;
  std::vector<float> a, b;
  gpt2::ConstMatrix left, right;
};

void check_product(gpt2::Kernels const& run, Product const& p, bool adds) {
  constexpr float alpha = 0.5F, untouched = 123.0F;
  std::size_t const stride = p.columns + 2;
  std::vector<float> c(p.rows * stride, untouched);
  if (!adds) {
    for (std::size_t i = 0; i < p.rows; ++i) std::fill_n(&c[i * stride], p.columns, std::nanf(""));
  }
  run.multiply(p.rows, p.columns, p.depth, alpha, p.left, p.right, {c.data(), stride, adds});
  double const bound = 1e-6 * std::sqrt(static_cast<double>(p.depth)) + (adds ? 2e-5 : 0.0);
  double worst = 0.0;
  for (std::size_t i = 0; i < p.rows; ++i) {
    for (std::size_t j = 0; j < p.columns; ++j) {
      double const expected = 0.5 * p.exact(i, j) + (adds ? 123.0 : 0.0);
      double const error = std::abs(static_cast<double>(c[i * stride + j]) - expected);
      worst = error <= worst ? worst : error;  // a NaN counts
    }
    for (std::size_t j = p.columns; j < stride; ++j) CHECK(c[i * stride + j] == untouched);
  }
  CHECK_MESSAGE(worst <= bound, run.name << " " << p.rows << "x" << p.columns << "x" << p.depth);
}

bool same_bits(std::vector<float> const& a, std::vector<float> const& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace

TEST_CASE("gpt2 kernels: products agree with double for all shapes, transposes and instruction sets") {
  struct Shape {
    std::size_t rows, columns, depth;
  };
  for (auto const set : runnable_sets()) {
    for (auto const [m, n, k] :
         {Shape{1, 1, 1}, {8, 32, 4}, {7, 33, 5}, {13, 17, 300}, {65, 66, 67}, {300, 70, 31}, {5, 700, 259}}) {
      for (int const transposes : {0, 1, 2, 3}) {
        Product const product(m, n, k, (transposes & 1) != 0, (transposes & 2) != 0);
        check_product(gpt2::kernels(set), product, false);
        check_product(gpt2::kernels(set), product, true);
      }
    }
  }
}

TEST_CASE("gpt2 kernels: packed operands and products in pieces give the same bits") {
  for (auto const set : runnable_sets()) {
    auto const& run = gpt2::kernels(set);
    Product const p(250, 230, 600, false, true);
    std::vector<float> whole(p.rows * p.columns), packed(whole.size()), pieces(whole.size());
    run.multiply(p.rows, p.columns, p.depth, 1.0F, p.left, p.right, {whole.data(), p.columns});

    std::vector<float> a(3 * gpt2::panel_unit * p.depth), b(3 * gpt2::panel_unit * p.depth);
    for (std::size_t i = 0; i < p.rows; i += gpt2::panel_unit) {
      std::size_t const count = std::min(gpt2::panel_unit, p.rows - i);
      run.pack_a(count, p.depth, {p.left.data + i * p.left.stride, p.left.stride}, &a[i * p.depth]);
    }
    run.pack_b(p.columns, p.depth, p.right, b.data());
    run.multiply(p.rows, p.columns, p.depth, 1.0F, {a.data(), 0, false, true}, {b.data(), 0, false, true},
                 {packed.data(), p.columns});
    CHECK(same_bits(packed, whole));

    for (std::size_t i = 0; i < p.rows; i += 37) {
      for (std::size_t j = 0; j < p.columns; j += 19) {
        run.multiply(std::min<std::size_t>(37, p.rows - i), std::min<std::size_t>(19, p.columns - j), p.depth, 1.0F,
                     {p.left.data + i * p.left.stride, p.left.stride},
                     {p.right.data + j * p.right.stride, p.right.stride, true},
                     {&pieces[i * p.columns + j], p.columns});
      }
    }
    CHECK(same_bits(pieces, whole));
  }
}

TEST_CASE("gpt2 kernels: GELU and its derivative are exact to 1e-6 of their value, far into both tails") {
  for (auto const set : runnable_sets()) {
    auto const& run = gpt2::kernels(set);
    std::vector<float> h = random_values(1003, 5, 7.0), bias(1003, 0.0F), out(1003), again(1003), slope(1003, 1.0F);
    h[0] = 0.0F, h[1] = 90.0F, h[2] = -90.0F, h[3] = 1e-20F;
    run.bias_gelu(1, h.size(), {h.data(), h.size()}, bias.data(), {out.data(), h.size()});
    run.gelu_backward(1, h.size(), {h.data(), h.size()}, {slope.data(), h.size()}, {again.data(), h.size()});
    CHECK(again[1] == 90.0F);
    CHECK(slope[1] == 1.0F);
    CHECK(std::abs(slope[2]) < 1e-30F);
    double worst = 0.0, worst_slope = 0.0;
    for (std::size_t i = 4; i < h.size(); ++i) {
      double const x = static_cast<double>(h[i]), u = std::sqrt(2.0 / std::acos(-1.0)) * (x + 0.044715 * x * x * x);
      double const du = std::sqrt(2.0 / std::acos(-1.0)) * (1.0 + 3.0 * 0.044715 * x * x);
      double const s = 1.0 / (1.0 + std::exp(-2.0 * u)), derivative = s + x * 2.0 * du * s / (1.0 + std::exp(2.0 * u));
      // The argument of exp is rounded to float: its error, a part of 2u, is one of the result.
      double const bound = 2e-7 * (1.0 + 2.0 * std::abs(u));
      worst = std::max(worst, std::abs(static_cast<double>(out[i]) - x * s) / std::abs(x * s) / bound);
      worst_slope = std::max(worst_slope, std::abs(static_cast<double>(slope[i]) - derivative) / bound);
      CHECK(std::abs(again[i] - out[i]) <= 2e-7F * std::abs(out[i]));
    }
    CHECK(worst < 1.0);
    CHECK(worst_slope < 2.0);
  }
}

TEST_CASE("gpt2 kernels: cross-entropy is that of double, for large and small vocabularies and extreme logits") {
  for (auto const set : runnable_sets()) {
    for (std::size_t const vocabulary : {std::size_t{1}, std::size_t{65}, std::size_t{50257}}) {
      std::vector<float> logits = random_values(vocabulary, 9, 12.0);
      logits[vocabulary / 3] = 30.0F;
      double total = 0.0;
      for (float const x : logits) total += std::exp(static_cast<double>(x));
      auto const original = logits;
      std::size_t const target = vocabulary / 2;
      float const loss = gpt2::kernels(set).cross_entropy(vocabulary, logits.data(), target, 0.25F);
      CHECK(static_cast<double>(loss) ==
            doctest::Approx(std::log(total) - static_cast<double>(original[target])).epsilon(1e-6).scale(1.0));
      double worst = 0.0, sum = 0.0;
      for (std::size_t i = 0; i < vocabulary; ++i) {
        double const p = std::exp(static_cast<double>(original[i])) / total - (i == target ? 1.0 : 0.0);
        worst = std::max(worst, std::abs(static_cast<double>(logits[i]) - 0.25 * p));
        sum += static_cast<double>(logits[i]);
      }
      CHECK(worst < 1e-6);
      CHECK(std::abs(sum) < 1e-6);
    }
  }
}

TEST_CASE("gpt2 kernels: a row of NaN stays NaN instead of becoming a number") {
  for (auto const set : runnable_sets()) {
    std::vector<float> logits(40, 0.0F);
    logits[17] = std::numeric_limits<float>::quiet_NaN();
    CHECK(std::isnan(gpt2::kernels(set).cross_entropy(logits.size(), logits.data(), 3, 1.0F)));
  }
}

TEST_CASE("gpt2 kernels: column sums add rows in order, and to what is there only where asked") {
  for (auto const set : runnable_sets()) {
    std::vector<float> const m = random_values(9 * 50, 3);
    std::vector<float> sums(37, std::nanf("")), twice(37, 1.0F);
    gpt2::kernels(set).column_sums(9, 37, {m.data(), 50}, sums.data(), false);
    gpt2::kernels(set).column_sums(9, 37, {m.data(), 50}, twice.data(), true);
    for (std::size_t j = 0; j < 37; ++j) {
      float expected = 0.0F;
      for (std::size_t i = 0; i < 9; ++i) expected += m[i * 50 + j];
      CHECK(sums[j] == expected);
      CHECK(twice[j] == expected + 1.0F);
    }
  }
}

}  // namespace gpt2_kernels_test
