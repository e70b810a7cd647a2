// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <gpt2/model.hpp>
#include <gpt2/random.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

/// A model with parameters, gradients and a micro-batch of its own.
template <class T>
struct ModelRun {
  ModelRun(gpt2::ModelShape const& model_shape, std::size_t batch, int threads,
           gpt2::ActivationSettings const& activations = {})
      : shape(model_shape), length(shape.context), pool(threads), model(shape, batch, pool, activations) {
    gpt2::CounterRandom const random(7);
    for (auto const& parameter : gpt2::parameter_shapes(shape)) {
      std::vector<float> values(parameter.size());
      gpt2::initialize(shape, parameter.name, values, 1);
      // Away from where many gradients vanish: biases of 0, and weights so small that all attention is uniform.
      auto const stream = random.with(weights.size());
      for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = zero::widen(zero::narrow<T>(8.0F * values[i] / (values[i] == 1.0F ? 8.0F : 1.0F) +
                                                0.2F * static_cast<float>(stream.uniform(i) - 0.5)));
      }
      weights.emplace_back(values.size());
      zero::cast(zero::best_instruction_set(), weights.back().data(), values.data(), values.size());
      gradients.emplace_back(values.size(), zero::narrow<T>(std::numeric_limits<float>::quiet_NaN()));
    }
    draw(batch * shape.context);
  }

  void draw(std::size_t count) {
    gpt2::CounterRandom const random(11);
    tokens.clear(), targets.clear();
    for (std::size_t i = 0; i < count; ++i) {
      tokens.push_back(static_cast<gpt2::Token>(random.below(2 * i, shape.vocabulary)));
      targets.push_back(static_cast<gpt2::Token>(random.below(2 * i + 1, shape.vocabulary)));
    }
  }

  std::size_t last() const { return weights.size() - 2; }
  gpt2::Gradient<T> gradient(std::size_t i, bool adds) { return {gradients[i].data(), adds}; }
  gpt2::HeadWeights<T> head() const { return {weights[last()].data(), weights[last() + 1].data(), weights[0].data()}; }
  gpt2::BlockWeights<T> block(std::size_t layer) const {
    gpt2::BlockWeights<T> block{};
    for (std::size_t i = 0; i < block.size(); ++i) block[i] = weights[2 + 12 * layer + i].data();
    return block;
  }
  gpt2::BlockGradients<T> block_gradients(std::size_t layer, bool adds) {
    gpt2::BlockGradients<T> block{};
    for (std::size_t i = 0; i < block.size(); ++i) block[i] = gradient(2 + 12 * layer + i, adds);
    return block;
  }

  void forward_blocks() {
    model.embed_forward(tokens, length, weights[0].data(), weights[1].data());
    for (std::size_t layer = 0; layer < shape.layers; ++layer) model.block_forward(layer, block(layer));
  }

  float forward() {
    forward_blocks();
    return model.head_forward(head(), targets);
  }

  void backward(float loss_scale, bool adds) {
    model.head_backward(loss_scale, head(), {gradient(last(), adds), gradient(last() + 1, adds), gradient(0, adds)});
    model.plan().for_each_backward_call([&](zero::activation::BackwardCall const& call) {
      if (call.work == zero::activation::BackwardWork::again) return model.block_again(call.block, block(call.block));
      model.block_backward(call.block, block(call.block), block_gradients(call.block, adds));
    });
    model.embed_backward(tokens, gradient(0, true), gradient(1, adds));
  }

  std::vector<std::vector<double>> as_double(std::vector<std::vector<T>> const& values) const {
    std::vector<std::vector<double>> wide;
    for (auto const& row : values) {
      wide.emplace_back();
      for (T const x : row) wide.back().push_back(static_cast<double>(zero::widen(x)));
    }
    return wide;
  }

  gpt2::ModelShape shape;
  std::size_t length;
  zero::ThreadPool pool;
  gpt2::Model<T> model;
  std::vector<std::vector<T>> weights, gradients;
  std::vector<gpt2::Token> tokens, targets;
};
