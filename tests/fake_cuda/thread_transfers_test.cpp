// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Messages and all-to-all of ThreadCommunicator on CUDA streams: events order the streams of both ranks.

#include "fake_cuda/device_values.hpp"
#include "fake_cuda/machine.hpp"

#include <zero/communicators/thread.hpp>
#include <zero/cuda/stream.hpp>
#include <zero/point_to_point.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace fake_cuda_thread_transfers_test {

using fake_cuda::DeviceValues;
using zero::ThreadCommunicator;
using zero::Transfer;
using zero::simulation::reads;
using zero::simulation::writes;

static_assert(zero::point_to_point_on<ThreadCommunicator, zero::CudaStream>);
static_assert(zero::all_to_all_on<ThreadCommunicator, zero::CudaStream>);

namespace {

constexpr std::size_t n = 100;
constexpr zero::CollectivePurpose purpose{"activations"};
constexpr std::array orders{zero::SimulationOrder::earliest, zero::SimulationOrder::latest,
                            zero::SimulationOrder::random, zero::SimulationOrder::starved};

/// A stream of the first device. Its end waits for all that is on it: memory that it uses is declared before it.
class OwnStream {
 public:
  OwnStream() { zero::check_cuda(cudaStreamCreateWithFlags(&handle_, cudaStreamNonBlocking), "cudaStreamCreate"); }
  OwnStream(OwnStream const&) = delete;
  OwnStream& operator=(OwnStream const&) = delete;
  ~OwnStream() {
    drain();
    (void)cudaStreamDestroy(handle_);
  }
  [[nodiscard]] zero::CudaStream get() const { return {handle_, 0}; }
  void drain() const { (void)cudaStreamSynchronize(handle_); }
  /// Sets all of \p values.
  void fill(DeviceValues<float> const& values, float to) const {
    auto const span = values.span();
    auto const run = [=] { std::fill(span.begin(), span.end(), to); };
    zero::check_cuda(fake_cuda::launch(handle_, "fill", {writes(span)}, run), "fill");
  }
  /// Adds 1 to all of \p values.
  void increment(DeviceValues<float> const& values) const {
    auto const span = values.span();
    auto const run = [=] {
      for (auto& value : span) value += 1.0F;
    };
    zero::check_cuda(fake_cuda::launch(handle_, "increment", {reads(span), writes(span)}, run), "increment");
  }

 private:
  cudaStream_t handle_ = nullptr;
};

/// `f(communicator)` on \p ranks threads on one device; nothing may be found, and nothing may be left.
template <class Function>
void check_clean(int ranks, zero::SimulationOrder order, Function const& f) {
  fake_cuda::start({.order = order, .devices = 1});
  zero::run_ranks(ranks, f);
  CHECK_NOTHROW(fake_cuda::finish());
  CHECK(fake_cuda::violations() == "");
  CHECK(fake_cuda::live_handles() == fake_cuda::LiveHandles{});
}

}  // namespace

TEST_CASE("cuda transfers: a chain computes, sends and overwrites what it has sent, in the order of its streams") {
  for (auto order : orders) {
    check_clean(3, order, [](ThreadCommunicator& world) {
      DeviceValues<float> const values{std::vector<float>(n)}, result{std::vector<float>(n)};
      OwnStream const stream;
      for (int k = 0; k < 4; ++k) {
        if (world.rank() == 0) stream.fill(values, static_cast<float>(10 * k));
        if (world.rank() > 0) world.receive(values.data(), n, world.rank() - 1, purpose, stream.get());
        stream.increment(values);
        if (world.rank() == 2) (stream.get().copy)(result.data(), values.data(), n * sizeof(float));
        if (world.rank() < 2) world.send(values.data(), n, world.rank() + 1, purpose, stream.get());
        stream.fill(values, -1.0F);  // at once
      }
      stream.drain();
      if (world.rank() == 2) CHECK(fake_cuda::fetch(result.data(), n) == std::vector<float>(n, 33.0F));
      CHECK(fake_cuda::fetch(values.data(), n) == std::vector<float>(n, -1.0F));
    });
  }
}

TEST_CASE("cuda transfers: neighbours that both send first, on several streams, and to themselves") {
  for (auto order : orders) {
    check_clean(2, order, [](ThreadCommunicator& world) {
      int const peer = 1 - world.rank();
      DeviceValues<float> const mine(std::vector<float>(n, static_cast<float>(world.rank())));
      DeviceValues<float> const theirs{std::vector<float>(n)}, copy{std::vector<float>(n)};
      OwnStream const streams[2];
      for (int k = 0; k < 6; ++k) {
        auto const& stream = streams[k % 2];
        stream.fill(mine, static_cast<float>(10 * k + world.rank()));
        world.transfer(
            std::array{Transfer::send(mine.data(), n, peer), Transfer::receive(theirs.data(), n, peer),
                       Transfer::send(mine.data(), n, world.rank()), Transfer::receive(copy.data(), n, world.rank())},
            purpose, stream.get());
        stream.fill(mine, -1.0F);
        stream.drain();
        CHECK(fake_cuda::fetch(theirs.data(), n) == std::vector<float>(n, static_cast<float>(10 * k + peer)));
        CHECK(fake_cuda::fetch(copy.data(), n) == std::vector<float>(n, static_cast<float>(10 * k + world.rank())));
      }
    });
  }
}

TEST_CASE("cuda transfers: an all-to-all reads what its stream has written before, and may be overwritten behind it") {
  for (auto order : orders) {
    check_clean(3, order, [](ThreadCommunicator& world) {
      DeviceValues<float> const sent{std::vector<float>(3 * n)}, received{std::vector<float>(3 * n)};
      OwnStream const stream;
      for (int k = 0; k < 3; ++k) {
        stream.fill(sent, static_cast<float>(10 * k + world.rank()));
        world.all_to_all(sent.data(), received.data(), n, purpose, stream.get());
        stream.fill(sent, -1.0F);
      }
      stream.drain();
      auto const values = fake_cuda::fetch(received.data(), 3 * n);
      for (std::size_t i = 0; i < values.size(); ++i) {
        std::size_t const from = i / n;
        CHECK(values[i] == static_cast<float>(20 + from));
      }
    });
  }
}

TEST_CASE("cuda transfers: a rank that throws leaves no message that is still being read, and no handle") {
  for (auto order : orders) {
    fake_cuda::start({.order = order, .devices = 1});
    auto const run = [](ThreadCommunicator& world) {
      DeviceValues<float> const values{std::vector<float>(n)};
      OwnStream const stream;
      stream.fill(values, 1.0F);
      if (world.rank() == 0) world.send(values.data(), n, 1, purpose, stream.get());
      if (world.rank() == 1) world.receive(values.data(), n, 0, purpose, stream.get());
      if (world.rank() == 1) throw std::runtime_error("out of paper");
      world.receive(values.data(), n, 1, purpose, stream.get());
    };
    CHECK_THROWS_WITH_AS(zero::run_ranks(2, run), "out of paper", std::runtime_error);
    CHECK_NOTHROW(fake_cuda::finish());
    CHECK(fake_cuda::violations() == "");
    CHECK(fake_cuda::live_handles() == fake_cuda::LiveHandles{});
  }
}

}  // namespace fake_cuda_thread_transfers_test
