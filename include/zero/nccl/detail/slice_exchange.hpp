// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/nccl/detail/types.hpp>
#include <zero/nccl/reduction.hpp>

#include <cuda_runtime_api.h>
#include <nccl.h>

#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace zero::detail {

/// Brings the slice for this rank of every rank with an addend here, so that they can be added in rank order; absent
/// ranks send nothing. Of up to as many ranks as `NcclReductions::most_at_once`, the own slice stays where it is; of
/// more it takes a slot of the staging, too. Borrows what it is made of.
template <class Element>
class SliceExchange {
 public:
  /// \p send: \p world slices of \p count elements; \p addends: ranks that have one, from rank 0 on; \p staging: device
  /// memory, as much as NcclReductions says.
  SliceExchange(Element const* send, std::size_t count, int rank, int world, int addends, std::span<std::byte> staging)
      : send_(send), count_(count), rank_(rank), world_(world), addends_(addends) {
    auto const mine = static_cast<std::size_t>(rank), ranks = static_cast<std::size_t>(world);
    if (ranks > few_.size()) many_.resize(ranks);
    auto* next = staging.data();
    for (std::size_t q = 0; q < ranks; ++q) {
      slot_array()[q] = q == mine && many_.empty() ? own() : reinterpret_cast<Element const*>(next);
      if (slot_array()[q] != own()) next += NcclReductions::pitch(count, sizeof(Element));
    }
  }

  /// One address for each rank with an addend, in rank order: its slice, once `exchange` has run.
  [[nodiscard]] Element const* const* sources() const noexcept { return many_.empty() ? few_.data() : many_.data(); }
  /// This rank's own slice of what it sends.
  [[nodiscard]] Element const* own() const noexcept { return send_ + static_cast<std::size_t>(rank_) * count_; }
  /// Where the own slice is to be copied before the sum; `own()` where it stays.
  [[nodiscard]] Element const* own_slot() const noexcept { return sources()[rank_]; }

  /// One group, which NCCL runs at once: slice q of what is sent to rank q, and rank q's to its slot.
  [[nodiscard]] ncclResult_t exchange(ncclComm_t communicator, cudaStream_t stream) const {
    auto code = ncclGroupStart();
    auto const so_far = [&] { return code == ncclSuccess || code == ncclInProgress; };
    for (int i = 1; i < world_ && so_far(); ++i) {
      int const to = (rank_ + i) % world_, from = (rank_ - i + world_) % world_;  // not all to the same rank first
      if (rank_ < addends_) {
        code = ncclSend(send_ + static_cast<std::size_t>(to) * count_, count_, nccl_type<Element>(), to, communicator,
                        stream);
      }
      if (from >= addends_ || !so_far()) continue;
      code = ncclRecv(const_cast<Element*>(sources()[from]), count_, nccl_type<Element>(), from, communicator, stream);
    }
    auto const end = ncclGroupEnd();  // also after an error: the group is the thread's
    return so_far() ? end : code;
  }

 private:
  [[nodiscard]] Element const** slot_array() noexcept { return many_.empty() ? few_.data() : many_.data(); }

  Element const* send_;
  std::size_t count_;
  int rank_;
  int world_;
  int addends_;
  std::array<Element const*, NcclReductions::most_at_once> few_{};
  std::vector<Element const*> many_;
};

}  // namespace zero::detail
