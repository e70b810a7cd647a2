// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine_context.hpp>
#include <zero/error.hpp>
#include <zero/flat_layout.hpp>
#include <zero/gradient_reducer.hpp>
#include <zero/operations.hpp>
#include <zero/parameter_gatherer.hpp>
#include <zero/parameter_updater.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace zero {

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
      name(b, engine_.owns_whole(), reducer.sum(b), ElementRole::sum, "gradient sum of ");
      if (engine_.operations.facts().has_master()) {
        name(b, engine_.owns_whole(), updater.master(b), ElementRole::state, "master parameter ");
      }
      for (std::size_t k = 0; k < engine_.operations.facts().state_count; ++k) {
        auto const what = detail::sentence({"state ", k, " of "});
        name(b, engine_.owns_whole(), updater.state(k, b), ElementRole::state, what);
      }
    }
  }

 private:
  // The parts of a bucket, or of this rank's slice of it, from `at` on.
  void name(std::size_t b, bool whole, void const* at, ElementRole role, std::string_view what) const {
    std::size_t const slice = engine_.layout.slice_elements(b);
    std::size_t const begin = whole ? 0 : engine_.rank * slice;
    std::vector<Piece> pieces;
    FlatLayout::clip_pieces(pieces, engine_.layout.buckets()[b].pieces, begin,
                            whole ? engine_.layout.buckets()[b].elements : begin + slice);
    std::size_t const bytes = engine_.operations.bytes(role);
    for (auto const& piece : pieces) {
      engine_.backend.name_memory(
          static_cast<std::byte const*>(at) + piece.offset * bytes, piece.count * bytes,
          detail::sentence({what, detail::quoted(engine_.specs[piece.parameter].name), " in bucket ", b}));
    }
  }

  // Buckets of the ring take turns in one place: no parameter of one of them says what lies there.
  void name_gradients(std::size_t b, GradientReducer<Backend> const& reducer) const {
    auto const& bucket = engine_.layout.buckets()[b];
    bool const in_turns =
        engine_.stage() >= Stage::gradients && engine_.layout.blocks()[bucket.block].slot == GradientSlot::ring;
    if (!in_turns) return name(b, true, reducer.slot(b), ElementRole::value, "gradient of ");
    engine_.backend.name_memory(reducer.slot(b), bucket.elements * engine_.operations.bytes(ElementRole::value),
                                "the slot of the gradient ring that a bucket of gradients lies in");
  }

  EngineContext<Backend> const& engine_;
};

}  // namespace zero
