// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/adapters/detail/module_map.hpp>
#include <zero/error.hpp>
#include <zero/support/message.hpp>

#include <torch/torch.h>

#include <memory>
#include <unordered_set>

namespace zero::libtorch::detail {

/// Finds parameters that a module has got after it was wrapped, which no engine trains. Only of a module that a shared
/// pointer holds, such as its holder: whether another one still lives is not known.
class ModuleWatch {
 public:
  ModuleWatch(::torch::nn::Module& module, ModuleMap const& map) : module_(module.weak_from_this()) {
    for (auto const& parameter : map.parameters) known_.insert(parameter.tensor.unsafeGetTensorImpl());
  }
  /// \throws ConfigurationError, which names the parameter.
  void check() const {
    auto const module = module_.lock();
    if (!module) return;
    for (auto const& item : module->named_parameters()) {
      if (known_.count(item.value().unsafeGetTensorImpl()) != 0) continue;
      zero::detail::fail<ConfigurationError>({"zero::libtorch: parameter ", zero::detail::quote(item.key()),
                                              " was registered after the module was wrapped, and would not be trained: "
                                              "close(), and wrap the module again"});
    }
  }

 private:
  std::weak_ptr<::torch::nn::Module> module_;
  std::unordered_set<void const*> known_;
};

}  // namespace zero::libtorch::detail
