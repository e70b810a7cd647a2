// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/captured_step.hpp>
#include <zero/engine/rank_agreement.hpp>
#include <zero/engine/recorded_calls.hpp>
#include <zero/joint/capture.hpp>
#include <zero/joint/members.hpp>
#include <zero/joint/options.hpp>
#include <zero/joint/plan.hpp>
#include <zero/joint/world.hpp>
#include <zero/joint_config.hpp>
#include <zero/step/decider.hpp>
#include <zero/step/step_settings.hpp>
#include <zero/support/call_history.hpp>
#include <zero/utility/fingerprint.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <vector>

namespace zero::detail {

/// Gives the deciders of a rank's members what the next step takes: settings, and what ranks compare by them. A step
/// that throws here has changed nothing. All that it is made of is borrowed.
template <class Backend>
class JointStaging {
 public:
  JointStaging(JointWorld<Backend>& world, JointConfig const& config, JointPlan const& plan,
               JointMembers<Backend>& members)
      : world_(world), config_(config), plan_(plan), members_(members) {}

  /// \throws ConfigurationError for options that a member's rule cannot take, before any member has its own; and what
  /// an earlier step has failed with.
  void stage(JointStepOptions const& options) {
    JointMemberOptions const of_members(options, plan_);
    for (auto& member : members_) {
      check_rule_settings(settings_of(member, of_members), member.core->operations().policies.traits());
    }
    double const clipping = options.gradient_clipping.value_or(config_.gradient_clipping);
    stage(members_.lead(), of_members, clipping);  // the one that says what earlier steps have failed with
    for (std::size_t m = 0; m < members_.size(); ++m) {
      if (m != members_.lead()) stage(m, of_members, clipping);
    }
    Fingerprint agreement;
    agreement.add(clipping);
    members_.lead_parts().decider.stage_world(fold_agreement(agreement.value()));
  }

  /// As stage, and as if the calls of the recorded \p step were made again.
  template <class Graph>
  void stage_replay(RecordedJointStep<Graph> const& step, JointStepOptions const& options) {
    auto* const world_calls = world_.calls();
    std::uint64_t const made = world_calls != nullptr ? *world_calls : 0;
    std::vector<CallHistory> before;
    for (std::size_t m = 0; m < members_.size(); ++m) {
      auto& history = collectives_of(m).history_now();
      before.push_back(history);
      history.append(step.members[m].calls.before_decision);
    }
    if (auto const failure = attempt([&] { stage(options); })) {
      for (std::size_t m = 0; m < members_.size(); ++m) collectives_of(m).history = before[m];
      std::rethrow_exception(failure);
    }
    for (std::size_t m = 0; m < members_.size(); ++m) {
      collectives_of(m).history.append(step.members[m].calls.after_decision);
      count_replay(collectives_of(m), step.members[m].calls);
    }
    if (world_calls != nullptr) *world_calls = made + step.world_calls;
  }

 private:
  void stage(std::size_t m, JointMemberOptions const& of_members, double clipping) {
    auto const settings = settings_of(members_[m], of_members);
    auto& decider = members_[m].parts().decider;
    decider.stage(settings, clipping, collectives_of(m).history_now());
    if (members_[m].rate_entry) decider.stage_rate(settings);
  }
  [[nodiscard]] static RuleSettings settings_of(JointMember<Backend> const& member,
                                                JointMemberOptions const& of_members) {
    return of_members.of(member.name, member.core->settings().lr);
  }
  [[nodiscard]] auto& collectives_of(std::size_t m) { return members_[m].core->operations().collectives; }

  JointWorld<Backend>& world_;
  JointConfig const& config_;
  JointPlan const& plan_;
  JointMembers<Backend>& members_;
};

}  // namespace zero::detail
