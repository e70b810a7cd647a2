// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/adapters/detail/gradient_hook.hpp>
#include <zero/adapters/detail/module_map.hpp>
#include <zero/error.hpp>
#include <zero/support/message.hpp>

#include <torch/torch.h>

namespace zero::libtorch::detail {

/// What all parameters of a module have in common. \tparam Device TorchDevice of the engine's backend
template <class Device>
class ModuleType {
 public:
  /// Of the module of \p map, for an engine that computes in \p type, at stage 3 where \p is_sharded. \throws
  /// ConfigurationError, which names the parameter, for what cannot be trained.
  ModuleType(ModuleMap const& map, ::at::ScalarType type, bool is_sharded) : type_(type) {
    zero::detail::enforce(!map.parameters.empty(),
                          "zero::libtorch: the module has no parameters: wrap one that has, and "
                          "register its modules and parameters");
    if (is_sharded && map.units.size() == 1) {
      throw ConfigurationError(
          "zero::libtorch: the module has no unit, and stage 3 would hold all of it at once: mark its "
          "layers with ZERO_TORCH_UNIT in place of TORCH_MODULE, or use stages 0 to 2");
    }
    device_ = map.parameters[0].tensor.device();
    casts_ = map.parameters[0].tensor.scalar_type() == ::at::kFloat && type != ::at::kFloat;
    for (auto const& parameter : map.parameters) check_parameter(parameter);
  }

  /// Where they are.
  [[nodiscard]] ::at::Device device() const noexcept { return device_; }
  /// Whether they are in fp32, and the engine computes in 16 bits.
  [[nodiscard]] bool casts() const noexcept { return casts_; }

 private:
  void check_parameter(MappedParameter const& parameter) const {
    auto const& tensor = parameter.tensor;
    auto const name = zero::detail::quote(parameter.name);
    if (tensor.layout() != ::at::kStrided) {
      zero::detail::fail<ConfigurationError>(
          {"zero::libtorch: parameter ", name, " is not a dense tensor: to_dense()"});
    }
    if (!Device::owns(tensor.device()) || tensor.device() != device_) {
      zero::detail::fail<ConfigurationError>(
          {"zero::libtorch: parameter ", name, " is on ", tensor.device().str(), ", but ",
           Device::owns(tensor.device()) ? "others are elsewhere" : Device::name, ": ", Device::remedy});
    }
    auto const wanted = casts_ ? ::at::kFloat : type_;
    if (tensor.scalar_type() != wanted) {
      zero::detail::fail<ConfigurationError>(
          {"zero::libtorch: parameter ", name, " is ", ::c10::toString(tensor.scalar_type()), ", but ",
           casts_ ? "the first one is Float" : "the engine computes in ", casts_ ? "" : ::c10::toString(type_),
           ": all are of one type: that, or Float, which is then kept as master values and cast to the engine's"});
    }
    if (hook_of(tensor) != nullptr) {
      zero::detail::fail<ConfigurationError>(
          {"zero::libtorch: parameter ", name,
           " belongs to another engine already, or has a post-accumulate-grad hook of "
           "somebody else: close() that one first"});
    }
  }

  ::at::ScalarType type_;
  ::at::Device device_{::at::kCPU};
  bool casts_ = false;
};

}  // namespace zero::libtorch::detail
