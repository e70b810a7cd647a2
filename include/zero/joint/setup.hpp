// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/communicator.hpp>
#include <zero/engine/core.hpp>
#include <zero/engine/rank_agreement.hpp>
#include <zero/engine/settings.hpp>
#include <zero/engine_config.hpp>
#include <zero/engine_member.hpp>
#include <zero/error.hpp>
#include <zero/joint/description.hpp>
#include <zero/joint_config.hpp>
#include <zero/parameter.hpp>
#include <zero/partitioner.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>
#include <zero/utility/fingerprint.hpp>
#include <zero/version.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace zero::detail {

/// How making a joint step fails: the rank that failed throws what it threw, the others say which one it was.
struct JointSetupFailure {
  static LocalOutcome outcome_of(std::exception_ptr const& error) { return {1, text_of(error)}; }
  [[noreturn]] ZERO_OUT_OF_LINE static void raise(std::exception_ptr const& mine, RankTexts const& outcomes,
                                                  std::size_t failed) {
    if (mine) std::rethrow_exception(mine);
    fail<ConfigurationError>({"zero::JointStep: rank ", failed, " could not be set up: ", outcomes[failed]});
  }
};

/// \throws ConfigurationError for what cannot work on a rank of \p world.
ZERO_OUT_OF_LINE inline void check_joint_config(JointConfig const& config, int rank, int world) {
  check_clipping(config.gradient_clipping);
  enforce(config.max_skipped_steps >= 0,
          "zero::JointStep: max_skipped_steps must not be negative; 0 lets a run skip any number of steps");
  int const total = config.micro_batches_per_step.value_or(1);
  enforce(total >= 1 && total <= (1 << 30),
          "zero::JointStep: micro_batches_per_step must be at least 1 micro-batch, and at most 2^30");
  auto const data = config.data.value_or(DataPosition{rank, world});
  if (data.count >= 1 && data.count <= world && data.position >= 0 && data.position < data.count) return;
  fail<ConfigurationError>({"zero::JointStep: rank ", rank, " is at data position ", data.position, " of ", data.count,
                            ": count positions from 0, and have no more of them than the ",
                            counted(static_cast<std::uint64_t>(world), "rank")});
}

/// \throws SequenceError where the engine of \p core, called \p name, is not between two steps, ConfigurationError
/// where it has settings that are the joint step's.
template <class Backend>
ZERO_OUT_OF_LINE void check_member(EngineCore<Backend>& core, std::string_view name) {
  if (core.is_in_joint()) {
    fail<SequenceError>({"zero::JointStep: the engine of member ", quote(name),
                         " is a member of another joint step: end that one first"});
  }
  core.phase().require_sound();
  if (!core.phase().is_quiet() || core.phase().finished_rounds() != 0) {
    fail<SequenceError>({"zero::JointStep: the engine of member ", quote(name),
                         " is in the middle of a step: call its step() first, or discard_gradients()"});
  }
  core.parts().gatherer.require_no_leases();
  auto const& settings = core.settings();
  std::string_view const owned = settings.gradient_clipping != 0.0 ? "gradient_clipping"
                                 : settings.max_skipped_steps != 0 ? "max_skipped_steps"
                                                                   : "";
  if (owned.empty()) return;
  fail<ConfigurationError>({"zero::JointStep: member ", quote(name), " sets ", owned,
                            ", which is the joint step's: set it in zero::JointConfig, and leave it out here"});
}

/// Whether an engine has a number of rounds only, and so does not know that its bits are to be the same on any number
/// of ranks. It reduces in the order that costs least then, unless its settings say otherwise.
[[nodiscard]] inline bool has_rounds_only(EngineSettings const& settings) noexcept {
  return !settings.micro_batches_per_step.has_value();
}
/// What this rank tells the others of the engine of \p core, called \p name.
template <class Backend>
ZERO_OUT_OF_LINE JointEngine describe_member(EngineCore<Backend>& core, std::string const& name,
                                             MemberOptions const& options) {
  auto const& policies = core.operations().policies;
  auto const& traits = policies.traits();
  auto const& parameters = core.lifetime()->parameters;
  auto const progress = core.parts().decider.progress();
  Fingerprint state;
  state.add(std::span<std::byte const>(progress.scaler));
  auto const& settings = core.settings();
  bool const sums_once = has_rounds_only(settings) && !settings.reduce && settings.stage < Stage::gradients;
  auto const adds_by_rank = [&](SumOrder order) {
    return core.operations().collectives.adds_by_rank(ElementRole::value, order);
  };
  bool const fastest = has_rounds_only(settings) &&
                       settings.reduce.value_or(Reduce::each_micro_batch) == Reduce::each_micro_batch &&
                       adds_by_rank(SumOrder::by_rank) && !adds_by_rank(SumOrder::fastest);
  JointEngine engine{.name = name,
                     .rule = std::string(traits.rule),
                     .states = state_names(traits),
                     .scaler = std::string(traits.scales ? traits.scaler : std::string_view()),
                     .scaler_settings = policies.fingerprint_of_scaler(),
                     .scaler_state = state.value(),
                     .steps = progress.steps,
                     .skipped = progress.skipped,
                     .ranks = static_cast<std::uint64_t>(core.operations().collectives.size()),
                     .rank = static_cast<std::uint64_t>(core.operations().collectives.rank()),
                     .stage = static_cast<std::uint64_t>(settings.stage),
                     .rounds = static_cast<std::uint64_t>(core.micro_batches().rounds()),
                     .micro_batches = static_cast<std::uint64_t>(settings.micro_batches_per_step.value_or(0)),
                     .sums_once = sums_once ? 1U : 0U,
                     .sums_fastest = fastest ? 1U : 0U,
                     .may_lack = settings.missing_gradient == MissingGradient::zero ? 1U : 0U,
                     .compute = static_cast<std::uint64_t>(traits.compute),
                     .repeated_over = options.repeated_over,
                     .parameters = {}};
  std::vector<std::uint64_t> rules;
  for (auto const& group : parameters.groups()) rules.push_back(policies.fingerprint_of_rule(group));
  for (std::size_t i = 0; i < parameters.specs().size(); ++i) {
    auto const& spec = parameters.specs()[i];
    engine.parameters.push_back({.name = spec.name,
                                 .shape = {spec.shape.begin(), spec.shape.end()},
                                 .rule = rules[spec.group.index],
                                 .frozen = spec.frozen ? 1U : 0U,
                                 .first_step = progress.first_steps.empty() ? 0 : progress.first_steps[i]});
  }
  return engine;
}

/// What this rank tells the others of itself, apart from its engines. \p config is valid.
ZERO_OUT_OF_LINE inline JointRank describe_rank(JointConfig const& config, int rank, int world) {
  auto const data = config.data.value_or(DataPosition{rank, world});
  return {.version = ZERO_VERSION,
          .position = static_cast<std::uint64_t>(data.position),
          .positions = static_cast<std::uint64_t>(data.count),
          .clipping = config.gradient_clipping,
          .max_skipped = static_cast<std::uint64_t>(config.max_skipped_steps),
          .micro_batches = static_cast<std::uint64_t>(config.micro_batches_per_step.value_or(0)),
          .allow_idle = config.allow_idle_ranks ? 1U : 0U,
          .engines = {}};
}

}  // namespace zero::detail
