// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dry_start.hpp"

#include "checkpoints.hpp"
#include "dry_engine.hpp"
#include "parameters.hpp"
#include "run_schedule.hpp"
#include "training/console.hpp"
#include "training/run_settings.hpp"
#include "training/run_state.hpp"

#include <zero/communicators/self.hpp>

#include <cstdint>

namespace gpt2 {
namespace {

/// What of a Trainer a run starts with.
class DryTrainer {
 public:
  using Communicator = zero::SelfCommunicator;

  DryTrainer(Options const& options, TrainingData const& data)
      : seed_(options.seed),
        schedule_(options),
        shape_{options.layers, options.heads, options.width, options.context, data.vocabulary()},
        engine_(settings_of(options), shape_) {}

  [[nodiscard]] DryEngine& engine() noexcept { return engine_; }
  [[nodiscard]] ModelShape const& shape() const noexcept { return shape_; }
  [[nodiscard]] std::uint64_t seed() const noexcept { return seed_; }
  void set_seed(std::uint64_t seed) noexcept { seed_ = seed; }
  [[nodiscard]] std::uint64_t schedule_step() const noexcept { return schedule_.step(); }
  void set_schedule_start(std::uint64_t start) { schedule_.set_start(start); }
  void set_schedule_step(std::uint64_t step) noexcept { schedule_.set_step(step); }

 private:
  std::uint64_t seed_;
  RunSchedule schedule_;
  ModelShape shape_;
  DryEngine engine_;
};

}  // namespace

void check_start(Options const& options, TrainingData const& data) {
  zero::SelfCommunicator alone;
  DryTrainer trainer(options, data);
  RunState state;
  Checkpoints<DryTrainer> checkpoints(alone, options, data, trainer, state);
  auto const done = checkpoints.start();
  auto const nothing = state.nothing_to_train({.done = done, .all = options.iterations}, options.patience);
  if (nothing) say("run: nothing to train: %s\n", nothing->c_str());
}

}  // namespace gpt2
