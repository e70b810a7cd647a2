// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <optional>
#include <string>
#include <vector>

namespace zero {

/// Where a rank stands among those that take micro-batches in turn: micro-batch k of a step runs at position k mod
/// count. Ranks at one position compute one micro-batch together, e.g. the stages of a pipeline.
struct DataPosition {
  int position = 0;  ///< of this rank, from 0
  int count = 1;     ///< the same on every rank
};

/// Settings of a joint step, the same on every rank but for the position of `data`. They take the place of those of the
/// same name in the members' configurations, which are to be left out there.
struct JointConfig {
  double gradient_clipping = 0.0;  ///< largest norm of the averaged gradient of all members; 0: no clipping
  int max_skipped_steps = 0;       ///< in a row: DivergenceError after that many; 0: any number
  /// Micro-batches per step of all positions, by which gradients are averaged. Default: that of the members, where one
  /// gives it, else their rounds times the positions.
  std::optional<int> micro_batches_per_step{};
  bool allow_idle_ranks = false;       ///< more positions than micro_batches_per_step: the last ones hold states only
  std::optional<DataPosition> data{};  ///< default: each rank of the world has a position of its own
};

/// The learning rate of one member in one step.
struct MemberLearningRate {
  std::string member;  ///< its name
  double lr = 0.0;     ///< finite and not negative
};

/// Momentum of one member in one step; see StepOptions. What is left out is the member's configuration's.
struct MemberMomentum {
  std::string member;                ///< its name
  std::optional<double> momentum{};  ///< in [0, 1)
  std::optional<double> beta2{};     ///< in [0, 1)
};

/// What changes from joint step to joint step.
struct JointStepOptions {
  std::vector<MemberLearningRate> lr{};       ///< of members of this rank or of others; default: their configurations'
  std::optional<double> gradient_clipping{};  ///< default: the configuration's
  std::vector<MemberMomentum> momentum{};     ///< of members of this rank or of others; default: their configurations'
};

}  // namespace zero
