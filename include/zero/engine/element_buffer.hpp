// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/context.hpp>
#include <zero/engine/operations.hpp>
#include <zero/memory/buffer.hpp>
#include <zero/support/out_of_line.hpp>

#include <cstddef>

namespace zero::detail {

/// Owns elements of one role, whose size is known when the program runs. Zero-filled, move-only.
template <class Backend>
class ElementBuffer {
 public:
  ElementBuffer() = default;
  ZERO_OUT_OF_LINE ElementBuffer(EngineContext<Backend> const& engine, ElementRole role, MemoryKind kind,
                                 MemoryPurpose purpose, std::size_t count)
      : element_bytes_(engine.policies.bytes(role)),
        bytes_(engine.backend, engine.memory_report, kind, purpose, count * element_bytes_) {}

  [[nodiscard]] std::size_t element_bytes() const noexcept { return element_bytes_; }
  /// Address of an element.
  [[nodiscard]] std::byte* at(std::size_t element) const noexcept { return bytes_.data() + element * element_bytes_; }

 private:
  std::size_t element_bytes_ = 0;
  Buffer<std::byte, Backend> bytes_;
};

}  // namespace zero::detail
