// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/activation/recompute.hpp>
#include <zero/error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace zero::activation {

/// What a trainer does with one block under one gather of its parameters, once forward is over.
enum class BackwardWork : std::uint8_t {
  again,               ///< the block's forward pass once more, output included: the next block needs it
  again_and_backward,  ///< the block's forward pass once more, output left out, then its backward pass
  backward,            ///< its backward pass: what it reads is there
};

/// A call of the backward pass: one gather of one block.
struct BackwardCall {
  std::size_t block;  ///< number of it
  BackwardWork work;  ///< what it is gathered for
};

/// Which blocks of a model keep what, and what backward does in which order: a pure function of its arguments, so that
/// all ranks gather the same units in the same order. A value.
///
/// With Recompute::block the blocks form segments, one after the other, as even as they can be. A segment's input is
/// kept; what its blocks would keep is made again before their backward passes, in buffer sets that all segments share.
/// The last segment is not computed again, since its backward pass follows its forward pass: it keeps its activations
/// in these sets, and no input. With segments of one block each block is computed again under the gather of its
/// backward pass, so that stage 3 gathers as often as without. In a longer segment all blocks but its last one are
/// gathered once more.
class SegmentPlan {
 public:
  /// As many kept inputs as can be of use.
  static constexpr std::size_t all = SIZE_MAX;

  /// For \p blocks blocks in a row. \p kept_inputs counts for Recompute::block: the inputs that are kept, at most one
  /// less than there are blocks.
  /// \throws ConfigurationError for no blocks, which leaves nothing to compute again, or no kept inputs.
  SegmentPlan(std::size_t blocks, Recompute recompute, std::size_t kept_inputs = all)
      : blocks_(blocks), recompute_(recompute) {
    if (recompute != Recompute::none && blocks == 0) {
      throw ConfigurationError(
          "zero::activation::SegmentPlan: a model without blocks has nothing to compute again: use Recompute::none");
    }
    if (kept_inputs == 0) {
      throw ConfigurationError(
          "zero::activation::SegmentPlan: without a kept input nothing can be computed again: keep 1 or more, or use "
          "Recompute::none");
    }
    if (recompute == Recompute::block) segments_ = (std::min)(blocks - 1, kept_inputs) + 1;
  }

  /// Blocks of the model.
  [[nodiscard]] std::size_t blocks() const noexcept { return blocks_; }
  /// What is computed again.
  [[nodiscard]] Recompute recompute() const noexcept { return recompute_; }
  /// Number of segments, the last one included, which is not computed again.
  [[nodiscard]] std::size_t segments() const noexcept { return segments_; }
  /// Inputs of segments that are kept.
  [[nodiscard]] std::size_t kept_inputs() const noexcept { return segments_ - 1; }
  /// Sets of buffers for what a block keeps; with Recompute::selective for what it keeps of it.
  [[nodiscard]] std::size_t sets() const noexcept { return (blocks_ + segments_ - 1) / segments_; }

  /// The first block of \p segment; the number of blocks for the one behind the last.
  [[nodiscard]] std::size_t begin(std::size_t segment) const noexcept { return segment * blocks_ / segments_; }
  /// The segment of \p block.
  [[nodiscard]] std::size_t segment(std::size_t block) const noexcept {
    std::size_t found = block * segments_ / std::max<std::size_t>(blocks_, 1);
    while (begin(found + 1) <= block) ++found;
    return found;
  }
  /// Which set \p block uses.
  [[nodiscard]] std::size_t set(std::size_t block) const noexcept { return block - begin(segment(block)); }
  /// Whether all of \p block is computed again.
  [[nodiscard]] bool is_computed_again(std::size_t block) const noexcept { return segment(block) + 1 < segments_; }
  /// Whether the input of \p block is kept: as number segment(block) of `kept_inputs()`.
  [[nodiscard]] bool keeps_input(std::size_t block) const noexcept {
    return is_computed_again(block) && set(block) == 0;
  }
  /// What the gather of \p block's backward pass is for.
  [[nodiscard]] BackwardWork last_work(std::size_t block) const noexcept {
    bool const ends = is_computed_again(block) && block + 1 == begin(segment(block) + 1);
    return ends ? BackwardWork::again_and_backward : BackwardWork::backward;
  }

  /// Calls `f(BackwardCall)` for all calls of a backward pass, in their order.
  template <class Function>
  void for_each_backward_call(Function&& f) const {
    for (std::size_t s = segments_; s-- > 0;) {
      std::size_t const first = begin(s), end = begin(s + 1);
      if (s + 1 < segments_) {
        for (std::size_t b = first; b + 1 < end; ++b) f(BackwardCall{b, BackwardWork::again});
      }
      for (std::size_t b = end; b-- > first;) f(BackwardCall{b, last_work(b)});
    }
  }
  /// All of them.
  [[nodiscard]] std::vector<BackwardCall> backward_calls() const {
    std::vector<BackwardCall> calls;
    for_each_backward_call([&](BackwardCall const& call) { calls.push_back(call); });
    return calls;
  }

 private:
  std::size_t blocks_;
  Recompute recompute_;
  std::size_t segments_ = 1;
};

}  // namespace zero::activation
