// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/communicator.hpp>
#include <zero/engine/observation.hpp>
#include <zero/engine/operations.hpp>
#include <zero/engine/phase.hpp>
#include <zero/engine/recordable.hpp>
#include <zero/flat_layout.hpp>
#include <zero/layout/offload_split.hpp>
#include <zero/memory/buffer.hpp>
#include <zero/parameter.hpp>
#include <zero/traffic.hpp>

#include <cstddef>
#include <string_view>
#include <vector>

namespace zero::detail {

/// What the parts of one engine share. All of it is borrowed and outlives them. The parts change what it refers to: the
/// backend, the reports and the phase.
template <class Backend>
struct EngineContext {
  Backend& backend;
  Collectives<Backend>& collectives;
  Kernels<Backend>& kernels;
  Policies& policies;
  MemoryReport& memory_report;
  Traffic& traffic;
  EnginePhase& phase;  ///< keeps what fails in noexcept paths
  FlatLayout const& layout;
  std::vector<ParameterSpec> const& specs;
  typename Backend::Stream communication;  ///< of every collective
  std::size_t rank = 0;
  OffloadSplit offload_split{};                                        ///< of what this rank owns; all of it
                                                                       ///< without offload
  Observation<typename Backend::Stream> const* observation = nullptr;  ///< who watches; null: nobody

  /// \throws SequenceError for a \p call that is not allowed in this phase, that cannot be recorded inside a capture of
  /// this engine, or that would put its work on streams that another one records: \p streams or the engine's own. And
  /// as EnginePhase::require_allowed.
  template <class... Streams>
  void require_allowed(EngineCall call, Streams... streams) const {
    phase.require_allowed(call);
    require_recordable(backend, "zero::Engine", call, communication, streams...);
  }
  /// The same for a \p call that the phase knows nothing of.
  template <class... Streams>
  void require_own_streams(std::string_view call, Streams... streams) const {
    detail::require_own_streams(backend, "zero::Engine", call, communication, streams...);
  }

  [[nodiscard]] std::size_t world() const noexcept { return layout.settings().world; }
  [[nodiscard]] Stage stage() const noexcept { return layout.settings().stage; }

  // What a rank owns of a bucket's fp32 states and reduced gradients: all of it at stage 0, else its slice.
  [[nodiscard]] bool owns_whole() const noexcept { return stage() == Stage::none; }
  [[nodiscard]] std::size_t owned_elements(std::size_t b) const noexcept {
    return owns_whole() ? layout.buckets()[b].elements : layout.slice_elements(b);
  }
  [[nodiscard]] std::size_t owned_offset(std::size_t b) const noexcept {
    return layout.buckets()[b].begin / (owns_whole() ? 1 : world());
  }
  /// Of the elements that this rank owns, those whose sums, masters and states lie in host memory.
  [[nodiscard]] std::size_t host_elements() const noexcept { return layout.owned() - offload_split.elements; }
  [[nodiscard]] std::size_t largest_owned() const noexcept {
    std::size_t largest = 0;
    for (std::size_t b = 0; b < layout.trainable_buckets(); ++b) {
      if (owned_elements(b) > largest) largest = owned_elements(b);
    }
    return largest;
  }
};

}  // namespace zero::detail
