// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "../buffer.hpp"
#include "../weights.hpp"
#include "decoder_weights.hpp"
#include "kv_cache.hpp"
#include "quantized_rows.hpp"

#include <zero/thread_pool.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace gpt2 {

/// A token that a sequence goes on with.
struct NextToken {
  std::size_t sequence;
  Token token;
  bool wants_logits = false;  ///< after it
};

/// The forward pass of a GPT-2 over some tokens at a time, with all that it needs of earlier ones in a cache. What it
/// computes for a token has the same bits whatever stands beside it in a call, whether its sequence came in one call or
/// in many, and for any number of threads.
class Decoder {
 public:
  /// Tokens of one call.
  static constexpr std::size_t most_tokens = 64;

  /// For \p sequences of up to \p capacity tokens, which may not exceed the context. Both references are borrowed.
  /// \throws std::invalid_argument
  Decoder(DecoderWeights const& weights, std::size_t sequences, std::size_t capacity, zero::ThreadPool& pool);

  [[nodiscard]] ModelShape const& shape() const noexcept { return weights_.shape(); }
  [[nodiscard]] std::size_t sequences() const noexcept { return cache_.sequences(); }
  [[nodiscard]] std::size_t capacity() const noexcept { return cache_.capacity(); }
  [[nodiscard]] std::size_t length(std::size_t sequence) const noexcept { return cache_.length(sequence); }
  /// Bytes of the cache and of scratch.
  [[nodiscard]] std::size_t bytes() const noexcept;

  /// Appends tokens to their sequences, in this order; several may be one sequence's.
  /// \throws std::invalid_argument, with nothing changed, for more than `most_tokens`, a token that is not below the
  /// vocabulary, a sequence that there is not, or one that would be longer than the capacity.
  void append(std::span<NextToken const> tokens);

  /// [vocabulary] after the \p i -th of the last call's tokens that want them; valid until the next call.
  [[nodiscard]] std::span<float const> logits(std::size_t i) const;

  /// Forgets the tokens of a sequence.
  void clear(std::size_t sequence) noexcept { cache_.set_length(sequence, 0); }

 private:
  /// Where a token of the call stands.
  struct Place {
    std::size_t sequence, position;
  };

  void place(std::span<NextToken const> tokens);
  void embed(std::span<NextToken const> tokens);
  void block_forward(std::size_t layer);
  void keep(std::size_t layer, std::size_t row);
  void attend(std::size_t layer);
  void head_forward(std::span<NextToken const> tokens);
  void normalize(std::vector<float> const& weight, std::vector<float> const& bias, std::size_t rows, float const* x);
  template <class Epilogue>
  void multiply(WeightMatrix const& matrix, std::size_t rows, Buffer const& x, Buffer const& out, Epilogue&& epilogue);
  void add_to_residual(WeightMatrix const& matrix, Buffer const& x, std::vector<float> const& bias);

  DecoderWeights const& weights_;
  zero::ThreadPool& pool_;
  KvCache cache_;
  std::size_t width_, wide_width_, head_width_;  // padded
  std::vector<Place> places_;
  Buffer residual_, normalized_, qkv_, queries_, attended_heads_, attended_, projected_, hidden_, activated_;
  Buffer norm_scratch_, deviations_, last_rows_, logits_;
  QuantizedRows quantized_;
};

}  // namespace gpt2
