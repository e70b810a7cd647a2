// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>
#include <torch/torch.h>

#include <cstddef>
#include <memory>
#include <utility>

namespace zero::libtorch::detail {

/// Tells \p Session, which it holds weakly, that the gradient of a parameter is there.
template <class Session>
class GradientHook final : public ::torch::autograd::PostAccumulateGradHook {
 public:
  /// Of the parameter of number \p i.
  GradientHook(std::weak_ptr<Session> session, std::size_t i) : session_(std::move(session)), i_(i) {}
  void operator()(::torch::Tensor const& /*parameter*/) override {
    if (auto const session = session_.lock()) session->arrive(i_);
  }

 private:
  std::weak_ptr<Session> session_;
  std::size_t i_;
};

/// The hook that \p tensor has, whosever it is, or null.
[[nodiscard]] inline ::torch::autograd::PostAccumulateGradHook* hook_of(::torch::Tensor const& tensor) {
  if (::torch::autograd::impl::get_autograd_meta(tensor) == nullptr) return nullptr;
  return ::torch::autograd::impl::post_acc_grad_hooks(tensor).get();
}

}  // namespace zero::libtorch::detail
