// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// NCCL between the threads of one process, as far as NcclCommunicator calls it: always in progress for some questions,
// collectives that run on the devices' queues once every rank has come, and aborts that let them go.

#include "nccl_stand_in/device_queue.hpp"

#include <nccl.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace {

/// What one rank gives to a collective: one buffer, or one for every peer.
using Buffers = std::vector<std::pair<void const*, std::size_t>>;
using Everybodys = std::map<int, Buffers>;

/// The ranks of one communicator.
struct World {
  int size = 0;
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::uint64_t, Everybodys> posted;  // by collective
  std::map<std::uint64_t, int> left;
  std::map<int, std::pair<int, int>> split;  // color and key by rank
};

std::shared_ptr<World> world_called(std::string const& name, int size) {
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<World>> all;
  std::lock_guard const lock(mutex);
  auto& world = all[name];
  if (!world) {
    world = std::make_shared<World>();
    world->size = size;
  }
  return world;
}

std::atomic<int> failing_rank{-1};
std::atomic<int> held_registrations{0};

struct PointToPoint {
  bool sends;
  void* data;
  std::size_t bytes;
  int peer;
};
thread_local std::vector<PointToPoint> group;
thread_local ncclComm_t group_communicator = nullptr;

std::size_t size_of(ncclDataType_t type) {
  return type == ncclUint64 ? 8 : type == ncclFloat32 ? 4 : type == ncclUint8 ? 1 : 2;
}

}  // namespace

struct ncclComm {
  std::shared_ptr<World> world;
  std::string name;
  int rank = 0;
  std::atomic<bool> aborted{false};
  std::atomic<int> questions{0};  // that are answered with "in progress"
  std::uint64_t collectives = 0;

  ncclResult_t begin(int some) {
    questions = some;
    return ncclInProgress;
  }
  /// Used before the last call had ended.
  [[nodiscard]] bool is_busy() const { return questions > 0; }
  // Waits on the device until \p there, or for ever, unless the communicator is aborted.
  template <class There>
  bool wait(std::unique_lock<std::mutex>& lock, There there) {
    while (!there()) {
      if (aborted) return false;
      world->changed.wait_for(lock, std::chrono::milliseconds(1));
    }
    return true;
  }
  /// Runs \p use with what every rank has given, on this rank's device, between two meetings.
  void meet(Buffers mine, std::function<void(Everybodys const&)> use) {
    nccl_stand_in::queue().put([this, mine = std::move(mine), use = std::move(use), number = collectives++] {
      auto const size = static_cast<std::size_t>(world->size);
      std::unique_lock lock(world->mutex);
      world->posted[number][rank] = mine;
      world->changed.notify_all();
      if (!wait(lock, [&] { return world->posted[number].size() == size; })) return;
      auto const& all = world->posted[number];
      lock.unlock();
      use(all);
      lock.lock();
      ++world->left[number];
      world->changed.notify_all();
      (void)wait(lock, [&] { return world->left[number] == world->size; });
    });
  }
};

void nccl_stand_in::fail_asynchronously(int rank) { failing_rank = rank; }
int nccl_stand_in::registrations() { return held_registrations; }

extern "C" {

ncclResult_t ncclGetVersion(int* version) {
  *version = NCCL_VERSION_CODE;
  return ncclSuccess;
}
char const* ncclGetErrorString(ncclResult_t /*code*/) { return "an error of the stand-in"; }
char const* ncclGetLastError(ncclComm_t /*communicator*/) { return ""; }
ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  static std::atomic<int> count{0};
  std::memset(id, 0, sizeof *id);
  std::snprintf(id->internal, sizeof id->internal, "world %d", ++count);
  return ncclSuccess;
}

ncclResult_t ncclCommInitRankConfig(ncclComm_t* made, int size, ncclUniqueId id, int rank, ncclConfig_t* config) {
  if (config == nullptr || config->blocking != 0) return ncclInvalidArgument;  // could not be aborted
  *made = new ncclComm;
  (*made)->name = id.internal, (*made)->rank = rank;
  (*made)->world = world_called((*made)->name, size);
  return (*made)->begin(5);
}
ncclResult_t ncclCommGetAsyncError(ncclComm_t communicator, ncclResult_t* state) {
  *state = ncclSuccess;
  if (failing_rank == communicator->rank) {
    *state = ncclSystemError;
  } else if (communicator->questions > 0) {
    --communicator->questions;
    *state = ncclInProgress;
  }
  return ncclSuccess;
}
// Neither is given back: a device may still be inside.
ncclResult_t ncclCommAbort(ncclComm_t communicator) {
  communicator->aborted = true;
  return ncclSuccess;
}
ncclResult_t ncclCommDestroy(ncclComm_t /*communicator*/) { return ncclSuccess; }
ncclResult_t ncclCommFinalize(ncclComm_t communicator) {
  nccl_stand_in::queue().drain();
  return communicator->begin(2);
}
ncclResult_t ncclCommCount(ncclComm_t const communicator, int* size) {
  *size = communicator->world->size;
  return ncclSuccess;
}
ncclResult_t ncclCommUserRank(ncclComm_t const communicator, int* rank) {
  *rank = communicator->rank;
  return ncclSuccess;
}
// Rank 1 cannot: then no rank may.
ncclResult_t ncclCommRegister(ncclComm_t const communicator, void* data, size_t /*bytes*/, void** handle) {
  if (communicator->rank == 1) return ncclInvalidUsage;
  ++held_registrations;
  *handle = data;
  return ncclSuccess;
}
ncclResult_t ncclCommDeregister(ncclComm_t const /*communicator*/, void* /*handle*/) {
  --held_registrations;
  return ncclSuccess;
}

// Where nothing is made on a rank it says success, and goes on, as NCCL does.
ncclResult_t ncclCommSplit(ncclComm_t communicator, int color, int key, ncclComm_t* made, ncclConfig_t* /*config*/) {
  *made = nullptr;
  if (communicator->is_busy()) return ncclInvalidArgument;
  auto& world = *communicator->world;
  std::unique_lock lock(world.mutex);
  world.split[communicator->rank] = {color, key};
  world.changed.notify_all();
  world.changed.wait(lock, [&] { return static_cast<int>(world.split.size()) == world.size; });
  communicator->questions = 2;
  if (color < 0) return ncclSuccess;
  std::vector<std::pair<int, int>> members;  // key and rank
  for (auto const& [rank, choice] : world.split) {
    if (choice.first == color) members.emplace_back(choice.second, rank);
  }
  std::sort(members.begin(), members.end());
  auto const me =
      std::find_if(members.begin(), members.end(), [&](auto const& m) { return m.second == communicator->rank; });
  *made = new ncclComm;
  (*made)->name = communicator->name + ", color " + std::to_string(color);
  (*made)->rank = static_cast<int>(me - members.begin());
  (*made)->world = world_called((*made)->name, static_cast<int>(members.size()));
  (*made)->questions = 3;
  return ncclInProgress;
}

ncclResult_t ncclAllGather(void const* own, void* full, size_t count, ncclDataType_t type, ncclComm_t communicator,
                           cudaStream_t /*stream*/) {
  std::size_t const bytes = count * size_of(type);
  communicator->meet({{own, bytes}}, [=](Everybodys const& all) {
    for (auto const& [rank, given] : all) {
      auto* const to = static_cast<char*>(full) + static_cast<std::size_t>(rank) * bytes;
      if (to != given[0].first) std::memcpy(to, given[0].first, bytes);  // in place: peers read it meanwhile
    }
  });
  return communicator->begin(1);
}
ncclResult_t ncclAllReduce(void const* send, void* into, size_t count, ncclDataType_t type, ncclRedOp_t operation,
                           ncclComm_t communicator, cudaStream_t /*stream*/) {
  if (type != ncclUint64 || operation != ncclSum || communicator->is_busy()) return ncclInvalidArgument;
  auto const copy = std::make_shared<std::vector<std::uint64_t>>(count);  // others read it while `into` is written
  nccl_stand_in::queue().put([=] { std::memcpy(copy->data(), send, count * 8); });
  communicator->meet({{copy->data(), count}}, [=](Everybodys const& all) {
    std::vector<std::uint64_t> sums(count);
    for (auto const& [rank, given] : all) {
      for (std::size_t i = 0; i < count; ++i) sums[i] += static_cast<std::uint64_t const*>(given[0].first)[i];
    }
    std::memcpy(into, sums.data(), count * 8);
    (void)copy;
  });
  return ncclSuccess;
}
ncclResult_t ncclReduceScatter(void const* send, void* into, size_t count, ncclDataType_t type, ncclRedOp_t operation,
                               ncclComm_t communicator, cudaStream_t /*stream*/) {
  if (type != ncclFloat32 || operation != ncclSum) return ncclInvalidArgument;
  auto const mine = static_cast<std::size_t>(communicator->rank) * count;
  communicator->meet({{send, count}}, [=](Everybodys const& all) {
    std::vector<float> sums(count);
    for (auto const& [rank, given] : all) {
      for (std::size_t i = 0; i < count; ++i) sums[i] += static_cast<float const*>(given[0].first)[mine + i];
    }
    std::memcpy(into, sums.data(), count * sizeof(float));
  });
  return communicator->begin(1);
}

ncclResult_t ncclGroupStart() { return ncclSuccess; }
ncclResult_t ncclSend(void const* data, size_t count, ncclDataType_t type, int peer, ncclComm_t communicator,
                      cudaStream_t /*stream*/) {
  group_communicator = communicator;
  group.push_back({true, const_cast<void*>(data), count * size_of(type), peer});
  return ncclSuccess;
}
ncclResult_t ncclRecv(void* data, size_t count, ncclDataType_t type, int peer, ncclComm_t communicator,
                      cudaStream_t /*stream*/) {
  group_communicator = communicator;
  group.push_back({false, data, count * size_of(type), peer});
  return ncclSuccess;
}
ncclResult_t ncclGroupEnd() {
  auto const calls = std::exchange(group, {});
  auto* const communicator = group_communicator;
  Buffers mine(static_cast<std::size_t>(communicator->world->size));
  for (auto const& call : calls) {
    if (call.sends) mine[static_cast<std::size_t>(call.peer)] = {call.data, call.bytes};
  }
  communicator->meet(std::move(mine), [=, me = static_cast<std::size_t>(communicator->rank)](Everybodys const& all) {
    for (auto const& call : calls) {
      if (call.sends) continue;
      auto const [from, bytes] = all.at(call.peer)[me];
      if (bytes != call.bytes) std::abort();  // NCCL would hang, or worse
      std::memcpy(call.data, from, bytes);
    }
  });
  return communicator->begin(2);
}

}  // extern "C"
