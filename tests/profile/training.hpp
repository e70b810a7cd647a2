// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine.hpp>
#include <zero/profile/profiler.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

/// Trainings whose time a test makes: a clock goes on where the test says so, and nowhere else.
namespace profile_test {

using zero::profile::Phase;
using Profiler = zero::profile::Profiler<zero::HostBackend>;

/// Nanoseconds that operations have taken so far, in this thread.
inline thread_local std::int64_t now = 0;

/// What operations take.
struct Costs {
  std::int64_t data = 0, forward = 0, backward = 0, gather = 0, reduce = 0, norm = 0, update = 0;
};
inline thread_local Costs costs;

/// A rule that takes its time: once for each element, as it has no smaller call.
struct SlowRule {
  static constexpr std::size_t state_count = 0;
  struct Config {
    double lr = 1e-3;
  };
  struct Constants {
    float minus_lr;
  };
  // Once per step and group.
  static Constants constants(Config const& config, std::uint64_t /*step*/) {
    now += costs.update;
    return {static_cast<float>(-config.lr)};
  }
  template <class Real>
  ZERO_HOST_DEVICE static void update(Real& p, Real const& g, zero::States<Real, 0>& /*states*/, Constants const& c) {
    p = fma(Real(c.minus_lr), g, p);
  }
};

/// The communicator \p Inner, borrowed, whose collectives take their time.
template <class Inner>
class SlowCommunicator {
 public:
  explicit SlowCommunicator(Inner& inner) : inner_(inner) {}
  [[nodiscard]] int rank() const { return inner_.rank(); }
  [[nodiscard]] int size() const { return inner_.size(); }
  [[nodiscard]] int local_size() const { return inner_.local_size(); }
  template <class Sum, class Element>
  void reduce_scatter_add(Element* send, Sum* into, std::size_t count, zero::SumRange range,
                          zero::CollectivePurpose purpose, zero::HostStream stream) {
    now += costs.reduce;
    inner_.reduce_scatter_add(send, into, count, range, purpose, stream);
  }
  template <class Element>
  void all_gather(Element const* own, Element* full, std::size_t count, zero::CollectivePurpose purpose,
                  zero::HostStream stream) {
    now += purpose.what == "gradient sums" ? costs.reduce : purpose.what == "access" ? 0 : costs.gather;
    inner_.all_gather(own, full, count, purpose, stream);
  }
  void all_reduce(std::uint64_t* words, std::size_t count, zero::CollectivePurpose purpose, zero::HostStream stream) {
    now += costs.norm;
    inner_.all_reduce(words, count, purpose, stream);
  }
  void exchange(std::span<std::byte const> mine, std::span<std::byte> all) { inner_.exchange(mine, all); }

 private:
  Inner& inner_;
};

struct Run {
  zero::Stage stage = zero::Stage::gradients;
  int accumulation = 1;
  int steps = 3;
  bool offload = false;
  bool marks_data = false;  ///< the data of a micro-batch is loaded inside of it, and marked
};

/// Trains a model of three parameters. \p profiler may be null. \p after_step gets the number of each step, and before
/// the first one -1. Returns all parameters at the end.
template <class Communicator>
std::vector<float> train(Communicator& ranks, Run const& run, Profiler* profiler,
                         std::function<void(int)> const& after_step = {}) {
  using Engine = zero::Engine<zero::AnyStage, zero::Optimizer<SlowRule, zero::AnyOffload>, zero::Precision<zero::BF16>,
                              zero::HostBackend, Communicator>;
  zero::HostStream const stream;
  zero::ParameterList parameters;
  std::vector<zero::ParameterId> ids;
  ids.reserve(3);
  for (int i = 0; i < 3; ++i) {
    ids.push_back(parameters.add({.name = std::string(1, static_cast<char>('a' + i)), .shape = {300}, .unit = i}));
  }
  typename Engine::Config config{
      .gradient_accumulation_steps = run.accumulation, .bucket_elements = 256, .profiler = profiler};
  if (run.offload) config.offload = zero::CpuOffload::Config{};
  Engine engine(run.stage, ranks, parameters, config);
  if (after_step) after_step(-1);
  for (int step = 0; step < run.steps; ++step) {
    for (int a = 0; a < run.accumulation; ++a) {
      auto batch = engine.begin_micro_batch(stream);
      {
        std::optional<Profiler::Scope> scope;
        if (run.marks_data && profiler != nullptr) scope.emplace(profiler->phase(Phase::data, stream));
        now += costs.data;
      }
      for (auto id : ids) {
        auto const weights = engine.gather(id, stream);
        now += costs.forward;
      }
      for (std::size_t i = ids.size(); i-- > 0;) {
        auto const weights = engine.gather(ids[i], stream);
        auto gradients = engine.gradients(ids[i], stream);
        auto const values = gradients.write(ids[i]).values;
        for (std::size_t k = 0; k < values.size(); ++k) {
          float const towards = static_cast<float>(ranks.rank() + step) * 0.125F - static_cast<float>(k % 5);
          values[k] = zero::narrow<zero::bfloat16>(zero::widen(weights[ids[i]][k]) - towards);
        }
        now += costs.backward;
        gradients.ready(stream);
      }
      batch.finish(stream);
    }
    (void)engine.step(stream).get();
    if (after_step) after_step(step);
  }
  std::vector<float> all;
  for (auto const* name : {"a", "b", "c"}) {
    auto const values = engine.read_parameter(name);
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

/// The clock of this thread.
inline Profiler::Config scripted() {
  return {.clock = [] { return now; }};
}

}  // namespace profile_test
