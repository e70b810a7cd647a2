// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What the model of model.hpp, which includes this, allocates. zero-plan's formulas (tools/zero-plan/gpt2_memory.cpp)
// say the same.
#include "model.hpp"

namespace gpt2::device {

template <class T, class Device>
DeviceModel<T, Device>::DeviceModel(ModelShape const& shape, std::size_t sequences, Device& device,
                                    std::size_t micro_batches, ActivationSettings const& activations)
    : shape_(shape),
      device_(device),
      capacity_(sequences * shape.context),
      token_grouper_(device, capacity_, shape.vocabulary),
      attention_scale_(static_cast<float>(1.0 / std::sqrt(static_cast<double>(shape.head_size())))),
      plan_(shape.layers, activations.recompute, activations.kept_inputs) {
  std::size_t const tokens = capacity_, width = shape.width, square = shape.context * shape.context;
  (void)blas_size(tokens), (void)blas_size(4 * width), (void)blas_size(logits_stride());
  auto const wide = [&](std::size_t n) { return device.template allocate<float>(n); };
  auto const narrow = [&](std::size_t n) { return device.template allocate<T>(n); };
  auto const words = [&](std::size_t n) { return device.template allocate<std::uint32_t>(n); };
  BlockSets const sets(plan_);
  for (std::size_t i = 0; i < sets.rest; ++i) {
    blocks_.push_back(
        {wide(tokens * width), wide(tokens), wide(tokens * width), wide(tokens), narrow(4 * tokens * width)});
  }
  for (std::size_t i = 0; i < sets.attention; ++i) {
    attended_.push_back({narrow(3 * tokens * width), narrow(tokens * width)});
  }
  if (activations.inputs_in_host_memory && sets.inputs > 0) {
    host_inputs_.emplace(device.backend(), sets.inputs, tokens * width * sizeof(float));
  } else {
    for (std::size_t i = 0; i < sets.inputs; ++i) kept_inputs_.push_back(wide(tokens * width));
  }
  std::size_t const logits = tokens * logits_stride();
  head_ = {wide(tokens * width),        wide(tokens), wide(logits), wide(tokens), wide(tokens), wide(tokens),
           narrow(is_wide ? 0 : logits)};
  residual_ = wide(tokens * width), dresidual_ = wide(tokens * width), wide_ = wide(4 * tokens * width);
  narrow_ = narrow(tokens * width), dnarrow_ = narrow(is_wide ? 0 : tokens * width);
  activated_ = narrow(4 * tokens * width), dwide_ = narrow(4 * tokens * width);
  merged_ = narrow(tokens * width), dheads_ = narrow(3 * tokens * width);
  std::size_t const matrices = std::min(sequences * shape.heads, std::max<std::size_t>(1, most_scores / square));
  scores_ = wide(matrices * square), probabilities_ = narrow(matrices * square);
  partial_ = wide(parts_of(tokens, rows_per_sum) * 4 * width);
  if (activations.dropout) dropped_ = wide(tokens * width);
  tokens_ = words(tokens), targets_ = words(tokens);
  if (micro_batches == 0) throw std::invalid_argument("gpt2::DeviceModel: a model takes 1 micro-batch or more");
  for (std::size_t i = 0; i < micro_batches; ++i) inputs_.push_back({{device, tokens}, {device, tokens}});
  mean_losses_ = device.template allocate_pinned<float>(std::max(kept_losses, micro_batches));
  last_row_ = device.template allocate_pinned<float>(shape.vocabulary);
}

template <class T, class Device>
std::size_t DeviceModel<T, Device>::activation_bytes() const noexcept {
  std::size_t bytes = head_.normalized.bytes() + head_.inverse_deviation.bytes() + head_.logits.bytes() +
                      head_.maximum.bytes() + head_.inverse.bytes() + head_.losses.bytes();
  for (auto const& b : blocks_) {
    bytes += b.normalized_1.bytes() + b.inverse_deviation_1.bytes() + b.normalized_2.bytes() +
             b.inverse_deviation_2.bytes() + b.hidden.bytes();
  }
  for (auto const& a : attended_) bytes += a.qkv.bytes() + a.attended.bytes();
  for (auto const& input : kept_inputs_) bytes += input.bytes();
  return bytes + (host_inputs_ ? host_inputs_->device_bytes() : 0);
}

template <class T, class Device>
std::size_t DeviceModel<T, Device>::host_activation_bytes() const noexcept {
  return host_inputs_ ? host_inputs_->host_bytes() : 0;
}

template <class T, class Device>
std::size_t DeviceModel<T, Device>::scratch_bytes() const noexcept {
  return head_.dlogits.bytes() + residual_.bytes() + dresidual_.bytes() + wide_.bytes() + narrow_.bytes() +
         dnarrow_.bytes() + activated_.bytes() + dwide_.bytes() + merged_.bytes() + dheads_.bytes() + scores_.bytes() +
         probabilities_.bytes() + partial_.bytes() + dropped_.bytes() + tokens_.bytes() + targets_.bytes() +
         token_grouper_.bytes();
}

}  // namespace gpt2::device
