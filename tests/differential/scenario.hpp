// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What one random run is made of, as one line of text. Nothing of zero is included: the plain loop reads it, too.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace differential {

enum class Rule : std::uint8_t { adam, adamw, sgd, lion, adagrad };
enum class Type : std::uint8_t { fp32, fp16, bf16 };
enum class ReduceOrder : std::uint8_t { standard, each_micro_batch, once_per_step };
enum class Scaling : std::uint8_t { none, constant, dynamic };

/// Which parameters are gathered when.
enum class Gathers : std::uint8_t {
  units,      ///< each unit in forward and again in backward
  backward,   ///< each unit in backward only
  recompute,  ///< each unit in forward; two units at a time again, before their backward
  all,        ///< all of them once, for both passes
  none,       ///< none: gradients do not depend on parameters
};
/// In which order a rank hands gradients over.
enum class Arrival : std::uint8_t {
  registered,  ///< backward
  unit,        ///< shuffled within each unit, on every rank another way
  free,        ///< shuffled over all units, as far as the ring allows
};

struct Parameter {
  std::size_t count = 1;
  int unit = 0;
  std::size_t group = 0;
  int contributions = 1;
  bool frozen = false;
  bool adopts_values = false;
  bool adopts_gradients = false;
};

struct Group {
  double lr_factor = 1.0;
  double weight_decay = -1.0;  ///< negative: the rule's own
};

/// As the live bound of a scenario: the least that its gathers need.
inline constexpr std::size_t tightest_live = 1;

/// All settings have the same meaning for every rank. Rates are per cent, of what `events.hpp` draws from the seed.
struct Scenario {
  std::uint64_t seed = 0;
  std::vector<Parameter> parameters;
  std::vector<Group> groups;  ///< the first changes nothing

  Rule rule = Rule::adamw;
  double lr = 0.01, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0.0;
  double momentum = 0.0, dampening = 0.0, lr_decay = 0.0;
  bool nesterov = false;

  Type compute = Type::fp32, sum = Type::fp32;
  Scaling scaling = Scaling::none;
  double scale = 1.0, factor = 2.0, minimum = 1.0;
  std::uint32_t window = 2, hysteresis = 1;
  bool consecutive = false, fails_at_minimum = false;

  int stage = 0, world = 1, accumulation = 1, steps = 3;
  int micro_batches = 0;  ///< of a step of the whole world; 0: `accumulation` on each rank
  ReduceOrder reduce = ReduceOrder::standard;
  std::size_t bucket = 0, alignment = 128;  ///< a bucket of 0: the engine's own choice
  int ring = 0;                             ///< 0: the engine's own choice
  std::size_t live = 0;                     ///< elements; 0: the engine's own choice; see `tightest_live`
  int prefetch = 1;
  std::size_t persistence = 0;
  int threads = 1;
  bool offload = false, delayed = false;
  std::size_t chunk = 512, staging = 2;
  double device_share = 0.0;
  double clipping = 0.0;

  Gathers gathers = Gathers::units;
  Arrival arrival = Arrival::registered;
  int together = 1;            ///< most gradients of one lease
  bool missing_zero = false;   ///< a missing gradient is a zero, not an error
  bool missing_alike = false;  ///< the same ones on all ranks
  int missing = 0;             ///< rate of contributions that do not arrive
  int unaddressed = 0;         ///< rate of these that are leased all the same, and never addressed
  int abandoned = 0;           ///< rate of first contributions whose lease is abandoned once, after it was written
  int undone = 0;              ///< rate of steps in which a later contribution is abandoned, so that all is discarded
  int discarded = 0;           ///< rate of steps that are begun, discarded and taken again
  int bad = 0;                 ///< rate of steps with Inf or NaN on one rank
  int zeroed = 0;              ///< rate of gradients that are added to zeroed places
  int evaluated = 0;           ///< rate of steps after which all parameters are gathered
  int edited = 0;              ///< rate of steps after which a parameter is written by name
  int published = 0;           ///< rate of steps after which a delayed update is finished
  int read = 0;                ///< rate of steps before which gradients are read by name
  int stepwise = 0;            ///< rate of steps with a learning rate and a clipping of their own
  int absent = 0;              ///< rate of gradients that a rank without a micro-batch hands over, all of them NaN
};

/// Micro-batches of a step of the whole world, the k-th of which runs on rank k mod world.
inline std::size_t total_micro_batches(Scenario const& s) {
  return static_cast<std::size_t>(s.micro_batches > 0 ? s.micro_batches : s.world * s.accumulation);
}
/// Micro-batches that every rank begins in a step.
inline std::size_t rounds(Scenario const& s) {
  return (total_micro_batches(s) + static_cast<std::size_t>(s.world) - 1) / static_cast<std::size_t>(s.world);
}
/// Whether there is one for \p rank in a round.
inline bool has_micro_batch(Scenario const& s, std::size_t rank, std::size_t round) {
  return round * static_cast<std::size_t>(s.world) + rank < total_micro_batches(s);
}

/// Calls `visit(name, member)` for everything but parameters and groups.
template <class S, class Visitor>
void for_each_member(S& s, Visitor&& visit) {
  visit("seed", s.seed), visit("rule", s.rule), visit("lr", s.lr), visit("beta1", s.beta1), visit("beta2", s.beta2);
  visit("eps", s.eps), visit("weight_decay", s.weight_decay), visit("momentum", s.momentum);
  visit("dampening", s.dampening), visit("lr_decay", s.lr_decay), visit("nesterov", s.nesterov);
  visit("compute", s.compute), visit("sum", s.sum), visit("scaling", s.scaling), visit("scale", s.scale);
  visit("factor", s.factor), visit("minimum", s.minimum), visit("window", s.window), visit("hysteresis", s.hysteresis);
  visit("consecutive", s.consecutive), visit("fails_at_minimum", s.fails_at_minimum);
  visit("stage", s.stage), visit("world", s.world), visit("accumulation", s.accumulation), visit("steps", s.steps);
  visit("reduce", s.reduce), visit("bucket", s.bucket), visit("alignment", s.alignment), visit("ring", s.ring);
  visit("live", s.live), visit("prefetch", s.prefetch), visit("persistence", s.persistence);
  visit("threads", s.threads), visit("offload", s.offload), visit("delayed", s.delayed), visit("chunk", s.chunk);
  visit("staging", s.staging), visit("device_share", s.device_share), visit("clipping", s.clipping);
  visit("gathers", s.gathers), visit("arrival", s.arrival), visit("together", s.together);
  visit("missing_zero", s.missing_zero), visit("missing_alike", s.missing_alike), visit("missing", s.missing);
  visit("unaddressed", s.unaddressed), visit("abandoned", s.abandoned), visit("undone", s.undone);
  visit("discarded", s.discarded), visit("bad", s.bad), visit("zeroed", s.zeroed), visit("evaluated", s.evaluated);
  visit("edited", s.edited), visit("published", s.published), visit("read", s.read), visit("stepwise", s.stepwise);
  visit("micro_batches", s.micro_batches), visit("absent", s.absent);
}

}  // namespace differential
