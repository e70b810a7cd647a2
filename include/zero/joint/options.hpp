// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/settings.hpp>
#include <zero/error.hpp>
#include <zero/joint/plan.hpp>
#include <zero/joint_config.hpp>
#include <zero/step/step_settings.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>

#include <string_view>
#include <vector>

namespace zero::detail {

/// What \p options say of each member. Borrows them.
class JointMemberOptions {
 public:
  /// \throws ConfigurationError for a member that no rank has, one that is named twice, and values that cannot be.
  ZERO_OUT_OF_LINE JointMemberOptions(JointStepOptions const& options, JointPlan const& plan) : options_(options) {
    check_members("lr", options.lr, plan);
    check_members("momentum", options.momentum, plan);
    for (auto const& rate : options.lr) check_lr(rate.lr);
    for (auto const& of_member : options.momentum) {
      check_momentum("momentum", of_member.momentum);
      check_momentum("beta2", of_member.beta2);
    }
  }

  /// Those of the member \p name, whose own learning rate is \p lr.
  [[nodiscard]] RuleSettings of(std::string_view name, double lr) const {
    RuleSettings settings{lr, {}, {}};
    for (auto const& rate : options_.lr) {
      if (rate.member == name) settings.lr = rate.lr;
    }
    for (auto const& own : options_.momentum) {
      if (own.member == name) settings.momentum = own.momentum, settings.beta2 = own.beta2;
    }
    return settings;
  }

 private:
  // Each is of a member that there is, and given once.
  template <class Given>
  static void check_members(std::string_view option, std::vector<Given> const& all, JointPlan const& plan) {
    for (auto const& given : all) {
      if (!plan.knows(given.member)) {
        fail<ConfigurationError>({"zero::JointStep: ", option, " is given for ", quote(given.member),
                                  ", but no rank has a member of that name: give the names of EngineMember"});
      }
      for (auto const& other : all) {
        if (&other == &given || other.member != given.member) continue;
        fail<ConfigurationError>(
            {"zero::JointStep: ", option, " is given twice for ", quote(given.member), ": give it once"});
      }
    }
  }

  JointStepOptions const& options_;
};

}  // namespace zero::detail
