// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What the trainer of a scenario does at random: gradients, and what goes wrong. Pure functions of the scenario's seed,
// so that engine and plain loop see the same without talking to each other. Nothing of zero is included.

#include "differential/scenario.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <vector>

namespace differential {

/// The finalizer of SplitMix64 (Steele, Lea and Flood, 2014).
inline std::uint64_t mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15U;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

enum class Event : std::uint8_t {
  gradient,
  initial,
  edit,
  edited,
  missing,
  unaddressed,
  abandoned,
  undone,
  discarded,
  bad,
  zeroed,
  evaluated,
  published,
  registered,
  read,
  lr,
  clipping,
  order,
  place,
  batch,
  direct,
  absent
};

/// A random number that belongs to what \p key names.
inline std::uint64_t draw_of(Scenario const& s, Event event, std::initializer_list<std::size_t> key) {
  std::uint64_t x = mix(s.seed * 32 + static_cast<std::uint64_t>(event));
  for (auto part : key) x = mix(x ^ part);
  return x;
}
inline bool happens(Scenario const& s, Event event, int rate, std::initializer_list<std::size_t> key) {
  return rate > 0 && draw_of(s, event, key) % 100 < static_cast<std::uint64_t>(rate);
}

/// One contribution of one rank and micro-batch.
struct Contribution {
  std::size_t step, rank, micro_batch, parameter;
  std::size_t index = 0;  ///< of the parameter's contributions
};

/// Whether its rank has no micro-batch then: whatever it hands over must not count.
inline bool is_absent(Scenario const& s, Contribution const& c) { return !has_micro_batch(s, c.rank, c.micro_batch); }

inline bool is_missing(Scenario const& s, Contribution const& c) {
  if (is_absent(s, c)) {
    return !happens(s, Event::absent, s.absent, {c.step, c.rank, c.micro_batch, c.parameter, c.index});
  }
  std::size_t const rank = s.missing_alike ? 0 : c.rank;
  return happens(s, Event::missing, s.missing, {c.step, rank, c.micro_batch, c.parameter, c.index});
}

/// Whether a contribution that is missing is leased all the same, and never addressed. An adopted gradient would count
/// as written.
inline bool is_leased_unwritten(Scenario const& s, Contribution const& c) {
  return is_missing(s, c) && !s.parameters[c.parameter].adopts_gradients &&
         happens(s, Event::unaddressed, s.unaddressed, {c.step, c.rank, c.micro_batch, c.parameter, c.index});
}

/// The order in which a parameter's contributions are handed over on this rank.
inline std::vector<std::size_t> contribution_order(Scenario const& s, Contribution c) {
  std::vector<std::size_t> order(static_cast<std::size_t>(s.parameters[c.parameter].contributions));
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  for (std::size_t i = order.size(); s.arrival != Arrival::registered && i > 1; --i) {
    auto const other = draw_of(s, Event::order, {c.step, c.rank, c.micro_batch, c.parameter, i}) % i;
    std::swap(order[i - 1], order[other]);
  }
  return order;
}

/// Whether a gradient is added to a place that the engine has zeroed, instead of written.
inline bool is_zeroed(Scenario const& s, Contribution const& c) {
  return happens(s, Event::zeroed, s.zeroed, {c.step, c.rank, c.micro_batch, c.parameter, c.index});
}

/// The value that the parameters start with; more bits than 16-bit types hold.
inline float initial_value(Scenario const& s, std::size_t parameter, std::size_t i) {
  return static_cast<float>(draw_of(s, Event::initial, {parameter, i}) % 65536) / 32768.0F - 1.0F;
}

/// Whether the initial values are registered, instead of written by name or adopted.
inline bool registers_initial(Scenario const& s, std::size_t parameter) {
  return !s.parameters[parameter].adopts_values && draw_of(s, Event::registered, {parameter}) % 2 == 0;
}

/// Tells the gradients of one contribution from those of another. Ranks and micro-batches count as one sequence.
inline std::uint64_t gradient_key(Scenario const& s, Contribution const& c) {
  std::size_t const k = c.micro_batch * static_cast<std::size_t>(s.world) + c.rank;
  return draw_of(s, Event::gradient, {c.step, k, c.parameter, c.index});
}

/// The gradient of the loss for one element, before it is scaled and rounded to the compute type. It depends on the
/// element's own value, so that an error of one step grows in the next, and is spread over many orders of magnitude,
/// so that sums depend on their order. The multiplication is exact: nothing changes if it is fused.
inline float gradient(std::uint64_t key, float value, std::size_t i) {
  auto const random = mix(key + i);
  float const noise = static_cast<float>(random % 4096) - 2047.5F;
  return std::ldexp(value * 1024.0F + noise, -13 - static_cast<int>((random >> 32) % 20));
}

/// One gradient of a step that is not finite.
struct BadElement {
  Contribution at;
  std::size_t element;
  float value;

  [[nodiscard]] bool is_of(Contribution const& c) const {
    return at.step == c.step && at.rank == c.rank && at.micro_batch == c.micro_batch && at.parameter == c.parameter &&
           at.index == c.index;
  }
};
inline std::optional<BadElement> bad_element(Scenario const& s, std::size_t step) {
  if (!happens(s, Event::bad, s.bad, {step})) return std::nullopt;
  auto const random = [&](std::size_t which, std::size_t below) {
    return draw_of(s, Event::bad, {step, which}) % below;
  };
  std::size_t const p = random(1, s.parameters.size());
  constexpr float inf = std::numeric_limits<float>::infinity();
  float const values[] = {inf, -inf, std::numeric_limits<float>::quiet_NaN()};
  return BadElement{{step, random(2, static_cast<std::size_t>(s.world)), random(3, rounds(s)), p,
                     random(4, static_cast<std::size_t>(s.parameters[p].contributions))},
                    random(5, s.parameters[p].count),
                    values[random(6, 3)]};
}

/// The learning rate and clipping of a step; nothing where the engine's own settings hold.
inline std::optional<double> step_lr(Scenario const& s, std::size_t step) {
  if (!happens(s, Event::lr, s.stepwise, {step})) return std::nullopt;
  return s.lr * static_cast<double>(draw_of(s, Event::lr, {step, 1}) % 17) / 8.0;
}
inline std::optional<double> step_clipping(Scenario const& s, std::size_t step) {
  if (!happens(s, Event::clipping, s.stepwise, {step})) return std::nullopt;
  return std::ldexp(static_cast<double>(draw_of(s, Event::clipping, {step, 1}) % 8), -4);
}

/// The parameter that is written by name after \p step, if one is: not one whose values are adopted.
inline std::optional<std::size_t> edited_parameter(Scenario const& s, std::size_t step) {
  if (!happens(s, Event::edit, s.edited, {step})) return std::nullopt;
  std::size_t const p = draw_of(s, Event::edit, {step, 1}) % s.parameters.size();
  if (s.parameters[p].adopts_values) return std::nullopt;
  return p;
}
inline float edited_value(Scenario const& s, std::size_t step, std::size_t i) {
  return static_cast<float>(draw_of(s, Event::edited, {step, i}) % 65536) / 32768.0F - 1.0F;
}

inline bool is_evaluated(Scenario const& s, std::size_t step) {
  return happens(s, Event::evaluated, s.evaluated, {step}) || step + 1 == static_cast<std::size_t>(s.steps);
}
inline bool is_published(Scenario const& s, std::size_t step) {
  return happens(s, Event::published, s.published, {step});
}
inline bool is_read(Scenario const& s, std::size_t step) { return happens(s, Event::read, s.read, {step}); }

}  // namespace differential
