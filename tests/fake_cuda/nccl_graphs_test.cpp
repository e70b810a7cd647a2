// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Ranks that fail while graphs hold their collectives. NCCL ends a communicator only after those graphs.

#include "fake_cuda/device_values.hpp"
#include "fake_cuda/machine.hpp"
#include "fake_cuda/nccl_ranks.hpp"

#include <zero/cuda/graph.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <exception>
#include <optional>
#include <thread>
#include <vector>

namespace fake_cuda_nccl_graphs_test {

using fake_cuda::DeviceValues;
using zero::check_cuda;
using zero::CudaGraph;
using zero::NcclCommunicator;

namespace {

constexpr std::size_t n = 32;

/// A stream on which a rank records a collective.
class Recorder {
 public:
  explicit Recorder(int world)
      : own_(std::vector<float>(n)), full_(std::vector<float>(n * static_cast<std::size_t>(world))) {
    check_cuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  }
  Recorder(Recorder const&) = delete;
  Recorder& operator=(Recorder const&) = delete;
  ~Recorder() {
    (void)cudaStreamSynchronize(stream_);
    (void)cudaStreamDestroy(stream_);
  }

  void begin(NcclCommunicator& c) const {
    check_cuda(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
    c.all_gather(own_.data(), full_.data(), n, {"parameters"}, zero::CudaStream(stream_));
  }
  [[nodiscard]] CudaGraph end() const {
    cudaGraph_t graph = nullptr;
    check_cuda(cudaStreamEndCapture(stream_, &graph), "cudaStreamEndCapture");
    return CudaGraph(graph);
  }
  [[nodiscard]] CudaGraph record(NcclCommunicator& c) const {
    begin(c);
    return end();
  }
  void replay(CudaGraph const& graph) const {
    graph.launch(stream_);
    check_cuda(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
  }
  [[nodiscard]] zero::NcclRegistration register_with(NcclCommunicator& c) const {
    return c.register_buffer(full_.data(), full_.span().size_bytes());
  }

 private:
  DeviceValues<float> own_, full_;
  cudaStream_t stream_ = nullptr;
};

template <class F>
void await(F const& over) {
  while (!over() && fake_cuda::violations().empty()) std::this_thread::yield();
}
/// Rank 0 of two fails once both have come here; returns when the aborts of both communicators have begun.
class Failure {
 public:
  void operator()(NcclCommunicator& c) {
    ++here_;
    await([&] { return here_ == 2; });
    if (c.rank() == 0) c.fail("is out of paper");
    await([] { return fake_cuda::counts().ends == 2; });
    CHECK_THROWS_AS(c.check(), zero::CommunicationError);
  }

 private:
  std::atomic<int> here_{0};
};

void check_sound(std::vector<fake_cuda::RankEnd> const& ends) {
  for (auto const& end : ends) {
    if (end.thrown) CHECK_NOTHROW(std::rethrow_exception(end.thrown));
  }
  CHECK(fake_cuda::violations() == "");
  CHECK(fake_cuda::live_handles() == fake_cuda::LiveHandles{});
}

}  // namespace

TEST_CASE("nccl graphs: a rank that fails, and one that hears of it, go on while the aborts wait for their graphs") {
  fake_cuda::start({.devices = 2});
  Failure fail;
  check_sound(fake_cuda::on_nccl_ranks(2, {}, [&](NcclCommunicator& c) {
    Recorder const recorder(2);
    auto registered = recorder.register_with(c);
    auto const graph = recorder.record(c);
    recorder.replay(graph);
    fail(c);
    registered = {};         // asks the communicator, which has none to ask any more
    recorder.replay(graph);  // its collectives end without the other rank
  }));
}

TEST_CASE("nccl graphs: a rank that fails inside a capture gives it up, and the abort that waits for it ends") {
  fake_cuda::start({.devices = 2});
  Failure fail;
  check_sound(fake_cuda::on_nccl_ranks(2, {}, [&](NcclCommunicator& c) {
    Recorder const recorder(2);
    recorder.begin(c);
    fail(c);
    (void)recorder.end();
  }));
}

TEST_CASE("nccl graphs: a graph that outlives its communicator on the thread that owns both is found") {
  fake_cuda::start();
  std::optional<Recorder> recorder;
  std::optional<CudaGraph> graph;
  (void)fake_cuda::on_nccl_ranks(1, {}, [&](NcclCommunicator& c) {
    recorder.emplace(1);
    graph = recorder->record(c);
  });
  CHECK(fake_cuda::violations() == "fake runtime: a rank's thread waits for the end of graphs that it owns itself");
}

}  // namespace fake_cuda_nccl_graphs_test
