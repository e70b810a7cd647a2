// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/kernels/accumulate.hpp>

#include <doctest/doctest.h>
#include <kernels/support.hpp>

#include <random>
#include <vector>

namespace kernels_accumulate_test {

using zero::bfloat16, zero::float16;

namespace {

template <class T>
std::vector<std::vector<T>> random_sources(std::size_t sources, std::size_t n) {
  std::mt19937_64 random(n + sources);
  std::vector<std::vector<T>> all(sources, std::vector<T>(n));
  for (auto& source : all) {
    for (auto& x : source) x = zero::narrow<T>(kernel_test::ordinary(random));
  }
  return all;
}

template <class T>
std::vector<T const*> addresses(std::vector<std::vector<T>> const& sources) {
  std::vector<T const*> all;
  all.reserve(sources.size());
  for (auto const& source : sources) all.push_back(source.data());
  return all;
}

// By the definition, an addend at a time. The sum of two floats is exact in double unless they are 2^29 apart; rounding
// it to float afterwards is then what float addition does, for it is far more than twice as precise.
template <class Sum, class T>
std::vector<Sum> expected_sum(std::vector<Sum> into, std::vector<std::vector<T>> const& sources, bool first) {
  for (std::size_t i = 0; i < into.size(); ++i) {
    for (std::size_t q = 0; q < sources.size(); ++q) {
      double const addend = static_cast<double>(zero::widen(sources[q][i]));
      double const sum = first && q == 0 ? addend : static_cast<double>(zero::widen(into[i])) + addend;
      into[i] = zero::narrow<Sum>(static_cast<float>(sum));
    }
  }
  return into;
}

template <class Sum, class T>
void check_sums() {
  for (std::size_t n : {1U, 16U, 33U, 1000U}) {
    auto const initial = random_sources<Sum>(1, n)[0];
    for (std::size_t count : {1U, 2U, 5U}) {
      auto const sources = random_sources<T>(count, n);
      for (bool first : {true, false}) {
        auto const expected = expected_sum(initial, sources, first);
        for (auto set : kernel_test::instruction_sets()) {
          auto sum = initial;
          zero::accumulate(set, sum.data(), addresses(sources).data(), count, n, first);
          CHECK(kernel_test::same_bits(sum, expected));
        }
      }
    }
  }
}

}  // namespace

TEST_CASE("accumulate: adds sources in order and rounds after every addend, in every instruction set") {
  check_sums<float, float>();
  check_sums<float, bfloat16>();
  check_sums<float, float16>();
  check_sums<bfloat16, float>();
  check_sums<bfloat16, bfloat16>();
  check_sums<bfloat16, float16>();
}

TEST_CASE("accumulate: the order matters, and is the order of the sources") {
  std::vector<float> const a(20, 1e8F), b(20, -1e8F), c(20, 1.0F);
  for (auto set : kernel_test::instruction_sets()) {
    std::vector<float> sum(20);
    float const* small_last[] = {a.data(), b.data(), c.data()};
    zero::accumulate(set, sum.data(), small_last, 3, 20, true);
    CHECK(sum == std::vector<float>(20, 1.0F));
    float const* small_first[] = {c.data(), a.data(), b.data()};
    zero::accumulate(set, sum.data(), small_first, 3, 20, true);
    CHECK(sum == std::vector<float>(20, 0.0F));
  }
}

TEST_CASE("accumulate: one call with all sources equals a call for each") {
  auto const sources = random_sources<bfloat16>(6, 77);
  for (auto set : kernel_test::instruction_sets()) {
    std::vector<bfloat16> at_once(77), one_by_one(77);
    zero::accumulate(set, at_once.data(), addresses(sources).data(), 6, 77, true);
    for (std::size_t q = 0; q < 6; ++q) {
      bfloat16 const* source = sources[q].data();
      zero::accumulate(set, one_by_one.data(), &source, 1, 77, q == 0);
    }
    CHECK(kernel_test::same_bits(at_once, one_by_one));
  }
}

TEST_CASE("accumulate: the sum may lie where one of its sources lies") {
  for (auto set : kernel_test::instruction_sets()) {
    for (std::size_t place : {0U, 1U, 2U}) {
      auto sources = random_sources<float>(3, 45);
      auto const expected = expected_sum(std::vector<float>(45), sources, true);
      zero::accumulate(set, sources[place].data(), addresses(sources).data(), 3, 45, true);
      CHECK(kernel_test::same_bits(sources[place], expected));
    }
  }
}

TEST_CASE("accumulate: a sum in bfloat16 may lie where a source in float16 lies") {
  for (auto set : kernel_test::instruction_sets()) {
    auto sources = random_sources<float16>(2, 45);
    auto const expected = expected_sum(std::vector<bfloat16>(45), sources, true);
    std::vector<float16 const*> const from = addresses(sources);
    zero::accumulate(set, reinterpret_cast<bfloat16*>(sources[1].data()), from.data(), 2, 45, true);
    CHECK(std::memcmp(sources[1].data(), expected.data(), 45 * sizeof(bfloat16)) == 0);
  }
}

TEST_CASE("accumulate: without a source a first sum is zero, and a later one stays as it is") {
  std::vector<float> sum(21, 3.0F);
  zero::accumulate<float, float>(zero::best_instruction_set(), sum.data(), nullptr, 0, sum.size(), false);
  CHECK(kernel_test::same_bits(sum, std::vector<float>(21, 3.0F)));
  zero::accumulate<float, float>(zero::best_instruction_set(), sum.data(), nullptr, 0, sum.size() - 1, true);
  std::vector<float> expected(21);
  expected.back() = 3.0F;
  CHECK(kernel_test::same_bits(sum, expected));
}

}  // namespace kernels_accumulate_test
