// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/adapters/detail/module_map.hpp>
#include <zero/adapters/libtorch/options.hpp>
#include <zero/parameter.hpp>

#include <utility>
#include <vector>

namespace zero::libtorch::detail {

/// The parameters of a module as an engine has them.
struct Registration {
  /// Those of \p map, in its order, in the groups of \p group_of, which may be empty.
  Registration(ModuleMap const& map, GroupOf const& group_of) {
    for (auto const& parameter : map.parameters) {
      auto const sizes = parameter.tensor.sizes();
      ids.push_back(list.add({.name = parameter.name,
                              .shape = {sizes.begin(), sizes.end()},
                              .group = group_of ? group(group_of(parameter.name, parameter.tensor)) : GroupId{},
                              .unit = static_cast<int>(parameter.owner),
                              .frozen = !parameter.tensor.requires_grad()}));
    }
  }

  ParameterList list;
  std::vector<ParameterId> ids;  ///< by parameter of the map

 private:
  [[nodiscard]] GroupId group(ParameterGroup const& wanted) {
    for (auto const& [group, id] : groups_) {
      if (group.lr_factor == wanted.lr_factor && group.weight_decay == wanted.weight_decay) return id;
    }
    return groups_.emplace_back(wanted, list.add_group(wanted)).second;
  }

  std::vector<std::pair<ParameterGroup, GroupId>> groups_;
};

}  // namespace zero::libtorch::detail
