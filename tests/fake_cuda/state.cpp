// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fake_cuda/state.hpp"
#include "fake_cuda/collective.hpp"

#include <zero/error.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string_view>

namespace fake_cuda {
namespace {

std::atomic<std::uint64_t> generations{0};
std::unique_ptr<FakeMachine> current;

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

FakeMachine& machine() {
  if (!current) start();
  return *current;
}

void start(Options const& options) {
  current.reset();
  current = std::make_unique<FakeMachine>(options);
}

FakeMachine::FakeMachine(Options const& options)
    : options_(options),
      scheduler_(options.order, options.seed),
      generation_(++generations),
      starter_(std::this_thread::get_id()) {}

// ------------------------------------------------------------------------------------------------- calls

cudaError_t FakeMachine::begin_call(char const* name, Asks asks) {
  if (in_host_function_) {
    fail(std::string("fake runtime: a host function calls ") + name + ", which the runtime does not permit");
    return cudaErrorNotPermitted;
  }
  if (options_.driver != cudaSuccess) return options_.driver;
  auto& from = host();
  ++counts.calls;
  if (asks == Asks::no) ++from.counts.calls;
  int const device = from.entered.value_or(from.device);
  if (strikes(name, asks, from)) {
    struck = true, struck_call = name;
    if (!options_.fault->for_ever) return options_.fault->code;
    lose(device, options_.fault->code);
  }
  return lost(device);
}

bool FakeMachine::strikes(char const* name, Asks asks, HostState const& from) const {
  if (!options_.fault || struck) return false;
  auto const& fault = *options_.fault;
  if (!fault.rank) return counts.calls == fault.call;
  if (fault.question == nullptr) {
    return asks == Asks::no && from.entered == fault.rank && from.counts.calls == fault.call;
  }
  auto const called = [&](HostState const& h) { return h.entered == fault.rank && h.counts.calls >= fault.call; };
  return std::string_view(name) == fault.question && from.entered.value_or(from.device) == *fault.rank &&
         std::any_of(hosts_.begin(), hosts_.end(), called);
}

HostState& FakeMachine::host() {
  if (caller.generation != generation_) {
    auto& host = hosts_.emplace_back();
    host.thread = threads_++;
    host.rank = static_cast<int>(hosts_.size()) - 1;
    host.clock.tick(host.thread);
    caller.generation = generation_, caller.host = &host;
  }
  return *caller.host;
}

void FakeMachine::end_host(HostState& host) {
  std::lock_guard const lock(mutex);
  ended_.join(host.clock);
}

bool FakeMachine::captures_here() const {
  return std::any_of(streams.begin(), streams.end(), [](StreamState const& s) {
    return s.capture && s.capture->open && s.capture->thread == std::this_thread::get_id();
  });
}

void FakeMachine::fail(std::string const& what) {
  if (failure_) return;
  failure_ = std::current_exception();
  if (!failure_) failure_ = std::make_exception_ptr(std::runtime_error(what));
  for (auto& stream : streams) drop(stream);
  tasks = 0;
}

void FakeMachine::lose(int device, cudaError_t code) {
  lost_[device] = code;
  for (auto& stream : streams) {
    if (stream.device == device) drop(stream);
  }
}

cudaError_t FakeMachine::lost(int device) const {
  if (failure_) return cudaErrorLaunchFailure;
  auto const found = lost_.find(device);
  return found == lost_.end() ? cudaSuccess : found->second;
}

// Nobody calls host functions of a device that is lost.
void FakeMachine::drop(StreamState& stream) {
  for (auto const& operation : stream.queue.queue) {
    if (operation->name == host_function && tasks > 0) --tasks;
    operation->done = true, operation->run = nullptr;
    withdraw(*operation);
  }
  stream.queue.queue.clear();
  changed.notify_all();
}

// ------------------------------------------------------------------------------------------------- streams

StreamState& FakeMachine::make_stream(int device, std::string name) {
  auto const& caller_state = host();
  int const rank = caller_state.entered.value_or(caller_state.rank);
  auto& stream = streams.emplace_back();
  stream.queue.rank = -1;
  stream.queue.ordinal = static_cast<std::size_t>(
      std::count_if(streams.begin(), streams.end(), [&](auto const& s) { return s.queue.rank == rank; }));
  stream.queue.rank = rank;
  stream.queue.thread = threads_++;
  stream.queue.name = std::move(name);
  stream.device = device;
  return stream;
}

StreamState* FakeMachine::stream(cudaStream_t handle) {
  for (auto& stream : streams) {
    if (reinterpret_cast<cudaStream_t>(&stream) == handle) return stream.destroyed ? nullptr : &stream;
  }
  return nullptr;
}

std::shared_ptr<Operation> FakeMachine::put(StreamState& stream, Operation operation, Actor actor) {
  check_reach(stream, operation, actor);
  if (stream.capture) {
    stream.capture->nodes.push_back({&stream, std::move(operation), {}, nullptr, {}});
    return nullptr;
  }
  see_host_writes(operation);
  auto& from = host();
  operation.number = ++numbers_;
  operation.rank = from.rank;
  operation.stream = &stream.queue.name;
  operation.host = from.clock_snapshot();
  auto const made = std::make_shared<Operation>(std::move(operation));
  stream.queue.last = made;
  if (lost(stream.device) != cudaSuccess) {
    made->done = true;
    return made;
  }
  stream.queue.queue.push_back(made);
  changed.notify_all();
  while (run_one(1)) continue;
  return made;
}

cudaError_t FakeMachine::record(EventState& event, StreamState& stream) {
  if (is_awaited(stream))
    fail("fake runtime: an event is recorded where a collective may not have been put on its stream yet");
  Operation operation;
  operation.name = "record";
  operation.is_record = true;
  event.capture = stream.capture;
  event.recorded = put(stream, std::move(operation), Actor::device);
  if (event.capture) event.node = event.capture->nodes.size() - 1;
  return lost(stream.device);
}

cudaError_t FakeMachine::wait(StreamState& stream, EventState& event) {
  Operation operation;
  operation.name = "wait";
  if (event.capture) {
    if (!event.capture->open) return cudaErrorCapturedEvent;
    if (!stream.capture) {
      stream.capture = event.capture;
      event.capture->streams.push_back(&stream);
    }
    if (stream.capture != event.capture) return cudaErrorStreamCaptureMerge;
    event.capture->nodes.push_back({&stream, std::move(operation), event.node, nullptr, {}});
    return cudaSuccess;
  }
  if (!event.recorded) return cudaSuccess;  // one that never was has passed
  if (stream.capture) {
    stream.capture->valid = false;
    return cudaErrorStreamCaptureIsolation;
  }
  operation.after = event.recorded;
  (void)put(stream, std::move(operation), Actor::device);
  return lost(stream.device);
}

template <class Over>
void FakeMachine::await_until(Over const& over) {
  constexpr std::chrono::minutes patience(1);  // for hosts: what a program waits for itself must be shorter
  while (!over()) {
    if (run_one(0)) continue;
    if (!awaits_hosts()) return fail("fake runtime: nothing that is left can run");
    if (changed.wait_for(mutex, patience) == std::cv_status::timeout) {
      fail("fake runtime: a collective has waited for a minute for another rank");
    }
  }
}

void FakeMachine::await(std::shared_ptr<Operation> const& operation) {
  await_until([&] { return !operation || operation->done; });
}

void FakeMachine::await_device(int device) {
  await_until([&] {
    return std::all_of(streams.begin(), streams.end(),
                       [&](auto const& s) { return s.device != device || s.queue.queue.empty(); });
  });
  for (auto const& stream : streams) {
    if (stream.device == device) host().join_clock(stream.queue.clock);
  }
}

void FakeMachine::run_all() {
  while (run_one(0)) continue;
}

bool FakeMachine::run_one(std::size_t hosts) {
  ready_.clear();
  for (auto& stream : streams) {
    stream.queue.ranks = hosts_.size();
    if (may_run(stream)) ready_.push_back(&stream.queue);
  }
  auto* const chosen = ready_.empty() ? nullptr : scheduler_.choose(ready_, hosts);
  if (chosen == nullptr) return false;
  try {
    run_front(*chosen);
  } catch (std::exception const& error) {
    fail(error.what());
  }
  changed.notify_all();
  return true;
}

void FakeMachine::run_front(zero::detail::simulation::Stream& stream) {
  auto const operation = stream.queue.front();
  if (auto const together = operation->collective) return run_together(static_cast<Meeting&>(*together));
  if (operation->transfer) return run_group(operation->transfer);
  begin(stream);
  run(*operation);
  if (!operation->done) end(stream);
}

// What is on the stream before has happened, and what it waits for; its accesses are judged before it does them.
void FakeMachine::begin(zero::detail::simulation::Stream& stream) {
  auto const& operation = stream.queue.front();
  stream.clock.join(*operation->host);
  if (operation->after) stream.clock.join(operation->after->clock);
  stream.clock.tick(stream.thread);
  for (auto const& access : operation->accesses) {
    checker_.touch(access, {stream.thread, operation, stream.rank}, stream.clock);
  }
}

void FakeMachine::end(zero::detail::simulation::Stream& stream) {
  auto const operation = stream.queue.front();
  for (auto const& access : operation->accesses) {
    if (access.writes) memory.see(access);
  }
  if (operation->is_record) operation->clock = stream.clock;
  ++counts.operations;
  if (!operation->accesses.empty()) ++time_;
  operation->finished_at = time_;
  operation->run = nullptr;
  operation->after.reset();
  operation->collective.reset();
  operation->transfer.reset();
  operation->done = true;
  stream.queue.pop_front();
}

void FakeMachine::run(Operation& operation) {
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
}

// ------------------------------------------------------------------------------------------------- memory

Block* FakeMachine::block_of(void const* data) {
  std::uintptr_t begin = 0;
  return memory.around(reinterpret_cast<std::uintptr_t>(data), begin);
}

cudaError_t FakeMachine::allocate(void** data, std::size_t bytes, cudaMemoryType kind) {
  if (captures_here()) return cudaErrorStreamCaptureUnsupported;
  *data = nullptr;
  if (bytes == 0) return cudaSuccess;
  count(&Counts::allocations);
  auto const limit = kind == cudaMemoryTypeDevice ? options_.device_bytes : options_.pinned_bytes;
  if (bytes > limit || memory.bytes_of(kind) > limit - bytes) {
    struck = true;
    return cudaErrorMemoryAllocation;
  }
  *data = memory.allocate(kind, bytes, host().device);
  if (*data == nullptr) return cudaErrorMemoryAllocation;
  auto const* const name = kind == cudaMemoryTypeDevice ? "device" : "pinned";
  checker_.allocate(zero::simulation::writes(*data, bytes),
                    zero::detail::concat({name, " block ", blocks_made_++, " of ", bytes, " bytes"}));
  return cudaSuccess;
}

// The runtime waits for the device before it gives memory back. Programs should not count on that, and are judged; but
// where they have failed they may.
cudaError_t FakeMachine::free(void* data, cudaMemoryType kind) {
  if (data == nullptr) return cudaSuccess;
  auto const* const block = memory.at(data);
  if (block == nullptr || block->kind != kind) return cudaErrorInvalidValue;
  auto const range = zero::simulation::writes(data, block->bytes);
  if (std::this_thread::get_id() == starter_) host().join_clock(ended_);
  if (struck && options_.frees_wait) {
    await_device(block->device);
  } else if (lost(block->device) == cudaSuccess) {  // nothing runs on a device that is lost
    host_touches(range);
  }
  checker_.forget(range);
  memory.free(data);
  return cudaSuccess;
}

void FakeMachine::check_reach(StreamState const& stream, Operation const& operation, Actor actor) {
  for (auto const& access : operation.accesses) {
    std::uintptr_t begin = 0;
    auto const* const block = memory.around(access.begin, begin);
    bool const fits = block != nullptr && access.end() <= begin + block->bytes;
    bool const on_device = block != nullptr && block->kind == cudaMemoryTypeDevice;
    bool const near = on_device && (block->device == stream.device || peers.count({stream.device, block->device}) > 0);
    bool const good = actor == Actor::host ? !on_device : fits && (!on_device || near || actor == Actor::copier);
    if (good) continue;
    fail(zero::detail::concat({"fake runtime: ", zero::detail::quote(operation.name), " on stream ",
                               zero::detail::quote(stream.queue.name), " touches ", access.bytes,
                               " bytes that it does not reach: ",
                               on_device ? "memory of a device"
                               : fits    ? "host memory"
                                         : "no whole block"}));
    return;
  }
}

// What has not run yet is judged now: by the time it does, the memory may be somebody else's.
void FakeMachine::host_touches(Access const& access) {
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
void FakeMachine::see_host_writes(Operation const& operation) {
  for (auto const& access : operation.accesses) {
    for (auto const& written : memory.host_writes(access)) host_touches(written);
  }
}

}  // namespace fake_cuda
