// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "differential/engine_runs.hpp"
#include "differential/engine_setup.hpp"
#include "differential/gradient_writer.hpp"
#include "differential/hand_over.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace differential {

/// One rank of a scenario, trained by an engine as a user would.
template <class UpdateRule, class Engine>
class RankTrainer {
 public:
  using Value = typename Engine::Compute;

  RankTrainer(Scenario const& s, zero::ThreadCommunicator& communicator)
      : s_(s),
        rank_(static_cast<std::size_t>(communicator.rank())),
        registered_(s),
        engine_(static_cast<zero::Stage>(s.stage), communicator, registered_.list(),
                engine_config<Engine>(s, registered_.list())),
        ring_(engine_.layout(), static_cast<std::size_t>(s.ring)),
        order_(s, ring_),
        writer_(s, engine_, registered_) {
    for (std::size_t p = 0; p < s.parameters.size(); ++p) {
      add_to_unit(p);
      if (s.parameters[p].adopts_values || registers_initial(s, p)) continue;
      std::vector<float> values;
      for (std::size_t i = 0; i < s.parameters[p].count; ++i) values.push_back(initial_value(s, p, i));
      engine_.write_parameter(name(p), values);
    }
  }

  Outcome train() {
    for (std::size_t step = 0; step < static_cast<std::size_t>(s_.steps); ++step) take(step);
    engine_.finish_update();
    for (std::size_t p = 0; p < s_.parameters.size(); ++p) outcome_.values.push_back(engine_.read_parameter(name(p)));
    for (std::size_t k = 0; k < UpdateRule::state_count; ++k) read_states(k);
    return std::move(outcome_);
  }

 private:
  // Far from every step that counts: what is discarded has other gradients.
  static constexpr std::size_t discarded = 1000, undone = 2000;

  [[nodiscard]] static std::string name(std::size_t p) { return "p" + std::to_string(p); }
  [[nodiscard]] zero::ParameterId id(std::size_t p) const { return registered_.ids()[p]; }
  [[nodiscard]] std::size_t micro_batches() const { return rounds(s_); }

  void add_to_unit(std::size_t p) {
    if (units_.empty() || s_.parameters[units_.back().back()].unit != s_.parameters[p].unit) units_.emplace_back();
    units_.back().push_back(p);
    unit_of_.push_back(units_.size() - 1);
  }

  // ------------------------------------------------------------------------------------------------- a step

  void take(std::size_t step) {
    if (happens(s_, Event::discarded, s_.discarded, {step})) {
      std::size_t const last = draw_of(s_, Event::discarded, {step, 1}) % micro_batches();
      for (std::size_t a = 0; a <= last; ++a) micro_batch(step + discarded, a);
      engine_.discard_gradients();
    }
    if (happens(s_, Event::undone, s_.undone, {step})) fail_micro_batch(step);
    for (std::size_t a = 0; a < micro_batches(); ++a) micro_batch(step, a);
    StepOutcome now;
    if (is_read(s_, step)) read_gradients(now);
    auto const ticket = engine_.step({step_lr(s_, step), step_clipping(s_, step)}, stream_);
    report(ticket, now);
    if (is_published(s_, step)) engine_.finish_update();
    if (auto const p = edited_parameter(s_, step)) edit(step, *p);
    if (is_evaluated(s_, step)) evaluate(now);
    outcome_.steps.push_back(std::move(now));
  }

  // A contribution was added to another one in place and then abandoned: it cannot be taken out again.
  void fail_micro_batch(std::size_t step) {
    std::size_t const failing = draw_of(s_, Event::undone, {step, 1}) % micro_batches();
    for (std::size_t a = 0; a < failing; ++a) micro_batch(step + undone, a);
    writer_.undo_later_contributions(true);
    bool refused = false;
    try {
      micro_batch(step + undone, failing);
    } catch (zero::GradientError const&) {
      refused = true;
    } catch (zero::SequenceError const&) {
      refused = true;
    }
    writer_.undo_later_contributions(false);
    if (!refused) throw std::logic_error("a contribution that was abandoned after another one is not refused");
    engine_.discard_gradients();
  }

  template <class Ticket>
  void report(Ticket const& ticket, StepOutcome& now) {
    try {
      auto const report = ticket.get();
      now.skips = report.skipped, now.norm = report.gradient_norm, now.clip = report.clip_coefficient;
      now.scale = report.loss_scale, now.at_minimum = report.at_minimum_scale;
      if (!report.bad_parameter.empty()) now.bad_parameter = std::stoi(report.bad_parameter.substr(1));
    } catch (zero::LossScaleError const&) {
      now.told = false;
    }
    auto const& state = engine_.step_state();
    now.updates = state.steps, now.skipped = state.skipped, now.next_scale = engine_.loss_scale().value();
  }

  // ------------------------------------------------------------------------------------------------- a micro-batch

  void micro_batch(std::size_t step, std::size_t a) {
    auto micro_batch = engine_.begin_micro_batch(stream_);
    order_.begin(step, rank_, a);
    writer_.begin();
    pools_.assign(units_.size(), {});
    for (std::size_t p = s_.parameters.size(); p-- > 0;) {
      if (s_.parameters[p].frozen) continue;
      for (auto u : places(s_, {step, rank_, a, p}, unit_of_[p], units_.size())) pools_[u].push_back(p);
    }
    forward_and_backward();
    micro_batch.finish(stream_);
  }

  void forward_and_backward() {
    std::optional<typename Engine::Lease> all;
    if (s_.gathers == Gathers::all) all.emplace(engine_.gather(registered_.ids(), stream_));
    if (s_.gathers == Gathers::units || s_.gathers == Gathers::recompute) {
      for (auto const& unit : units_) (void)engine_.gather(ids_of(unit), stream_);
    }
    auto const* const whole = all ? &*all : nullptr;
    if (s_.arrival == Arrival::free) return backward_at_once(whole);
    for (std::size_t u = units_.size(); u-- > 0;) {
      bool const ends_segment = (units_.size() - 1 - u) % 2 == 0;
      if (s_.gathers == Gathers::recompute && ends_segment) recompute(u);
      backward(pools_[u], units_[u], whole);
    }
  }

  // Two units' forward passes again, before their backward passes.
  void recompute(std::size_t u) {
    if (u > 0) (void)engine_.gather(ids_of(units_[u - 1]), stream_);
    (void)engine_.gather(ids_of(units_[u]), stream_);
  }

  // Backward over all units together, in any order.
  void backward_at_once(typename Engine::Lease const* whole) {
    std::vector<std::size_t> pool, parameters;
    for (auto u = units_.size(); u-- > 0;) pool.insert(pool.end(), pools_[u].begin(), pools_[u].end());
    for (std::size_t p = 0; p < s_.parameters.size(); ++p) parameters.push_back(p);
    backward(pool, parameters, whole);
  }

  // What this pass reads is gathered before any gradient is handed over, so that all ranks gather at the same place.
  void backward(std::vector<std::size_t> pool, std::vector<std::size_t> parameters,
                typename Engine::Lease const* whole) {
    std::optional<typename Engine::Lease> gathered;
    if (whole == nullptr && s_.gathers != Gathers::none) {
      for (auto p : pool) {
        if (std::find(parameters.begin(), parameters.end(), p) == parameters.end()) parameters.push_back(p);
      }
      whole = &gathered.emplace(engine_.gather(ids_of(parameters), stream_));
    }
    while (!pool.empty()) {
      auto const lease = order_.next(pool);
      if (lease.empty()) throw std::logic_error("the test's order of gradients runs ahead of the ring");
      writer_.hand_over(lease, whole);
      for (auto const& h : lease) order_.done(h);
    }
  }

  [[nodiscard]] std::vector<zero::ParameterId> ids_of(std::vector<std::size_t> const& parameters) const {
    std::vector<zero::ParameterId> ids;
    ids.reserve(parameters.size());
    for (auto p : parameters) ids.push_back(id(p));
    return ids;
  }

  // ------------------------------------------------------------------------------------------------- to look at

  void read_gradients(StepOutcome& now) {
    for (std::size_t p = 0; p < s_.parameters.size(); ++p) {
      now.gradients.push_back(s_.parameters[p].frozen ? std::vector<float>{} : engine_.read_gradient(name(p)));
    }
  }
  void read_states(std::size_t k) {
    auto& states = outcome_.states.emplace_back();
    for (std::size_t p = 0; p < s_.parameters.size(); ++p) {
      states.push_back(s_.parameters[p].frozen ? std::vector<float>{} : engine_.read_state(name(p), k));
    }
  }
  void edit(std::size_t step, std::size_t p) {
    std::vector<float> values;
    for (std::size_t i = 0; i < s_.parameters[p].count; ++i) values.push_back(edited_value(s_, step, i));
    engine_.write_parameter(name(p), values);
  }

  // What is gathered, and what the caller's own buffers hold where that is something else.
  void evaluate(StepOutcome& now) {
    for (auto const& unit : units_) {
      auto const weights = engine_.gather(ids_of(unit), stream_);
      for (auto p : unit) {
        auto& seen = now.seen.emplace_back();
        for (auto value : weights[id(p)]) seen.push_back(zero::widen(value));
        auto const& own = registered_.values(p);
        for (std::size_t i = 0; i < own.size(); ++i) {
          float const value = zero::widen(own[i]);
          if (!(value == seen[i])) seen[i] = value;
        }
      }
    }
  }

  Scenario const& s_;
  std::size_t rank_;
  Registered<Value> registered_;
  std::vector<std::vector<std::size_t>> units_, pools_;  // parameters of each unit; gradients of its backward pass
  std::vector<std::size_t> unit_of_;                     // by parameter
  zero::HostStream stream_;
  Engine engine_;
  RingModel ring_;
  HandOverOrder order_;
  GradientWriter<Engine> writer_;
  Outcome outcome_;
};

}  // namespace differential
