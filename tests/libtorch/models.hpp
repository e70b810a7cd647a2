// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Two models as a user of libtorch writes them: a residual network with BatchNorm, and a GPT whose head uses the
// embedding's weights. Only ZERO_TORCH_UNIT is not torch's.

#include <zero/adapters/libtorch.hpp>

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace zero_test {

using torch::Tensor;
namespace nn = torch::nn;

struct StemImpl : nn::Module {
  explicit StemImpl(int out)
      : conv(register_module("conv", nn::Conv2d(nn::Conv2dOptions(3, out, 3).padding(1).bias(false)))),
        bn(register_module("bn", nn::BatchNorm2d(out))) {}
  Tensor forward(Tensor x) { return torch::relu(bn(conv(x))); }
  nn::Conv2d conv;
  nn::BatchNorm2d bn;
};
ZERO_TORCH_UNIT(Stem);

struct ResidualImpl : nn::Module {
  ResidualImpl(int in, int out, int stride)
      : conv1(
            register_module("conv1", nn::Conv2d(nn::Conv2dOptions(in, out, 3).stride(stride).padding(1).bias(false)))),
        bn1(register_module("bn1", nn::BatchNorm2d(out))),
        conv2(register_module("conv2", nn::Conv2d(nn::Conv2dOptions(out, out, 3).padding(1).bias(false)))),
        bn2(register_module("bn2", nn::BatchNorm2d(out))) {
    if (stride == 1 && in == out) return;
    down = register_module("down", nn::Sequential(nn::Conv2d(nn::Conv2dOptions(in, out, 1).stride(stride).bias(false)),
                                                  nn::BatchNorm2d(out)));
  }
  Tensor forward(Tensor x) {
    auto y = bn2(conv2(torch::relu(bn1(conv1(x)))));
    return torch::relu(y + (down ? down->forward(x) : x));
  }
  nn::Conv2d conv1;
  nn::BatchNorm2d bn1;
  nn::Conv2d conv2;
  nn::BatchNorm2d bn2;
  nn::Sequential down{nullptr};
};
ZERO_TORCH_UNIT(Residual);

struct ResNetImpl : nn::Module {
  explicit ResNetImpl(std::vector<int> widths = {8, 16}, int blocks = 1, int classes = 10)
      : stem(register_module("stem", Stem(widths[0]))) {
    int in = widths[0];
    for (std::size_t s = 0; s < widths.size(); ++s) {
      for (int b = 0; b < blocks; ++b) {
        auto const name = "layer" + std::to_string(s) + "_" + std::to_string(b);
        layers.push_back(register_module(name, Residual(in, widths[s], s > 0 && b == 0 ? 2 : 1)));
        in = widths[s];
      }
    }
    head = register_module("head", nn::Linear(in, classes));  // in no unit
  }
  Tensor forward(Tensor x) {
    x = stem(x);
    for (auto& layer : layers) x = recomputes ? zero::libtorch::checkpoint(layer, x) : layer(x);
    return head(x.mean({2, 3}));
  }
  bool recomputes = false;
  Stem stem;
  std::vector<Residual> layers;
  nn::Linear head{nullptr};
};
TORCH_MODULE(ResNet);

struct BlockImpl : nn::Module {
  BlockImpl(int width, int number_of_heads)
      : heads(number_of_heads),
        ln1(register_module("ln1", nn::LayerNorm(nn::LayerNormOptions({width})))),
        qkv(register_module("qkv", nn::Linear(width, 3 * width))),
        proj(register_module("proj", nn::Linear(width, width))),
        ln2(register_module("ln2", nn::LayerNorm(nn::LayerNormOptions({width})))),
        up(register_module("up", nn::Linear(width, 4 * width))),
        down(register_module("down", nn::Linear(4 * width, width))) {}
  Tensor forward(Tensor x) {
    auto const b = x.size(0), t = x.size(1), c = x.size(2);
    auto const p = qkv(ln1(x)).view({b, t, 3, heads, c / heads}).permute({2, 0, 3, 1, 4});
    auto const a = torch::scaled_dot_product_attention(p[0], p[1], p[2], {}, 0.0, true);
    x = x + proj(a.transpose(1, 2).reshape({b, t, c}));
    return x + down(torch::gelu(up(ln2(x))));
  }
  int heads;
  nn::LayerNorm ln1;
  nn::Linear qkv, proj;
  nn::LayerNorm ln2;
  nn::Linear up, down;
};
ZERO_TORCH_UNIT(Block);

struct EmbedImpl : nn::Module {
  EmbedImpl(int vocabulary, int length, int width) : wte(register_module("wte", nn::Embedding(vocabulary, width))) {
    {
      torch::NoGradGuard const guard;
      wte->weight.mul_(0.02);
    }
    wpe = register_parameter("wpe", torch::randn({length, width}) * 0.02);
  }
  Tensor forward(Tensor tokens) { return wte(tokens) + wpe.slice(0, 0, tokens.size(1)); }
  nn::Embedding wte;
  Tensor wpe;
};
ZERO_TORCH_UNIT(Embed);

/// The weights of the embedding, again.
struct HeadImpl : nn::Module {
  HeadImpl(int width, Tensor tied)
      : ln(register_module("ln", nn::LayerNorm(nn::LayerNormOptions({width})))),
        weight(register_parameter("weight", std::move(tied))) {}
  Tensor forward(Tensor x) { return nn::functional::linear(ln(x), weight); }
  nn::LayerNorm ln;
  Tensor weight;
};
ZERO_TORCH_UNIT(Head);

struct GptImpl : nn::Module {
  explicit GptImpl(int vocabulary = 64, int length = 16, int width = 32, int layers = 2, int heads = 4)
      : embed(register_module("embed", Embed(vocabulary, length, width))) {
    for (int l = 0; l < layers; ++l) blocks.push_back(register_module("h" + std::to_string(l), Block(width, heads)));
    head = register_module("head", Head(width, embed->wte->weight));
  }
  Tensor forward(Tensor tokens) {
    auto x = embed(tokens);
    for (auto& block : blocks) x = recomputes ? zero::libtorch::checkpoint(block, x) : block(x);
    return recomputes ? zero::libtorch::checkpoint(head, x) : head(x);
  }
  bool recomputes = false;
  Embed embed;
  std::vector<Block> blocks;
  Head head{nullptr};
};
TORCH_MODULE(Gpt);

/// The loss of the micro-batch of number \p m of a run, the same wherever it is computed.
inline Tensor loss_of(ResNet& net, std::int64_t m, torch::Dtype type) {
  auto g = at::detail::createCPUGenerator(1000 + static_cast<std::uint64_t>(m));
  auto const t = torch::randint(0, 10, {4}, g, torch::kLong);
  auto const x = torch::randn({4, 3, 8, 8}, g) + t.to(torch::kFloat).view({4, 1, 1, 1}) * 0.3;
  return nn::functional::cross_entropy(net(x.to(type)).to(torch::kFloat), t);
}
inline Tensor loss_of(Gpt& net, std::int64_t m, torch::Dtype /*type*/) {
  auto g = at::detail::createCPUGenerator(1000 + static_cast<std::uint64_t>(m));
  auto const s = (torch::randint(0, 64, {2, 1}, g, torch::kLong) + torch::arange(17) * 7).remainder(64);
  auto const logits = net(s.slice(1, 0, 16).contiguous());
  return nn::functional::cross_entropy(logits.reshape({-1, logits.size(-1)}).to(torch::kFloat),
                                       s.slice(1, 1, 17).reshape({-1}));
}

/// A new model, the same each time. Seeds the default generator: one thread at a time.
template <class Model>
Model make_model() {
  static std::mutex mutex;
  std::lock_guard const lock(mutex);
  torch::manual_seed(1234);
  return Model();
}

/// Matrices decay, vectors do not.
inline zero::ParameterGroup group_of(std::string const& /*name*/, Tensor const& parameter) {
  return {.weight_decay = parameter.dim() >= 2 ? 0.1 : 0.0};
}

}  // namespace zero_test
