// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fake_cuda/fixtures.hpp"
#include "fake_cuda/machine.hpp"

#include <zero/backends/cuda.hpp>
#include <zero/error.hpp>

#include <doctest/doctest.h>

#include <cstring>
#include <filesystem>
#include <iterator>
#include <string>
#include <thread>

namespace fake_cuda_runtime_test {

namespace {

using zero::simulation::reads;
using zero::simulation::writes;

bool contains(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

/// Two streams, an event and a block of each kind of memory, in an order in which nothing runs before the host waits.
struct Fixture {
  explicit Fixture(fake_cuda::Options options = {.order = zero::SimulationOrder::latest}) {
    fake_cuda::start(options);
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
    return fake_cuda::launch(stream, "write", {writes(device, bytes)}, [] {});
  }

  static constexpr std::size_t bytes = 256;
  cudaStream_t streams[2]{};
  cudaEvent_t event = nullptr;
  void* device = nullptr;
  void* pinned = nullptr;
};

}  // namespace

TEST_CASE("runtime: two writes on two streams race without an event, and not with one") {
  Fixture const with;
  CHECK(with.write(with.streams[0]) == cudaSuccess);
  CHECK(cudaEventRecord(with.event, with.streams[0]) == cudaSuccess);
  CHECK(cudaStreamWaitEvent(with.streams[1], with.event, 0) == cudaSuccess);
  CHECK(with.write(with.streams[1]) == cudaSuccess);
  CHECK_NOTHROW(fake_cuda::finish());
  Fixture const without;
  CHECK(without.write(without.streams[0]) == cudaSuccess);
  CHECK(without.write(without.streams[1]) == cudaSuccess);
  CHECK_THROWS_AS(fake_cuda::finish(), zero::RaceError);
  CHECK(cudaStreamSynchronize(without.streams[0]) == cudaErrorLaunchFailure);
}

TEST_CASE("runtime: a host write into pinned memory that a copy may still read is found at its next use") {
  for (bool waits : {true, false}) {
    Fixture const fixture;
    std::memset(fixture.pinned, 1, Fixture::bytes);
    CHECK(fixture.copy(fixture.streams[0]) == cudaSuccess);
    if (waits) CHECK(cudaStreamSynchronize(fixture.streams[0]) == cudaSuccess);
    std::memset(fixture.pinned, 2, Fixture::bytes);
    (void)fixture.copy(fixture.streams[0]);
    CHECK(fake_cuda::violations().empty() == waits);
    if (!waits) CHECK(contains(fake_cuda::violations(), "the host writes what 'copy'"));
  }
}

TEST_CASE("runtime: memory that is given back while it is in use is a race") {
  for (bool waits : {true, false}) {
    Fixture const fixture;
    CHECK(fixture.write(fixture.streams[0]) == cudaSuccess);
    if (waits) CHECK(cudaStreamSynchronize(fixture.streams[0]) == cudaSuccess);
    CHECK(cudaFree(fixture.device) == cudaSuccess);
    CHECK(fake_cuda::violations().empty() == waits);
  }
}

TEST_CASE("runtime: kernels reach no memory of the program, host functions none of a device") {
  Fixture const fixture;
  int local = 0;
  (void)fake_cuda::launch(fixture.streams[0], "astray", {reads(&local, sizeof local)}, [] {});
  CHECK(contains(fake_cuda::violations(), "'astray' on stream 'stream 0' touches 4 bytes that it does not reach"));
  Fixture const other;
  static std::mutex mutex;
  zero::detail::HostTask task{mutex, [] {}, {{other.device, 4, true}}};
  (void)cudaLaunchHostFunc(
      other.streams[0], [](void*) {}, &task);
  CHECK(contains(fake_cuda::violations(), "memory of a device"));
}

TEST_CASE("runtime: a host function that calls the runtime is refused") {
  Fixture const fixture;
  static std::mutex mutex;
  static cudaError_t answer = cudaSuccess;
  zero::detail::HostTask task{mutex, [] {}, {}};
  auto const call = [](void*) {
    int device = 0;
    answer = cudaGetDevice(&device);
  };
  CHECK(cudaLaunchHostFunc(fixture.streams[0], call, &task) == cudaSuccess);
  CHECK_THROWS(fake_cuda::finish());
  CHECK(answer == cudaErrorNotPermitted);
}

TEST_CASE("runtime: a kernel without a host kernel fails with its name") {
  Fixture const fixture;
  CHECK(fake_cuda::launch_without_host_kernel(fixture.streams[0]) == cudaErrorInvalidDeviceFunction);
  CHECK(contains(fake_cuda::violations(), "has no host kernel"));
  CHECK(contains(fake_cuda::violations(), "lonely"));
}

TEST_CASE("runtime: a capture waits for nothing outside of it, and joins what it has drawn in") {
  cudaGraph_t graph = nullptr;
  Fixture const outside;
  CHECK(cudaEventRecord(outside.event, outside.streams[1]) == cudaSuccess);
  CHECK(cudaStreamBeginCapture(outside.streams[0], cudaStreamCaptureModeThreadLocal) == cudaSuccess);
  CHECK(cudaStreamWaitEvent(outside.streams[0], outside.event, 0) == cudaErrorStreamCaptureIsolation);
  CHECK(cudaStreamEndCapture(outside.streams[0], &graph) == cudaErrorStreamCaptureInvalidated);

  Fixture const unjoined;
  CHECK(cudaStreamBeginCapture(unjoined.streams[0], cudaStreamCaptureModeThreadLocal) == cudaSuccess);
  CHECK(cudaEventRecord(unjoined.event, unjoined.streams[0]) == cudaSuccess);
  CHECK(cudaStreamWaitEvent(unjoined.streams[1], unjoined.event, 0) == cudaSuccess);
  CHECK(unjoined.write(unjoined.streams[1]) == cudaSuccess);
  CHECK(cudaEventQuery(unjoined.event) == cudaErrorCapturedEvent);
  CHECK(cudaStreamEndCapture(unjoined.streams[0], &graph) == cudaErrorStreamCaptureUnjoined);

  Fixture const waiting;
  void* more = nullptr;
  CHECK(cudaStreamBeginCapture(waiting.streams[0], cudaStreamCaptureModeThreadLocal) == cudaSuccess);
  CHECK(cudaMalloc(&more, 1) == cudaErrorStreamCaptureUnsupported);
  CHECK(cudaStreamSynchronize(waiting.streams[0]) == cudaErrorStreamCaptureUnsupported);
}

TEST_CASE("runtime: a graph's streams are ordered as they were captured, and with the stream of its launch") {
  for (bool joined : {true, false}) {
    Fixture const fixture;
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t executable = nullptr;
    int runs = 0;
    auto const put = [&](cudaStream_t stream) {
      CHECK(fake_cuda::launch(stream, "count", {writes(fixture.device, 4)}, [&runs] { ++runs; }) == cudaSuccess);
    };
    CHECK(cudaStreamBeginCapture(fixture.streams[0], cudaStreamCaptureModeThreadLocal) == cudaSuccess);
    put(fixture.streams[0]);
    CHECK(cudaStreamEndCapture(fixture.streams[0], &graph) == cudaSuccess);
    CHECK(runs == 0);
    CHECK(cudaGraphInstantiate(&executable, graph, 0) == cudaSuccess);
    CHECK(cudaGraphLaunch(executable, fixture.streams[1]) == cudaSuccess);
    CHECK(cudaGraphLaunch(executable, fixture.streams[1]) == cudaSuccess);
    put(joined ? fixture.streams[1] : fixture.streams[0]);
    if (joined) {
      CHECK_NOTHROW(fake_cuda::finish());
      CHECK(runs == 3);
    } else {
      CHECK_THROWS_AS(fake_cuda::finish(), zero::RaceError);
    }
    CHECK((cudaGraphDestroy(graph) == cudaSuccess || !joined));
    CHECK((cudaGraphExecDestroy(executable) == cudaSuccess || !joined));
  }
}

TEST_CASE("runtime: the time between two events is that of the operations between them, and asking does not wait") {
  Fixture const machine;
  cudaEvent_t from = nullptr, to = nullptr;
  CHECK(cudaEventCreateWithFlags(&from, cudaEventDefault) == cudaSuccess);
  CHECK(cudaEventCreateWithFlags(&to, cudaEventDefault) == cudaSuccess);
  float took = 0.0F;
  CHECK(cudaEventElapsedTime(&took, from, to) == cudaErrorInvalidResourceHandle);
  CHECK(cudaEventRecord(from, machine.streams[0]) == cudaSuccess);
  for (int i = 0; i < 3; ++i) CHECK(machine.write(machine.streams[0]) == cudaSuccess);
  CHECK(cudaEventRecord(to, machine.streams[0]) == cudaSuccess);
  CHECK(cudaEventElapsedTime(&took, from, to) == cudaErrorNotReady);
  CHECK(cudaEventSynchronize(to) == cudaSuccess);
  CHECK(cudaEventElapsedTime(&took, from, to) == cudaSuccess);
  CHECK(took == 3e-3F);
  CHECK(cudaEventElapsedTime(&took, to, from) == cudaSuccess);
  CHECK(took == -3e-3F);
  CHECK(cudaEventRecord(machine.event, machine.streams[0]) == cudaSuccess);
  CHECK(cudaEventElapsedTime(&took, from, machine.event) == cudaErrorInvalidResourceHandle);
  CHECK(cudaEventDestroy(from) == cudaSuccess);
  CHECK(cudaEventDestroy(to) == cudaSuccess);
}

TEST_CASE("runtime: what is offloaded is updated by as many threads as the backend was given") {
  auto const threads = [] {
    auto const tasks = std::filesystem::directory_iterator("/proc/self/task");
    return std::distance(begin(tasks), end(tasks));
  };
  fake_cuda::start();
  auto const before = threads();
  {
    zero::CudaBackend const backend({.host_threads = 4}, 1);
    CHECK(threads() == before + 3);  // and the one that calls
  }
  // The kernel wakes whoever joins a thread before it takes the thread out of this list.
  while (threads() > before) {
    std::this_thread::yield();
  }
  CHECK(threads() == before);
}

}  // namespace fake_cuda_runtime_test
