// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/parameter.hpp>

#include <torch/torch.h>

#include <functional>
#include <string>
#include <vector>

namespace zero::libtorch {

/// Gives the group of a parameter, by its name and the module's tensor: weight decay and a factor of the learning rate.
using GroupOf = std::function<ParameterGroup(std::string const& name, ::torch::Tensor const& parameter)>;

/// Settings of the adapter; the same on every rank.
struct Options {
  GroupOf group_of{};                     ///< default: the rule's own settings for all
  std::vector<std::string> unit_order{};  ///< stage 3: names of all units in the order of forward, as named_modules()
                                          ///< has them; default: the order of registration
  bool check_values = false;  ///< stages 0 to 2: find what was changed behind autograd, through data(), by fingerprints
                              ///< of all values after each step and before the next use; slow
};

}  // namespace zero::libtorch
