// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "model_run.hpp"

#include <gpt2/cuda/model.hpp>

#include <cstddef>
#include <utility>
#include <vector>

/// A device's model with the parameters, the gradients and the micro-batch of a host's. `Device` is told apart from the
/// host: what it reads is copied to its memory first.
template <class T, class Device>
class DeviceModelRun {
 public:
  DeviceModelRun(gpt2::ModelShape const& shape, std::size_t batch, Device& device,
                 gpt2::ActivationSettings const& activations = {})
      : host(shape, batch, 1, {.dropout = activations.dropout}),
        device_(device),
        model_(shape, batch, device, 2, activations),
        scale_(device.template allocate_pinned<float>(1)) {
    for (auto const& values : host.weights) weights_.push_back(on_device(values));
    for (auto const& values : host.gradients) gradients_.push_back(on_device(values));
  }

  void forward_blocks() {
    model_.embed_forward(host.tokens, host.length, weights_[0].data(), weights_[1].data());
    for (std::size_t layer = 0; layer < host.shape.layers; ++layer) model_.block_forward(layer, block(layer));
  }
  double forward() {
    forward_blocks();
    model_.head_forward(head(), host.targets);
    return model_.take_losses().at(0);
  }
  void backward(float loss_scale, bool adds) {
    set_loss_scale(loss_scale);
    put_backward(adds);
    device_.synchronize();
  }

  void set_loss_scale(float loss_scale) { *scale_.data() = loss_scale; }
  /// Puts both passes on the device, without waiting.
  void put_micro_batch(bool adds) {
    forward_blocks();
    model_.head_forward(head(), host.targets);
    put_backward(adds);
  }
  [[nodiscard]] gpt2::device::DeviceModel<T, Device>& model() { return model_; }

  [[nodiscard]] std::vector<float> last_logits() {
    auto const logits = model_.last_logits(head());
    return {logits.begin(), logits.end()};
  }

  /// All gradients, copied to the host.
  [[nodiscard]] std::vector<std::vector<T>> gradients() const {
    std::vector<std::vector<T>> all;
    for (std::size_t i = 0; i < gradients_.size(); ++i) {
      all.emplace_back(host.gradients[i].size());
      device_.copy(all.back().data(), gradients_[i].data(), all.back().size() * sizeof(T));
    }
    device_.synchronize();
    return all;
  }

  ModelRun<T> host;

 private:
  using Values = typename Device::template Memory<T>;

  void put_backward(bool adds) {
    auto const g = [&](std::size_t i, bool a) { return gpt2::Gradient<T>{gradients_[i].data(), a}; };
    std::size_t const last = host.last();
    model_.head_backward(scale_.data(), head(), {g(last, adds), g(last + 1, adds), g(0, adds)});
    model_.plan().for_each_backward_call([&](zero::activation::BackwardCall const& call) {
      if (call.work == zero::activation::BackwardWork::again) {
        return model_.block_again(call.block, block(call.block));
      }
      gpt2::BlockGradients<T> gradients{};
      for (std::size_t i = 0; i < gradients.size(); ++i) gradients[i] = g(2 + 12 * call.block + i, adds);
      model_.block_backward(call.block, block(call.block), gradients);
    });
    model_.embed_backward(host.tokens, g(0, true), g(1, adds));
  }
  Values on_device(std::vector<T> const& values) const {
    auto memory = device_.template allocate<T>(values.size());
    device_.copy(memory.data(), values.data(), values.size() * sizeof(T));
    device_.synchronize();
    return memory;
  }
  gpt2::HeadWeights<T> head() const {
    std::size_t const last = host.last();
    return {weights_[last].data(), weights_[last + 1].data(), weights_[0].data()};
  }
  gpt2::BlockWeights<T> block(std::size_t layer) const {
    gpt2::BlockWeights<T> block{};
    for (std::size_t i = 0; i < block.size(); ++i) block[i] = weights_[2 + 12 * layer + i].data();
    return block;
  }

  Device& device_;
  gpt2::device::DeviceModel<T, Device> model_;
  std::vector<Values> weights_, gradients_;
  typename Device::template Shared<float> scale_;
};

/// The largest distance of two sets of gradients, relative to the largest of each parameter's, and the one of norms.
struct GradientDistance {
  double largest = 0.0, norm = 0.0;
};

inline GradientDistance distance(std::vector<std::vector<double>> const& a, std::vector<std::vector<double>> const& b,
                                 double scale_of_b = 1.0) {
  GradientDistance result;
  double difference = 0.0, total = 0.0;
  for (std::size_t p = 0; p < a.size(); ++p) {
    double worst = 0.0, most = 0.0;
    for (std::size_t i = 0; i < a[p].size(); ++i) {
      double const d = a[p][i] - b[p][i] / scale_of_b;
      if (!(std::abs(d) < 1e30)) worst = 1e30;
      worst = std::max(worst, std::abs(d)), most = std::max(most, std::abs(a[p][i]));
      difference += d * d, total += a[p][i] * a[p][i];
    }
    result.largest = std::max(result.largest, worst / most);
  }
  result.norm = std::sqrt(difference / total);
  return result;
}
