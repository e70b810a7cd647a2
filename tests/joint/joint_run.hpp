// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "engine/runs.hpp"

#include <zero/partitioner.hpp>
#include <zero/step_report.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace joint_test {

using engine_test::Absent;

/// One engine of a run.
struct Part {
  zero::Stage stage = zero::Stage::none;
  bool offload = false;
  double device_share = 0.0;
  std::size_t bucket_elements = 1024;
  int gradient_ring = 4;
  std::size_t persistence_threshold = 0;
};

/// What joint steps train: the reference's model, its parameters divided over several engines.
struct Run {
  std::vector<Part> parts{{}};
  bool alone = false;  ///< the one engine steps by itself
  int world = 1;
  int accumulation = 1;
  std::optional<int> micro_batches{};
  Absent absent = Absent::hands_over_nothing;
  bool missing = false;       ///< each rank leaves one gradient out in each micro-batch, which counts as zero
  bool delayed = false;       ///< updates of offloaded engines
  bool shuffled = false;      ///< gradients arrive in another order on every rank
  bool gathers_once = false;  ///< backward reads what forward has gathered
  double clipping = 0.5;
  int steps = 4;
  int bad_step = 2;
  int streams = 1;
  int repeated_from = -1;         ///< this step's gradients are those of the later ones, too; -1: each has its own
  bool captured = false;          ///< these steps are replays of a captured one
  bool abandons_capture = false;  ///< by an error in its middle, before that
  bool member_captures = false;   ///< its own step, which is the joint step's, before that

  [[nodiscard]] int total() const { return micro_batches.value_or(world * accumulation); }
  [[nodiscard]] int rounds() const { return (total() + world - 1) / world; }
  /// Whose parameter \p p is: neighbours have different ones.
  [[nodiscard]] std::size_t part_of(std::size_t p) const { return parts.empty() ? 0 : (p * 7 + p / 3) % parts.size(); }
};

[[nodiscard]] inline std::string describe(Run const& r) {
  std::string text = "world " + std::to_string(r.world) + " of " + std::to_string(r.total());
  for (auto const& part : r.parts) {
    text += " | stage " + std::to_string(static_cast<int>(part.stage)) + (part.offload ? " offload" : "") + " bucket " +
            std::to_string(part.bucket_elements) + " ring " + std::to_string(part.gradient_ring) +
            (part.persistence_threshold > 0 ? " whole" : "");
  }
  return text + (r.delayed ? " delayed" : "") + (r.shuffled ? " shuffled" : "") + (r.missing ? " missing" : "") +
         (r.gathers_once ? " gathers once" : "") + " absent " + std::to_string(static_cast<int>(r.absent));
}

struct Result {
  std::uint64_t hash = 0;  ///< of all parameters, states and reports
  std::vector<zero::StepReport> reports;
  std::vector<float> gradient;  ///< of one parameter, read by name before the first step
  bool books_balance = true;
  bool steady = true;  ///< nothing was allocated after the first step
};

}  // namespace joint_test
