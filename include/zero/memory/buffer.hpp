// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/backend.hpp>
#include <zero/error.hpp>
#include <zero/memory_report.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace zero::detail {

/// Owns memory of one kind and its entry in the engine's memory report, for elements of any type. Move-only.
template <class Backend>
class AccountedMemory {
 public:
  AccountedMemory() = default;
  ZERO_OUT_OF_LINE AccountedMemory(Backend& backend, MemoryReport& memory_report, MemoryKind kind,
                                   MemoryPurpose purpose, std::size_t count, std::size_t element_bytes)
      : entry_{&backend, &memory_report, kind, purpose, count, {}} {
    if (count == 0) return;
    if (count > SIZE_MAX / element_bytes) {
      fail<ConfigurationError>({"zero::detail::Buffer: size overflows: register fewer elements"});
    }
    entry_.block = backend.allocate(kind, purpose, count * element_bytes);
    memory_report.at(kind, purpose) += entry_.block.bytes;
  }
  AccountedMemory(AccountedMemory&& other) noexcept { swap(other); }
  AccountedMemory& operator=(AccountedMemory&& other) noexcept {
    swap(other);
    return *this;
  }
  ~AccountedMemory() {
    if (entry_.block.data != nullptr) release();
  }

  [[nodiscard]] void* data() const noexcept { return entry_.block.data; }
  [[nodiscard]] std::size_t count() const noexcept { return entry_.count; }

 private:
  struct Entry {
    Backend* backend = nullptr;
    MemoryReport* memory_report = nullptr;
    MemoryKind kind = MemoryKind::device;
    MemoryPurpose purpose = MemoryPurpose::control;
    std::size_t count = 0;
    MemoryBlock block{};
  };

  // Out of line: a constructor that throws gives back whatever it has, at every place at which it may.
  ZERO_OUT_OF_LINE void release() noexcept {
    entry_.memory_report->at(entry_.kind, entry_.purpose) -= entry_.block.bytes;
    entry_.backend->deallocate(entry_.kind, entry_.block);
  }
  ZERO_OUT_OF_LINE void swap(AccountedMemory& other) noexcept { std::swap(entry_, other.entry_); }

  Entry entry_;
};

/// Owns elements in one kind of a backend's memory, zero-filled, and keeps the engine's memory report while it
/// lives. Move-only.
template <class Element, class Backend>
class Buffer {
 public:
  Buffer() = default;
  /// Allocates \p count elements (none for 0). \p backend and \p memory_report must outlive the buffer.
  /// \throws whatever the backend's allocator throws; nothing is entered into the report then.
  Buffer(Backend& backend, MemoryReport& memory_report, MemoryKind kind, MemoryPurpose purpose, std::size_t count)
      : memory_(backend, memory_report, kind, purpose, count, sizeof(Element)) {}

  [[nodiscard]] Element* data() const noexcept { return static_cast<Element*>(memory_.data()); }
  [[nodiscard]] std::size_t size() const noexcept { return memory_.count(); }
  [[nodiscard]] std::span<Element> span() const noexcept { return {data(), size()}; }

 private:
  AccountedMemory<Backend> memory_;
};

}  // namespace zero::detail
