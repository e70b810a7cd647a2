// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "engines.hpp"
#include "model.hpp"
#include "options.hpp"
#include "thread_ranks.hpp"

#include <zero/backends/host.hpp>
#include <zero/processors.hpp>

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

namespace gpt2 {

/// A rank's model on the host, whatever its communicator.
template <class T>
class HostCompute {
 public:
  /// \p sharing ranks run where this one does, itself included.
  HostCompute(Options const& options, ModelShape const& shape, int sharing)
      : pool_(threads(options, sharing)), model_(shape, options.batch, pool_, activation_settings(options)) {}

  [[nodiscard]] Model<T>& model() noexcept { return model_; }
  [[nodiscard]] Model<T> const& model() const noexcept { return model_; }
  void head_forward(HeadWeights<T> const& weights, std::span<Token const> targets) {
    losses_.push_back(static_cast<double>(model_.head_forward(weights, targets)));
  }
  template <class LossScale>
  void head_backward(LossScale const& scale, HeadWeights<T> const& weights, HeadGradients<T> const& gradients) {
    model_.head_backward(scale.value(), weights, gradients);
  }
  [[nodiscard]] std::vector<double> take_losses() { return std::exchange(losses_, {}); }
  [[nodiscard]] zero::HostStream stream() const noexcept { return {}; }
  [[nodiscard]] zero::HostBackend::Config backend_config() { return {.pool = &pool_}; }

 private:
  static int threads(Options const& options, int sharing) {
    if (options.threads > 0) return options.threads;
    return std::max(1, zero::usable_processors() / sharing);
  }

  zero::ThreadPool pool_;
  Model<T> model_;
  std::vector<double> losses_;
};

/// Ranks that compute on the host, as threads of this process.
struct HostTarget : ThreadRanks {
  using Backend = zero::HostBackend;

  template <class T>
  class Compute : public HostCompute<T> {
   public:
    Compute(Options const& options, ModelShape const& shape, Communicator const& /*communicator*/)
        : HostCompute<T>(options, shape, options.ranks) {}
  };
};

}  // namespace gpt2
