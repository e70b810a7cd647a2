// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "engine/trainer.hpp"
#include "joint/joint_run.hpp"
#include "reference/training.hpp"

#include <zero/any_engine.hpp>
#include <zero/joint_step.hpp>
#include <zero/utility/fingerprint.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace joint_test {

/// Trains the reference's model on one rank.
template <class Engine, class Communicator, class Work = engine_test::AtOnce>
class Trainer {
 public:
  using Compute = typename Engine::Compute;
  using Stream = typename Engine::Stream;
  using Joint =
      zero::JointStep<typename std::remove_reference_t<decltype(std::declval<Engine&>().backend())>, Communicator>;

  Trainer(Communicator& communicator, Run const& run)
      : communicator_(communicator),
        run_(run),
        model_(reference::model()),
        work_(communicator, run.streams),
        stream_(work_.stream(0)) {
    std::vector<zero::ParameterList> lists(run.parts.size());
    ids_.resize(model_.parameters.size());
    for (auto& list : lists) add_groups(list);
    for (std::size_t p = 0; p < ids_.size(); ++p) ids_[p] = lists[run_.part_of(p)].add(registered(p));
    for (std::size_t e = 0; e < lists.size(); ++e) {
      engines_.push_back(std::make_unique<Engine>(run.parts[e].stage, communicator, lists[e], config(run.parts[e])));
    }
    for (std::size_t p = 0; p < ids_.size(); ++p) engine(p).write_parameter(spec(p).name, initial_values(p));
    if (!run.alone) make_joint();
  }

  [[nodiscard]] Result train() {
    std::uint64_t allocations = 0;
    for (int step = 0; step < run_.steps; ++step) {
      if (run_.captured && step == run_.repeated_from) capture(step);
      result_.reports.push_back(take_step(step).get());
      check_books();
      if (step == 0) allocations = allocated();
    }
    joint_ ? joint_->finish_update() : engines_[0]->finish_update();
    result_.steady = allocated() == allocations;
    read_all();
    return std::move(result_);
  }

 private:
  using Backend = typename std::remove_reference_t<decltype(std::declval<Engine&>().backend())>;
  static constexpr bool captures = zero::backend_facts<Backend>().captures_graphs;

  [[nodiscard]] auto take_step(int step) {
    if constexpr (captures) {
      if (captured_) return captured_->replay({}, stream_);
    }
    for (int a = 0; a < run_.rounds(); ++a) {
      micro_batch(run_.repeated_from < 0 ? step : std::min(step, run_.repeated_from));
    }
    if (step == 0) result_.gradient = engine(5).read_gradient(spec(5).name);
    return joint_ ? joint_->step(stream_) : engines_[0]->step(stream_);
  }
  void capture(int step) {
    if constexpr (captures) {
      if (run_.abandons_capture) abandon_capture(step);
      if (run_.member_captures) (void)engines_[0]->capture(stream_, [] {});
      captured_ = joint_->capture(stream_, [&] { (void)take_step(step); });
    }
  }

  void abandon_capture(int step) {
    try {
      (void)joint_->capture(stream_, [&] {
        (void)take_step(step);
        throw std::logic_error("given up");
      });
    } catch (std::logic_error const&) {
      return;
    }
    throw std::runtime_error("a capture that was given up has thrown nothing");
  }

  [[nodiscard]] reference::Parameter const& spec(std::size_t p) const { return model_.parameters[p]; }
  [[nodiscard]] Engine& engine(std::size_t p) { return *engines_[run_.part_of(p)]; }

  void make_joint() {
    std::vector<zero::EngineMember<typename std::remove_reference_t<decltype(engines_[0]->backend())>>> members;
    for (std::size_t e = 0; e < engines_.size(); ++e) members.push_back(engines_[e]->member("m" + std::to_string(e)));
    joint_.emplace(
        communicator_, members,
        zero::JointConfig{.gradient_clipping = run_.clipping, .allow_idle_ranks = run_.total() < run_.world});
  }

  [[nodiscard]] std::vector<float> initial_values(std::size_t p) const {
    std::vector<float> values(spec(p).count);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = reference::initial_value(p, i);
    return values;
  }
  void add_groups(zero::ParameterList& list) {
    for (std::size_t g = 1; g < model_.groups.size(); ++g) {
      (void)list.add_group({model_.groups[g].lr_factor, model_.groups[g].weight_decay});
    }
  }
  [[nodiscard]] zero::ParameterSpec registered(std::size_t p) const {
    return {.name = spec(p).name,
            .shape = {spec(p).count},
            .group = {static_cast<std::uint32_t>(spec(p).group)},
            .contributions = spec(p).contributions,
            .unit = spec(p).unit,
            .frozen = spec(p).frozen};
  }
  [[nodiscard]] typename Engine::Config config(Part const& part) {
    typename Engine::Config config{
        .micro_batches_per_step = run_.micro_batches,
        .allow_idle_ranks = run_.micro_batches.value_or(run_.world) < run_.world,
        .gradient_clipping = run_.alone ? run_.clipping : 0.0,
        .reduce = zero::Reduce::each_micro_batch,
        .bucket_elements = part.bucket_elements,
        .gradient_ring = part.gradient_ring,
        .missing_gradient = run_.missing ? zero::MissingGradient::zero : zero::MissingGradient::error,
        .persistence_threshold = part.persistence_threshold,
        .optimizer = {.lr = 0.01, .weight_decay = model_.groups[0].weight_decay}};
    work_.configure(config, {});
    if (!run_.micro_batches) config.gradient_accumulation_steps = run_.accumulation;
    if (run_.shuffled || run_.gathers_once) config.max_live_elements = SIZE_MAX;
    if constexpr (requires { config.scale.window; }) {
      config.scale.initial = 1024.0F, config.scale.window = 2, config.scale.hysteresis = 1;
    }
    if (part.offload) {
      config.offload = zero::CpuOffload::Config{};
      config.offload->chunk_elements = 512;
      config.offload->device_share = part.device_share;
      config.offload->delayed_update = run_.delayed;
    }
    return config;
  }

  void micro_batch(int step) {
    auto micro_batch = joint_ ? joint_->begin_micro_batch(stream_) : engines_[0]->begin_micro_batch(stream_);
    contributes_ = micro_batch.contributes();
    k_ = static_cast<std::uint64_t>(micro_batch.index());
    if (run_.gathers_once) {
      forward_and_backward_at_once(step);
    } else {
      for (int unit = 0; unit <= last_unit; ++unit) {
        for (std::size_t e = 0; e < engines_.size(); ++e) {
          auto const ids = unit_ids(e, unit);
          if (!ids.empty()) auto const weights = engines_[e]->gather(ids, stream_);
        }
      }
      contribute(step, 0, 0);  // the tied parameter's other use
      for (int unit = last_unit; unit >= 0; --unit) backward(step, unit);
    }
    micro_batch.finish(stream_);
  }
  void backward(int step, int unit) {
    std::vector<typename Engine::Lease> weights;
    for (std::size_t e = 0; e < engines_.size(); ++e) {
      auto const ids = unit_ids(e, unit);
      if (!ids.empty()) weights.push_back(engines_[e]->gather(ids, stream_));
    }
    for (std::size_t p = ids_.size(); p-- > 0;) {
      if (spec(p).unit == unit && !spec(p).frozen) contribute(step, p, spec(p).contributions - 1);
    }
  }
  // Everything is held until the end.
  void forward_and_backward_at_once(int step) {
    std::vector<typename Engine::Lease> weights;
    for (std::size_t e = 0; e < engines_.size(); ++e) weights.push_back(engines_[e]->gather(all_ids(e), stream_));
    contribute(step, 0, 0);
    std::vector<std::size_t> order;
    for (std::size_t p = ids_.size(); p-- > 0;) {
      if (!spec(p).frozen) order.push_back(p);
    }
    for (std::size_t i = order.size(); run_.shuffled && i > 1; --i) {
      auto const seed = (static_cast<std::uint64_t>(step) * 64 + k_) * 64 + i;
      std::swap(order[i - 1], order[reference::mix(seed) % i]);
    }
    for (auto p : order) contribute(step, p, spec(p).contributions - 1);
  }

  void contribute(int step, std::size_t p, int contribution) {
    auto const id = ids_[p];
    bool const bad = step == run_.bad_step && k_ + 1 == static_cast<std::uint64_t>(run_.total()) && p == 2;
    auto const streams = static_cast<std::size_t>(std::max(1, run_.streams));
    auto const stream = work_.stream((p + static_cast<std::size_t>(contribution)) % streams);
    auto const weights = engine(p).gather(id, stream);
    auto const values = weights[id];
    if (!contributes_) return hand_over_nan(p, stream);
    if (run_.missing && p != 2 && contribution == spec(p).contributions - 1 &&
        p % 5 == (k_ + static_cast<std::uint64_t>(step)) % 5)
      return;
    auto gradients = engine(p).gradients(id, stream);
    auto const target = gradients.write(id);
    auto const scale_of = joint_ ? joint_->loss_scale() : engines_[0]->loss_scale();
    std::span const scale(scale_of.data(), 1);
    work_.launch(
        stream, "backward", {engine_test::reads(values), engine_test::reads(scale), engine_test::writes(target.values)},
        values.size(),
        engine_test::Backward<Compute>{values.data(), scale.data(), target.values.data(), target.adds,
                                       static_cast<std::uint64_t>(step), k_, p, contribution, bad ? 1700 : SIZE_MAX});
    gradients.ready(stream);
  }
  // What a rank without a micro-batch hands over, if anything, may not be used.
  void hand_over_nan(std::size_t p, Stream stream) {
    if (run_.absent == Absent::hands_over_nothing) return;
    if (run_.absent == Absent::hands_over_some_nan && p % 2 == 1) return;
    auto gradients = engine(p).gradients(ids_[p], stream);
    auto const values = gradients.write(ids_[p]).values;
    work_.launch(stream, "NaN", {engine_test::writes(values)}, values.size(),
                 engine_test::FillNan<Compute>{values.data()});
    gradients.ready(stream);
  }

  [[nodiscard]] std::vector<zero::ParameterId> unit_ids(std::size_t e, int unit) const {
    std::vector<zero::ParameterId> ids;
    for (std::size_t p = 0; p < ids_.size(); ++p) {
      if (run_.part_of(p) == e && spec(p).unit == unit) ids.push_back(ids_[p]);
    }
    return ids;
  }
  [[nodiscard]] std::vector<zero::ParameterId> all_ids(std::size_t e) const {
    std::vector<zero::ParameterId> ids;
    for (std::size_t p = 0; p < ids_.size(); ++p) {
      if (run_.part_of(p) == e) ids.push_back(ids_[p]);
    }
    return ids;
  }

  void check_books() {
    for (auto const& engine : engines_) {
      for (auto kind : {zero::MemoryKind::device, zero::MemoryKind::pinned, zero::MemoryKind::pageable}) {
        bool const balanced = engine->memory().bytes(kind) == engine->backend().bytes_in_use(kind);
        result_.books_balance = result_.books_balance && balanced;
      }
    }
  }
  [[nodiscard]] std::uint64_t allocated() {
    std::uint64_t allocations = 0;
    for (auto const& engine : engines_) allocations += engine->backend().allocations();
    return allocations;
  }
  void read_all() {
    zero::Fingerprint hash;
    auto const add = [&hash](std::vector<float> const& values) { hash.add(std::as_bytes(std::span(values))); };
    for (std::size_t p = 0; p < ids_.size(); ++p) {
      add(engine(p).read_parameter(spec(p).name));
      if (spec(p).frozen) continue;
      add(engine(p).read_state(spec(p).name, 0));
      add(engine(p).read_state(spec(p).name, 1));
    }
    for (auto const& report : result_.reports) {
      hash.add(report.step), hash.add(report.skipped), hash.add(report.skipped_steps);
      hash.add(report.gradient_norm), hash.add(report.clip_coefficient), hash.add(report.loss_scale);
      hash.add_text(report.bad_parameter);
    }
    hash.add((joint_ ? joint_->loss_scale() : engines_[0]->loss_scale()).value());
    add(result_.gradient);
    result_.hash = hash.value();
  }

  static constexpr int last_unit = 3;

  Communicator& communicator_;
  Run run_;
  reference::Model model_;
  Work work_;
  Stream stream_;
  std::vector<zero::ParameterId> ids_;  // by parameter of the model, in its engine
  std::vector<std::unique_ptr<Engine>> engines_;
  std::optional<Joint> joint_;
  std::optional<zero::CapturedJointStep<Backend>> captured_;
  bool contributes_ = true;
  std::uint64_t k_ = 0;
  Result result_;
};

}  // namespace joint_test
