// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/context.hpp>
#include <zero/layout/offload_split.hpp>
#include <zero/memory/buffer.hpp>
#include <zero/support/out_of_line.hpp>

#include <cstddef>

namespace zero::detail {

/// Owns one fp32 number for every element that this rank updates, where the device's share has it.
template <class Backend>
class StateArray {
 public:
  StateArray() = default;
  ZERO_OUT_OF_LINE StateArray(EngineContext<Backend> const& engine, MemoryPurpose purpose)
      : split_(engine.offload_split),
        on_device_(engine.backend, engine.memory_report, MemoryKind::device, purpose, split_.elements),
        on_host_(engine.backend, engine.memory_report, MemoryKind::pageable, purpose, engine.host_elements()) {}

  /// The number of an element of all that this rank owns. Consecutive ones are neighbours in each of both places.
  [[nodiscard]] float* at(std::size_t element) const noexcept {
    return split_.holds(element) ? on_device_.data() + element : on_host_.data() + (element - split_.elements);
  }

 private:
  OffloadSplit split_;
  Buffer<float, Backend> on_device_;
  Buffer<float, Backend> on_host_;
};

}  // namespace zero::detail
