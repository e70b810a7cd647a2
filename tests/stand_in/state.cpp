// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "stand_in/state.hpp"

#include <zero/error.hpp>

#include <algorithm>
#include <atomic>
#include <stdexcept>

namespace stand_in {
namespace {

std::atomic<std::uint64_t> generations{0};
std::unique_ptr<Machine> current;

// What a thread has known at its end whoever waits for its end knows.
struct Caller {
  std::uint64_t generation = 0;
  HostState* host = nullptr;

  ~Caller() {
    if (host != nullptr && current && generation == generations) current->end_host(*host);
  }
};
thread_local Caller caller;

}  // namespace

Machine& machine() {
  if (!current) start();
  return *current;
}

void start(Options const& options) {
  current.reset();
  current = std::make_unique<Machine>(options);
}

Machine::Machine(Options const& options)
    : options_(options),
      scheduler_(options.order, options.seed),
      generation_(++generations),
      starter_(std::this_thread::get_id()) {}

// ------------------------------------------------------------------------------------------------- calls

cudaError_t Machine::begin_call(char const* name) {
  if (in_host_function_) {
    fail(std::string("stand-in: a host function calls ") + name + ", which the runtime does not permit");
    return cudaErrorNotPermitted;
  }
  if (options_.driver != cudaSuccess) return options_.driver;
  ++counts.calls;
  if (options_.fault && counts.calls == options_.fault->call) {
    struck = true, struck_call = name;
    if (!options_.fault->for_ever) return options_.fault->code;
    lose(options_.fault->code);
  }
  return lost_;
}

HostState& Machine::host() {
  if (caller.generation != generation_) {
    auto& host = hosts_.emplace_back();
    host.thread = threads_++;
    host.rank = static_cast<int>(hosts_.size()) - 1;
    host.clock.tick(host.thread);
    caller.generation = generation_, caller.host = &host;
  }
  return *caller.host;
}

void Machine::end_host(HostState& host) {
  std::lock_guard const lock(mutex);
  ended_.join(host.clock);
}

bool Machine::captures_here() const {
  return std::any_of(streams.begin(), streams.end(), [](StreamState const& s) {
    return s.capture && s.capture->open && s.capture->thread == std::this_thread::get_id();
  });
}

void Machine::fail(std::string const& what) {
  if (failure_) return;
  failure_ = std::current_exception();
  if (!failure_) failure_ = std::make_exception_ptr(std::runtime_error(what));
  lose(cudaErrorLaunchFailure);
}

void Machine::lose(cudaError_t code) {
  lost_ = code;
  for (auto& stream : streams) {
    for (auto const& operation : stream.queue.queue) operation->done = true, operation->run = nullptr;
    stream.queue.queue.clear();
  }
  tasks = 0;  // nobody calls host functions of a device that is lost
}

// ------------------------------------------------------------------------------------------------- streams

StreamState& Machine::make_stream(int device, std::string name) {
  auto const& caller_state = host();
  auto& stream = streams.emplace_back();
  stream.queue.rank = -1;
  stream.queue.ordinal = static_cast<std::size_t>(
      std::count_if(streams.begin(), streams.end(), [&](auto const& s) { return s.queue.rank == caller_state.rank; }));
  stream.queue.rank = caller_state.rank;
  stream.queue.thread = threads_++;
  stream.queue.name = std::move(name);
  stream.device = device;
  return stream;
}

StreamState* Machine::stream(cudaStream_t handle) {
  for (auto& stream : streams) {
    if (reinterpret_cast<cudaStream_t>(&stream) == handle) return stream.destroyed ? nullptr : &stream;
  }
  return nullptr;
}

std::shared_ptr<Operation> Machine::put(StreamState& stream, Operation operation, Actor actor) {
  check_reach(stream, operation, actor);
  if (stream.capture) {
    stream.capture->nodes.push_back({&stream, std::move(operation), {}});
    return nullptr;
  }
  see_host_writes(operation);
  auto& from = host();
  operation.number = ++numbers_;
  operation.rank = from.rank;
  operation.stream = &stream.queue.name;
  operation.host = from.what_is_known();
  auto const made = std::make_shared<Operation>(std::move(operation));
  stream.queue.last = made;
  if (lost_ != cudaSuccess) {
    made->done = true;
    return made;
  }
  stream.queue.queue.push_back(made);
  while (run_one(1)) continue;
  return made;
}

cudaError_t Machine::record(EventState& event, StreamState& stream) {
  Operation operation;
  operation.name = "record";
  operation.is_record = true;
  event.capture = stream.capture;
  event.recorded = put(stream, std::move(operation), Actor::device);
  if (event.capture) event.node = event.capture->nodes.size() - 1;
  return lost_;
}

cudaError_t Machine::wait(StreamState& stream, EventState& event) {
  Operation operation;
  operation.name = "wait";
  if (event.capture) {
    if (!event.capture->open) return cudaErrorCapturedEvent;
    if (!stream.capture) {
      stream.capture = event.capture;
      event.capture->streams.push_back(&stream);
    }
    if (stream.capture != event.capture) return cudaErrorStreamCaptureMerge;
    event.capture->nodes.push_back({&stream, std::move(operation), event.node});
    return cudaSuccess;
  }
  if (!event.recorded) return cudaSuccess;  // one that never was has passed
  if (stream.capture) {
    stream.capture->valid = false;
    return cudaErrorStreamCaptureIsolation;
  }
  operation.after = event.recorded;
  (void)put(stream, std::move(operation), Actor::device);
  return lost_;
}

void Machine::await(std::shared_ptr<Operation> const& operation) {
  while (operation && !operation->done && lost_ == cudaSuccess) {
    if (!run_one(0)) fail("stand-in: nothing that is left can run");
  }
}

void Machine::await_all() {
  while (lost_ == cudaSuccess && run_one(0)) continue;
}

void Machine::launch_graph(GraphState& graph, StreamState& stream) {
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
    made.push_back(node.after ? follow(*branch, made[*node.after]) : put(*branch, node.operation, Actor::device));
  }
  auto* const origin = graph.branches[graph.origin];
  if (origin == nullptr) return;
  Operation end;
  end.name = "end of a graph";
  end.is_record = true;
  (void)follow(stream, put(*origin, std::move(end), Actor::device));
}

bool Machine::run_one(std::size_t hosts) {
  if (lost_ != cudaSuccess) return false;
  ready_.clear();
  for (auto& stream : streams) {
    stream.queue.ranks = hosts_.size();
    auto const& queue = stream.queue.queue;
    if (!queue.empty() && (!queue.front()->after || queue.front()->after->done)) ready_.push_back(&stream.queue);
  }
  auto* const chosen = ready_.empty() ? nullptr : scheduler_.choose(ready_, hosts);
  if (chosen == nullptr) return false;
  auto const at = std::find_if(streams.begin(), streams.end(), [&](auto const& s) { return &s.queue == chosen; });
  run_front(*at);
  return true;
}

void Machine::run_front(StreamState& stream) {
  auto const operation = stream.queue.queue.front();
  auto& clock = stream.queue.clock;
  clock.join(*operation->host);
  if (operation->after) clock.join(operation->after->clock);
  clock.tick(stream.queue.thread);
  try {
    for (auto const& access : operation->accesses) {
      checker_.touch(access, {stream.queue.thread, operation, stream.queue.rank}, clock);
    }
    run(*operation);
  } catch (std::exception const& error) {
    return fail(error.what());
  }
  if (lost_ != cudaSuccess) return;
  if (operation->is_record) operation->clock = clock;
  ++counts.operations;
  operation->run = nullptr;
  operation->after.reset();
  operation->done = true;
  stream.queue.queue.pop_front();
}

void Machine::run(Operation& operation) {
  if (!operation.run) return;
  if (operation.name == host_function) {
    in_host_function_ = true;
    operation.run();
    in_host_function_ = false;
    if (tasks > 0) --tasks;
  } else {
    Memory::Opened const opened(memory);
    operation.run();
  }
  for (auto const& access : operation.accesses) {
    if (access.writes) memory.see(access);
  }
}

// ------------------------------------------------------------------------------------------------- memory

Block* Machine::block_of(void const* data) {
  std::uintptr_t begin = 0;
  return memory.around(reinterpret_cast<std::uintptr_t>(data), begin);
}

cudaError_t Machine::allocate(void** data, std::size_t bytes, cudaMemoryType kind) {
  if (captures_here()) return cudaErrorStreamCaptureUnsupported;
  ++counts.allocations;
  auto const limit = kind == cudaMemoryTypeDevice ? options_.device_bytes : options_.pinned_bytes;
  if (bytes > limit || memory.bytes_of(kind) > limit - bytes) {
    struck = true;
    return cudaErrorMemoryAllocation;
  }
  *data = memory.allocate(kind, bytes, host().device);
  if (*data == nullptr) return cudaErrorMemoryAllocation;
  auto const* const name = kind == cudaMemoryTypeDevice ? "device" : "pinned";
  checker_.allocate(zero::simulation::writes(*data, bytes),
                    zero::detail::sentence({name, " block ", blocks_made_++, " of ", bytes, " bytes"}));
  return cudaSuccess;
}

// The runtime waits for the device before it gives memory back. Programs should not count on that, and are judged; but
// where they have failed they may.
cudaError_t Machine::free(void* data, cudaMemoryType kind) {
  if (data == nullptr) return cudaSuccess;
  auto const* const block = memory.at(data);
  if (block == nullptr || block->kind != kind) return cudaErrorInvalidValue;
  auto const range = zero::simulation::writes(data, block->bytes);
  if (std::this_thread::get_id() == starter_) host().learn(ended_);
  if (struck && options_.frees_wait) {
    await_all();
  } else if (lost_ == cudaSuccess) {  // nothing runs on a device that is lost
    host_touches(range);
  }
  checker_.forget(range);
  memory.free(data);
  return cudaSuccess;
}

void Machine::check_reach(StreamState const& stream, Operation const& operation, Actor actor) {
  for (auto const& access : operation.accesses) {
    std::uintptr_t begin = 0;
    auto const* const block = memory.around(access.begin, begin);
    bool const fits = block != nullptr && access.end() <= begin + block->bytes;
    bool const on_device = block != nullptr && block->kind == cudaMemoryTypeDevice;
    bool const near = on_device && (block->device == stream.device || peers.count({stream.device, block->device}) > 0);
    bool const good = actor == Actor::host ? !on_device : fits && (!on_device || near || actor == Actor::copier);
    if (good) continue;
    fail(zero::detail::sentence({"stand-in: ", zero::detail::quoted(operation.name), " on stream ",
                                 zero::detail::quoted(stream.queue.name), " touches ", access.bytes,
                                 " bytes that it does not reach: ",
                                 on_device ? "memory of a device"
                                 : fits    ? "host memory"
                                           : "no whole block"}));
    return;
  }
}

// What has not run yet is judged now: by the time it does, the memory may be somebody else's.
void Machine::host_touches(Access const& access) {
  auto& from = host();
  from.clock.tick(from.thread);
  from.known.reset();
  try {
    for (auto const& stream : streams) {
      for (auto const& pending : stream.queue.queue) checker_.judge_pending(access, pending);
    }
    checker_.touch(access, {from.thread, nullptr, from.rank}, from.clock);
  } catch (std::exception const& error) {
    fail(error.what());
  }
}

// A write of the host shows where the memory is next used.
void Machine::see_host_writes(Operation const& operation) {
  for (auto const& access : operation.accesses) {
    for (auto const& written : memory.host_writes(access)) host_touches(written);
  }
}

}  // namespace stand_in
