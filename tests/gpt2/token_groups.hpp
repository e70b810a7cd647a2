// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <gpt2/cuda/token_grouper.hpp>
#include <gpt2/model_input.hpp>
#include <gpt2/random.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

/// Groups on a device beside those that the host sorts.
template <class Device>
class TokenGroupsCheck {
 public:
  TokenGroupsCheck(Device& device, std::size_t tokens, std::size_t vocabulary)
      : device_(device),
        vocabulary_(vocabulary),
        grouper_(device, tokens, vocabulary),
        on_device_(device.template allocate<std::uint32_t>(tokens)) {}

  /// \p n tokens, the lowest and the highest among them, the others below \p most.
  void operator()(std::size_t n, std::size_t most, std::uint64_t key) {
    std::vector<gpt2::Token> tokens(n);
    for (std::size_t i = 0; i < n; ++i) {
      auto const random = gpt2::CounterRandom(key).uniform(i);
      tokens[i] = static_cast<gpt2::Token>(random * static_cast<double>(most));
    }
    tokens.front() = static_cast<gpt2::Token>(vocabulary_ - 1);
    if (n > 2) tokens[n / 2] = 0;
    device_.copy(on_device_.data(), tokens.data(), n * sizeof(gpt2::Token));
    auto const found = grouper_.group(on_device_.data(), n);

    gpt2::TokenOrder order;
    order.sort(tokens);
    auto const& begins = order.begins();
    INFO(n << " tokens below " << most << " of " << vocabulary_);
    REQUIRE(fetch(found.size, 1) == std::vector<std::uint32_t>{static_cast<std::uint32_t>(order.size())});
    CHECK(order.size() <= grouper_.most(n));
    CHECK(fetch(found.positions, n) == order.positions());
    std::vector<std::uint32_t> distinct, counts;
    for (std::size_t k = 0; k < order.size(); ++k) {
      distinct.push_back(tokens[order.positions()[begins[k]]]);
      counts.push_back(begins[k + 1] - begins[k]);
    }
    CHECK(fetch(found.tokens, order.size()) == distinct);
    CHECK(fetch(found.counts, order.size()) == counts);
    CHECK(fetch(found.begins, order.size()) == std::vector<std::uint32_t>(begins.begin(), begins.end() - 1));
  }

 private:
  std::vector<std::uint32_t> fetch(std::uint32_t const* from, std::size_t n) {
    std::vector<std::uint32_t> values(n);
    device_.copy(values.data(), from, n * sizeof(std::uint32_t));
    device_.synchronize();
    return values;
  }

  Device& device_;
  std::size_t vocabulary_;
  gpt2::device::TokenGrouper<Device> grouper_;
  typename Device::template Memory<std::uint32_t> on_device_;
};

/// Vocabularies beside a power of two, where a bit too few would mix tokens up, and of one token; fewer and more tokens
/// than the vocabulary has; many distinct ones before few, whose counts must not show.
template <class Device>
void check_token_groups(Device& device) {
  for (std::size_t const vocabulary : {1U, 2U, 255U, 256U, 257U, 50257U}) {
    TokenGroupsCheck check(device, 9000, vocabulary);
    check(9000, vocabulary, 1), check(9000, vocabulary / 3 + 1, 2);
    check(777, vocabulary, 3), check(2, vocabulary, 4), check(1, vocabulary, 5), check(9000, 1, 6);
  }
}
