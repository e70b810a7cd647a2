// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/flat_layout.hpp>
#include <zero/parameter.hpp>
#include <zero/partitioner.hpp>
#include <zero/support/fixed_array.hpp>
#include <zero/support/out_of_line.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace zero::detail {

/// Says which gradient buckets a gather call closes at stage 3: those of units that backward has passed. A function of
/// the registered parameters and of the gather calls of a micro-batch, which all ranks make in the same order, and of
/// nothing that one rank alone knows, such as what has arrived: so that all ranks issue one sequence of all-gathers and
/// reduce-scatters.
///
/// A unit is a run of neighbouring buckets here, and lies above the runs after it; in a model of one unit each bucket
/// is a run. A gather of a unit closes
/// - all buckets up to those of the nearest unit above it that was gathered twice or more in this micro-batch and is
///   not held now: forward and backward, or the recomputation of a segment, have gone past it;
/// - where the unit is gathered for the first time, what its gradients and those above it need the places of, as far as
///   each unit up to there has been gathered: backward without gathers in forward.
/// Parameters with several contributions, and those that are kept whole, say nothing of where backward is: a gather of
/// nothing else closes what is passed of the unit that was gathered before it.
class ClosingSchedule {
 public:
  /// \p specs and \p layout are borrowed and must outlive this. Below stage 3 nothing is closed, except in a joint step
  /// with an engine at stage 3; a bucket may lie in several units there, and is a run.
  ZERO_OUT_OF_LINE ClosingSchedule(std::vector<ParameterSpec> const& specs, FlatLayout const& layout,
                                   bool in_joint_step = false)
      : layout_(layout),
        run_begin_(is_sharded(layout) || in_joint_step ? in_order_buckets(specs, layout) : 0),
        parameters_(specs.size()) {
    bool const one_unit = std::all_of(specs.begin(), specs.end(),
                                      [&](ParameterSpec const& spec) { return spec.unit == specs.front().unit; });
    for (std::size_t b = 0; b < run_begin_.size(); ++b) {
      run_begin_[b] = !one_unit && is_sharded(layout) && b > 0 && unit(b) == unit(b - 1) ? run_begin_[b - 1] : b;
    }
    for (std::size_t i = 0; i < specs.size(); ++i) {
      parameters_[i].in_order = !specs[i].frozen && layout.extents()[i].first_bucket < run_begin_.size();
    }
  }

  /// Whether bucket \p b is one of those that gathers may close; the others come last.
  [[nodiscard]] bool is_in_order(std::size_t b) const noexcept { return b < run_begin_.size(); }

  /// Starts a micro-batch: nothing has been gathered.
  void begin() noexcept {
    for (auto& parameter : parameters_) parameter.visits = 0;
    last_ = {};
    closed_ = 0;
  }

  /// Notes a gather of \p ids, and returns the first bucket that all gathers so far leave open. `needed(block)` is how
  /// many buckets must have been reduced before the gradients of a block may be written; `held(block)` says whether a
  /// lease holds a block now: a gather of what is held counts for nothing.
  template <class Needed, class Held>
  [[nodiscard]] std::size_t gather(std::span<ParameterId const> ids, Needed const& needed, Held const& held) {
    ++call_;
    Gathered now{.above = SIZE_MAX, .first = true};
    for (auto id : ids) {
      auto const& extent = layout_.extents()[id.index];
      auto& parameter = parameters_[id.index];
      if (!parameter.in_order || held(extent.block)) continue;
      now.above = (std::min)(now.above, run_begin_[extent.first_bucket]);
      if (parameter.last_call == call_) continue;
      parameter.last_call = call_;
      now.first = now.first && parameter.visits == 0;
      now.wanted = (std::max)(now.wanted, needed(extent.block));
      if (parameter.visits < 2) ++parameter.visits;
    }
    if (now.above != SIZE_MAX) last_ = now;
    if (last_.above <= closed_) return closed_;
    auto const at_first = last_.first ? first_passed(needed, held) : closed_;
    return closed_ = (std::max)(passed(held), at_first);
  }

 private:
  // The gather that said last where the passes are.
  struct Gathered {
    std::size_t above = 0;   // buckets of units above all of its parameters
    std::size_t wanted = 0;  // buckets whose places their gradients need
    bool first = false;      // of all of them
  };
  struct Parameter {
    bool in_order = false;        ///< its gradients are complete when backward has passed its unit
    std::uint8_t visits = 0;      ///< gathers in this micro-batch; 2 stands for more
    std::uint64_t last_call = 0;  ///< the gather that counted last
  };

  [[nodiscard]] static bool is_sharded(FlatLayout const& layout) noexcept {
    return layout.settings().stage == Stage::parameters;
  }
  [[nodiscard]] int unit(std::size_t b) const noexcept { return layout_.blocks()[layout_.buckets()[b].block].unit; }

  // Those that come first, and whose gradients are complete in the order of backward.
  [[nodiscard]] static std::size_t in_order_buckets(std::vector<ParameterSpec> const& specs, FlatLayout const& layout) {
    std::size_t b = 0;
    while (b < layout.trainable_buckets() &&
           !(is_sharded(layout) && layout.blocks()[layout.buckets()[b].block].whole) &&
           specs[layout.buckets()[b].segments.front().parameter].contributions == 1) {
      ++b;
    }
    return b;
  }

  // The end of the run that bucket `b` is part of.
  [[nodiscard]] std::size_t run_end(std::size_t b) const noexcept {
    std::size_t end = b + 1;
    while (end < run_begin_.size() && run_begin_[end] == run_begin_[b]) ++end;
    return end;
  }
  // Gathers of the run that ends at bucket `end`: the fewest of its parameters that were gathered at all.
  [[nodiscard]] int visits(std::size_t end) const noexcept {
    int fewest = 0;
    for (std::size_t b = run_begin_[end - 1]; b < end; ++b) {
      for (auto const& segment : layout_.buckets()[b].segments) {
        int const visits = parameters_[segment.parameter].visits;
        if (visits > 0 && (fewest == 0 || visits < fewest)) fewest = visits;
      }
    }
    return fewest;
  }
  template <class Held>
  [[nodiscard]] bool is_held(std::size_t end, Held const& held) const {
    for (std::size_t b = run_begin_[end - 1]; b < end; ++b) {
      if (held(layout_.buckets()[b].block)) return true;
    }
    return false;
  }

  template <class Held>
  [[nodiscard]] std::size_t passed(Held const& held) const {
    for (std::size_t end = last_.above; end > closed_; end = run_begin_[end - 1]) {
      if (visits(end) >= 2 && !is_held(end, held)) return end;
    }
    return closed_;
  }

  template <class Needed, class Held>
  [[nodiscard]] std::size_t first_passed(Needed const& needed, Held const& held) const {
    std::size_t wanted = last_.wanted;
    std::size_t end = closed_;
    while (end < last_.above) {
      std::size_t const run = run_end(end);
      if (visits(run) == 0 || is_held(run, held)) break;
      for (std::size_t b = end; b < run; ++b) wanted = (std::max)(wanted, needed(layout_.buckets()[b].block));
      end = run;
    }
    return (std::max)(closed_, (std::min)(end, wanted));
  }

  FlatLayout const& layout_;
  FixedArray<std::size_t> run_begin_;  // by bucket: the first of its unit's run
  FixedArray<Parameter> parameters_;
  std::uint64_t call_ = 0;
  Gathered last_;
  std::size_t closed_ = 0;  // by the gathers of this micro-batch
};

}  // namespace zero::detail
