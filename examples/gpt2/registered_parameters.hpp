// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "parameters.hpp"

#include <zero/parameter.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

namespace gpt2 {

/// The parameters of a model as an engine takes them, and the ids of those that are used together.
class RegisteredParameters {
 public:
  using Block = std::array<zero::ParameterId, block_parameter_count>;  ///< in the order of BlockParameter

  RegisteredParameters(ModelShape const& shape, double weight_decay) {
    auto const decayed = list_.add_group({.weight_decay = weight_decay});
    std::vector<zero::ParameterId> ids;
    for (auto const& parameter : parameter_shapes(shape)) {
      ids.push_back(list_.add({.name = parameter.name,
                               .shape = parameter.shape,
                               .group = parameter.decays ? decayed : zero::GroupId{},
                               .contributions = static_cast<int>(parameter.contributions),
                               .unit = static_cast<int>(parameter.unit)}));
    }
    embedding_ = {ids[0], ids[1]};
    blocks_.resize(shape.layers);
    for (std::size_t l = 0; l < shape.layers; ++l) {
      std::copy_n(ids.begin() + static_cast<std::ptrdiff_t>(2 + l * block_parameter_count), block_parameter_count,
                  blocks_[l].begin());
    }
    head_ = {ids[ids.size() - 2], ids[ids.size() - 1], ids[0]};
  }

  [[nodiscard]] zero::ParameterList const& list() const noexcept { return list_; }
  /// wte, wpe
  [[nodiscard]] std::array<zero::ParameterId, 2> const& embedding() const noexcept { return embedding_; }
  [[nodiscard]] std::vector<Block> const& blocks() const noexcept { return blocks_; }
  /// ln_f.weight, ln_f.bias, wte
  [[nodiscard]] std::array<zero::ParameterId, 3> const& head() const noexcept { return head_; }

 private:
  zero::ParameterList list_;
  std::array<zero::ParameterId, 2> embedding_{};
  std::vector<Block> blocks_;
  std::array<zero::ParameterId, 3> head_{};
};

}  // namespace gpt2
