// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/memory/buffer.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace zero {

/// Memory for what collectives read and write, of the kind that a communicator wants, for one backend: on a GPU the
/// device's, on the host what the processes of one machine share.
class CollectiveMemory {
 public:
  /// Memory full of zeros, from what \p owner is: null for the calling thread's device. \throws where there is none.
  using Allocate = void* (*)(void* owner, std::size_t bytes);
  /// Gives back what Allocate has handed out.
  using Deallocate = void (*)(void* owner, void* data) noexcept;

  CollectiveMemory() = default;
  /// Allocates by \p from, and gives back by \p back. Keeps \p owner, which both of them get, alive.
  CollectiveMemory(Allocate from, Deallocate back, std::shared_ptr<void> owner = nullptr) noexcept
      : allocate_(from), deallocate_(back), owner_(std::move(owner)), open_(from != nullptr) {}

  /// Whether memory for \p purpose is to come from here.
  [[nodiscard]] bool serves(MemoryPurpose purpose) const noexcept {
    return open_ && purpose != MemoryPurpose::master && purpose != MemoryPurpose::optimizer_states &&
           purpose != MemoryPurpose::control;
  }
  /// Memory of the communicator's. \throws as the function that it comes from.
  [[nodiscard]] void* allocate(std::size_t bytes) {
    blocks_.reserve(blocks_.size() + 1);
    void* const data = allocate_(owner_.get(), bytes);
    blocks_.push_back({data, bytes});
    return data;
  }
  /// False where \p data is not from here.
  [[nodiscard]] bool deallocate(void* data) noexcept {
    auto const is_it = [data](MemoryBlock const& block) { return block.data == data; };
    if (std::erase_if(blocks_, is_it) == 0) return false;
    deallocate_(owner_.get(), data);
    return true;
  }
  /// Hands out no more. \return what has been, in the order of the calls, which is the same on every rank.
  [[nodiscard]] std::span<MemoryBlock const> close() noexcept {
    open_ = false;
    return blocks_;
  }

 private:
  Allocate allocate_ = nullptr;
  Deallocate deallocate_ = nullptr;
  std::shared_ptr<void> owner_;
  bool open_ = false;
  std::vector<MemoryBlock> blocks_;
};

}  // namespace zero
