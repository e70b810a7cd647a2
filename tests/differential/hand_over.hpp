// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The order in which one rank hands over the gradients of one micro-batch, and in which leases.

#include "differential/events.hpp"
#include "differential/ring_model.hpp"
#include "differential/scenario.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <vector>

namespace differential {

/// The unit in whose backward pass each of a parameter's contributions is handed over, in the order of their arrival:
/// the last one in its own unit, the others there or later in the model. The same on every rank.
inline std::vector<std::size_t> places(Scenario const& s, Contribution const& c, std::size_t own, std::size_t units) {
  std::vector<std::size_t> found(static_cast<std::size_t>(s.parameters[c.parameter].contributions), own);
  for (std::size_t j = 0; j + 1 < found.size(); ++j) {
    found[j] = own + draw_of(s, Event::place, {c.step, c.micro_batch, c.parameter, j}) % (units - own);
  }
  std::sort(found.begin(), found.end(), std::greater<>());
  return found;
}

/// One gradient whose turn it is.
struct HandOver {
  Contribution contribution;
  bool missing = false;
  bool leased = true;  ///< where it is missing: whether it is leased all the same
};

/// Cuts the gradients of one backward pass into leases that the ring has room for.
class HandOverOrder {
 public:
  HandOverOrder(Scenario const& s, RingModel& ring) : s_(s), ring_(ring) {}

  void begin(std::size_t step, std::size_t rank, std::size_t micro_batch) {
    step_ = step, rank_ = rank, micro_batch_ = micro_batch, draws_ = 0;
    next_.assign(s_.parameters.size(), 0);
    orders_.clear();
    std::vector<std::size_t> arriving(s_.parameters.size());
    for (std::size_t p = 0; p < s_.parameters.size(); ++p) {
      orders_.push_back(contribution_order(s_, at(p)));
      if (s_.parameters[p].frozen) continue;
      for (std::size_t index : orders_[p]) arriving[p] += hand_over_of(p, index).leased ? 1 : 0;
    }
    ring_.begin(arriving);
  }

  /// The next lease of what \p pool holds, parameters of which each stands there once for each gradient; empty when
  /// nothing is left. Its gradients are of different parameters.
  [[nodiscard]] std::vector<HandOver> next(std::vector<std::size_t>& pool) {
    std::vector<HandOver> lease;
    std::size_t const most = 1 + draw(Event::batch) % static_cast<std::size_t>(s_.together);
    std::vector<std::size_t> tried = pool;
    if (s_.arrival != Arrival::registered) shuffle(tried);
    for (auto p : tried) {
      bool const twice =
          std::any_of(lease.begin(), lease.end(), [p](HandOver const& h) { return h.contribution.parameter == p; });
      bool const not_now = twice || !ring_.available(p);
      if (lease.size() == most || (not_now && s_.arrival == Arrival::registered)) break;
      if (not_now) continue;
      lease.push_back(hand_over_of(p, orders_[p][next_[p]++]));
      pool.erase(std::find(pool.begin(), pool.end(), p));
    }
    return lease;
  }

  /// \p h was handed over.
  void done(HandOver const& h) {
    if (h.leased) ring_.arrive(h.contribution.parameter);
  }

 private:
  [[nodiscard]] Contribution at(std::size_t p, std::size_t index = 0) const {
    return {step_, rank_, micro_batch_, p, index};
  }
  [[nodiscard]] HandOver hand_over_of(std::size_t p, std::size_t index) const {
    auto const contribution = at(p, index);
    bool const missing = is_missing(s_, contribution);
    return {contribution, missing, !missing || is_leased_unwritten(s_, contribution)};
  }
  [[nodiscard]] std::size_t draw(Event event) { return draw_of(s_, event, {step_, rank_, micro_batch_, ++draws_}); }
  void shuffle(std::vector<std::size_t>& all) {
    for (std::size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[draw(Event::order) % i]);
  }

  Scenario const& s_;
  RingModel& ring_;
  std::size_t step_ = 0, rank_ = 0, micro_batch_ = 0, draws_ = 0;
  std::vector<std::size_t> next_;                 // by parameter: contributions handed over so far
  std::vector<std::vector<std::size_t>> orders_;  // by parameter
};

}  // namespace differential
