// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/collective_memory.hpp>
#include <zero/mpi/detail/available_memory.hpp>
#include <zero/mpi/detail/shared_memory.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <utility>

namespace zero::detail {

/// Where one engine of one rank has what collectives read and write, so that the other ranks of the host reach it.
/// Grows from block to block until it is sealed; gives its pages back at its end.
class SharedArena {
 public:
  static constexpr std::size_t alignment = 64;

  /// \p ranks: of this host, which all allocate alike.
  explicit SharedArena(int ranks) : memory_(SharedMemory::reserve_most()), ranks_(ranks) {}

  /// \p bytes of zeros. \throws ConfigurationError where the host has no room for all its ranks.
  [[nodiscard]] void* allocate(std::size_t bytes) {
    std::size_t const begin = used_, end = rounded(used_ + bytes, alignment);
    std::size_t const have = rounded(begin, memory_.page()), need = rounded(end, memory_.page());
    expect_memory_at_all(need * static_cast<std::size_t>(ranks_), what_for);
    expect_memory(need - have, what_for);
    if (need > memory_.bytes()) fail_shared_memory("the allocation", bytes, ENOMEM);
    allocate_pages(have, need);
    used_ = end;
    return memory_.data() + begin;
  }
  /// No block more, and no other size.
  void seal() { memory_.seal(bytes()); }

  [[nodiscard]] std::byte* data() const noexcept { return memory_.data(); }
  /// In whole pages.
  [[nodiscard]] std::size_t bytes() const noexcept { return rounded(used_, memory_.page()); }
  [[nodiscard]] int descriptor() const noexcept { return memory_.descriptor(); }

  /// What a backend allocates from, and keeps \p arena with.
  [[nodiscard]] static CollectiveMemory source(std::shared_ptr<SharedArena> arena) noexcept {
    auto const allocate = [](void* owner, std::size_t bytes) {
      return static_cast<SharedArena*>(owner)->allocate(bytes);
    };
    return {allocate, [](void* /*owner*/, void* /*data*/) noexcept {}, std::move(arena)};
  }

 private:
  static constexpr char const* what_for = "the buffers of collectives";

  // All ranks of the host allocate at once, and each page that is one too many ends one of its processes: so piece by
  // piece, each only where every rank would get one.
  void allocate_pages(std::size_t begin, std::size_t end) const {
    constexpr std::size_t piece = std::size_t{64} << 20U;
    while (begin < end) {
      std::size_t const bytes = (std::min)(piece, end - begin);
      expect_memory(bytes * static_cast<std::size_t>(ranks_), what_for, end * static_cast<std::size_t>(ranks_));
      memory_.allocate(begin, bytes);
      begin += bytes;
    }
  }
  [[nodiscard]] static std::size_t rounded(std::size_t bytes, std::size_t unit) noexcept {
    return (bytes + unit - 1) / unit * unit;
  }

  SharedMemory memory_;
  int ranks_;
  std::size_t used_ = 0;
};

}  // namespace zero::detail
