// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/adapters/detail/unit_link.hpp>
#include <zero/error.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace zero::libtorch::detail {

/// A parameter of a module, once, however many modules share it.
struct MappedParameter {
  std::string name;                ///< the first one in the order of registration, as in a state_dict
  Tensor tensor;                   ///< the module's own handle
  std::vector<std::size_t> units;  ///< whose forward uses it; 0 stands for what is in no unit
  std::size_t owner = 0;           ///< the unit that it is registered with
};

/// A unit, or what is in none.
struct MappedUnit {
  std::string name;
  std::shared_ptr<UnitLink> link;
  std::size_t parent = 0;               ///< the unit around it
  std::vector<std::size_t> parameters;  ///< that its own forward uses, those of units within it apart
};

/// What a module consists of, in the order of registration.
struct ModuleMap {
  std::vector<MappedParameter> parameters;
  std::vector<MappedUnit> units{1};  ///< the first one is what is in no unit
  std::vector<std::pair<std::string, Tensor>> buffers;
};

/// Walks over a module. Modules that are registered twice count once in each unit.
class ModuleWalk {
 public:
  [[nodiscard]] ModuleMap map(::torch::nn::Module& module, std::vector<std::string> const& order) {
    visit(module, "", 0);
    if (!order.empty()) reorder(order);
    for (std::size_t i = 0; i < map_.parameters.size(); ++i) {
      auto& parameter = map_.parameters[i];
      parameter.owner = *std::min_element(parameter.units.begin(), parameter.units.end());
    }
    return std::move(map_);
  }

 private:
  void visit(::torch::nn::Module& module, std::string const& prefix, std::size_t unit) {
    if (auto* const base = dynamic_cast<UnitBase*>(&module)) unit = number_of(*base, prefix, unit);
    if (!visited_.insert({&module, unit}).second) return;
    for (auto const& item : module.named_parameters(/*recurse=*/false)) {
      if (item.value().defined()) add_parameter(prefix + item.key(), item.value(), unit);
    }
    for (auto const& item : module.named_buffers(/*recurse=*/false)) {
      bool const is_new = item.value().defined() && tensors_.insert(item.value().unsafeGetTensorImpl()).second;
      if (is_new) map_.buffers.emplace_back(prefix + item.key(), item.value());
    }
    for (auto const& item : module.named_children()) visit(*item.value(), prefix + item.key() + ".", unit);
  }

  [[nodiscard]] std::size_t number_of(UnitBase& base, std::string const& prefix, std::size_t parent) {
    auto const [at, is_new] = numbers_.emplace(&base, map_.units.size());
    if (is_new) {
      map_.units.push_back({prefix.empty() ? "" : prefix.substr(0, prefix.size() - 1), base.link(), parent, {}});
    }
    return at->second;
  }

  void add_parameter(std::string const& name, Tensor const& tensor, std::size_t unit) {
    auto const [at, is_new] = parameters_.emplace(tensor.unsafeGetTensorImpl(), map_.parameters.size());
    if (is_new) map_.parameters.push_back({name, tensor, {}, 0});
    auto& units = map_.parameters[at->second].units;
    if (std::find(units.begin(), units.end(), unit) != units.end()) return;
    units.push_back(unit);
  }

  void reorder(std::vector<std::string> const& order) {
    std::vector<std::size_t> number(map_.units.size(), 0);
    std::vector<MappedUnit> units{map_.units[0]};
    for (auto const& name : order) {
      std::size_t at = 1;
      while (at < map_.units.size() && map_.units[at].name != name) ++at;
      if (at == map_.units.size() || number[at] != 0) {
        zero::detail::fail<ConfigurationError>({"zero::libtorch: unit_order names ", zero::detail::quote(name),
                                                at == map_.units.size()
                                                    ? ", but no unit has that name: use the names of named_modules()"
                                                    : " twice: name each unit once"});
      }
      number[at] = units.size();
      units.push_back(map_.units[at]);
    }
    for (std::size_t at = 1; at < map_.units.size(); ++at) {
      if (number[at] != 0) continue;
      zero::detail::fail<ConfigurationError>({"zero::libtorch: unit_order lacks the unit ",
                                              zero::detail::quote(map_.units[at].name), ": name each unit once"});
    }
    for (auto& unit : units) unit.parent = number[unit.parent];
    for (auto& parameter : map_.parameters) {
      for (auto& unit : parameter.units) unit = number[unit];
    }
    map_.units = std::move(units);
  }

  ModuleMap map_;
  std::set<std::pair<void const*, std::size_t>> visited_;
  std::set<void const*> tensors_;
  std::unordered_map<void const*, std::size_t> parameters_;
  std::unordered_map<void const*, std::size_t> numbers_;
};

/// What \p module consists of; \p unit_order, where it is not empty, names its units in the order of forward.
/// Parameters are sorted by the units that own them where \p by_unit. \throws ConfigurationError.
[[nodiscard]] inline ModuleMap map_module(::torch::nn::Module& module, std::vector<std::string> const& unit_order,
                                          bool by_unit) {
  auto map = ModuleWalk().map(module, unit_order);
  if (by_unit) {
    std::stable_sort(map.parameters.begin(), map.parameters.end(),
                     [](MappedParameter const& a, MappedParameter const& b) { return a.owner < b.owner; });
  }
  for (std::size_t i = 0; i < map.parameters.size(); ++i) {
    for (auto const unit : map.parameters[i].units) map.units[unit].parameters.push_back(i);
  }
  return map;
}

}  // namespace zero::libtorch::detail
