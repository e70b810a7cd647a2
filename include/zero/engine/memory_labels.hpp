// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/context.hpp>
#include <zero/engine/operations.hpp>
#include <zero/error.hpp>
#include <zero/flat_layout.hpp>
#include <zero/gradients/reducer.hpp>
#include <zero/parameters/gatherer.hpp>
#include <zero/parameters/updater.hpp>
#include <zero/support/message.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace zero::detail {

/// Tells a backend that asks what lies where in an engine's buffers: which parameter of which bucket. For messages.
template <class Backend>
class BufferNames {
 public:
  explicit BufferNames(EngineContext<Backend> const& engine) : engine_(engine) {}

  void tell(ParameterGatherer<Backend> const& gatherer, GradientReducer<Backend> const& reducer,
            ParameterUpdater<Backend> const& updater) const {
    for (std::size_t b = 0; b < engine_.layout.buckets().size(); ++b) {
      bool const whole = gatherer.is_whole(b);
      name(b, whole, whole ? gatherer.whole_bucket(b) : gatherer.slice(b), ElementRole::value, "parameter ");
      if (b >= engine_.layout.trainable_buckets()) continue;
      name_gradients(b, reducer);
      name_owned(b, "gradient sum of ", ElementRole::sum, [&](std::size_t at) -> void* { return reducer.sum(b, at); });
      if (engine_.policies.traits().has_master()) {
        name_owned(b, "master parameter ", ElementRole::state, [&](std::size_t at) { return updater.master(b, at); });
      }
      for (std::size_t k = 0; k < engine_.policies.traits().state_count; ++k) {
        name_owned(b, concat({"state ", k, " of "}), ElementRole::state,
                   [&](std::size_t at) { return updater.state(k, b, at); });
      }
    }
  }

 private:
  // The parts of a bucket, or of this rank's slice of it, from `at` on.
  void name(std::size_t b, bool whole, void const* at, ElementRole role, std::string_view what) const {
    for (auto const& segment : segments_of(b, whole)) {
      name_part(b, static_cast<std::byte const*>(at) + segment.offset * engine_.policies.bytes(role), segment,
                segment.count, role, what);
    }
  }
  // The same of what this rank owns, whose elements lie where `address` says, neighbours within the device's share.
  template <class Address>
  void name_owned(std::size_t b, std::string_view what, ElementRole role, Address&& address) const {
    std::size_t const owned = engine_.owned_offset(b);
    for (auto const& segment : segments_of(b, engine_.owns_whole())) {
      engine_.offload_split.for_each_part(owned + segment.offset, segment.count, [&](std::size_t first, std::size_t n) {
        name_part(b, address(first - owned), segment, n, role, what);
      });
    }
  }
  [[nodiscard]] std::vector<Segment> segments_of(std::size_t b, bool whole) const {
    std::size_t const slice = engine_.layout.slice_elements(b);
    std::size_t const begin = whole ? 0 : engine_.rank * slice;
    std::vector<Segment> segments;
    FlatLayout::clip_segments(segments, engine_.layout.buckets()[b].segments, begin,
                              whole ? engine_.layout.buckets()[b].elements : begin + slice);
    return segments;
  }
  void name_part(std::size_t b, void const* at, Segment const& segment, std::size_t count, ElementRole role,
                 std::string_view what) const {
    engine_.backend.name_memory(at, count * engine_.policies.bytes(role),
                                concat({what, quote(engine_.specs[segment.parameter].name), " in bucket ", b}));
  }

  // Buckets of the ring take turns in one place: no parameter of one of them says what lies there.
  void name_gradients(std::size_t b, GradientReducer<Backend> const& reducer) const {
    auto const& bucket = engine_.layout.buckets()[b];
    bool const in_turns =
        engine_.stage() >= Stage::gradients && engine_.layout.blocks()[bucket.block].slot == GradientSlot::ring;
    if (!in_turns) return name(b, true, reducer.slot(b), ElementRole::value, "gradient of ");
    engine_.backend.name_memory(reducer.slot(b), bucket.elements * engine_.policies.bytes(ElementRole::value),
                                "the slot of the gradient ring that a bucket of gradients lies in");
  }

  EngineContext<Backend> const& engine_;
};

}  // namespace zero::detail
