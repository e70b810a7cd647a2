// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "communicators/overlaps.hpp"
#include "mpi/worlds.hpp"

#include <zero/kernels/accumulate.hpp>
#include <zero/kernels/float_types.hpp>
#include <zero/memory_report.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace mpi_collectives_test {

using mpi_test::Grouping;

namespace {

// Small, so that a few thousand elements take several rounds.
zero::MpiConfig const small_bounce{.bounce_bytes = std::size_t{64} << 10};
constexpr std::size_t counts[] = {0, 1, 3, 100, 5000, 70001};
constexpr Grouping groupings[] = {"aaaaaaaa", "aabbaabb", "abbbabbb", "aaabaaab", "abcabcab", "abcdefgh"};

/// Elements of a rank in memory that the others of its host read, as an engine's; or not.
template <class Element>
class Buffer {
 public:
  Buffer(zero::MpiCommunicator& communicator, std::size_t count, bool shared)
      : memory_(std::max<std::size_t>(count, 1)) {
    data_ = memory_.data();
    if (!shared) return;
    source_ = communicator.collective_memory();
    data_ = static_cast<Element*>(source_.allocate(memory_.size() * sizeof(Element)));
    shown_ = communicator.register_buffers(source_.close());
  }
  [[nodiscard]] Element* data() const noexcept { return data_; }

 private:
  mutable std::vector<Element> memory_;
  zero::CollectiveMemory source_;
  std::shared_ptr<void> shown_;
  Element* data_;
};

/// A different value for each rank and element, whose sums depend on their order.
float value(int rank, std::size_t i) {
  auto const x = static_cast<std::uint32_t>(i * 2654435761U + static_cast<std::size_t>(rank) * 40503U);
  static std::vector<float> const scales = [] {
    std::vector<float> powers(23);
    for (int p = 0; p < 23; ++p) powers[static_cast<std::size_t>(p)] = std::ldexp(1.0F, p - 20);
    return powers;
  }();
  return static_cast<float>(x % 1000003U) * scales[x % 23U];
}

template <class Element>
void fill(Buffer<Element> const& buffer, int rank, std::size_t count, bool absent) {
  for (std::size_t i = 0; i < count; ++i) {
    buffer.data()[i] = zero::narrow<Element>(absent ? std::numeric_limits<float>::quiet_NaN() : value(rank, i));
  }
}

/// What rank \p rank must get, added as one rank alone would.
template <class Sum, class Element>
std::vector<Sum> expected_sum(int size, int rank, std::size_t count, zero::SumRange range, Sum start) {
  std::vector<std::vector<Element>> slices;
  std::vector<Element const*> sources;
  for (int q = 0; q < range.count(size); ++q) {
    auto& slice = slices.emplace_back(count);
    for (std::size_t i = 0; i < count; ++i) {
      slice[i] = zero::narrow<Element>(value(q, static_cast<std::size_t>(rank) * count + i));
    }
  }
  sources.reserve(slices.size());
  for (auto const& slice : slices) sources.push_back(slice.data());
  std::vector<Sum> sum(count, start);
  if (count > 0) {
    zero::accumulate(zero::InstructionSet::baseline, sum.data(), sources.data(), sources.size(), count, range.first);
  }
  return sum;
}

/// What each of \p size ranks must get where all bring something: computed once, whatever hosts they are on.
std::vector<std::vector<float>> const& expected_sums(int size, std::size_t count) {
  static std::map<std::pair<int, std::size_t>, std::vector<std::vector<float>>> known;
  auto& sums = known[{size, count}];
  if (sums.empty()) {
    for (int q = 0; q < size; ++q) sums.push_back(expected_sum<float, float>(size, q, count, {}, 0.0F));
  }
  return sums;
}

template <class Type>
bool same_bits(Type const* a, std::vector<Type> const& b) {
  return b.empty() || std::memcmp(a, b.data(), b.size() * sizeof(Type)) == 0;
}

template <class Sum, class Element>
void check_reduction(zero::MpiCommunicator& c, std::size_t count, bool shared, zero::SumRange range) {
  std::size_t const all = static_cast<std::size_t>(c.size()) * count;
  Buffer<Element> const send(c, all, shared);
  fill(send, c.rank(), all, !range.has(c.rank()));
  Sum const start = zero::narrow<Sum>(2.5F);
  std::vector<Sum> into(std::max<std::size_t>(count, 1), start);
  c.reduce_scatter_add(send.data(), into.data(), count, range, {.what = "sums"}, {});
  CHECK(same_bits(into.data(), expected_sum<Sum, Element>(c.size(), c.rank(), count, range, start)));
}

void check_in_place(zero::MpiCommunicator& c, std::size_t count, bool shared) {
  std::size_t const all = static_cast<std::size_t>(c.size()) * count;
  Buffer<float> const send(c, all, shared);
  fill(send, c.rank(), all, false);
  float* const own = send.data() + static_cast<std::size_t>(c.rank()) * count;
  c.reduce_scatter_add(send.data(), own, count, {}, {.what = "sums"}, {});
  auto const& expected = expected_sums(c.size(), count);
  CHECK(same_bits(own, expected[static_cast<std::size_t>(c.rank())]));
  c.all_gather(own, send.data(), count, {.what = "parameters"}, {});
  for (int q = 0; q < c.size(); ++q) {
    CHECK(same_bits(send.data() + static_cast<std::size_t>(q) * count, expected[static_cast<std::size_t>(q)]));
  }
}

void check_overlaps(zero::MpiCommunicator& c) {
  std::vector<float> memory(3 * static_cast<std::size_t>(c.size()));
  communicators_test::check_overlaps(c, zero::HostStream{}, memory.data());
}

void check_words(zero::MpiCommunicator& c, std::size_t count) {
  std::vector<std::uint64_t> words(count), expected(count);
  for (std::size_t i = 0; i < count; ++i) {
    words[i] = (i + 1) << static_cast<unsigned>(c.rank());
    expected[i] = (i + 1) * ((std::uint64_t{1} << static_cast<unsigned>(c.size())) - 1);
  }
  c.all_reduce(words.data(), count, {.what = "norm"}, {});
  CHECK(words == expected);
}

void check_exchange(zero::MpiCommunicator& c, std::size_t bytes) {
  std::vector<std::byte> mine(bytes, std::byte{static_cast<unsigned char>(c.rank() + 1)});
  std::vector<std::byte> all(bytes * static_cast<std::size_t>(c.size()));
  c.exchange(mine, all);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < all.size(); ++i) wrong += all[i] != std::byte{static_cast<unsigned char>(i / bytes + 1)};
  CHECK(wrong == 0);
}

void check_all_to_all(zero::MpiCommunicator& c, std::size_t count, bool shared) {
  std::size_t const all = static_cast<std::size_t>(c.size()) * count;
  Buffer<std::int32_t> const send(c, all, shared);
  for (std::size_t i = 0; i < all; ++i) send.data()[i] = static_cast<std::int32_t>(1000 * i) + c.rank();
  std::vector<std::int32_t> received(std::max<std::size_t>(all, 1));
  c.all_to_all(send.data(), received.data(), count, {.what = "tokens"}, {});
  std::size_t wrong = 0;
  for (std::size_t q = 0; q < static_cast<std::size_t>(c.size()); ++q) {
    for (std::size_t i = 0; i < count; ++i) {
      std::size_t const at = static_cast<std::size_t>(c.rank()) * count + i;
      wrong += received[q * count + i] != static_cast<std::int32_t>(1000 * at + q);
    }
  }
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("mpi: collectives give every rank what one process would compute, whatever the hosts and the memory") {
  for (auto const grouping : groupings) {
    auto all = mpi_test::world(grouping, small_bounce);
    for (int ranks = 1; ranks <= all.size(); ++ranks) {
      mpi_test::on_first(all, ranks, [&](zero::MpiCommunicator& c) {
        for (std::size_t const count : counts) {
          INFO("hosts " << grouping << ", " << ranks << " ranks, " << count << " elements");
          for (bool const shared : {false, true}) {
            check_reduction<float, float>(c, count, shared, {});
            check_in_place(c, count, shared);
            check_all_to_all(c, count, shared);
          }
          check_words(c, count);
          check_exchange(c, count);
        }
        check_overlaps(c);
      });
    }
  }
}

TEST_CASE("mpi: nothing of an absent rank enters a sum, and sums go on from what is there") {
  for (auto const grouping : {groupings[0], groupings[2], groupings[4]}) {
    auto all = mpi_test::world(grouping, small_bounce);
    for (int ranks : {1, 3, 8}) {
      mpi_test::on_first(all, ranks, [&](zero::MpiCommunicator& c) {
        for (int addends = 0; addends <= ranks; ++addends) {
          for (bool const first : {true, false}) {
            zero::SumRange const range{.first = first, .addends = addends};
            INFO("hosts " << grouping << ", " << ranks << " ranks, " << addends << " addends"
                          << (first ? ", first" : ""));
            for (bool const shared : {false, true}) {
              check_reduction<float, float>(c, 6000, shared, range);
              check_reduction<float, zero::float16>(c, 6000, shared, range);
              check_reduction<zero::bfloat16, zero::bfloat16>(c, 333, shared, range);
            }
          }
        }
      });
    }
  }
}

TEST_CASE("mpi: ranks whose buffers lie inside and outside of the engine's memory meet in one collective") {
  for (auto const grouping : {groupings[0], groupings[1]}) {
    auto all = mpi_test::world(grouping, small_bounce);
    constexpr std::size_t count = 40000;
    Buffer<float> const inside(all, 8 * count, true);
    std::vector<float> outside(8 * count);
    float* const send = all.rank() % 3 == 0 ? inside.data() : outside.data();
    for (std::size_t i = 0; i < 8 * count; ++i) send[i] = value(all.rank(), i);
    std::vector<float> into(count);
    all.reduce_scatter_add(send, into.data(), count, {}, {.what = "sums"}, {});
    CHECK(same_bits(into.data(), expected_sum<float, float>(8, all.rank(), count, {}, 0.0F)));
  }
}

TEST_CASE("mpi: memory of several engines is told apart, and may go in any order") {
  auto all = mpi_test::world();
  auto first = std::make_unique<Buffer<float>>(all, 8, true);
  Buffer<float> const second(all, 8, true);
  for (int i = 0; i < 8; ++i) first->data()[i] = 1.0F, second.data()[i] = 2.0F;
  std::vector<float> sum(1);
  all.reduce_scatter_add(first->data(), sum.data(), 1, {}, {.what = "sums"}, {});
  CHECK(sum[0] == 8.0F);
  if (all.rank() % 2 == 0) first.reset();
  all.reduce_scatter_add(second.data(), sum.data(), 1, {}, {.what = "sums"}, {});
  CHECK(sum[0] == 16.0F);
}

}  // namespace mpi_collectives_test
