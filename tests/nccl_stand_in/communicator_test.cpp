// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// NcclCommunicator itself with several ranks, each a thread with a device of its own, over a stand-in for NCCL.

#include "nccl_stand_in/device_queue.hpp"

#include <zero/communicators/nccl.hpp>
#include <zero/kernels/accumulate.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <mutex>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using nccl_stand_in::queue;
using zero::NcclCommunicator;
using zero::NcclReduction;

// What the kernel does, on a device that is a queue.
template <class Sum, class T>
void zero::CudaStream::accumulate(Sum* into, T const* const* sources, std::size_t source_count, std::size_t n,
                                  bool first) const {
  std::vector<T const*> const all(sources, sources + source_count);
  queue().put([=] { zero::accumulate(InstructionSet::baseline, into, all.data(), all.size(), n, first); });
}

namespace {

using namespace std::chrono_literals;
constexpr zero::CollectivePurpose purpose{"gradients", 1};

std::uint16_t free_port() {
  auto const listener = zero::detail::listen_on("", "127.0.0.1", 0);
  return zero::detail::local_address(listener.get()).port();
}

zero::CudaStream stream_of(NcclCommunicator const& c) {
  static int any = 0;
  return {reinterpret_cast<cudaStream_t>(&any), c.device()};
}

/// What each rank has thrown, or nothing: `f(communicator)` on \p n ranks.
template <class F>
std::vector<std::string> errors_of(int n, NcclCommunicator::Config const& config, F const& f) {
  std::vector<std::string> errors(static_cast<std::size_t>(n));
  std::vector<std::thread> threads;
  auto const port = free_port();
  for (int rank = 0; rank < n; ++rank) {
    threads.emplace_back([&, rank] {
      try {
        NcclCommunicator communicator(
            {.rank = rank, .world = n, .local_rank = rank, .local_world = n, .host = "127.0.0.1", .port = port},
            config);
        f(communicator);
      } catch (zero::Error const& error) {
        errors[static_cast<std::size_t>(rank)] = error.what();
      } catch (std::exception const& error) {
        errors[static_cast<std::size_t>(rank)] = std::string("the caller's own: ") + error.what();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  return errors;
}

constexpr std::size_t count = 133;

template <class T>
std::vector<T> addends(int rank, int world) {
  std::vector<T> all(count * static_cast<std::size_t>(world));
  for (std::size_t i = 0; i < all.size(); ++i) {  // spread so that the order of additions shows
    all[i] = zero::narrow<T>(rank == 1 ? 0x1p12F : 0.37F * static_cast<float>(i % 11) + static_cast<float>(rank));
  }
  return all;
}

template <class Sum, class T>
std::vector<Sum> expected_sum(int rank, int world, std::vector<Sum> into, bool first) {
  std::vector<std::vector<T>> all;
  std::vector<T const*> slices;
  for (int q = 0; q < world; ++q) all.push_back(addends<T>(q, world));
  for (auto const& a : all) slices.push_back(a.data() + static_cast<std::size_t>(rank) * count);
  zero::accumulate(zero::InstructionSet::baseline, into.data(), slices.data(), slices.size(), count, first);
  return into;
}

template <class T>
bool same_bits(std::span<T const> a, std::span<T const> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

template <class Sum, class T>
void check_sums(NcclCommunicator& c, NcclReduction reduction) {
  auto send = addends<T>(c.rank(), c.size());
  std::vector<Sum> into(count), expected(count);
  std::vector<std::byte> staging(c.template staging_bytes<Sum, T>(count));
  auto const check = [&](std::span<Sum const> sums) {
    queue().drain();
    if (reduction == NcclReduction::ordered) {
      CHECK(same_bits<Sum>(sums, expected));
      return;
    }
    for (std::size_t i = 0; i < count; ++i) {
      CHECK(std::abs(zero::widen(sums[i]) - zero::widen(expected[i])) <= 1e-3F * std::abs(zero::widen(expected[i])));
    }
  };
  for (bool first : {true, false, true}) {
    expected = expected_sum<Sum, T>(c.rank(), c.size(), std::move(expected), first);
    c.reduce_scatter_add(send.data(), into.data(), count, first, purpose, stream_of(c), staging);
    check(into);
  }
  if constexpr (sizeof(Sum) == sizeof(T)) {  // in place
    auto* const own = reinterpret_cast<Sum*>(send.data()) + static_cast<std::size_t>(c.rank()) * count;
    expected = expected_sum<Sum, T>(c.rank(), c.size(), std::move(expected), true);
    c.reduce_scatter_add(send.data(), own, count, true, purpose, stream_of(c), staging);
    check({own, count});
  }
}

void check_all_clear(std::vector<std::string> const& errors) {
  for (auto const& error : errors) CHECK(error == "");
}

}  // namespace

TEST_CASE("nccl ranks: sums in rank order have the host's bits in worlds of 1, 2, 3 and 5") {
  for (int world : {1, 2, 3, 5}) {
    check_all_clear(errors_of(world, {.reduction = NcclReduction::ordered}, [](NcclCommunicator& c) {
      check_sums<float, float>(c, NcclReduction::ordered);
      check_sums<float, zero::float16>(c, NcclReduction::ordered);
      check_sums<float, zero::bfloat16>(c, NcclReduction::ordered);
      check_sums<zero::bfloat16, zero::bfloat16>(c, NcclReduction::ordered);
    }));
  }
}

TEST_CASE("nccl ranks: the library's own sums are near, and go on with what is there") {
  for (int world : {1, 2, 3}) {
    check_all_clear(errors_of(world, {.reduction = NcclReduction::native},
                              [](NcclCommunicator& c) { check_sums<float, float>(c, NcclReduction::native); }));
  }
}

TEST_CASE("nccl ranks: gathers, sums of words, exchanges and groups reach every rank") {
  check_all_clear(errors_of(5, {}, [](NcclCommunicator& c) {
    auto const me = static_cast<std::size_t>(c.rank());
    CHECK(c.local_size() == 5);
    std::vector<float> full(15);
    for (std::size_t i = 0; i < 3; ++i) full[me * 3 + i] = static_cast<float>(me * 3 + i);
    c.all_gather(full.data() + me * 3, full.data(), 3, {"parameters"}, stream_of(c));
    std::vector<std::uint64_t> words{1, me};
    c.all_reduce(words.data(), 2, {"norm"}, stream_of(c));
    queue().drain();
    for (std::size_t i = 0; i < full.size(); ++i) CHECK(full[i] == static_cast<float>(i));
    CHECK(words == std::vector<std::uint64_t>{5, 10});

    auto group = c.split(c.rank() == 4 ? -1 : c.rank() % 2, -c.rank());  // in reverse order
    CHECK(static_cast<bool>(group) == (c.rank() != 4));
    c.all_reduce(words.data(), 1, {"norm"}, stream_of(c));  // the split has ended, also where it made nothing
    queue().drain();
    CHECK(words[0] == 25);
    if (!group) return;
    std::byte const mine{static_cast<unsigned char>(me)};
    std::vector<std::byte> all(2);
    group->exchange({&mine, 1}, all);
    CHECK(all == std::vector<std::byte>{std::byte(me % 2 + 2), std::byte(me % 2)});
    group->all_reduce(words.data(), 1, {"norm"}, stream_of(c));
    queue().drain();
    CHECK(words[0] == 50);
  }));
}

TEST_CASE("nccl ranks: where one cannot register a buffer none does") {
  check_all_clear(errors_of(3, {}, [](NcclCommunicator& c) {
    std::vector<float> buffer(64);
    CHECK_FALSE(c.register_buffer(buffer.data(), 256));
  }));
  CHECK(nccl_stand_in::registrations() == 0);
}

TEST_CASE("nccl ranks: two on one GPU are refused on both, in one sentence") {
  auto const errors = errors_of(2, {.device = 0}, [](NcclCommunicator&) { FAIL_CHECK("not refused"); });
  for (auto const& error : errors) CHECK(error.find("ranks 0 and 1 both use the GPU 0000:00") != std::string::npos);
}

TEST_CASE("nccl ranks: one that throws ends the collectives of all others, with its name and reason") {
  auto const errors = errors_of(3, {}, [](NcclCommunicator& c) {
    if (c.rank() == 1) throw std::runtime_error("out of paper");
    std::vector<std::uint64_t> words{1};
    c.all_reduce(words.data(), 1, {"norm"}, stream_of(c));
    queue().drain();  // the abort lets it go
    c.check();
    FAIL_CHECK("nothing was thrown");
  });
  CHECK(errors[1] == "the caller's own: out of paper");
  for (int rank : {0, 2}) CHECK(errors[static_cast<std::size_t>(rank)].find("rank 1") != std::string::npos);
}

TEST_CASE("nccl ranks: one that never comes makes all fail, with the collective and its bucket") {
  auto const errors = errors_of(3, {.deadline = 300ms}, [](NcclCommunicator& c) {
    std::vector<std::uint64_t> words{1};
    if (c.rank() != 2) c.all_reduce(words.data(), 1, {"norm", 3}, stream_of(c));
    for (;;) {
      c.check();
      std::this_thread::sleep_for(1ms);
    }
  });
  for (auto const& error : errors) CHECK(error.find("all_reduce #") != std::string::npos);
  for (auto const& error : errors) CHECK(error.find("bucket 3") != std::string::npos);
}

TEST_CASE("nccl ranks: what NCCL finds out by itself on one rank reaches all") {
  auto const errors = errors_of(3, {}, [](NcclCommunicator& c) {
    std::vector<std::uint64_t> words{1};
    c.all_reduce(words.data(), 1, {"norm"}, stream_of(c));
    queue().drain();
    if (c.rank() == 0) nccl_stand_in::fail_asynchronously(0);
    for (;;) {
      c.check();
      std::this_thread::sleep_for(1ms);
    }
  });
  nccl_stand_in::fail_asynchronously(-1);
  for (auto const& error : errors) CHECK(error.find("rank 0") != std::string::npos);
}

TEST_CASE("nccl ranks: from an id of the caller's, without a rendezvous") {
  ncclUniqueId id{};
  REQUIRE(ncclGetUniqueId(&id) == ncclSuccess);
  std::vector<std::thread> threads;
  for (int rank = 0; rank < 3; ++rank) {
    threads.emplace_back([&, rank] {
      NcclCommunicator c(id, rank, 3, 3, {.device = rank});
      std::byte const mine{static_cast<unsigned char>(rank + 1)};
      std::vector<std::byte> all(3);
      c.exchange({&mine, 1}, all);
      CHECK(all == std::vector<std::byte>{std::byte{1}, std::byte{2}, std::byte{3}});
    });
  }
  for (auto& thread : threads) thread.join();
}
