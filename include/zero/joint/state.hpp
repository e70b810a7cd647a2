// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/core.hpp>
#include <zero/engine/joint_link.hpp>
#include <zero/engine/phase.hpp>
#include <zero/engine/state_access.hpp>
#include <zero/engine_state.hpp>
#include <zero/joint/plan.hpp>
#include <zero/joint/world.hpp>
#include <zero/parameter.hpp>
#include <zero/precision.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace zero::detail {

/// The states of all engines that step together, as those of one: its parameters are those of all engines of all ranks,
/// in the order of the plan, of which a rank holds parts of those that its own engines have.
template <class Backend>
class JointState final : public EngineState {
 public:
  /// One engine of this rank.
  struct Member {
    EngineCore<Backend>* core = nullptr;
    std::size_t engine = 0;  ///< number in the plan
  };

  /// All is borrowed. \p members are in the order in which they call collectives; \p lead is the one whose loss scale
  /// counts. \p first_steps is kept up to date, as StepProgress has it, of all parameters.
  JointState(JointWorld<Backend>& world, JointLink<Backend>& joint, JointPlan const& plan, EnginePhase& phase,
             std::vector<Member> const& members, std::size_t lead, std::vector<std::uint64_t>& first_steps)
      : world_(world), joint_(joint), phase_(phase), first_steps_(first_steps) {
    for (std::size_t m = 0; m < members.size(); ++m) {
      parts_.emplace_back(members[m], plan.engines()[members[m].engine], m == lead);
    }
    auto const& scaler = plan.first_scaling();
    auto const own = parts_[lead].access.traits();
    for (auto const& engine : plan.engines()) {
      auto const& described = *engine.described;
      engines_.push_back({.rule = described.rule,
                          .states = described.states,
                          .scaler = own.scaler,
                          .scaler_bytes = own.scaler_bytes,
                          .compute = static_cast<ElementType>(described.compute),
                          .micro_batches_per_step = plan.given_micro_batches(),
                          .layout = own.layout});
      if (&described == &scaler) first_ = engines_.size() - 1;
      if (engine.repeats) continue;
      for (auto const& parameter : described.parameters) {
        parameters_.push_back({.name = parameter.name,
                               .shape = {parameter.shape.begin(), parameter.shape.end()},
                               .frozen = parameter.frozen != 0});
        engine_of_.push_back(engines_.size() - 1);
      }
    }
  }

  [[nodiscard]] int rank() const override { return world_.rank(); }
  [[nodiscard]] int size() const override { return world_.size(); }
  void exchange(std::span<std::byte const> mine, std::span<std::byte> all) override { world_.exchange(mine, all); }
  /// Of the engine with the loss scaler.
  [[nodiscard]] EngineTraits const& traits() const override { return engines_[first_]; }
  [[nodiscard]] EngineTraits const& traits_of(std::uint32_t parameter) const override {
    return engines_[engine_of_[parameter]];
  }
  [[nodiscard]] std::vector<ParameterSpec> const& parameters() const override { return parameters_; }

  [[nodiscard]] std::vector<StateRange> owned_ranges() const override {
    return ranges(
        [](Part const& part) { return part.repeats ? std::vector<StateRange>{} : part.access.owned_ranges(); });
  }
  [[nodiscard]] std::vector<StateRange> resident_ranges() const override {
    return ranges([](Part const& part) { return part.access.resident_ranges(); });
  }

  void read(StateRange const& range, std::uint64_t first, std::span<std::byte> into) override {
    auto& part = part_of(range);
    part.access.read(part.own(range), first, into);
  }
  [[nodiscard]] std::shared_ptr<void> pin(std::span<std::byte> memory) override {
    return parts_.front().access.pin(memory);
  }
  [[nodiscard]] StepProgress progress() const override {
    StepProgress progress;
    for (auto const& part : parts_) {
      if (part.leads) progress = part.access.progress();
    }
    progress.first_steps = first_steps_;
    return progress;
  }

  void begin_load() override {
    for (auto& part : parts_) part.core->parts().gatherer.require_no_leases();
    load_.emplace(phase_, "a checkpoint was not loaded to its end");
    for (auto& part : parts_) part.access.begin_load();
  }
  void write(StateRange const& range, std::uint64_t first, std::span<std::byte const> from) override {
    auto& part = part_of(range);
    part.access.write(part.own(range), first, from);
  }
  void set_progress(StepProgress const& progress) override {
    for (auto& part : parts_) {
      auto own = part.access.progress();
      own.steps = progress.steps, own.skipped = progress.skipped;
      if (part.scales) own.scaler = progress.scaler;
      own.first_steps.clear();
      if (!progress.first_steps.empty()) {
        auto const begin = progress.first_steps.begin() + part.first_parameter;
        own.first_steps.assign(begin, begin + part.parameters);
      }
      part.access.set_progress(own);
    }
    first_steps_ = progress.first_steps;
  }
  void finish_load() override {
    for (auto& part : parts_) {
      joint_.take_turn(part.core->member());
      part.access.finish_load();
    }
    load_->commit();
  }

 private:
  struct Part {
    Part(Member const& of, JointPlan::Engine const& engine, bool is_lead)
        : core(of.core),
          access(of.core->parts(), std::nullopt, false),
          first_parameter(engine.first_parameter),
          parameters(static_cast<std::uint32_t>(engine.described->parameters.size())),
          repeats(engine.repeats),
          scales(of.core->operations().policies.traits().scales),
          leads(is_lead) {}
    /// The same range in the engine's own numbers.
    [[nodiscard]] StateRange own(StateRange range) const noexcept {
      range.parameter -= first_parameter;
      return range;
    }
    EngineCore<Backend>* core;
    EngineStateAccess<Backend> access;
    std::uint32_t first_parameter;
    std::uint32_t parameters;
    bool repeats;  ///< another engine saves its parameters
    bool scales;
    bool leads;
  };

  [[nodiscard]] Part& part_of(StateRange const& range) {
    return *std::find_if(parts_.begin(), parts_.end(), [&](Part const& part) {
      return range.parameter - part.first_parameter < part.parameters;  // unsigned: not below the first either
    });
  }
  template <class Function>
  [[nodiscard]] std::vector<StateRange> ranges(Function const& of) const {
    std::vector<StateRange> all;
    for (auto const& part : parts_) {
      for (auto range : of(part)) {
        range.parameter += part.first_parameter;
        all.push_back(range);
      }
    }
    return all;
  }

  JointWorld<Backend>& world_;
  JointLink<Backend>& joint_;
  EnginePhase& phase_;
  std::vector<std::uint64_t>& first_steps_;
  std::deque<Part> parts_;
  std::vector<EngineTraits> engines_;
  std::size_t first_ = 0;  // of the engines: whose loss scaler counts
  std::vector<ParameterSpec> parameters_;
  std::vector<std::size_t> engine_of_;            // by parameter
  std::optional<EnginePhase::UpdateGuard> load_;  // from begin_load to finish_load
};

}  // namespace zero::detail
