// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/adapters/detail/hand_over_order.hpp>
#include <zero/adapters/detail/parameter_values.hpp>
#include <zero/error.hpp>
#include <zero/support/message.hpp>

#include <torch/torch.h>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace zero::libtorch::detail {

/// Hands the gradients of one micro-batch to an engine, each as soon as it has a place: one that comes too early is
/// kept, not copied. Streams and numbers as in ParameterValues.
template <class Engine>
class GradientHandOver {
 public:
  using Stream = typename Engine::Stream;
  using Values = ParameterValues<Engine>;

  /// \p values are borrowed. \p only_gathers: buckets are closed by gathers alone, because a rank may lack gradients.
  GradientHandOver(Engine const& engine, Values const& values, std::size_t ring, bool only_gathers)
      : values_(values),
        order_(engine.layout(), ring),
        only_gathers_(only_gathers),
        deferred_(values.size()),
        arrived_(values.size()) {}

  /// Starts a micro-batch.
  void begin() {
    order_.begin();
    std::fill(arrived_.begin(), arrived_.end(), char{0});
  }
  /// Forgets what is kept, whatever became of the micro-batch.
  void drop() noexcept {
    for (auto& gradient : deferred_) gradient.reset();
    deferred_count_ = 0;
  }

  /// The gradient of parameter \p i is there; gathers have closed \p by_gathers buckets. \throws GradientError.
  void arrive(Engine& engine, std::size_t i, ::torch::Tensor const& gradient, std::size_t by_gathers, Stream stream) {
    auto const& name = values_[i].name();
    if (arrived_[i] != 0) {
      zero::detail::fail_gradient(
          name, {"zero::libtorch: a second gradient of ", zero::detail::quote(name),
                 " in one micro-batch: backward ran twice. micro_batch() runs it itself: return the loss, "
                 "or the sum of several, without calling backward()"});
    }
    if (gradient.layout() != ::at::kStrided) {
      zero::detail::fail_gradient(name, {"zero::libtorch: the gradient of ", zero::detail::quote(name),
                                         " is sparse: make its module with sparse(false)"});
    }
    arrived_[i] = 1;
    if (order_.needed(index(i)) > closed(by_gathers)) {
      deferred_[i] = gradient;  // until its place in the ring is free
      ++deferred_count_;
      return;
    }
    hand_over(engine, i, gradient, stream);
    hand_over_deferred(engine, by_gathers, stream);
  }

  /// Backward is over: what is missing is named, once the other ranks have all that they wait for, unless it \p
  /// may_lack; what is still kept comes in the order of reduction. \throws GradientError.
  template <class MicroBatch>
  void hand_over_rest(Engine& engine, MicroBatch& micro_batch, bool may_lack, Stream stream) {
    if (auto const missing = first_missing(); !may_lack && missing < values_.size()) {
      try {
        micro_batch.finish(stream);
      } catch (GradientError const&) {  // may name one that is kept
      }
      throw_missing(missing);
    }
    std::vector<std::pair<std::size_t, std::size_t>> rest;
    for (std::size_t i = 0; i < deferred_.size(); ++i) {
      if (deferred_[i].defined()) rest.emplace_back(engine.layout().extents()[index(i)].first_bucket, i);
    }
    std::sort(rest.begin(), rest.end());
    for (auto const& [bucket, i] : rest) take_deferred(engine, i, stream);
  }

 private:
  // The first trainable parameter without a gradient in this micro-batch, or `size()` of the values.
  [[nodiscard]] std::size_t first_missing() const noexcept {
    std::size_t i = 0;
    while (i < arrived_.size() && (arrived_[i] != 0 || !values_[i].trainable())) ++i;
    return i;
  }
  [[noreturn]] void throw_missing(std::size_t i) const {
    auto const& name = values_[i].name();
    zero::detail::fail_gradient(name,
                                {"zero::libtorch: parameter ", zero::detail::quote(name),
                                 " got no gradient in this micro-batch: the loss does not depend on it. Freeze it by "
                                 "requires_grad_(false) before it is wrapped, or set missing_gradient = "
                                 "zero::MissingGradient::zero. discard() goes on after this error"});
  }
  [[nodiscard]] std::uint32_t index(std::size_t i) const noexcept { return values_.ids()[i].index; }

  // Buckets whose places are free, or will be when they are asked for. Where a rank may lack gradients, at stage 3 only
  // gathers may close buckets, because the other ranks close theirs there.
  [[nodiscard]] std::size_t closed(std::size_t by_gathers) const noexcept {
    return only_gathers_ ? by_gathers : (std::max)(by_gathers, order_.complete());
  }

  void hand_over(Engine& engine, std::size_t i, ::torch::Tensor const& gradient, Stream stream) {
    ::torch::NoGradGuard const guard;
    auto const id = values_.ids()[i];
    auto lease = engine.gradients(id, stream);
    values_.view(i, lease.write(id).values.data()).copy_(gradient);
    lease.ready(stream);
    order_.handed_over(id.index);
  }
  void hand_over_deferred(Engine& engine, std::size_t by_gathers, Stream stream) {
    for (bool moved = deferred_count_ > 0; moved && deferred_count_ > 0;) {
      moved = false;
      for (std::size_t i = deferred_.size(); i-- > 0;) {
        if (!deferred_[i].defined() || order_.needed(index(i)) > closed(by_gathers)) continue;
        take_deferred(engine, i, stream);
        moved = true;
      }
    }
  }
  void take_deferred(Engine& engine, std::size_t i, Stream stream) {
    ::torch::Tensor const gradient = std::exchange(deferred_[i], ::torch::Tensor());
    --deferred_count_;
    hand_over(engine, i, gradient, stream);
  }

  Values const& values_;
  HandOverOrder order_;
  bool only_gathers_;
  std::vector<::torch::Tensor> deferred_;  // gradients that came too early, by parameter
  std::size_t deferred_count_ = 0;
  std::vector<char> arrived_;  // by parameter
};

}  // namespace zero::libtorch::detail
