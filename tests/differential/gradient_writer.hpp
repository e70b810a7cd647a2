// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "differential/engine_setup.hpp"
#include "differential/events.hpp"
#include "differential/hand_over.hpp"

#include <cstddef>
#include <limits>
#include <span>
#include <vector>

namespace differential {

/// Leases gradients of one rank's engine, writes them in all ways that there are, and hands them over.
template <class Engine>
class GradientWriter {
 public:
  using Value = typename Engine::Compute;
  using Weights = typename Engine::Lease;

  GradientWriter(Scenario const& s, Engine& engine, Registered<Value>& registered)
      : s_(s), engine_(engine), registered_(registered) {}

  /// Starts a micro-batch.
  void begin() {
    arrived_.assign(s_.parameters.size(), 0);
    kept_.resize(s_.parameters.size());
  }
  /// From now on, whether a contribution after the first one is written and abandoned once before it is handed over.
  void undo_later_contributions(bool undo) { undoes_later_ = undo; }

  /// Hands over the gradients of one lease, which depend on \p weights; null: on nothing.
  void hand_over(std::vector<HandOver> const& lease, Weights const* weights) {
    std::vector<zero::ParameterId> ids;
    ids.reserve(lease.size());
    for (auto const& h : lease) {
      auto const p = h.contribution.parameter;
      if (!h.leased) continue;
      ids.push_back(id(p));
      if (h.missing) continue;
      bool const abandons = arrived_[p] == 0 && draws(s_, Event::abandoned, s_.abandoned, h.contribution);
      if (abandons || (undoes_later_ && arrived_[p] > 0)) abandon(h.contribution);
    }
    if (!ids.empty()) {
      auto gradients = engine_.gradients(ids, stream_);
      for (auto const& h : lease) {
        if (!h.missing) write(gradients, h.contribution, weights);
      }
      gradients.ready(stream_);
    }
    for (auto const& h : lease) arrived_[h.contribution.parameter] += h.missing ? 0 : 1;
  }

 private:
  [[nodiscard]] zero::ParameterId id(std::size_t p) const { return registered_.ids()[p]; }
  static bool draws(Scenario const& s, Event event, int rate, Contribution const& c) {
    return happens(s, event, rate, {c.step, c.rank, c.micro_batch, c.parameter, c.index});
  }

  void write(typename Engine::Gradients& gradients, Contribution const& c, Weights const* weights) {
    auto const p = c.parameter;
    auto const target = place(gradients, c);
    auto const key = gradient_key(s_, c);
    auto const bad = bad_element(s_, c.step);
    float const scale = engine_.loss_scale().value();
    for (std::size_t i = 0; i < target.values.size(); ++i) {
      float const value = weights != nullptr ? zero::widen((*weights)[id(p)][i]) : 0.0F;
      float g = zero::widen(zero::narrow<Value>(scale * gradient(key, value, i)));
      if (bad && bad->is_of(c) && bad->element == i) g = bad->value;
      if (is_absent(s_, c)) g = std::numeric_limits<float>::quiet_NaN();
      target.values[i] = zero::narrow<Value>(target.adds ? zero::widen(target.values[i]) + g : g);
    }
  }

  // Where a gradient goes: an address that the lease gives, one that was kept from an earlier lease, or the caller's
  // own buffer.
  zero::GradientTarget<Value> place(typename Engine::Gradients& gradients, Contribution const& c) {
    auto const p = c.parameter;
    if (is_zeroed(s_, c)) return {gradients[id(p)], true};
    bool const adds = arrived_[p] > 0, direct = draws(s_, Event::direct, 50, c);
    auto& own = registered_.gradient(p);
    if (!own.empty() && direct) return {own, adds};
    if (!kept_[p].empty() && direct) {
      gradients.written(id(p));
      return {kept_[p], adds};
    }
    auto const target = gradients.write(id(p));
    if (s_.stage < 2) kept_[p] = target.values;  // lasts as long as the engine
    return target;
  }

  // Writes what must not count.
  void abandon(Contribution const& c) {
    auto gradients = engine_.gradients(id(c.parameter), stream_);
    float const garbage = draws(s_, Event::batch, 50, c) ? std::numeric_limits<float>::quiet_NaN() : 3.0F;
    for (auto& g : place(gradients, c).values) g = zero::narrow<Value>(garbage);
  }

  Scenario const& s_;
  Engine& engine_;
  Registered<Value>& registered_;
  zero::HostStream stream_;
  std::vector<std::span<Value>> kept_;  // by parameter: the address of an earlier lease
  std::vector<int> arrived_;            // by parameter, in this micro-batch
  bool undoes_later_ = false;
};

}  // namespace differential
