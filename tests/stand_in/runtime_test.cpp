// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "stand_in/machine.hpp"
#include "stand_in/rigs.hpp"

#include <zero/backends/cuda.hpp>
#include <zero/error.hpp>

#include <doctest/doctest.h>

#include <cstring>
#include <filesystem>
#include <iterator>
#include <string>

namespace {

using zero::simulation::reads;
using zero::simulation::writes;

bool contains(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

/// Two streams, an event and a block of each kind of memory, in an order in which nothing runs before the host waits.
struct Rig {
  explicit Rig(stand_in::Options options = {.order = zero::SimulationOrder::latest}) {
    stand_in::start(options);
    for (auto& stream : streams) {
      CHECK(cudaStreamCreateWithPriority(&stream, cudaStreamNonBlocking, 0) == cudaSuccess);
    }
    CHECK(cudaEventCreateWithFlags(&event, cudaEventDisableTiming) == cudaSuccess);
    CHECK(cudaMalloc(&device, bytes) == cudaSuccess);
    CHECK(cudaHostAlloc(&pinned, bytes, 0) == cudaSuccess);
  }
  [[nodiscard]] cudaError_t copy(cudaStream_t stream) const {
    return cudaMemcpyAsync(device, pinned, bytes, cudaMemcpyDefault, stream);
  }
  [[nodiscard]] cudaError_t write(cudaStream_t stream) const {
    return stand_in::launch(stream, "write", {writes(device, bytes)}, [] {});
  }

  static constexpr std::size_t bytes = 256;
  cudaStream_t streams[2]{};
  cudaEvent_t event = nullptr;
  void* device = nullptr;
  void* pinned = nullptr;
};

}  // namespace

TEST_CASE("runtime: two writes on two streams race without an event, and not with one") {
  Rig const with;
  CHECK(with.write(with.streams[0]) == cudaSuccess);
  CHECK(cudaEventRecord(with.event, with.streams[0]) == cudaSuccess);
  CHECK(cudaStreamWaitEvent(with.streams[1], with.event, 0) == cudaSuccess);
  CHECK(with.write(with.streams[1]) == cudaSuccess);
  CHECK_NOTHROW(stand_in::finish());
  Rig const without;
  CHECK(without.write(without.streams[0]) == cudaSuccess);
  CHECK(without.write(without.streams[1]) == cudaSuccess);
  CHECK_THROWS_AS(stand_in::finish(), zero::RaceError);
  CHECK(cudaStreamSynchronize(without.streams[0]) == cudaErrorLaunchFailure);
}

TEST_CASE("runtime: a host write into pinned memory that a copy may still read is found at its next use") {
  for (bool waits : {true, false}) {
    Rig const rig;
    std::memset(rig.pinned, 1, Rig::bytes);
    CHECK(rig.copy(rig.streams[0]) == cudaSuccess);
    if (waits) CHECK(cudaStreamSynchronize(rig.streams[0]) == cudaSuccess);
    std::memset(rig.pinned, 2, Rig::bytes);
    (void)rig.copy(rig.streams[0]);
    CHECK(stand_in::found().empty() == waits);
    if (!waits) CHECK(contains(stand_in::found(), "the host writes what 'copy'"));
  }
}

TEST_CASE("runtime: memory that is given back while it is in use is a race") {
  for (bool waits : {true, false}) {
    Rig const rig;
    CHECK(rig.write(rig.streams[0]) == cudaSuccess);
    if (waits) CHECK(cudaStreamSynchronize(rig.streams[0]) == cudaSuccess);
    CHECK(cudaFree(rig.device) == cudaSuccess);
    CHECK(stand_in::found().empty() == waits);
  }
}

TEST_CASE("runtime: kernels reach no memory of the program, host functions none of a device") {
  Rig const rig;
  int local = 0;
  (void)stand_in::launch(rig.streams[0], "astray", {reads(&local, sizeof local)}, [] {});
  CHECK(contains(stand_in::found(), "'astray' on stream 'stream 0' touches 4 bytes that it does not reach"));
  Rig const other;
  static std::mutex mutex;
  zero::detail::HostTask task{mutex, [] {}, {{other.device, 4, true}}};
  (void)cudaLaunchHostFunc(
      other.streams[0], [](void*) {}, &task);
  CHECK(contains(stand_in::found(), "memory of a device"));
}

TEST_CASE("runtime: a host function that calls the runtime is refused") {
  Rig const rig;
  static std::mutex mutex;
  static cudaError_t answer = cudaSuccess;
  zero::detail::HostTask task{mutex, [] {}, {}};
  auto const call = [](void*) {
    int device = 0;
    answer = cudaGetDevice(&device);
  };
  CHECK(cudaLaunchHostFunc(rig.streams[0], call, &task) == cudaSuccess);
  CHECK_THROWS(stand_in::finish());
  CHECK(answer == cudaErrorNotPermitted);
}

TEST_CASE("runtime: a kernel without a twin fails with its name") {
  Rig const rig;
  CHECK(stand_in::launch_without_twin(rig.streams[0]) == cudaErrorInvalidDeviceFunction);
  CHECK(contains(stand_in::found(), "has no twin on the host"));
  CHECK(contains(stand_in::found(), "lonely"));
}

TEST_CASE("runtime: a capture waits for nothing outside of it, and joins what it has drawn in") {
  cudaGraph_t graph = nullptr;
  Rig const outside;
  CHECK(cudaEventRecord(outside.event, outside.streams[1]) == cudaSuccess);
  CHECK(cudaStreamBeginCapture(outside.streams[0], cudaStreamCaptureModeThreadLocal) == cudaSuccess);
  CHECK(cudaStreamWaitEvent(outside.streams[0], outside.event, 0) == cudaErrorStreamCaptureIsolation);
  CHECK(cudaStreamEndCapture(outside.streams[0], &graph) == cudaErrorStreamCaptureInvalidated);

  Rig const unjoined;
  CHECK(cudaStreamBeginCapture(unjoined.streams[0], cudaStreamCaptureModeThreadLocal) == cudaSuccess);
  CHECK(cudaEventRecord(unjoined.event, unjoined.streams[0]) == cudaSuccess);
  CHECK(cudaStreamWaitEvent(unjoined.streams[1], unjoined.event, 0) == cudaSuccess);
  CHECK(unjoined.write(unjoined.streams[1]) == cudaSuccess);
  CHECK(cudaEventQuery(unjoined.event) == cudaErrorCapturedEvent);
  CHECK(cudaStreamEndCapture(unjoined.streams[0], &graph) == cudaErrorStreamCaptureUnjoined);

  Rig const waiting;
  void* more = nullptr;
  CHECK(cudaStreamBeginCapture(waiting.streams[0], cudaStreamCaptureModeThreadLocal) == cudaSuccess);
  CHECK(cudaMalloc(&more, 1) == cudaErrorStreamCaptureUnsupported);
  CHECK(cudaStreamSynchronize(waiting.streams[0]) == cudaErrorStreamCaptureUnsupported);
}

TEST_CASE("runtime: a graph's streams are ordered as they were captured, and with the stream of its launch") {
  for (bool joined : {true, false}) {
    Rig const rig;
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t executable = nullptr;
    int runs = 0;
    auto const put = [&](cudaStream_t stream) {
      CHECK(stand_in::launch(stream, "count", {writes(rig.device, 4)}, [&runs] { ++runs; }) == cudaSuccess);
    };
    CHECK(cudaStreamBeginCapture(rig.streams[0], cudaStreamCaptureModeThreadLocal) == cudaSuccess);
    put(rig.streams[0]);
    CHECK(cudaStreamEndCapture(rig.streams[0], &graph) == cudaSuccess);
    CHECK(runs == 0);
    CHECK(cudaGraphInstantiate(&executable, graph, 0) == cudaSuccess);
    CHECK(cudaGraphLaunch(executable, rig.streams[1]) == cudaSuccess);
    CHECK(cudaGraphLaunch(executable, rig.streams[1]) == cudaSuccess);
    put(joined ? rig.streams[1] : rig.streams[0]);
    if (joined) {
      CHECK_NOTHROW(stand_in::finish());
      CHECK(runs == 3);
    } else {
      CHECK_THROWS_AS(stand_in::finish(), zero::RaceError);
    }
    CHECK((cudaGraphDestroy(graph) == cudaSuccess || !joined));
    CHECK((cudaGraphExecDestroy(executable) == cudaSuccess || !joined));
  }
}

TEST_CASE("runtime: what is offloaded is updated by as many threads as the backend was given") {
  auto const threads = [] {
    auto const tasks = std::filesystem::directory_iterator("/proc/self/task");
    return std::distance(begin(tasks), end(tasks));
  };
  stand_in::start();
  auto const before = threads();
  {
    zero::CudaBackend const backend({.host_threads = 4}, 1);
    CHECK(threads() == before + 3);  // and the one that calls
  }
  CHECK(threads() == before);
}
