// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "decoder.hpp"
#include "text_batch.hpp"

#include <zero/kernels/float_types.hpp>
#include <zero/thread_pool.hpp>

#include <cstddef>
#include <type_traits>

namespace gpt2 {

/// The type of weights that a model trained in \p T has.
template <class T>
inline constexpr WeightType weight_type_of = std::is_same_v<T, zero::float16>    ? WeightType::fp16
                                             : std::is_same_v<T, zero::bfloat16> ? WeightType::bf16
                                                                                 : WeightType::fp32;

/// How many texts a `TextModel` generates at a time, and how long they are.
struct TextCapacity {
  std::size_t texts = 1;
  std::size_t longest_prompt = 1;
  std::size_t tokens = 256;  ///< behind the prompt
};

/// A decoder with the weights and threads of its own.
class TextModel {
 public:
  /// \throws what \p read throws.
  TextModel(ModelShape const& shape, WeightType type, ReadParameter const& read, int threads,
            TextCapacity const& capacity)
      : pool_(threads),
        weights_(shape, type, read, pool_),
        decoder_(weights_, capacity.texts, TextBatch::capacity_for(shape, capacity.longest_prompt, capacity.tokens),
                 pool_) {}

  [[nodiscard]] DecoderWeights const& weights() const noexcept { return weights_; }
  [[nodiscard]] Decoder& decoder() noexcept { return decoder_; }
  [[nodiscard]] zero::ThreadPool& pool() noexcept { return pool_; }

 private:
  zero::ThreadPool pool_;
  DecoderWeights weights_;
  Decoder decoder_;
};

}  // namespace gpt2
