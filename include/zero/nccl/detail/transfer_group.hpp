// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/point_to_point.hpp>

#include <nccl.h>

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace zero::detail {

/// Whether NCCL has to move \p transfer of \p rank: not what stays on it, nor what is empty.
[[nodiscard]] inline bool moves_by_nccl(zero::Transfer const& transfer, int rank) noexcept {
  return transfer.peer != rank && transfer.bytes > 0;
}

/// The messages of an all-to-all of slices of \p count elements, but the one that stays on \p rank.
template <class Element>
[[nodiscard]] std::vector<zero::Transfer> all_to_all_list(Element const* send, Element* receive, std::size_t count,
                                                          int rank, int world) {
  std::vector<zero::Transfer> list;
  for (int i = 1; i < world; ++i) {
    int const to = (rank + i) % world, from = (rank - i + world) % world;  // not all to the same rank first
    list.push_back(zero::Transfer::send(send + static_cast<std::size_t>(to) * count, count, to));
    list.push_back(zero::Transfer::receive(receive + static_cast<std::size_t>(from) * count, count, from));
  }
  return list;
}

/// One group, which NCCL runs at once: what \p list moves between \p rank and others.
[[nodiscard]] inline ncclResult_t transfer_in_group(std::span<zero::Transfer const> list, int rank,
                                                    ncclComm_t communicator, cudaStream_t stream) {
  auto code = ncclGroupStart();
  auto const so_far = [&] { return code == ncclSuccess || code == ncclInProgress; };
  for (auto const& transfer : list) {
    if (!so_far()) break;
    if (!moves_by_nccl(transfer, rank)) continue;
    code = transfer.sends() ? ncclSend(transfer.data, transfer.bytes, ncclUint8, transfer.peer, communicator, stream)
                            : ncclRecv(transfer.data, transfer.bytes, ncclUint8, transfer.peer, communicator, stream);
  }
  auto const end = ncclGroupEnd();  // also after an error: the group is the thread's
  return so_far() ? end : code;
}

}  // namespace zero::detail
