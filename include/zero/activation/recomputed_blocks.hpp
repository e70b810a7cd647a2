// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/activation/segment_plan.hpp>
#include <zero/error.hpp>
#include <zero/parameter.hpp>
#include <zero/utility/fingerprint.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace zero::activation {

/// What a RecomputedBlocks has done so far. Equal on all ranks that made the same passes.
struct RecomputeRecord {
  std::uint64_t gathers = 0;                    ///< of blocks, by all passes
  std::uint64_t forward = 0;                    ///< blocks whose forward pass ran for the first time
  std::uint64_t computed_again = 0;             ///< blocks whose forward pass ran once more
  std::uint64_t backward = 0;                   ///< blocks whose backward pass ran
  std::uint64_t kept_inputs = 0;                ///< inputs of segments that forward passes have kept
  std::uint64_t order = Fingerprint().value();  ///< a fingerprint of which blocks were gathered, in their order

  friend bool operator==(RecomputeRecord const&, RecomputeRecord const&) = default;
};

/// Walks through the blocks of a model in the order of a SegmentPlan, and gathers the parameters of each block from an
/// engine while it is used: forward, again, and backward. Every rank makes the same gathers in the same order, those
/// without a micro-batch by `gather_forward` and `gather_backward`. A gather costs nothing but an event wait below
/// stage 3. A value; for one host thread.
class RecomputedBlocks {
 public:
  /// Each of \p blocks are the parameters that one block reads, which are gathered together: at stage 3 those of one
  /// unit. \throws ConfigurationError where \p plan is of another number of blocks.
  RecomputedBlocks(SegmentPlan const& plan, std::vector<std::vector<ParameterId>> blocks)
      : plan_(plan), blocks_(std::move(blocks)) {
    if (plan_.blocks() == blocks_.size()) return;
    throw ConfigurationError("zero::activation::RecomputedBlocks: the plan is for " +
                             detail::counted(plan_.blocks(), "block") + ", and here are " +
                             std::to_string(blocks_.size()));
  }

  /// The plan that they follow.
  [[nodiscard]] SegmentPlan const& plan() const noexcept { return plan_; }
  /// What all passes since construction have done.
  [[nodiscard]] RecomputeRecord const& record() const noexcept { return record_; }
  /// The parameters of \p block.
  [[nodiscard]] std::span<ParameterId const> parameters(std::size_t block) const noexcept { return blocks_[block]; }

  /// A forward pass: `f(block, weights)` for each block, under a lease of \p engine's for \p stream. Where
  /// `plan().keeps_input(block)`, \p f keeps the block's input. \throws what the engine and \p f throw.
  template <class Engine, class Stream, class Function>
  void forward(Engine& engine, Stream stream, Function&& f) {
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
      auto const weights = gather(engine, stream, b);
      ++record_.forward;
      if (plan_.keeps_input(b)) ++record_.kept_inputs;
      f(b, weights);
    }
  }

  /// A backward pass: `f(call, weights)` for each BackwardCall of the plan, under a lease of \p engine's for
  /// \p stream. \throws what the engine and \p f throw.
  template <class Engine, class Stream, class Function>
  void backward(Engine& engine, Stream stream, Function&& f) {
    plan_.for_each_backward_call([&](BackwardCall const& call) {
      auto const weights = gather(engine, stream, call.block);
      if (call.work != BackwardWork::backward) ++record_.computed_again;
      if (call.work != BackwardWork::again) ++record_.backward;
      f(call, weights);
    });
  }

  /// The gathers of `forward` on a rank that has no micro-batch. \throws what the engine throws.
  template <class Engine, class Stream>
  void gather_forward(Engine& engine, Stream stream) {
    for (std::size_t b = 0; b < blocks_.size(); ++b) (void)gather(engine, stream, b);
  }
  /// The gathers of `backward` on a rank that has no micro-batch. \throws what the engine throws.
  template <class Engine, class Stream>
  void gather_backward(Engine& engine, Stream stream) {
    plan_.for_each_backward_call([&](BackwardCall const& call) { (void)gather(engine, stream, call.block); });
  }

 private:
  template <class Engine, class Stream>
  auto gather(Engine& engine, Stream stream, std::size_t block) {
    Fingerprint order(record_.order);
    order.add(static_cast<std::uint64_t>(block));
    record_.order = order.value();
    ++record_.gathers;
    return engine.gather(std::span<ParameterId const>(blocks_[block]), stream);
  }

  SegmentPlan plan_;
  std::vector<std::vector<ParameterId>> blocks_;
  RecomputeRecord record_;
};

/// How many units an engine at stage 3 should gather ahead (EngineConfig::prefetch_units) for a trainer that follows
/// \p plan and would have \p units gathered ahead without it: none where segments are longer than a block. An engine
/// looks ahead in the direction of its last gathers, which turns at the ends of each segment, so that what it gathers
/// ahead there would not be used.
[[nodiscard]] inline int prefetch_units(SegmentPlan const& plan, int units) noexcept {
  bool const turns = plan.recompute() == Recompute::block && plan.kept_inputs() > 0 && plan.sets() > 1;
  return turns ? 0 : units;
}

}  // namespace zero::activation
