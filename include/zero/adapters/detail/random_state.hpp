// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <ATen/Context.h>
#include <ATen/core/Generator.h>
#include <torch/torch.h>

#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

namespace zero::libtorch::detail {

/// Where torch's default generators of the host and of one device stand.
class RandomState {
 public:
  /// Where they stand now, of the host and of \p device.
  explicit RandomState(::at::Device device) {
    states_.emplace_back(generator(::at::kCPU), ::torch::Tensor());
    if (!device.is_cpu()) states_.emplace_back(generator(device), ::torch::Tensor());
    for (auto& [source, state] : states_) {
      std::lock_guard const lock(source.mutex());
      state = source.get_state();
    }
  }
  /// Sets them back to there.
  void restore() const {
    for (auto const& [source, state] : states_) {
      auto target = source;
      std::lock_guard const lock(target.mutex());
      target.set_state(state);
    }
  }
  friend bool operator==(RandomState const& a, RandomState const& b) {
    for (std::size_t i = 0; i < a.states_.size(); ++i) {
      if (!::torch::equal(a.states_[i].second, b.states_[i].second)) return false;
    }
    return a.states_.size() == b.states_.size();
  }

 private:
  [[nodiscard]] static ::at::Generator generator(::at::Device device) {
    return ::at::globalContext().defaultGenerator(device);
  }

  std::vector<std::pair<::at::Generator, ::torch::Tensor>> states_;
};

}  // namespace zero::libtorch::detail
