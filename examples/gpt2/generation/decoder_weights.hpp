// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "../parameters.hpp"
#include "weight_matrix.hpp"

#include <zero/thread_pool.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace gpt2 {

/// Gives a whole parameter by its name, as `parameter_shapes` lists them.
using ReadParameter = std::function<std::vector<float>(std::string const& name)>;

/// The weights of a GPT-2 that generates text. Matrices are of one `WeightType`; what is small is kept in fp32, rounded
/// to the type first where that is a float's, because a model that is trained in it has been rounded so.
class DecoderWeights {
 public:
  struct Block {
    std::vector<float> ln_1_weight, ln_1_bias, attention_bias, attention_projection_bias;
    std::vector<float> ln_2_weight, ln_2_bias, mlp_bias, mlp_projection_bias;
    WeightMatrix attention, attention_projection, mlp, mlp_projection;
  };

  /// Reads all parameters, in the order of `parameter_shapes`, one at a time. \p pool is used here only.
  /// \throws what \p read throws; std::invalid_argument for a parameter of another size.
  DecoderWeights(ModelShape const& shape, WeightType type, ReadParameter const& read, zero::ThreadPool& pool);

  [[nodiscard]] ModelShape const& shape() const noexcept { return shape_; }
  [[nodiscard]] WeightType type() const noexcept { return type_; }
  /// Of all weights, in memory.
  [[nodiscard]] std::size_t bytes() const noexcept;
  /// What decoding one token reads: all of it but the positions.
  [[nodiscard]] std::size_t bytes_per_token() const noexcept;

  WeightMatrix wte{};        ///< [vocabulary, width]: the embedding, and the head
  std::vector<float> wpe{};  ///< [context, width]
  std::vector<Block> blocks{};
  std::vector<float> ln_f_weight{}, ln_f_bias{};

 private:
  void take(std::size_t place, std::vector<float> values, zero::ThreadPool& pool);

  ModelShape shape_;
  WeightType type_;
};

}  // namespace gpt2
