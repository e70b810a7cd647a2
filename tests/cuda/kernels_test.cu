// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "cuda/device_array.hpp"

#include <zero/engine.cuh>

#include <doctest/doctest.h>
#include <kernels/support.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <tuple>
#include <vector>

namespace cuda_kernels_test {

// Every kernel against the host's driver of the same name, bit for bit. NaN counts as NaN.

using cuda_test::DeviceArray;
using zero::bfloat16;
using zero::CudaBackend;
using zero::float16;
using zero::HostBackend;
using zero::Segment;

namespace {

/// A backend with a stream to put kernels on.
struct Device {
  Device() : backend({}, 1), own(backend.make_stream("test")), stream(own.get()) {}
  CudaBackend backend;
  CudaBackend::OwnedStream own;
  zero::CudaStream stream;
};

struct Host {
  Host() : backend({.threads = 1}, 1), own(backend.make_stream("test")), stream(own.get()) {}
  HostBackend backend;
  HostBackend::OwnedStream own;
  zero::HostStream stream;
};

// Ordinary numbers, and what kernels get wrong: zeros of both signs, denormals, the largest, Inf and NaN.
float any(std::mt19937_64& random, bool finite) {
  switch (random() % 16) {
    case 0:
      return random() % 2 == 0 ? 0.0F : -0.0F;
    case 1:
      return kernel_test::any_finite(random);
    case 2:
      return std::ldexp(kernel_test::ordinary(random), -130);
    case 3:
      if (finite) break;
      return random() % 2 == 0 ? std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
    default:
      break;
  }
  return kernel_test::ordinary(random);
}

template <class T>
std::vector<T> numbers(std::size_t n, std::uint64_t seed, bool finite = false) {
  std::mt19937_64 random(seed);
  std::vector<T> all(n);
  for (auto& x : all) {
    do {
      x = zero::narrow<T>(any(random, finite));
    } while (finite && !std::isfinite(zero::widen(x)));
  }
  return all;
}

template <class T>
std::size_t count_different(std::vector<T> const& a, std::vector<T> const& b) {
  std::size_t different = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    auto const x = zero::detail::widen_bits(a[i]), y = zero::detail::widen_bits(b[i]);
    bool const both_nan = (x & 0x7FFFFFFFU) > 0x7F800000U && (y & 0x7FFFFFFFU) > 0x7F800000U;
    if (x != y && !both_nan) ++different;
  }
  return different;
}

/// Segments with everything that a slice can have: tails, padding between them, one element, several tiles.
std::vector<Segment> some_pieces() {
  return {
      {3, 0, 128, 0, 1000}, {4, 1, 1280, 0, 1}, {6, 1, 1408, 77, 129}, {7, 0, 1792, 0, 128}, {9, 1, 2048, 5, 30007}};
}
constexpr std::size_t extent = 2048 + 30080;  // with padding

struct Segments {
  explicit Segments(std::vector<Segment> list) : host(std::move(list)), device(host) {}
  [[nodiscard]] zero::SegmentView view() const { return {host, device.data()}; }
  std::vector<Segment> host;
  DeviceArray<Segment> device;
};

// ------------------------------------------------------------------------------------------------- update

template <class Rule, class Compute, class Sum>
void check_update(typename Rule::Config const& first, typename Rule::Config const& second, std::uint64_t step,
                  bool apply, bool with_value) {
  Device device;
  Host host;
  Segments const segments(some_pieces());
  auto master = numbers<float>(extent, 1);
  auto value = numbers<Compute>(extent, 2);
  auto const gradient = numbers<Sum>(extent, 3);
  std::array<std::vector<float>, Rule::state_count> states;
  for (std::size_t k = 0; k < states.size(); ++k) {
    states[k] = numbers<float>(extent, 4 + k);
    for (auto& x : states[k]) x = std::abs(x);
  }
  std::vector<typename Rule::Constants> const constants{Rule::constants(first, step), Rule::constants(second, step)};
  DeviceArray<float> const d_master(master);
  DeviceArray<Compute> const d_value(value);
  DeviceArray<Sum> const d_gradient(gradient);
  std::array<DeviceArray<float>, Rule::state_count> d_states;
  DeviceArray<typename Rule::Constants> const d_constants(constants);
  DeviceArray<zero::Decision<Rule>> const d_decision(
      std::vector<zero::Decision<Rule>>{{apply, 0.37F, d_constants.data()}});

  zero::UpdateArguments<Rule, Compute, Sum> a{};
  a.master = d_master.data(), a.value = with_value ? d_value.data() : nullptr, a.gradient = d_gradient.data();
  for (std::size_t k = 0; k < states.size(); ++k) {
    d_states[k] = DeviceArray<float>(states[k]);
    a.states[k] = d_states[k].data();
  }
  device.backend.update(segments.view(), a, d_decision.data(), device.stream);

  zero::Decision<Rule> const decision{apply, 0.37F, constants.data()};
  zero::UpdateArguments<Rule, Compute, Sum> h{};
  h.master = master.data(), h.value = with_value ? value.data() : nullptr, h.gradient = gradient.data();
  for (std::size_t k = 0; k < states.size(); ++k) h.states[k] = states[k].data();
  host.backend.update(segments.view(), h, &decision, host.stream);

  CHECK(count_different(d_master.fetch(), master) == 0);
  CHECK(count_different(d_value.fetch(), value) == 0);
  for (std::size_t k = 0; k < states.size(); ++k) CHECK(count_different(d_states[k].fetch(), states[k]) == 0);
}

template <class Rule>
void check_rule(typename Rule::Config const& first, typename Rule::Config const& second) {
  for (std::uint64_t step : {1U, 1000U}) {
    check_update<Rule, float, float>(first, second, step, true, false);
    check_update<Rule, bfloat16, float>(first, second, step, true, true);
    check_update<Rule, float16, float>(first, second, step, true, true);
    check_update<Rule, float, bfloat16>(first, second, step, true, false);
    check_update<Rule, bfloat16, bfloat16>(first, second, step, true, true);
    check_update<Rule, float16, bfloat16>(first, second, step, true, true);
  }
  check_update<Rule, float16, float>(first, second, 3, false, true);
}

// ------------------------------------------------------------------------------------------------- norm

template <class Sum>
void check_squares(std::vector<Segment> const& list, std::size_t elements, std::vector<std::size_t> const& bad) {
  Device device;
  Host host;
  Segments const segments(list);
  auto slice = numbers<Sum>(elements, 17, true);
  for (auto i : bad) slice[i] = zero::narrow<Sum>(i % 2 == 0 ? INFINITY : NAN);
  std::vector<std::uint64_t> words(zero::NormWords::count(3));
  DeviceArray<std::uint64_t> const d_words(words);
  DeviceArray<Sum> const d_slice(slice);
  for (int twice = 0; twice < 2; ++twice) {  // sums go on
    device.backend.squares({d_words.data(), 1, 3}, segments.view(), d_slice.data(), device.stream);
    host.backend.squares({words.data(), 1, 3}, segments.view(), slice.data(), host.stream);
  }
  auto const fetched = d_words.fetch();
  zero::ExactSum expected, actual;
  for (std::size_t k = 0; k < zero::ExactSum::words; ++k) expected.digits[k] = words[k], actual.digits[k] = fetched[k];
  expected.normalize(), actual.normalize();
  CHECK(actual == expected);
  for (std::size_t k = zero::ExactSum::words; k < words.size(); ++k) CHECK(fetched[k] == words[k]);
}

// ------------------------------------------------------------------------------------------------- sums

template <class Sum, class T>
void check_accumulate(std::size_t n, std::size_t sources, bool first, std::size_t shift) {
  Device device;
  Host host;
  auto into = numbers<Sum>(n + shift, 5);
  DeviceArray<Sum> const d_into(into);
  std::vector<std::vector<T>> arrays;
  std::vector<DeviceArray<T>> d_arrays;
  std::vector<T const*> at, d_at;
  for (std::size_t q = 0; q < sources; ++q) {
    arrays.push_back(numbers<T>(n + shift, 100 + q));
    d_arrays.emplace_back(arrays.back());
  }
  for (std::size_t q = 0; q < sources; ++q)
    at.push_back(arrays[q].data() + shift), d_at.push_back(d_arrays[q].data() + shift);
  device.stream.accumulate(d_into.data() + shift, d_at.data(), sources, n, first);
  zero::accumulate(zero::best_instruction_set(), into.data() + shift, at.data(), sources, n, first);
  INFO("n ", n, " sources ", sources, " first ", first, " shift ", shift);
  CHECK(count_different(d_into.fetch(), into) == 0);
}

template <class Sum, class T>
void check_sums() {
  for (std::size_t sources : {1U, 2U, 3U, 8U, 9U, 17U}) {
    for (bool first : {false, true}) {
      check_accumulate<Sum, T>(4096, sources, first, 0);
      check_accumulate<Sum, T>(1003, sources, first, 0);
      check_accumulate<Sum, T>(1003, sources, first, 1);
    }
  }
}

// ------------------------------------------------------------------------------------------------- decision

struct Decided {
  zero::StepOutcome outcome;
  float scale, multiplier;
  bool apply;
  std::vector<unsigned char> constants;
};

void check_same(Decided const& a, Decided const& b) {
  CHECK(a.outcome.steps == b.outcome.steps);
  CHECK(a.outcome.skipped_steps == b.outcome.skipped_steps);
  CHECK(zero::detail::bit_cast<std::uint64_t>(a.outcome.gradient_norm) ==
        zero::detail::bit_cast<std::uint64_t>(b.outcome.gradient_norm));
  CHECK(zero::detail::bit_cast<std::uint64_t>(a.outcome.clip_coefficient) ==
        zero::detail::bit_cast<std::uint64_t>(b.outcome.clip_coefficient));
  CHECK(a.outcome.loss_scale == b.outcome.loss_scale);
  CHECK(a.outcome.bad_parameter == b.outcome.bad_parameter);
  CHECK(a.outcome.skipped == b.outcome.skipped);
  CHECK(a.outcome.exhausted == b.outcome.exhausted);
  CHECK(zero::detail::bit_cast<std::uint32_t>(a.scale) == zero::detail::bit_cast<std::uint32_t>(b.scale));
  CHECK(zero::detail::bit_cast<std::uint32_t>(a.multiplier) == zero::detail::bit_cast<std::uint32_t>(b.multiplier));
  CHECK(a.apply == b.apply);
  CHECK(a.constants == b.constants);
}

template <class Rule, class Scaler>
void check_decisions(typename Rule::Config const& config, typename Scaler::Config const& scaler, double clipping) {
  Device device;
  Host host;
  using State = zero::StepState<Scaler>;
  using Constants = typename Rule::Constants;
  std::vector<State> state{{.scaler = Scaler::initial(scaler)}};
  state[0].scale = static_cast<float>(state[0].scaler.scale);
  std::vector<typename Rule::Config> const groups{config, config};
  std::vector<double> const limit{clipping};
  std::vector<Constants> constants(2);
  std::vector<zero::Decision<Rule>> decision(1);
  std::vector<zero::StepOutcome> outcome(1);
  DeviceArray<State> const d_state(state);
  DeviceArray<typename Rule::Config> const d_groups(groups);
  DeviceArray<double> const d_limit(limit);
  DeviceArray<Constants> const d_constants(constants);
  DeviceArray<zero::Decision<Rule>> const d_decision(decision);
  DeviceArray<zero::StepOutcome> const d_outcome(outcome);
  std::mt19937_64 random(3);
  for (int step = 0; step < 40; ++step) {
    std::vector<std::uint64_t> words(zero::NormWords::count(2));
    zero::ExactSum sum;
    for (int i = 0; i < 100; ++i) sum.add(std::abs(static_cast<double>(kernel_test::ordinary(random))));
    std::copy_n(sum.digits, zero::ExactSum::words, words.begin());
    if (step % 3 == 2) words[zero::ExactSum::words + 1] = 7;
    DeviceArray<std::uint64_t> const d_words(words);
    auto const arguments = [&](auto* w, auto* s, auto* g, auto* l, auto* c, auto* d, auto* o) {
      return zero::DecisionArguments<Rule, Scaler>{{w, 0, 2}, 8.0, l, scaler, s, g, 2, nullptr, 2, c, d, o};
    };
    device.backend.decide(arguments(d_words.data(), d_state.data(), d_groups.data(), d_limit.data(), d_constants.data(),
                                    d_decision.data(), d_outcome.data()),
                          device.stream);
    host.backend.decide(arguments(words.data(), state.data(), groups.data(), limit.data(), constants.data(),
                                  decision.data(), outcome.data()),
                        host.stream);
    auto const bytes = [](std::vector<Constants> const& all) {
      auto const* const first = reinterpret_cast<unsigned char const*>(all.data());
      return std::vector<unsigned char>(first, first + all.size() * sizeof(Constants));
    };
    auto const d = d_decision.fetch()[0];
    check_same({d_outcome.fetch()[0], d_state.fetch()[0].scale, d.multiplier, d.apply, bytes(d_constants.fetch())},
               {outcome[0], state[0].scale, decision[0].multiplier, decision[0].apply, bytes(constants)});
  }
}

}  // namespace

TEST_CASE("cuda kernels: the update of every rule and precision has the host's bits, and leaves padding alone") {
  check_rule<zero::Adam>({.lr = 1e-3, .weight_decay = 0.1}, {.lr = 2e-3});
  check_rule<zero::AdamW>({.lr = 1e-3, .weight_decay = 0.1}, {.lr = 2e-3, .weight_decay = 0.0});
  check_rule<zero::Sgd>({.lr = 0.1, .momentum = 0.9, .nesterov = true},
                        {.lr = 0.2, .momentum = 0.5, .weight_decay = 0.1});
  check_rule<zero::Lion>({.lr = 1e-3, .weight_decay = 0.1}, {.lr = 2e-3});
  check_rule<zero::Adagrad>({.lr = 0.1}, {.lr = 0.2, .weight_decay = 0.1});
}

TEST_CASE("cuda kernels: the norm has the host's digits and finds the first bad parameter") {
  for (auto const& bad :
       std::vector<std::vector<std::size_t>>{{}, {128}, {1280}, {2048 + 30006, 1500}, {5000, 9000, 1919}}) {
    check_squares<float>(some_pieces(), extent, bad);
    check_squares<bfloat16>(some_pieces(), extent, bad);
  }
  std::size_t const large = (std::size_t{1} << 22) - 77;
  check_squares<float>({{0, 0, 0, 0, large}}, large + 77, {large - 1});
  check_squares<float>({{0, 0, 0, 0, 1}}, 128, {});
}

TEST_CASE("cuda kernels: sums of several arrays have the host's bits, aligned and not") {
  check_sums<float, float>(), check_sums<float, bfloat16>(), check_sums<float, float16>();
  check_sums<bfloat16, bfloat16>(), check_sums<bfloat16, float>(), check_sums<bfloat16, float16>();
  check_accumulate<float, bfloat16>(300, 300, false, 0);
}

TEST_CASE("cuda kernels: many copies of any size and alignment are one launch") {
  Device device;
  std::mt19937_64 random(11);
  for (std::size_t count : {1U, 32U, 33U, 1000U, 1100U}) {
    std::vector<std::uint16_t> from(count * 40000 / (count > 100 ? 20 : 1));
    for (auto& x : from) x = static_cast<std::uint16_t>(random());
    std::vector<std::uint16_t> expected(from.size());
    DeviceArray<std::uint16_t> const d_from(from), d_to(expected);
    std::vector<zero::CopyRange> ranges;
    std::size_t const room = from.size() / count;
    for (std::size_t i = 0; i < count; ++i) {
      std::size_t const begin = i * room + random() % 9, n = 1 + random() % (room - 10);
      ranges.push_back({d_to.data() + begin, d_from.data() + begin, n * 2});
      std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(begin), n,
                  expected.begin() + static_cast<std::ptrdiff_t>(begin));
    }
    device.backend.copy_many(ranges, device.stream);
    CHECK(d_to.fetch() == expected);
  }
}

TEST_CASE("cuda kernels: decisions have the host's bits, overflow and the minimum scale included") {
  for (double clipping : {0.0, 0.5}) {
    check_decisions<zero::AdamW, zero::NoScale>({.lr = 1e-3}, {}, clipping);
    check_decisions<zero::Adam, zero::StaticScale>({.lr = 1e-3}, {}, clipping);
    check_decisions<zero::Sgd, zero::DynamicScale>({.lr = 0.1, .momentum = 0.9},
                                                   {.initial = 8.0F, .window = 2, .hysteresis = 1}, clipping);
    check_decisions<zero::Lion, zero::DynamicScale>({.lr = 1e-4}, {.minimum = 0.5F, .window = 3}, clipping);
    check_decisions<zero::Adagrad, zero::DynamicScale>({.lr = 1e-2}, {.window = 1}, clipping);
  }
}

TEST_CASE("cuda kernels: words of ranks add up") {
  Device device;
  std::vector<std::uint64_t> const a{1, UINT64_MAX, 3}, b{10, 2, 30};
  DeviceArray<std::uint64_t> const d_a(a), d_b(b), d_sum(std::vector<std::uint64_t>(3));
  std::uint64_t const* const sources[] = {d_a.data(), d_b.data()};
  device.stream.sum_u64(d_sum.data(), sources, 2, 3);
  CHECK(d_sum.fetch() == std::vector<std::uint64_t>{11, 1, 33});
}

}  // namespace cuda_kernels_test
