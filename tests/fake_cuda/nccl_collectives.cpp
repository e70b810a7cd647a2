// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// NCCL's collectives and groups.

#include "fake_cuda/nccl_call.hpp"

#include <zero/kernels/float_types.hpp>

#include <cstdint>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using fake_cuda::Access;
using fake_cuda::Bytes;
using fake_cuda::CommunicatorState;
using fake_cuda::FakeMachine;
using fake_cuda::handle_of;
using fake_cuda::in_progress;
using fake_cuda::nccl_call;
using fake_cuda::of;
using fake_cuda::Part;
using zero::simulation::reads;
using zero::simulation::writes;

std::size_t size_of(ncclDataType_t type) {
  return type == ncclUint64 ? 8 : type == ncclFloat32 ? 4 : type == ncclUint8 ? 1 : 2;
}
Bytes bytes_at(void const* data, std::size_t bytes) { return {static_cast<std::byte const*>(data), bytes}; }

// What is read and written may only be the same bytes where NCCL knows a collective in place.
void expect_apart(FakeMachine& all, std::vector<Access> const& accesses, bool in_place) {
  for (auto const& a : accesses) {
    for (auto const& b : accesses) {
      bool const overlap = a.writes && !b.writes && a.begin < b.end() && b.begin < a.end();
      if (overlap && !in_place) all.fail("fake runtime: a collective receives into what it sends");
    }
  }
}

ncclResult_t post(FakeMachine& all, CommunicatorState& communicator, Part part, bool in_place, cudaStream_t handle) {
  auto* const stream = all.stream(handle);
  if (stream == nullptr || stream->device != communicator.device) return ncclInvalidArgument;
  expect_apart(all, part.accesses, in_place);
  communicator.stream = stream;
  all.post(communicator, *stream, std::move(part));
  return all.failure() ? ncclInternalError : in_progress(communicator, 1);
}

// Adds what all ranks have given, in their order, from element `first` on.
template <class T>
void add(void* into, std::vector<Bytes> const& given, std::size_t first, std::size_t count) {
  auto const element = [&](Bytes bytes, std::size_t i) {
    T value;
    std::memcpy(&value, bytes.data() + (first + i) * sizeof(T), sizeof(T));
    return value;
  };
  for (std::size_t i = 0; i < count; ++i) {
    T sum = element(given[0], i);
    for (std::size_t q = 1; q < given.size(); ++q) {
      if constexpr (std::is_same_v<T, std::uint64_t>) {
        sum += element(given[q], i);
      } else {
        sum = zero::narrow<T>(zero::widen(sum) + zero::widen(element(given[q], i)));
      }
    }
    std::memcpy(static_cast<std::byte*>(into) + i * sizeof(T), &sum, sizeof(T));
  }
}

void add(ncclDataType_t type, void* into, std::vector<Bytes> const& given, std::size_t first, std::size_t count) {
  switch (type) {
    case ncclUint64:
      return add<std::uint64_t>(into, given, first, count);
    case ncclFloat32:
      return add<float>(into, given, first, count);
    case ncclFloat16:
      return add<zero::float16>(into, given, first, count);
    default:
      return add<zero::bfloat16>(into, given, first, count);
  }
}

// ------------------------------------------------------------------------------------------------- groups

/// What a thread has called since ncclGroupStart: one operation of its rank.
struct Group {
  ncclComm_t communicator = nullptr;
  cudaStream_t stream = nullptr;
  Part part{.operation = "group"};
  bool failed = false;
};
thread_local std::optional<Group> group;

Group* group_on(CommunicatorState& communicator, cudaStream_t stream, int peer) {
  if (!group || peer < 0 || static_cast<std::size_t>(peer) >= communicator.comm_group->size()) return nullptr;
  auto* const handle = handle_of(&communicator);
  if (group->communicator != nullptr && (group->communicator != handle || group->stream != stream)) return nullptr;
  group->communicator = handle, group->stream = stream;
  return &*group;
}

// Adds a send or a receipt to the thread's group, which is none any more where that fails.
template <class F>
ncclResult_t add_to_group(char const* name, ncclComm_t handle, cudaStream_t stream, int peer, F const& f) {
  auto const code = nccl_call(name, handle, [&](FakeMachine&, CommunicatorState& communicator) {
    auto* const made = group_on(communicator, stream, peer);
    if (made == nullptr) return ncclInvalidUsage;
    f(*made);
    return ncclSuccess;
  });
  if (code != ncclSuccess && group) group->failed = true;
  return code;
}

}  // namespace

extern "C" {

ncclResult_t ncclAllGather(void const* own, void* full, size_t count, ncclDataType_t type, ncclComm_t handle,
                           cudaStream_t stream) {
  return nccl_call("ncclAllGather", handle, [&](FakeMachine& all, CommunicatorState& communicator) {
    std::size_t const bytes = count * size_of(type), ranks = communicator.comm_group->size();
    auto* const to = static_cast<std::byte*>(full);
    auto const take = [=](std::vector<Bytes> const& given) {
      for (std::size_t q = 0; q < ranks; ++q) std::memcpy(to + q * bytes, given[q].data(), bytes);
    };
    bool const in_place = own == to + communicator.rank * bytes;
    return post(all, communicator,
                {"all-gather",
                 count,
                 size_of(type),
                 {reads(own, bytes), writes(full, ranks * bytes)},
                 {bytes_at(own, bytes)},
                 take},
                in_place, stream);
  });
}
ncclResult_t ncclAllReduce(void const* send, void* into, size_t count, ncclDataType_t type, ncclRedOp_t operation,
                           ncclComm_t handle, cudaStream_t stream) {
  return nccl_call("ncclAllReduce", handle, [&](FakeMachine& all, CommunicatorState& communicator) {
    if (operation != ncclSum) return ncclInvalidArgument;
    std::size_t const bytes = count * size_of(type);
    auto const take = [=](std::vector<Bytes> const& given) { add(type, into, given, 0, count); };
    return post(
        all, communicator,
        {"all-reduce", count, size_of(type), {reads(send, bytes), writes(into, bytes)}, {bytes_at(send, bytes)}, take},
        send == into, stream);
  });
}
ncclResult_t ncclReduceScatter(void const* send, void* into, size_t count, ncclDataType_t type, ncclRedOp_t operation,
                               ncclComm_t handle, cudaStream_t stream) {
  return nccl_call("ncclReduceScatter", handle, [&](FakeMachine& all, CommunicatorState& communicator) {
    if (operation != ncclSum) return ncclInvalidArgument;
    std::size_t const bytes = count * size_of(type), whole = bytes * communicator.comm_group->size();
    auto const first = communicator.rank * count;
    auto const take = [=](std::vector<Bytes> const& given) { add(type, into, given, first, count); };
    bool const in_place = into == static_cast<std::byte const*>(send) + communicator.rank * bytes;
    return post(all, communicator,
                {"reduce-scatter",
                 count,
                 size_of(type),
                 {reads(send, whole), writes(into, bytes)},
                 {bytes_at(send, whole)},
                 take},
                in_place, stream);
  });
}

ncclResult_t ncclGroupStart() {
  return nccl_call("ncclGroupStart", [](FakeMachine&) {
    group.emplace();
    return ncclSuccess;
  });
}
ncclResult_t ncclSend(void const* data, size_t count, ncclDataType_t type, int peer, ncclComm_t handle,
                      cudaStream_t stream) {
  return add_to_group("ncclSend", handle, stream, peer, [&](Group& made) {
    auto const bytes = bytes_at(data, count * size_of(type));
    made.part.messages.push_back(zero::Transfer::send(bytes.data(), bytes.size(), peer));
    made.part.accesses.push_back(reads(data, bytes.size()));
  });
}
ncclResult_t ncclRecv(void* data, size_t count, ncclDataType_t type, int peer, ncclComm_t handle, cudaStream_t stream) {
  return add_to_group("ncclRecv", handle, stream, peer, [&](Group& made) {
    std::size_t const bytes = count * size_of(type);
    made.part.messages.push_back(zero::Transfer::receive(static_cast<std::byte*>(data), bytes, peer));
    made.part.accesses.push_back(writes(data, bytes));
  });
}
// A group in which a call has failed does nothing.
ncclResult_t ncclGroupEnd() {
  auto made = std::exchange(group, std::nullopt);
  return nccl_call("ncclGroupEnd", [&](FakeMachine& all) {
    if (!made || made->failed) return ncclInvalidUsage;
    auto* const communicator = of(all, made->communicator);
    if (communicator == nullptr) return ncclInvalidUsage;
    auto* const stream = made->stream;
    return post(all, *communicator, std::move(made->part), false, stream);
  });
}

}  // extern "C"
