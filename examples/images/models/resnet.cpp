// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "resnet.hpp"

#include "support/usage_error.hpp"

#include <cstddef>
#include <mutex>
#include <utility>

namespace images {
namespace {

namespace nn = torch::nn;
using torch::Tensor;

nn::Conv2d convolution(std::int64_t in, std::int64_t out, std::int64_t size, std::int64_t stride) {
  return nn::Conv2d(nn::Conv2dOptions(in, out, size).stride(stride).padding(size / 2).bias(false));
}

/// What is added to a block's result, where it has another shape.
nn::Sequential projection(std::int64_t in, std::int64_t out, std::int64_t stride) {
  if (stride == 1 && in == out) return nullptr;
  return nn::Sequential(convolution(in, out, 1, stride), nn::BatchNorm2d(out));
}

/// A unit of ZeRO-3.
using UnitLinear = nn::ModuleHolder<zero::libtorch::Unit<nn::LinearImpl>>;

/// Two layers, for pictures of a few hundred pixels such as digits.
class Mlp final : public Classifier {
 public:
  explicit Mlp(ModelShape const& shape)
      : fc1_(register_module("fc1", UnitLinear(static_cast<std::int64_t>(shape.channels * shape.height * shape.width),
                                               static_cast<std::int64_t>(shape.hidden)))),
        fc2_(register_module(
            "fc2", UnitLinear(static_cast<std::int64_t>(shape.hidden), static_cast<std::int64_t>(shape.classes)))) {}
  Tensor forward(Tensor x) override { return fc2_(torch::relu(fc1_(x.flatten(1)))); }
  [[nodiscard]] char const* head() const override { return "fc2"; }

 private:
  UnitLinear fc1_, fc2_;
};

ResNetShape resnet_of(ModelShape const& shape) {
  ResNetShape made;
  made.blocks = resnet_blocks(shape.name);
  made.bottleneck = shape.name == "resnet50";
  made.channels = static_cast<std::int64_t>(shape.channels);
  made.classes = static_cast<std::int64_t>(shape.classes);
  made.base_width = static_cast<std::int64_t>(shape.base_width);
  made.small_stem = shape.small_stem;
  return made;
}

}  // namespace

BasicBlockImpl::BasicBlockImpl(std::int64_t in, std::int64_t planes, std::int64_t stride)
    : conv1(register_module("conv1", convolution(in, planes, 3, stride))),
      bn1(register_module("bn1", nn::BatchNorm2d(planes))),
      conv2(register_module("conv2", convolution(planes, planes, 3, 1))),
      bn2(register_module("bn2", nn::BatchNorm2d(planes))),
      downsample(projection(in, planes, stride)) {
  if (downsample) register_module("downsample", downsample);
}

Tensor BasicBlockImpl::forward(Tensor x) {
  auto y = bn2(conv2(bn1(conv1(x)).relu_()));
  return torch::relu_(y += downsample ? downsample->forward(x) : x);
}

BottleneckImpl::BottleneckImpl(std::int64_t in, std::int64_t planes, std::int64_t stride)
    : conv1(register_module("conv1", convolution(in, planes, 1, 1))),
      bn1(register_module("bn1", nn::BatchNorm2d(planes))),
      conv2(register_module("conv2", convolution(planes, planes, 3, stride))),
      bn2(register_module("bn2", nn::BatchNorm2d(planes))),
      conv3(register_module("conv3", convolution(planes, planes * expansion, 1, 1))),
      bn3(register_module("bn3", nn::BatchNorm2d(planes * expansion))),
      downsample(projection(in, planes * expansion, stride)) {
  if (downsample) register_module("downsample", downsample);
}

Tensor BottleneckImpl::forward(Tensor x) {
  auto y = bn1(conv1(x)).relu_();
  y = bn3(conv3(bn2(conv2(y)).relu_()));
  return torch::relu_(y += downsample ? downsample->forward(x) : x);
}

ResNet::ResNet(ResNetShape const& shape)
    : small_stem_(shape.small_stem),
      conv1_(register_module("conv1", shape.small_stem ? convolution(shape.channels, shape.base_width, 3, 1)
                                                       : convolution(shape.channels, shape.base_width, 7, 2))),
      bn1_(register_module("bn1", nn::BatchNorm2d(shape.base_width))) {
  std::int64_t in = shape.base_width;
  for (std::size_t s = 0; s < layers_.size(); ++s) {
    auto const planes = shape.base_width << s;
    std::int64_t const stride = s == 0 ? 1 : 2;
    layers_[s] = register_module("layer" + std::to_string(s + 1),
                                 shape.bottleneck ? stage<Bottleneck>(in, planes, shape.blocks[s], stride)
                                                  : stage<BasicBlock>(in, planes, shape.blocks[s], stride));
  }
  fc_ = register_module("fc", nn::Linear(in, shape.classes));
  torch::NoGradGuard const guard;
  for (auto const& module : modules(/*include_self=*/false)) {
    if (auto* const layer = module->as<nn::Conv2d>()) {
      nn::init::kaiming_normal_(layer->weight, 0.0, torch::kFanOut, torch::kReLU);
    }
  }
}

template <class Block>
nn::Sequential ResNet::stage(std::int64_t& in, std::int64_t planes, int blocks, std::int64_t stride) {
  nn::Sequential made;
  for (int b = 0; b < blocks; ++b) {
    made->push_back(Block(in, planes, b == 0 ? stride : 1));
    in = planes * Block::Impl::expansion;
  }
  return made;
}

Tensor ResNet::forward(Tensor x) {
  x = bn1_(conv1_(x)).relu_();
  if (!small_stem_) x = torch::max_pool2d(x, 3, 2, 1);
  for (auto& layer : layers_) x = layer->forward(x);
  return fc_(torch::adaptive_avg_pool2d(x, {1, 1}).flatten(1));
}

std::shared_ptr<Classifier> make_classifier(ModelShape const& shape, std::uint64_t seed) {
  static std::mutex mutex;
  std::lock_guard const lock(mutex);
  torch::manual_seed(seed);
  if (shape.name == "mlp") return std::make_shared<Mlp>(shape);
  return std::make_shared<ResNet>(resnet_of(shape));
}

}  // namespace images
