// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "differential/draw.hpp"

#include "differential/events.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <initializer_list>

namespace differential {
namespace {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(mix(seed)) {}

  std::size_t below(std::size_t n) { return (state_ = mix(state_)) % n; }
  int between(int low, int high) {
    auto const values = static_cast<std::size_t>(high - low) + 1;
    return low + static_cast<int>(below(values));
  }
  bool chance(std::size_t percent) { return below(100) < percent; }
  template <class T>
  T one_of(std::initializer_list<T> values) {
    return values.begin()[below(values.size())];
  }

 private:
  std::uint64_t state_;
};

std::size_t draw_count(Random& random, int world) {
  switch (random.below(7)) {
    case 0:
      return 1;
    case 1:
      return 1 + random.below(static_cast<std::size_t>(world));  // fewer than ranks
    case 2:
      return 1 + random.below(20);
    case 3:
      return 120 + random.below(17);  // around the alignment
    case 4:
      return 128 * (1 + random.below(5));
    case 5:
      return 1 + random.below(600);
    default:
      return 600 + random.below(1500);  // larger than many buckets
  }
}

void draw_model(Random& random, Scenario& s) {
  s.groups.push_back({});
  for (int g = random.between(0, 2); g > 0; --g) {
    s.groups.push_back({random.one_of({0.0, 0.5, 1.0, 1.1, 3.0}), random.one_of({-1.0, 0.0, 0.1, 0.7})});
  }
  bool const one_unit = random.chance(15);
  std::size_t const adopted = random.one_of({0U, 0U, 30U, 100U});
  int unit = random.between(0, 1);
  std::size_t elements = 0;
  for (int n = random.between(1, 8); n > 0 && elements < 3000; --n) {
    Parameter p{.count = draw_count(random, s.world), .unit = unit, .group = random.below(s.groups.size())};
    if (random.chance(20)) p.contributions = random.one_of({2, 2, 3});
    p.frozen = random.chance(12);
    p.adopts_values = random.chance(adopted);
    p.adopts_gradients = random.chance(adopted);
    if (!one_unit && random.chance(60)) unit += random.one_of({1, 1, 1, 2});
    elements += p.count;
    s.parameters.push_back(p);
  }
  s.parameters[random.below(s.parameters.size())].frozen = false;
  for (auto& p : s.parameters) {
    if (p.frozen) p.contributions = 1, p.adopts_gradients = false;
    if (s.stage == 3) p.adopts_values = false;  // refused there
  }
}

void draw_rule(Random& random, Scenario& s) {
  s.rule = static_cast<Rule>(random.below(5));
  s.lr = random.one_of({0.001, 0.01, 0.02, 0.1});
  s.beta1 = random.one_of({0.0, 0.5, 0.9, 0.95});
  s.beta2 = random.one_of({0.0, 0.9, 0.95, 0.999});
  s.eps = random.one_of({1e-8, 1e-8, 1e-3});
  s.weight_decay = random.one_of({0.0, 0.01, 0.3});
  s.momentum = random.one_of({0.0, 0.5, 0.9});
  s.dampening = random.one_of({0.0, 0.0, 0.25, 1.0});
  s.nesterov = random.chance(50) && s.momentum > 0.0;
  if (s.nesterov) s.dampening = 0.0;
  s.lr_decay = random.one_of({0.0, 0.1, 1.0});
}

void draw_precision(Random& random, Scenario& s, Features const& features) {
  s.compute = features.types[random.below(features.types.size())];
  s.sum = random.chance(30) ? Type::bf16 : Type::fp32;
  std::size_t const kind = random.below(10);
  if (s.compute == Type::fp16) {
    s.scaling = kind < 7 ? Scaling::dynamic : kind < 9 ? Scaling::constant : Scaling::none;
  } else {
    s.scaling = kind < 2 ? Scaling::dynamic : kind < 4 ? Scaling::constant : Scaling::none;
  }
  s.scale = random.chance(15) ? 1000.0 : std::ldexp(1.0, random.between(0, 20));
  s.factor = random.one_of({1.5, 2.0, 2.0, 4.0});
  s.minimum = random.chance(50) ? 1.0 : s.scale / random.one_of({1.0, 2.0, 3.0});
  if (s.minimum > s.scale) s.minimum = s.scale;
  s.window = static_cast<std::uint32_t>(random.between(1, 3));
  s.hysteresis = static_cast<std::uint32_t>(random.between(1, 3));
  s.consecutive = random.chance(40);
  s.fails_at_minimum = random.chance(40);
}

void draw_engine(Random& random, Scenario& s) {
  auto const reduce = static_cast<ReduceOrder>(random.below(3));
  s.reduce = s.stage >= 2 && reduce == ReduceOrder::once_per_step ? ReduceOrder::each_micro_batch : reduce;
  s.bucket = random.one_of<std::size_t>({0, 1, 128, 256, 512, 1000, 1024, 4096});
  s.alignment = random.one_of<std::size_t>({128, 128, 128, 256, 384});
  s.ring = random.one_of({0, 0, 1, 2, 3, 10000});
  s.live = random.one_of<std::size_t>({0, 0, tightest_live, std::size_t{1} << 40});
  s.prefetch = random.one_of({0, 1, 1, 2, 3});
  s.persistence = random.one_of<std::size_t>({0, 0, 10, 200, 1000});
  s.threads = random.one_of({1, 1, 1, 2, 3});
  s.offload = random.chance(35);
  s.chunk = random.one_of<std::size_t>({1, 100, 128, 512, std::size_t{1} << 22});
  s.staging = 1 + random.below(3);
  s.device_share = random.one_of({0.0, 0.0, 0.0, 0.3, 0.7, 1.0});
  s.delayed = s.offload && s.device_share == 0.0 && random.chance(60);
  s.clipping = random.one_of({0.0, 0.0, 0.01, 0.3, 10.0});
}

void draw_trainer(Random& random, Scenario& s) {
  s.gathers = random.one_of(
      {Gathers::units, Gathers::units, Gathers::backward, Gathers::recompute, Gathers::all, Gathers::none});
  s.arrival = static_cast<Arrival>(random.below(3));
  s.together = random.one_of({1, 2, 4});
  s.missing_zero = random.chance(40);
  s.missing_alike = random.chance(40);
  s.missing = random.one_of({0, 5, 30, 60});
  s.unaddressed = random.one_of({0, 50, 100});
  s.abandoned = random.one_of({0, 0, 10, 40});
  s.undone = random.one_of({0, 0, 40});
  s.discarded = random.one_of({0, 0, 0, 40});
  s.bad = random.one_of({0, 0, 35});
  s.zeroed = random.one_of({0, 50, 100});
  s.evaluated = random.one_of({0, 50});
  s.edited = s.delayed ? 0 : random.one_of({0, 0, 0, 40});
  s.published = s.delayed ? random.one_of({0, 40}) : 0;
  s.read = random.one_of({0, 50});
  s.stepwise = random.one_of({0, 50});
  s.micro_batches = random.chance(40) ? random.between(1, 3 * s.world) : 0;
  s.absent = random.one_of({0, 50, 100});
}

// What would be an error, or another question.
void make_legal(Scenario& s, Features const& features) {
  // Gathers are collective: where ranks go different ways, none may come between.
  if (s.stage == 3 && s.arrival == Arrival::free && s.gathers != Gathers::none) s.gathers = Gathers::all;
  if (s.gathers == Gathers::all) s.live = std::size_t{1} << 40;
  if (!s.missing_zero) s.missing = 0;
  if (s.missing > 0 && s.stage >= 2 && !features.missing_late) s.missing_alike = true, s.ring = 10000;
  if (s.missing == 0 || !features.unaddressed) s.unaddressed = 0;
  bool const tied =
      std::any_of(s.parameters.begin(), s.parameters.end(), [](Parameter const& p) { return p.contributions > 1; });
  // Every rank discards at the same place.
  if (!tied || s.missing > 0 || s.arrival != Arrival::registered || !features.undone) s.undone = 0;
  if (s.micro_batches > 0) s.accumulation = 1, s.undone = 0;
  if (s.undone > 0) s.together = 1;
  if (s.momentum == 0.0 && !features.plain_sgd_dampening) s.dampening = 0.0;
}

// Numbers that nothing reads are not part of the line.
void forget_unused(Scenario& s) {
  Scenario const standard;
  bool const adam = s.rule == Rule::adam || s.rule == Rule::adamw;
  if (!adam && s.rule != Rule::lion) s.beta1 = standard.beta1, s.beta2 = standard.beta2;
  if (!adam && s.rule != Rule::adagrad) s.eps = standard.eps;
  if (s.rule != Rule::sgd) s.momentum = standard.momentum, s.dampening = standard.dampening, s.nesterov = false;
  if (s.rule != Rule::adagrad) s.lr_decay = standard.lr_decay;
  if (s.scaling == Scaling::none) s.scale = standard.scale;
  if (s.scaling != Scaling::dynamic) {
    s.factor = standard.factor, s.minimum = standard.minimum, s.window = standard.window;
    s.hysteresis = standard.hysteresis, s.consecutive = false, s.fails_at_minimum = false;
  }
  if (!s.offload) s.chunk = standard.chunk, s.staging = standard.staging, s.device_share = 0.0;
  if (s.stage < 2) s.ring = standard.ring;
  if (s.stage < 3) s.live = standard.live, s.prefetch = standard.prefetch, s.persistence = standard.persistence;
  if (s.missing == 0) s.missing_alike = false;
  if (s.micro_batches % s.world == 0) s.absent = 0;
}

}  // namespace

bool* feature(Features& features, std::string_view name) {
  bool* const all[] = {&features.unaddressed, &features.undone, &features.missing_late, &features.plain_sgd_dampening};
  for (std::size_t i = 0; i < feature_names.size(); ++i) {
    if (name == feature_names[i]) return all[i];
  }
  return nullptr;
}

Scenario draw(std::uint64_t seed, Features const& features) {
  Random random(seed);
  Scenario s;
  s.seed = seed;
  s.stage = random.between(0, 3);
  s.world = random.between(1, 5);
  s.accumulation = random.between(1, 4);
  s.steps = random.between(2, 5);
  draw_model(random, s);
  draw_rule(random, s);
  draw_precision(random, s, features);
  draw_engine(random, s);
  draw_trainer(random, s);
  make_legal(s, features);
  forget_unused(s);
  return s;
}

}  // namespace differential
