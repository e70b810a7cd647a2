// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Captures and graphs.

#include "fake_cuda/call.hpp"
#include "fake_cuda/collective.hpp"

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using fake_cuda::call;
using fake_cuda::Counts;
using fake_cuda::FakeMachine;
using fake_cuda::GraphState;
using fake_cuda::on_stream;
using fake_cuda::Operation;
using fake_cuda::release;
using fake_cuda::StreamState;

cudaError_t destroy_graph(char const* name, GraphState* graph) {
  return release(name, [&](FakeMachine& all) {
    if (all.graphs.erase(graph) == 0) return cudaErrorInvalidResourceHandle;
    delete graph;
    all.changed.notify_all();
    return cudaSuccess;
  });
}

}  // namespace

void fake_cuda::FakeMachine::launch_graph(GraphState& graph, StreamState& stream) {
  Operation record;
  record.name = "start of a graph";
  record.is_record = true;
  auto const start = put(stream, std::move(record), Actor::device);
  std::vector<std::shared_ptr<Operation>> made;
  std::set<StreamState*> begun;
  auto const follow = [&](StreamState& second, std::shared_ptr<Operation> const& first) {
    Operation wait;
    wait.name = "wait";
    wait.after = first;
    return put(second, std::move(wait), Actor::device);
  };
  for (auto const& node : graph.nodes) {
    auto& branch = graph.branches[node.stream];
    if (branch == nullptr) branch = &make_stream(stream.device, node.stream->queue.name + " of a graph");
    branch->destroyed = true;  // no handle leads to it
    if (begun.insert(branch).second) (void)follow(*branch, start);
    if (node.part) {
      if (communicators.count(node.communicator) == 0) return fail("fake runtime: the communicator of a graph is gone");
      post(*node.communicator, *branch, *node.part);
      made.push_back(nullptr);
      continue;
    }
    made.push_back(node.after ? follow(*branch, made[*node.after]) : put(*branch, node.operation, Actor::device));
  }
  auto* const origin = graph.branches[graph.origin];
  if (origin == nullptr) return;
  Operation end;
  end.name = "end of a graph";
  end.is_record = true;
  (void)follow(stream, put(*origin, std::move(end), Actor::device));
}

extern "C" {

cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode /*mode*/) {
  return on_stream("cudaStreamBeginCapture", handle, [](FakeMachine&, StreamState& stream) {
    if (stream.capture) return cudaErrorIllegalState;
    stream.capture = std::make_shared<fake_cuda::Capture>();
    stream.capture->origin = &stream;
    stream.capture->thread = std::this_thread::get_id();
    stream.capture->streams.push_back(&stream);
    return cudaSuccess;
  });
}
// A capture is over also where its end says that something failed: no stream is left in it.
cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* graph) {
  *graph = nullptr;
  std::shared_ptr<fake_cuda::Capture> ended;
  auto const code = release("cudaStreamEndCapture", [&](FakeMachine& all) {
    auto* const stream = all.stream(handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    if (!stream->capture || stream->capture->origin != stream) return cudaErrorIllegalState;
    ended = stream->capture;
    ended->open = false;
    for (auto* const drawn_in : ended->streams) drawn_in->capture.reset();
    all.changed.notify_all();
    if (!ended->valid) return cudaErrorStreamCaptureInvalidated;
    return ended->joined() ? cudaSuccess : cudaErrorStreamCaptureUnjoined;
  });
  if (code != cudaSuccess) return code;
  auto& all = fake_cuda::machine();
  std::lock_guard const lock(all.mutex);
  auto* const made = *all.graphs.insert(new GraphState{ended->origin, std::move(ended->nodes), {}}).first;
  *graph = reinterpret_cast<cudaGraph_t>(made);
  return cudaSuccess;
}
cudaError_t cudaStreamIsCapturing(cudaStream_t handle, cudaStreamCaptureStatus* status) {
  return on_stream("cudaStreamIsCapturing", handle, [&](FakeMachine&, StreamState& stream) {
    *status = stream.capture ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
    return cudaSuccess;
  });
}
// Captures are their threads' own here, whatever other threads do.
cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* /*mode*/) {
  return call("cudaThreadExchangeStreamCaptureMode", [](FakeMachine&) { return cudaSuccess; });
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long /*flags*/) {
  return call("cudaGraphInstantiate", [&](FakeMachine& all) {
    auto* const made = *all.graphs.insert(new GraphState(*reinterpret_cast<GraphState*>(graph))).first;
    *executable = reinterpret_cast<cudaGraphExec_t>(made);
    return cudaSuccess;
  });
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t handle) {
  return on_stream("cudaGraphLaunch", handle, [&](FakeMachine& all, StreamState& stream) {
    all.count(&Counts::launches);
    all.launch_graph(*reinterpret_cast<GraphState*>(executable), stream);
    return all.failure() ? cudaErrorLaunchFailure : cudaSuccess;
  });
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  return destroy_graph("cudaGraphDestroy", reinterpret_cast<GraphState*>(graph));
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  return destroy_graph("cudaGraphExecDestroy", reinterpret_cast<GraphState*>(executable));
}

}  // extern "C"
