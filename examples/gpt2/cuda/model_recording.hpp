// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What goes between the host and a DeviceModel (model.hpp, which includes this): tokens, targets and losses, also those
// of a step that is recorded.
#include "model.hpp"

#include <string>

namespace gpt2::device {

template <class T, class Device>
void DeviceModel<T, Device>::collect_losses() {
  if (pending_losses_ > 0) device_.synchronize();
  for (std::size_t i = 0; i < pending_losses_; ++i) losses_.push_back(static_cast<double>(mean_losses_.data()[i]));
  pending_losses_ = 0;
}

template <class T, class Device>
std::vector<double> DeviceModel<T, Device>::take_losses() {
  collect_losses();
  return std::exchange(losses_, {});
}

template <class T, class Device>
void DeviceModel<T, Device>::begin_micro_batch(std::size_t tokens) {
  if (!recording_) {
    input_ = (input_ + 1) % inputs_.size();
    inputs_[input_].filled = false;
    return;
  }
  if (recorded_tokens_.size() == inputs_.size()) {
    throw std::length_error("gpt2::DeviceModel::record: the model was made for " + std::to_string(inputs_.size()) +
                            " micro-batches, and here is one more");
  }
  input_ = recorded_tokens_.size();
  inputs_[input_].filled = false;
  recorded_tokens_.push_back(tokens);
}

template <class T, class Device>
void DeviceModel<T, Device>::upload(PinnedTokens<Device>& by_way_of, std::uint32_t* to, std::span<Token const> tokens) {
  if (!recording_) by_way_of.fill(tokens);
  by_way_of.upload(device_, to, tokens.size());
  if (!recording_) by_way_of.mark_read(device_);
}

template <class T, class Device>
template <class Passes>
void DeviceModel<T, Device>::record(Passes&& passes) {
  if (pending_losses_ > 0) throw std::logic_error("gpt2::DeviceModel::record: losses have not been taken");
  if (host_inputs_) {
    throw std::logic_error("gpt2::DeviceModel::record: kept inputs go to host memory beside the recorded stream");
  }
  recorded_tokens_.clear();
  recorded_losses_ = 0;
  recording_ = true;
  try {
    passes();
  } catch (...) {
    recording_ = false;
    recorded_tokens_.clear();
    pending_losses_ = 0;
    throw;
  }
  recording_ = false;
  recorded_losses_ = std::exchange(pending_losses_, 0);
}

template <class T, class Device>
void DeviceModel<T, Device>::fill(std::size_t k, std::span<Token const> tokens, std::span<Token const> targets) {
  if (tokens.size() != recorded_tokens_.at(k)) {
    throw std::invalid_argument("gpt2::DeviceModel::fill: micro-batch " + std::to_string(k) + " was recorded with " +
                                std::to_string(recorded_tokens_[k]) + " tokens, and here are " +
                                std::to_string(tokens.size()));
  }
  require_below_vocabulary(shape_, tokens);
  require_targets(shape_, tokens.size(), targets);
  inputs_[k].tokens.fill(tokens);
  inputs_[k].targets.fill(targets);
  inputs_[k].filled = true;
}

template <class T, class Device>
template <class Launch>
void DeviceModel<T, Device>::replay(Launch&& launch) {
  for (std::size_t k = 0; k < recorded_tokens_.size(); ++k) {
    if (inputs_[k].filled) continue;
    throw std::logic_error("gpt2::DeviceModel::replay: micro-batch " + std::to_string(k) +
                           " has not been filled since it was recorded or other passes took its place");
  }
  collect_losses();  // a replay writes its own where they lie
  launch();
  pending_losses_ = recorded_losses_;
  for (std::size_t k = 0; k < recorded_tokens_.size(); ++k) {
    inputs_[k].tokens.mark_read(device_);
    inputs_[k].targets.mark_read(device_);
  }
}

}  // namespace gpt2::device
