// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/buffer.hpp>
#include <zero/engine_context.hpp>
#include <zero/offload.hpp>

#include <cstddef>

namespace zero {

/// Which buckets keep their sums, master parameters and states on the device: the first ones, in the order of
/// reduction. The others' lie in host memory. The same on every rank.
struct ResidentBuckets {
  std::size_t count = 0;     ///< buckets
  std::size_t elements = 0;  ///< that this rank owns of them

  /// All buckets without offload, else as many as \p config leaves on the device.
  template <class Backend>
  [[nodiscard]] static ResidentBuckets of(EngineContext<Backend> const& engine, CpuOffload::Config const& config) {
    std::size_t const all = engine.owned_in_all();
    if (!engine.operations.facts().offloads) return {engine.layout.trainable_buckets(), all};
    auto const room = static_cast<std::size_t>(config.device_share * static_cast<double>(all));
    ResidentBuckets resident;
    while (resident.count < engine.layout.trainable_buckets()) {
      std::size_t const more = engine.owned_elements(resident.count);
      if (more > room - resident.elements) break;
      ++resident.count, resident.elements += more;
    }
    return resident;
  }

  [[nodiscard]] bool holds(std::size_t bucket) const noexcept { return bucket < count; }
};

/// Owns one fp32 number for every element that this rank updates, where its bucket keeps them.
template <class Backend>
class StateArray {
 public:
  StateArray() = default;
  [[gnu::noinline]] StateArray(EngineContext<Backend> const& engine, ResidentBuckets resident, MemoryPurpose purpose)
      : resident_(resident),
        on_device_(engine.backend, engine.books, MemoryKind::device, purpose, resident.elements),
        on_host_(engine.backend, engine.books, MemoryKind::pageable, purpose,
                 engine.owned_in_all() - resident.elements) {}

  /// What this rank owns of bucket \p b, which starts at element \p owned_offset of all that it owns.
  [[nodiscard]] float* bucket(std::size_t b, std::size_t owned_offset) const noexcept {
    return resident_.holds(b) ? on_device_.data() + owned_offset
                              : on_host_.data() + (owned_offset - resident_.elements);
  }

 private:
  ResidentBuckets resident_;
  Buffer<float, Backend> on_device_;
  Buffer<float, Backend> on_host_;
};

}  // namespace zero
