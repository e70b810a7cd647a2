// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/kernels/decide.hpp>
#include <zero/parameter.hpp>
#include <zero/support/out_of_line.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace zero::detail {

/// Which parameters share constants of the rule in a step: those of one group that count their steps from the same one.
/// The first sets are the groups themselves, from step 0 on; further ones come with checkpoints that lack parameters.
class ConstantsTable {
 public:
  /// Every parameter counts from \p first_steps, by registration; empty: all from step 0.
  ZERO_OUT_OF_LINE ConstantsTable(ParameterList const& parameters, std::span<std::uint64_t const> first_steps) {
    for (std::uint32_t g = 0; g < parameters.groups().size(); ++g) sets_.push_back({.first_step = 0, .group = g});
    groups_ = sets_.size();
    for (std::size_t i = 0; i < parameters.specs().size(); ++i) {
      set_of_.push_back(find_or_add(parameters.specs()[i], first_steps.empty() ? 0 : first_steps[i]));
    }
  }

  [[nodiscard]] std::vector<ConstantsSet> const& sets() const noexcept { return sets_; }
  /// Whether every parameter counts from step 0, so that a set is a group.
  [[nodiscard]] bool is_plain() const noexcept { return sets_.size() == groups_; }
  /// By parameter, the step from which it counts; empty where the table is plain.
  [[nodiscard]] std::vector<std::uint64_t> first_steps() const {
    std::vector<std::uint64_t> steps;
    for (std::size_t i = 0; i < set_of_.size() && !is_plain(); ++i) steps.push_back(sets_[set_of_[i]].first_step);
    return steps;
  }
  /// By parameter: the place of its constants.
  [[nodiscard]] std::vector<std::uint32_t> const& set_of() const noexcept { return set_of_; }

 private:
  [[nodiscard]] std::uint32_t find_or_add(ParameterSpec const& spec, std::uint64_t first_step) {
    if (spec.frozen || first_step == 0) return spec.group.index;
    for (std::size_t s = groups_; s < sets_.size(); ++s) {
      if (sets_[s].group == spec.group.index && sets_[s].first_step == first_step) return static_cast<std::uint32_t>(s);
    }
    sets_.push_back({.first_step = first_step, .group = spec.group.index});
    return static_cast<std::uint32_t>(sets_.size() - 1);
  }

  std::vector<ConstantsSet> sets_;
  std::vector<std::uint32_t> set_of_;
  std::size_t groups_ = 0;
};

}  // namespace zero::detail
