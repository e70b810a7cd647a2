// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/activation/segment_plan.hpp>
#include <zero/any_engine.hpp>
#include <zero/backends/simulation.hpp>
#include <zero/communicator.hpp>
#include <zero/communicators/simulation.hpp>
#include <zero/engine/micro_batch_sequence.hpp>
#include <zero/engine/settings.hpp>
#include <zero/engine_config.hpp>
#include <zero/error.hpp>
#include <zero/flat_layout.hpp>
#include <zero/memory/buffer.hpp>
#include <zero/offload.hpp>
#include <zero/parameter.hpp>
#include <zero/partitioner.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace zero {

/// What a plan is asked for, besides the engine's own settings.
struct PlanSettings {
  Stage stage = Stage::none;                    ///< what is sharded
  std::optional<CpuOffload::Config> offload{};  ///< states on the host, with these settings
  int world = 1;                                ///< number of ranks
  std::optional<NcclReductions> nccl{};         ///< over NcclCommunicator: with its staging
  int rank = 0;  ///< whose memory and traffic; ranks are alike, but for the traffic of a ragged last round
  std::optional<activation::SegmentPlan> blocks{};  ///< units in a row that backward computes again, as it says
  int first_block = 1;                              ///< number of the first of these units
};

/// What one rank of a training run holds and sends.
struct Plan {
  MemoryReport memory;                 ///< bytes by kind and purpose, as the host backend would hand them out
  Traffic traffic;                     ///< of one step, in elements
  std::uint64_t bytes_sent = 0;        ///< of one step, in the types that travel; all but `traffic.control_words`
  std::size_t adopted_bytes = 0;       ///< the caller's own buffers, which are not among `memory`
  std::size_t parameter_elements = 0;  ///< of the model, without padding
  std::size_t padding_elements = 0;    ///< what the flat space has more
  std::size_t bucket_elements = 0;     ///< of the largest bucket that is reduced, with padding
  std::uint64_t operations = 0;        ///< that the run put on streams
};

/// Bytes of model states: parameters, gradients, reduced gradients, master parameters and optimizer states (Rajbhandari
/// et al., 2020, section 3.1). At stages 2 and 3 the gradients in the compute type lie in buckets, whose number does
/// not grow with the model: those are buffers, as are gathered parameters, staging and the few bytes of control.
[[nodiscard]] inline std::size_t model_state_bytes(MemoryReport const& memory, Stage stage) noexcept {
  using Purpose = MemoryPurpose;
  std::size_t bytes = stage < Stage::gradients ? memory.bytes(Purpose::gradients) : 0;
  for (auto purpose :
       {Purpose::parameters, Purpose::gradient_sums, Purpose::local_sums, Purpose::master, Purpose::optimizer_states}) {
    bytes += memory.bytes(purpose);
  }
  return bytes;
}

namespace detail {

/// The parameters as forward and backward use them.
class UseOfParameters {
 public:
  UseOfParameters(ParameterList const& parameters, PlanSettings const& settings)
      : blocks_(settings.blocks), first_block_(settings.first_block) {
    auto const& specs = parameters.specs();
    std::map<int, Unit> units;
    for (std::uint32_t i = 0; i < specs.size(); ++i) {
      auto& unit = units[specs[i].unit];
      unit.parameters.push_back({i});
      if (!specs[i].frozen) unit.trainable.push_back({i});
      for (int further = 1; further < specs[i].contributions && !specs[i].frozen; ++further) tied_.push_back({i});
    }
    for (auto& [number, unit] : units) {
      unit.number = number;
      std::reverse(unit.trainable.begin(), unit.trainable.end());
      units_.push_back(std::move(unit));
    }
  }

  /// One micro-batch as a trainer has it: units in order and back, each gathered for its use. What has several
  /// contributions is used again behind the last unit, as a tied embedding is.
  template <class Engine>
  void micro_batch(Engine& engine, typename Engine::Stream stream) const {
    auto micro_batch = engine.begin_micro_batch(stream);
    for (auto const& unit : units_) (void)engine.gather(unit.parameters, stream);
    for (auto const& id : tied_) (void)engine.gather({&id, 1}, stream);
    for (auto const& id : tied_) backward(engine, {&id, 1}, {&id, 1}, stream);
    for (auto unit = units_.rbegin(); unit != units_.rend(); ++unit) {
      gather_again(engine, unit->number, stream);
      backward(engine, unit->parameters, unit->trainable, stream);
    }
    micro_batch.finish(stream);
  }

 private:
  struct Unit {
    int number = 0;
    std::vector<ParameterId> parameters;
    std::vector<ParameterId> trainable;  // in the order of backward
  };

  // Before the last block of a segment that is computed again: the others of the segment, for their outputs.
  template <class Engine>
  void gather_again(Engine& engine, int unit, typename Engine::Stream stream) const {
    auto const is_block = [&](int number) {
      return number >= first_block_ && static_cast<std::size_t>(number - first_block_) < blocks_->blocks();
    };
    if (!blocks_ || !is_block(unit)) return;
    auto const last = static_cast<std::size_t>(unit - first_block_);
    if (blocks_->last_work(last) != activation::BackwardWork::again_and_backward) return;
    auto const first = blocks_->begin(blocks_->segment(last));
    for (auto const& other : units_) {
      if (!is_block(other.number)) continue;
      auto const block = static_cast<std::size_t>(other.number - first_block_);
      if (block >= first && block < last) (void)engine.gather(other.parameters, stream);
    }
  }

  template <class Engine>
  static void backward(Engine& engine, std::span<ParameterId const> used, std::span<ParameterId const> trainable,
                       typename Engine::Stream stream) {
    auto const weights = engine.gather(used, stream);
    if (trainable.empty()) return;
    auto gradients = engine.gradients(trainable, stream);
    for (auto id : trainable) (void)gradients.write(id);
    gradients.ready(stream);
  }

  std::vector<Unit> units_;
  std::vector<ParameterId> tied_;
  std::optional<activation::SegmentPlan> blocks_;
  int first_block_;
};

/// What has been sent up to a point.
struct Sent {
  Traffic traffic;
  std::uint64_t bytes = 0;

  /// Adds what was sent between two points \p times more.
  void repeat(Sent const& from, Sent const& to, std::uint64_t times) noexcept {
    constexpr std::array counters{&Traffic::gradients,     &Traffic::gradient_sums, &Traffic::parameters,
                                  &Traffic::gathered,      &Traffic::evaluation,    &Traffic::access,
                                  &Traffic::control_words, &Traffic::collectives};
    for (auto counter : counters) traffic.*counter += times * (to.traffic.*counter - from.traffic.*counter);
    bytes += times * (to.bytes - from.bytes);
  }
};

/// The most micro-batches that a plan runs: the first, one like any in between, and the last.
inline constexpr int planned_micro_batches = 3;

/// Takes micro-batches out of \p config's steps, rounds in which all ranks have one, until a plan runs them all.
template <class Config>
void shorten(Config& config, MicroBatchSequence const& micro_batches, int world) {
  int const left_out = (std::max)(0, micro_batches.rounds() - planned_micro_batches);
  if (config.micro_batches_per_step) {
    *config.micro_batches_per_step -= left_out * world;
  } else {
    config.gradient_accumulation_steps = micro_batches.rounds() - left_out;
  }
}

/// Runs one step of \p engine, and says what a step of \p rounds would send.
template <class Engine>
Sent run_step(Engine& engine, SimulationCommunicator const& communicator, UseOfParameters const& use, int rounds) {
  auto const sent = [&] { return Sent{engine.traffic(), communicator.bytes_sent()}; };
  auto const stream = communicator.make_stream("compute");
  Sent const nothing = sent();
  std::vector<Sent> after{nothing};
  for (int a = 0; a < (std::min)(rounds, planned_micro_batches); ++a) {
    use.micro_batch(engine, stream);
    after.push_back(sent());
  }
  (void)engine.step({}, stream);
  engine.finish_update();
  Sent of_step;
  of_step.repeat(nothing, sent(), 1);
  int const left_out = (std::max)(0, rounds - planned_micro_batches);
  if (left_out > 0) of_step.repeat(after[1], after[2], static_cast<std::uint64_t>(left_out));
  return of_step;
}

/// The same parameters, all placed: the caller's buffers take none of the engine's memory, and need not exist.
inline ParameterList without_adopted(ParameterList const& parameters, std::size_t& adopted_bytes) {
  ParameterList placed;
  for (std::size_t g = 1; g < parameters.groups().size(); ++g) (void)placed.add_group(parameters.groups()[g]);
  for (auto spec : parameters.specs()) {
    for (auto const* buffer : {&spec.values, &spec.gradients}) {
      if (*buffer) adopted_bytes += (*buffer)->count * element_size((*buffer)->type);
    }
    spec.values.reset();
    spec.gradients.reset();
    (void)placed.add(std::move(spec));
  }
  return placed;
}

}  // namespace detail

/// Predicts the memory and the traffic of one rank: builds the engine itself over memory without storage, runs a step
/// of the loop of examples/quickstart on it, and reads its reports. Needs neither the memory nor the ranks; of alike
/// micro-batches it runs one. Adopted buffers are sized, never read. Blocks. \tparam Rule, Prec the engine's policies.
/// \throws as the engine for settings that cannot work.
template <class Rule, class Prec>
[[nodiscard]] Plan plan_step(ParameterList const& parameters, PlanSettings const& settings,
                             typename AnyEngine<Rule, Prec, SimulationBackend, SimulationCommunicator>::Config config) {
  detail::enforce(settings.world >= 1 && settings.world <= (1 << 16), "zero::plan_step: world must be 1 to 65536");
  detail::enforce(settings.rank >= 0 && settings.rank < settings.world,
                  "zero::plan_step: rank must be one of the world's");
  Plan plan;
  auto const placed = detail::without_adopted(parameters, plan.adopted_bytes);
  auto const asked = detail::settings_of(config, settings.stage);
  detail::check_settings(asked, settings.world);
  auto const micro_batches = detail::micro_batches_of(asked, settings.world, settings.rank);
  detail::shorten(config, micro_batches, settings.world);
  SimulationOptions const options{.ranks = settings.world,
                                  .storage = SimulationStorage::phantom,
                                  .check = false,
                                  .nccl = settings.nccl,
                                  .only_rank = settings.rank};
  auto const result = simulate(options, [&](SimulationCommunicator& communicator) {
    config.backend = {communicator.process()};
    auto const engine =
        make_any_engine<Rule, Prec, SimulationBackend>(settings.stage, communicator, placed, settings.offload, config);
    auto const sent =
        detail::run_step(*engine, communicator, detail::UseOfParameters(placed, settings), micro_batches.rounds());
    plan.memory = engine->memory();
    plan.traffic = sent.traffic;
    plan.bytes_sent = sent.bytes;
    plan.parameter_elements = engine->layout().parameter_elements();
    plan.padding_elements = engine->layout().padding_elements();
    for (std::size_t b = 0; b < engine->layout().trainable_buckets(); ++b) {
      plan.bucket_elements = (std::max)(plan.bucket_elements, engine->layout().buckets()[b].elements);
    }
  });
  plan.operations = result.operations;
  return plan;
}

}  // namespace zero
