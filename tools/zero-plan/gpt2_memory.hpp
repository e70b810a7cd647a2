// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/activation/recompute.hpp>
#include <zero/activation/segment_plan.hpp>
#include <zero/precision.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace zero_plan {

using zero::activation::Recompute;

inline constexpr std::array all_recomputes{Recompute::none, Recompute::selective, Recompute::block};

/// The size of a GPT-2.
struct Gpt2Shape {
  std::size_t layers, heads, width, context, vocabulary;
};

/// How train_gpt2 computes a micro-batch.
struct Gpt2Run {
  std::size_t sequences = 1;  ///< of a micro-batch, on one rank
  zero::ElementType type = zero::ElementType::bf16;
  bool cuda = true;  ///< on a GPU, else on the host
  Recompute recompute = Recompute::none;
  std::size_t kept_inputs = zero::activation::SegmentPlan::all;  ///< with Recompute::block
  bool inputs_on_host = false;                                   ///< on a GPU: kept inputs go to pinned host memory
  bool drops = false;                                            ///< with dropout, which needs scratch
};

/// Bytes of one rank of train_gpt2 that are not the engine's, as its model reports them.
struct Gpt2Memory {
  std::uint64_t activations = 0;  ///< what forward keeps for backward, logits included
  std::uint64_t scratch = 0;      ///< what no pass needs from another
  std::uint64_t packed = 0;       ///< on the host: operands of products, unless OpenBLAS multiplies
  std::uint64_t pinned = 0;       ///< of a GPU's model: activations in pinned host memory

  /// Where the model computes.
  [[nodiscard]] std::uint64_t total() const noexcept { return activations + scratch + packed; }
};

/// By formula. On a GPU, the temporary storage of CUB's sort of a micro-batch's tokens is left out: its size is CUB's
/// to say, and a few bytes per token.
[[nodiscard]] Gpt2Memory memory_of(Gpt2Shape const& shape, Gpt2Run const& run);

}  // namespace zero_plan
