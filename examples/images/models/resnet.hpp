// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "classifier.hpp"

#include <zero/adapters/libtorch.hpp>

#include <torch/torch.h>

#include <array>
#include <cstdint>
#include <string>

/// Residual networks, after He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition", 2016: as
/// torchvision has them, with its names of parameters and buffers, so that weights go both ways. The stride of a
/// bottleneck is that of its 3x3 convolution, as there.
namespace images {

/// Two convolutions of 3x3: of ResNet-18 and -34. A unit of ZeRO-3.
struct BasicBlockImpl : torch::nn::Module {
  static constexpr std::int64_t expansion = 1;  ///< channels that come out, by \p planes

  BasicBlockImpl(std::int64_t in, std::int64_t planes, std::int64_t stride);
  torch::Tensor forward(torch::Tensor x);

  torch::nn::Conv2d conv1;
  torch::nn::BatchNorm2d bn1;
  torch::nn::Conv2d conv2;
  torch::nn::BatchNorm2d bn2;
  torch::nn::Sequential downsample{nullptr};  ///< where the shape changes
};
ZERO_TORCH_UNIT(BasicBlock);

/// Convolutions of 1x1, 3x3 and 1x1: of ResNet-50. A unit of ZeRO-3.
struct BottleneckImpl : torch::nn::Module {
  static constexpr std::int64_t expansion = 4;  ///< channels that come out, by \p planes

  BottleneckImpl(std::int64_t in, std::int64_t planes, std::int64_t stride);
  torch::Tensor forward(torch::Tensor x);

  torch::nn::Conv2d conv1;
  torch::nn::BatchNorm2d bn1;
  torch::nn::Conv2d conv2;
  torch::nn::BatchNorm2d bn2;
  torch::nn::Conv2d conv3;
  torch::nn::BatchNorm2d bn3;
  torch::nn::Sequential downsample{nullptr};  ///< where the shape changes
};
ZERO_TORCH_UNIT(Bottleneck);

/// What a ResNet is made of.
struct ResNetShape {
  ResNetBlocks blocks{2, 2, 2, 2};
  bool bottleneck = false;
  std::int64_t channels = 3, classes = 1000, base_width = 64;
  bool small_stem = false;  ///< see ModelShape
};

/// The network. Its stem and its head are in no unit.
class ResNet final : public Classifier {
 public:
  /// Initialized as torchvision does: convolutions from a normal distribution by their fan out, for ReLU; BatchNorm
  /// with 1 and 0; the head as torch's Linear.
  explicit ResNet(ResNetShape const& shape);
  torch::Tensor forward(torch::Tensor x) override;
  [[nodiscard]] char const* head() const override { return "fc"; }

 private:
  template <class Block>
  torch::nn::Sequential stage(std::int64_t& in, std::int64_t planes, int blocks, std::int64_t stride);

  bool small_stem_;
  torch::nn::Conv2d conv1_;
  torch::nn::BatchNorm2d bn1_;
  std::array<torch::nn::Sequential, 4> layers_{nullptr, nullptr, nullptr, nullptr};
  torch::nn::Linear fc_{nullptr};
};

}  // namespace images
