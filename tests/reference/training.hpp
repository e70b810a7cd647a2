// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// A training loop as one writes it without a library: one process, whole vectors, one sum after another. It includes
// nothing of zero, so that both can only agree where both are right.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <math.h>  // for a device
#include <string>
#include <vector>

// A device computes the same gradients.
#ifdef __CUDACC__
#define REFERENCE_HOST_DEVICE __host__ __device__
#else
#define REFERENCE_HOST_DEVICE
#endif

namespace reference {

enum class Type : std::uint8_t { fp32, fp16, bf16 };

struct Parameter {
  std::string name;
  std::size_t count;
  int unit;
  std::size_t group = 0;
  int contributions = 1;
  bool frozen = false;
};

struct Group {
  double lr_factor;
  double weight_decay;
};

struct Model {
  std::vector<Parameter> parameters;
  std::vector<Group> groups;  ///< the first is the default
};

/// Small, but with everything that sharding can get wrong: a parameter smaller than any world, some that divide
/// nothing, one larger than a bucket, a tied one, a frozen one, groups, units.
inline Model model() {
  return {.parameters = {{"embedding", 700, 0, 0, 2},
                         {"position", 37, 0},
                         {"a.weight", 2500, 1, 1},
                         {"a.bias", 3, 1, 2},
                         {"a.frozen", 200, 1, 0, 1, true},
                         {"b.weight", 1500, 2, 1},
                         {"b.bias", 129, 2, 2},
                         {"scale", 1, 3},
                         {"c.weight", 300, 3, 1}},
          .groups = {{1.0, 0.02}, {1.0, 0.3}, {2.0, 0.0}}};
}

/// Mixes integers to noise: the finalizer of SplitMix64 (Steele, Lea and Flood, 2014).
REFERENCE_HOST_DEVICE inline std::uint64_t mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15U;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

/// Values in [-1, 1) that every type holds exactly.
inline float initial_value(std::size_t parameter, std::size_t i) {
  return static_cast<float>(mix(parameter * 1000003 + i) % 128) / 64.0F - 1.0F;
}

/// One contribution to the gradient of one element in micro-batch \p k of \p step: depends on the element's own value,
/// so that an error of one step grows in the next ones, and spread over so many orders of magnitude that a sum in
/// another order is another sum. No operation can be contracted to a fused one.
REFERENCE_HOST_DEVICE inline float gradient(float value, std::uint64_t step, std::uint64_t k, std::size_t parameter,
                                            int contribution, std::size_t i) {
  std::uint64_t const seed = (((step * 64 + k) * 64 + parameter) * 4 + static_cast<std::uint64_t>(contribution)) << 24;
  std::uint64_t const random = mix(seed + i);
  float const noise = static_cast<float>(random % 4096) - 2047.5F;
  return ldexpf(value * 1024.0F + noise, -13 - static_cast<int>((random >> 32) % 20));
}

/// The nearest number with \p bits of mantissa and exponents from \p lowest on, ties to even; Inf from \p limit on.
inline float round_to(float x, int bits, int lowest, double limit) {
  if (x == 0.0F || !std::isfinite(x)) return x;
  int exponent = 0;
  (void)std::frexp(static_cast<double>(x), &exponent);
  double const unit = std::ldexp(1.0, std::max(exponent - bits, lowest));
  double const rounded = std::nearbyint(static_cast<double>(x) / unit) * unit;
  if (std::abs(rounded) >= limit) return std::copysign(INFINITY, x);
  return static_cast<float>(rounded);
}
inline float round_to(Type type, float x) {
  if (type == Type::fp16) return round_to(x, 11, -24, 65536.0);
  if (type == Type::bf16) return round_to(x, 8, -133, 0x1p128);
  return x;
}

struct Settings {
  Type compute = Type::fp32;
  Type sum = Type::fp32;
  double lr = 0.01;
  double clipping = 0.0;
  float scale = 1.0F;     ///< loss scale
  int micro_batches = 1;  ///< of a step, over all ranks
  bool delayed = false;   ///< gradients are taken where the last step's update has not been seen yet
};

struct Report {
  double norm = 0.0;
  bool skipped = false;
};

/// AdamW (beta 0.9 and 0.999, epsilon 1e-8) in double, on states that are kept in float.
class Training {
 public:
  explicit Training(Model model) : model_(std::move(model)) {
    for (std::size_t p = 0; p < model_.parameters.size(); ++p) {
      std::size_t const n = model_.parameters[p].count;
      values_.emplace_back(n), sums_.emplace_back(n), first_.emplace_back(n), second_.emplace_back(n);
      for (std::size_t i = 0; i < n; ++i) values_[p][i] = initial_value(p, i);
    }
    seen_ = values_;
  }

  /// A NaN or Inf is added to the gradient of \p bad, if it names a parameter, in the last micro-batch.
  Report step(Settings const& s, std::size_t bad = SIZE_MAX) {
    for (int k = 0; k < s.micro_batches; ++k) add_gradients(s, static_cast<std::uint64_t>(k));
    ++calls_;
    if (s.delayed) seen_ = values_;
    if (bad != SIZE_MAX) return {.norm = 0.0, .skipped = true};
    double const average = 1.0 / (static_cast<double>(s.micro_batches) * static_cast<double>(s.scale));
    double squares = 0.0;
    for (auto const& sums : sums_) {
      for (float g : sums) squares += std::pow(static_cast<double>(g) * average, 2);
    }
    double const norm = std::sqrt(squares);
    update(s, average * (s.clipping > 0.0 ? std::min(1.0, s.clipping / (norm + 1e-6)) : 1.0));
    if (!s.delayed) seen_ = values_;
    return {.norm = norm, .skipped = false};
  }

  [[nodiscard]] Model const& model() const { return model_; }
  [[nodiscard]] std::vector<float> const& values(std::size_t p) const { return values_[p]; }
  [[nodiscard]] std::vector<float> const& sums(std::size_t p) const { return sums_[p]; }
  [[nodiscard]] std::vector<float> const& first_moment(std::size_t p) const { return first_[p]; }
  [[nodiscard]] std::vector<float> const& second_moment(std::size_t p) const { return second_[p]; }

 private:
  [[nodiscard]] float one_gradient(Settings const& s, std::size_t p, std::uint64_t k, std::size_t i) const {
    float const value = round_to(s.compute, seen_[p][i]);
    float total = 0.0F;
    for (int c = 0; c < model_.parameters[p].contributions; ++c) {
      float const g = round_to(s.compute, s.scale * gradient(value, calls_, k, p, c, i));
      total = c == 0 ? g : round_to(s.compute, total + g);
    }
    return total;
  }

  void add_gradients(Settings const& s, std::uint64_t k) {
    for (std::size_t p = 0; p < sums_.size(); ++p) {
      if (model_.parameters[p].frozen) continue;
      for (std::size_t i = 0; i < sums_[p].size(); ++i) {
        float const g = one_gradient(s, p, k, i);
        sums_[p][i] = round_to(s.sum, k == 0 ? g : sums_[p][i] + g);
      }
    }
  }

  void update(Settings const& s, double multiplier) {
    ++updates_;
    double const correction1 = 1.0 - std::pow(0.9, updates_), correction2 = 1.0 - std::pow(0.999, updates_);
    for (std::size_t p = 0; p < sums_.size(); ++p) {
      if (model_.parameters[p].frozen) continue;
      auto const& group = model_.groups[model_.parameters[p].group];
      double const lr = s.lr * group.lr_factor;
      for (std::size_t i = 0; i < sums_[p].size(); ++i) {
        double const g = static_cast<double>(sums_[p][i]) * multiplier;
        first_[p][i] = static_cast<float>(0.9 * static_cast<double>(first_[p][i]) + 0.1 * g);
        second_[p][i] = static_cast<float>(0.999 * static_cast<double>(second_[p][i]) + 0.001 * g * g);
        double const root = std::sqrt(static_cast<double>(second_[p][i]) / correction2) + 1e-8;
        double const decayed = static_cast<double>(values_[p][i]) * (1.0 - lr * group.weight_decay);
        values_[p][i] = static_cast<float>(decayed - lr * static_cast<double>(first_[p][i]) / correction1 / root);
      }
    }
  }

  Model model_;
  std::vector<std::vector<float>> values_, sums_, first_, second_;
  std::vector<std::vector<float>> seen_;  // by forward and backward
  std::uint64_t calls_ = 0;
  int updates_ = 0;
};

}  // namespace reference
