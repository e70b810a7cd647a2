// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#pragma once

#include <zero/kernels/accumulate.hpp>
#include <zero/kernels/adagrad.hpp>
#include <zero/kernels/adam.hpp>
#include <zero/kernels/cast.hpp>
#include <zero/kernels/lion.hpp>
#include <zero/kernels/norm.hpp>
#include <zero/kernels/sgd.hpp>
#include <zero/kernels/update.hpp>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

// What the kernels compute, as text of hashes, to be the same in every build of this file. Inputs are made of bits:
// floating-point code of its own would differ between builds.
namespace build_flags {

constexpr std::size_t count = 1000 + 7;

class Random {
 public:
  std::uint32_t bits() {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::uint32_t>(state_ >> 32);
  }
  // Numbers of magnitude 2^-20 to 2, here and there a denormal and a zero.
  std::uint32_t number() {
    std::uint32_t const x = bits(), fraction = x & 0x807FFFFFU;
    if (x % 61 == 0) return fraction & 0x800000FFU;
    return fraction | (107 + bits() % 21) << 23;
  }

 private:
  std::uint64_t state_ = 42;
};

class Hash {
 public:
  template <class T>
  void add(std::vector<T> const& values) {
    for (T const& value : values) {
      std::uint32_t bits = 0;
      std::memcpy(&bits, &value, sizeof value);
      if (sizeof value == 4 && (bits & 0x7FFFFFFFU) > 0x7F800000U) bits = 0x7FC00000U;  // any NaN
      add(bits);
    }
  }
  void add(std::uint64_t bits) { hash_ = (hash_ ^ bits) * 1099511628211U; }
  [[nodiscard]] std::string text() const {
    char text[20];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash_));
    return text;
  }

 private:
  std::uint64_t hash_ = 14695981039346656037U;
};

template <class T>
std::vector<T> numbers(Random& random) {
  std::vector<std::uint32_t> bits(count);
  for (auto& x : bits) x = random.number();
  std::vector<float> wide(count);
  std::memcpy(wide.data(), bits.data(), count * sizeof(float));
  std::vector<T> values(count);
  zero::cast(zero::InstructionSet::baseline, values.data(), wide.data(), count);
  return values;
}

template <class Rule, class Compute, class Sum>
void add_update(Hash& hash, zero::InstructionSet set, typename Rule::Config const& config) {
  Random random;
  auto master = numbers<float>(random);
  auto const gradient = numbers<Sum>(random);
  std::vector<Compute> value(count);
  std::vector<std::vector<float>> states;
  for (std::size_t k = 0; k < Rule::state_count; ++k) states.push_back(std::vector<float>(count));
  for (std::uint64_t step : {1U, 2U, 1000U}) {
    zero::UpdateArguments<Rule, Compute, Sum> a{
        master.data(), value.data(), gradient.data(), {}, count, Rule::constants(config, step), 0.7F};
    for (std::size_t k = 0; k < Rule::state_count; ++k) a.states[k] = states[k].data();
    zero::fused_update(set, a);
    hash.add(master);
    hash.add(value);
    for (auto const& state : states) hash.add(state);
  }
}

template <class Rule>
void add_rule(Hash& hash, zero::InstructionSet set, typename Rule::Config const& config) {
  add_update<Rule, float, float>(hash, set, config);
  add_update<Rule, zero::bfloat16, float>(hash, set, config);
  add_update<Rule, zero::float16, zero::bfloat16>(hash, set, config);
}

inline std::string updates(zero::InstructionSet set) {
  Hash hash;
  add_rule<zero::Adam>(hash, set, {.weight_decay = 0.01});
  add_rule<zero::AdamW>(hash, set, {});
  add_rule<zero::Sgd>(hash, set, {.momentum = 0.9, .weight_decay = 0.01, .nesterov = true});
  add_rule<zero::Lion>(hash, set, {.weight_decay = 0.01});
  add_rule<zero::Adagrad>(hash, set, {.lr_decay = 0.1, .weight_decay = 0.01});
  return hash.text();
}

template <class Sum, class T>
void add_sum(Hash& hash, zero::InstructionSet set) {
  Random random;
  std::vector<T> const sources[] = {numbers<T>(random), numbers<T>(random), numbers<T>(random)};
  T const* const addresses[] = {sources[0].data(), sources[1].data(), sources[2].data()};
  std::vector<Sum> sum(count);
  zero::accumulate(set, sum.data(), addresses, 3, count, true);
  zero::accumulate(set, sum.data(), addresses, 3, count, false);
  hash.add(sum);
}

inline std::string sums(zero::InstructionSet set) {
  Hash hash;
  add_sum<float, zero::float16>(hash, set);
  add_sum<float, float>(hash, set);
  add_sum<zero::bfloat16, zero::bfloat16>(hash, set);
  return hash.text();
}

// All exponents, infinities and NaN among them.
template <class To>
void add_cast(Hash& hash, zero::InstructionSet set) {
  Random random;
  std::vector<std::uint32_t> bits(65536);
  for (auto& x : bits) x = random.bits();
  std::vector<float> in(bits.size());
  std::memcpy(in.data(), bits.data(), bits.size() * sizeof(float));
  std::vector<To> out(in.size());
  zero::cast(set, out.data(), in.data(), in.size());
  hash.add(out);
  for (std::size_t i = 0; i < out.size(); ++i) out[i].bits = static_cast<std::uint16_t>(i);
  zero::cast(set, in.data(), out.data(), in.size());
  hash.add(in);
}

inline std::string casts(zero::InstructionSet set) {
  Hash hash;
  add_cast<zero::float16>(hash, set);
  add_cast<zero::bfloat16>(hash, set);
  return hash.text();
}

inline std::string norm(zero::InstructionSet set) {
  Random random;
  auto g = numbers<float>(random);
  zero::ExactSum sum;
  bool const finite = zero::add_squares(set, sum, g.data(), count);
  Hash hash;
  for (auto digit : sum.digits) hash.add(digit);
  hash.add(std::bit_cast<std::uint64_t>(sum.value()));
  std::uint32_t const infinity = 0x7F800000U, nan = 0x7FC00000U;
  std::memcpy(&g[500], &infinity, sizeof infinity);
  bool const inf_seen = !zero::add_squares(set, sum, g.data(), count);
  std::memcpy(&g[500], &nan, sizeof nan);
  bool const nan_seen = !zero::add_squares(set, sum, g.data(), count);
  return hash.text() + (finite ? " finite" : "") + (inf_seen ? " inf" : "") + (nan_seen ? " nan" : "");
}

// A NaN among the settings must be refused even where the build believes that there is none.
inline std::string settings() {
  std::uint64_t const nan = 0x7FF8000000000000U;
  zero::AdamW::Config config;
  std::memcpy(&config.lr, &nan, sizeof nan);
  try {
    zero::AdamW::validate(config);
  } catch (std::invalid_argument const&) {
    return "refused";
  }
  return "accepted";
}

/// One line for each instruction set of this machine; all lines alike but for its name.
inline std::string describe() {
  std::string text;
  for (int k = 0; k <= static_cast<int>(zero::best_instruction_set()); ++k) {
    auto const set = static_cast<zero::InstructionSet>(k);
    text += "updates " + updates(set) + " sums " + sums(set) + " casts " + casts(set) + " norm " + norm(set) +
            " settings " + settings() + "\n";
  }
  return text;
}

}  // namespace build_flags
