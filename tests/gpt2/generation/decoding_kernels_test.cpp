// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <gpt2/generation/decoding_kernels.hpp>
#include <gpt2/generation/quantized_rows.hpp>
#include <gpt2/generation/weight_matrix.hpp>
#include <gpt2/random.hpp>

#include <zero/kernels/float_types.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace gpt2_generation_decoding_kernels_test {

namespace {

constexpr std::size_t most_rows = 9, outputs = 12, inputs = 96;

std::vector<float> uniform(std::size_t count, std::uint64_t seed, double largest = 1.0) {
  std::vector<float> values;
  for (std::size_t i = 0; i < count; ++i)
    values.push_back(static_cast<float>(largest * (2.0 * gpt2::CounterRandom(seed).uniform(i) - 1.0)));
  return values;
}

std::vector<double> expected(std::vector<float> const& x, std::vector<float> const& weights, std::size_t rows) {
  std::vector<double> out;
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t o = 0; o < outputs; ++o) {
      double sum = 0.0;
      for (std::size_t k = 0; k < inputs; ++k)
        sum += static_cast<double>(x[r * inputs + k]) * static_cast<double>(weights[o * inputs + k]);
      out.push_back(sum);
    }
  }
  return out;
}

void check_close(std::vector<float> const& out, std::vector<double> const& wanted, double bound) {
  REQUIRE(out.size() == wanted.size());
  for (std::size_t i = 0; i < out.size(); ++i) CHECK(std::abs(static_cast<double>(out[i]) - wanted[i]) < bound);
}

gpt2::RowProduct<float> product(std::size_t rows, std::vector<float> const& x, std::vector<float>& out) {
  return {rows, outputs, inputs, x.data(), inputs, out.data(), outputs};
}

}  // namespace

TEST_CASE("gpt2 decoding kernels: products with weights of 32 and 16 bits, for any number of rows, by every table") {
  auto const x = uniform(most_rows * inputs, 1), weights = uniform(outputs * inputs, 2);
  std::vector<std::uint16_t> bf16, fp16;
  std::vector<float> of_bf16, of_fp16;
  for (float const w : weights) {
    bf16.push_back(zero::narrow<zero::bfloat16>(w).bits), fp16.push_back(zero::narrow<zero::float16>(w).bits);
    of_bf16.push_back(zero::widen(zero::bfloat16{bf16.back()}));
    of_fp16.push_back(zero::widen(zero::float16{fp16.back()}));
  }
  for (auto const* table : gpt2::all_decoding_kernels()) {
    std::string const name = table->name;
    CAPTURE(name);
    for (std::size_t rows = 1; rows <= most_rows; ++rows) {
      std::vector<float> out(rows * outputs);
      table->fp32(product(rows, x, out), weights.data());
      check_close(out, expected(x, weights, rows), 1e-5);
      table->bf16(product(rows, x, out), bf16.data());
      check_close(out, expected(x, of_bf16, rows), 1e-5);
      table->fp16(product(rows, x, out), fp16.data());
      check_close(out, expected(x, of_fp16, rows), 1e-5);
    }
  }
}

TEST_CASE("gpt2 decoding kernels: a row's product has the same bits beside any other rows") {
  auto const x = uniform(most_rows * inputs, 3), weights = uniform(outputs * inputs, 4);
  for (auto const* table : gpt2::all_decoding_kernels()) {
    std::vector<float> together(most_rows * outputs), alone(outputs);
    table->fp32(product(most_rows, x, together), weights.data());
    for (std::size_t r = 0; r < most_rows; ++r) {
      table->fp32({1, outputs, inputs, x.data() + r * inputs, inputs, alone.data(), outputs}, weights.data());
      CHECK(std::equal(alone.begin(), alone.end(), together.begin() + static_cast<std::ptrdiff_t>(r * outputs)));
    }
  }
}

TEST_CASE("gpt2 decoding kernels: products of integers are exact, at their largest magnitudes, too, in every table") {
  auto const levels = static_cast<std::int16_t>(gpt2::quantized_levels(inputs));
  std::vector<std::int16_t> x(most_rows * inputs, levels);
  std::vector<std::int8_t> weights(outputs * inputs, -127);
  gpt2::CounterRandom const random(5);
  for (std::size_t i = inputs; i < x.size(); ++i)
    x[i] =
        static_cast<std::int16_t>(static_cast<int>(random.below(i, 2U * static_cast<unsigned>(levels) + 1)) - levels);
  for (std::size_t i = inputs; i < weights.size(); ++i)
    weights[i] = static_cast<std::int8_t>(static_cast<int>(random.below(i, 255)) - 127);
  std::vector<float> const row_scales(most_rows, 0.5F), output_scales(outputs, 0.25F);
  for (auto const* table : gpt2::all_decoding_kernels()) {
    std::string const name = table->name;
    CAPTURE(name);
    std::vector<float> out(most_rows * outputs);
    table->int8({most_rows, outputs, inputs, x.data(), inputs, out.data(), outputs}, weights.data(),
                {row_scales.data(), output_scales.data()});
    for (std::size_t r = 0; r < most_rows; ++r) {
      for (std::size_t o = 0; o < outputs; ++o) {
        std::int64_t sum = 0;
        for (std::size_t k = 0; k < inputs; ++k) sum += std::int64_t{x[r * inputs + k]} * weights[o * inputs + k];
        CHECK(out[r * outputs + o] == static_cast<float>(sum) * 0.125F);
      }
    }
  }
}

TEST_CASE("gpt2 decoding kernels: no sum of products of quantized integers leaves 32 bits") {
  for (std::size_t const count : {1U, 32U, 768U, 3072U, 6400U, 65536U, 262144U}) {
    auto const levels = gpt2::quantized_levels(count);
    CHECK(levels > 0);
    CHECK(levels <= 16383);
    CHECK(std::int64_t{127} * static_cast<std::int64_t>(levels * count) <= 0x7FFFFFFF);
  }
}

TEST_CASE("gpt2 decoding kernels: rows are quantized to the nearest integer, zeros to zeros") {
  auto const x = uniform(77, 6, 3.0);
  for (auto const* table : gpt2::all_decoding_kernels()) {
    float const most = table->largest(x.size(), x.data());
    CHECK(most ==
          std::abs(*std::max_element(x.begin(), x.end(), [](float a, float b) { return std::abs(a) < std::abs(b); })));
    std::vector<std::int16_t> whole(x.size());
    table->quantize(x.size(), x.data(), most, 1000.0F, whole.data());
    for (std::size_t i = 0; i < x.size(); ++i)
      CHECK(std::abs(static_cast<double>(whole[i]) - static_cast<double>(x[i]) * 1000.0 / static_cast<double>(most)) <
            0.501);
    std::vector<float> const zeros(5);
    table->quantize(zeros.size(), zeros.data(), table->largest(zeros.size(), zeros.data()), 1000.0F, whole.data());
    CHECK(std::all_of(whole.begin(), whole.begin() + 5, [](std::int16_t q) { return q == 0; }));
  }
}

TEST_CASE("gpt2 decoding kernels: what is not finite stays so where it is rounded to integers") {
  zero::ThreadPool pool(1);
  for (float const bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    std::vector<float> values(64, 0.5F), row(32);
    values[40] = bad;
    gpt2::QuantizedRows rows;
    rows.reserve(2, 32);
    rows.set(pool, 2, 32, values.data());
    CHECK(std::isfinite(rows.scales()[0]));
    CHECK(std::isnan(rows.scales()[1]));
    gpt2::WeightMatrix const matrix(gpt2::WeightType::int8, 2, 32, values, gpt2::Order::outputs_first, pool);
    matrix.read(0, row.data());
    CHECK(std::abs(row[3] - 0.5F) < 0.01F);
    matrix.read(1, row.data());
    CHECK(std::isnan(row[3]));
  }
}

TEST_CASE("gpt2 decoding kernels: attention over any number of positions, by every table") {
  constexpr std::size_t size = 64, most = 300;
  auto const query = uniform(size, 7, 2.0), keys = uniform(most * size, 8, 2.0), values = uniform(most * size, 9);
  for (auto const* table : gpt2::all_decoding_kernels()) {
    std::string const name = table->name;
    CAPTURE(name);
    for (std::size_t const positions : {1U, 2U, 5U, 127U, 128U, 129U, 300U}) {
      CAPTURE(positions);
      std::vector<float> out(size);
      table->attend({positions, size, query.data(), keys.data(), values.data(), 0.25F, out.data()});
      std::vector<double> weights;
      double total = 0.0;
      for (std::size_t p = 0; p < positions; ++p) {
        double score = 0.0;
        for (std::size_t i = 0; i < size; ++i)
          score += static_cast<double>(query[i]) * static_cast<double>(keys[p * size + i]);
        weights.push_back(std::exp(0.25 * score));
        total += weights.back();
      }
      std::vector<double> wanted(size);
      for (std::size_t p = 0; p < positions; ++p) {
        for (std::size_t i = 0; i < size; ++i)
          wanted[i] += weights[p] / total * static_cast<double>(values[p * size + i]);
      }
      check_close(out, wanted, 1e-5);
    }
  }
}

}  // namespace gpt2_generation_decoding_kernels_test
