// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "random.hpp"

#include <cstddef>
#include <cstdint>

namespace gpt2 {

/// What one layer drops of its output in one micro-batch: each element's fate is a function of the mask and of the
/// element's number, so any pass, thread or rank draws the same, and no mask is kept.
class DropoutMask {
 public:
  /// Drops nothing.
  constexpr DropoutMask() noexcept = default;
  /// Drops each element with \p probability in [0, 1).
  constexpr DropoutMask(double probability, CounterRandom random) noexcept
      : random_(random),
        threshold_(static_cast<std::uint64_t>(probability * 0x1p64)),
        scale_(static_cast<float>(1.0 / (1.0 - probability))) {}

  [[nodiscard]] constexpr bool drops() const noexcept { return threshold_ != 0; }

  /// What element number \p element is multiplied by: 0, or 1 / (1 - probability).
  [[nodiscard]] constexpr float factor(std::uint64_t element) const noexcept {
    return random_.bits(element) < threshold_ ? 0.0F : scale_;
  }

 private:
  CounterRandom random_{0};
  std::uint64_t threshold_ = 0;
  float scale_ = 1.0F;
};

/// Dropout of one micro-batch (Srivastava et al. 2014) where GPT-2 has it: after the embeddings, on the probabilities
/// of attention, and on the output of both parts of a block.
class Dropout {
 public:
  /// None.
  constexpr Dropout() noexcept = default;
  /// Of micro-batch \p micro_batch, counted over all ranks, of step \p step.
  constexpr Dropout(double probability, std::uint64_t seed, std::uint64_t step, std::uint64_t micro_batch) noexcept
      : probability_(probability), random_(CounterRandom(seed).with(stream).with(step).with(micro_batch)) {}

  [[nodiscard]] constexpr bool drops() const noexcept { return probability_ > 0.0; }

  /// Elements are numbered row by row, [tokens, width].
  [[nodiscard]] constexpr DropoutMask embedding() const noexcept { return mask(0); }
  /// Elements are numbered [sequences, heads, queries, keys].
  [[nodiscard]] constexpr DropoutMask attention(std::size_t layer) const noexcept { return mask(3 * layer + 1); }
  /// Of the output of the attention part and of the MLP, [tokens, width].
  [[nodiscard]] constexpr DropoutMask attention_output(std::size_t layer) const noexcept { return mask(3 * layer + 2); }
  [[nodiscard]] constexpr DropoutMask mlp_output(std::size_t layer) const noexcept { return mask(3 * layer + 3); }

 private:
  static constexpr std::uint64_t stream = 0x64726F706F7574;  // apart from what else is drawn with a run's seed

  [[nodiscard]] constexpr DropoutMask mask(std::uint64_t site) const noexcept {
    return drops() ? DropoutMask(probability_, random_.with(site)) : DropoutMask();
  }

  double probability_ = 0.0;
  CounterRandom random_{0};
};

}  // namespace gpt2
