// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace images {

/// What a model is made of. Needs no torch.
struct ModelShape {
  std::string name = "resnet18";  ///< one of `model_names`
  std::size_t classes = 1000;
  std::size_t channels = 3, height = 224, width = 224;  ///< of a picture
  bool small_stem =
      false;  ///< of a ResNet: a first convolution of 3x3 without stride, and no max-pool: for small pictures
  std::size_t base_width = 64;  ///< of a ResNet: channels of its first stage
  std::size_t hidden = 128;     ///< of an mlp: width of its hidden layer

  friend bool operator==(ModelShape const&, ModelShape const&) = default;
};

/// Names of models.
[[nodiscard]] std::vector<std::string_view> model_names();

/// Blocks of each stage of a ResNet.
using ResNetBlocks = std::array<int, 4>;
[[nodiscard]] ResNetBlocks resnet_blocks(std::string_view name);

/// One line of text, which `parse_model_shape` reads: what a checkpoint says of its model.
[[nodiscard]] std::string to_text(ModelShape const& shape);
/// \throws DataError where \p text is none.
[[nodiscard]] ModelShape parse_model_shape(std::string const& text);

/// Elements of all parameters.
[[nodiscard]] std::uint64_t parameter_count(ModelShape const& shape);

}  // namespace images
