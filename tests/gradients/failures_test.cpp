// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Every call that the gradients' path makes of backend and communicator fails once, in a real engine.

#include "gradients/failing_backend.hpp"

#include <zero/any_engine.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gradients_failures_test {

using gradients_test::Faults;
using gradients_test::InjectedError;
using zero::ParameterId;
using zero::Stage;

namespace {

struct Setup {
  Stage stage = Stage::none;
  int micro_batches = 1;
  std::optional<zero::Reduce> reduce{};
  bool offload = false;
  bool adopted = false;
  bool misses_one = false;  ///< one gradient never arrives, and is to be zeros
};

/// An engine over three parameters, each in a bucket of its own; the last is spread over three.
class Training {
 public:
  using Engine = zero::AnyEngine<zero::AdamW, zero::Precision<zero::FP32>, gradients_test::FailingBackend,
                                 gradients_test::FailingCommunicator>;

  explicit Training(Setup const& setup) : setup_(setup), engine_(setup.stage, communicator_, parameters(), config()) {}

  /// Takes a step; what fails in a micro-batch is done again in it where that is allowed, and else the whole step is.
  /// Returns false where the engine has failed for good.
  bool step() {
    while (true) {
      try {
        for (int m = 0; m < setup_.micro_batches; ++m) micro_batch(m);
        break;
      } catch (InjectedError const&) {
        failed();
      }
      if (!discard()) return false;
    }
    faults.stop();
    (void)engine_.step({.lr = 0.1}, {}).get();
    return true;
  }

  [[nodiscard]] std::vector<std::vector<float>> values() {
    std::vector<std::vector<float>> all;
    for (auto const* name : names) all.push_back(engine_.read_parameter(name));
    return all;
  }

  Faults faults;

 private:
  static constexpr std::array names{"a", "b", "c"};
  static constexpr std::array<std::size_t, 3> sizes{256, 200, 700};

  zero::ParameterList parameters() {
    zero::ParameterList list;
    for (std::size_t p = 0; p < names.size(); ++p) {
      zero::ParameterSpec spec{.name = names[p], .shape = {sizes[p]}, .unit = static_cast<int>(p)};
      own_[p].resize(sizes[p]);
      if (setup_.adopted) spec.gradients = zero::adopt(own_[p].data(), sizes[p]);
      (void)list.add(spec);
    }
    return list;
  }
  Engine::Config config() {
    Engine::Config config{
        .gradient_accumulation_steps = setup_.micro_batches, .reduce = setup_.reduce, .bucket_elements = 256};
    if (setup_.misses_one) config.missing_gradient = zero::MissingGradient::zero;
    if (setup_.offload) config.offload = zero::CpuOffload::Config{.chunk_elements = 128};
    config.backend.threads = 1;
    config.backend.faults = &faults;
    return config;
  }

  void micro_batch(int m) {
    auto micro_batch = engine_.begin_micro_batch({});
    for (std::uint32_t p = names.size(); p-- > 0;) {
      if (setup_.misses_one && p == 1) continue;
      try {
        contribute({p}, m);
      } catch (InjectedError const&) {
        failed();
        contribute({p}, m);  // works, or reports the error: no other exception may leave
      }
    }
    micro_batch.finish({});
  }
  void contribute(ParameterId id, int m) {
    auto gradients = engine_.gradients(id, {});
    auto const values = gradients[id];
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] += static_cast<float>(1 + static_cast<std::size_t>(m) + (i * 7 + id.index) % 11);
    gradients.ready({});
  }
  // A fault that stays would be a failure of every call.
  void failed() {
    if (++failures_ == 2) faults.stop();
  }
  bool discard() {
    for (int attempt = 0; attempt < 2; ++attempt) {
      try {
        engine_.discard_gradients();
        return true;
      } catch (InjectedError const&) {
        failed();
      }
    }
    return false;
  }

  Setup setup_;
  gradients_test::FailingCommunicator communicator_{faults};
  std::array<std::vector<float>, 3> own_;
  int failures_ = 0;
  Engine engine_;
};

// Lets every call fail in turn; returns how many engines went on, and how many had failed.
struct Outcomes {
  int went_on = 0;
  int failed = 0;
};
Outcomes fail_every_call(Setup const& setup, bool all_further) {
  Training undisturbed(setup);
  REQUIRE(undisturbed.step());
  auto const expected = undisturbed.values();
  Outcomes outcomes;
  while (true) {
    Training training(setup);
    training.faults.inject(outcomes.went_on + outcomes.failed, all_further);
    bool const goes_on = training.step();
    training.faults.stop();
    if (goes_on) CHECK(training.values() == expected);
    if (!training.faults.injected()) return outcomes;
    ++(goes_on ? outcomes.went_on : outcomes.failed);
  }
}

}  // namespace

TEST_CASE("gradient failures: after any one the same call works or reports it, and no result is wrong") {
  for (auto stage : {Stage::none, Stage::optimizer_states, Stage::gradients, Stage::parameters}) {
    for (auto reduce : {zero::Reduce::each_micro_batch, zero::Reduce::once_per_step}) {
      if (stage >= Stage::gradients && reduce == zero::Reduce::once_per_step) continue;
      for (int micro_batches : {1, 2}) {
        for (bool adopted : {false, true}) {
          for (bool all_further : {false, true}) {
            CAPTURE(static_cast<int>(stage));
            CAPTURE(micro_batches);
            CAPTURE(adopted);
            CAPTURE(all_further);
            auto const outcomes = fail_every_call(
                {.stage = stage, .micro_batches = micro_batches, .reduce = reduce, .adopted = adopted}, all_further);
            CHECK(outcomes.went_on > 10);
            if (!all_further) CHECK(outcomes.failed == 0);
          }
        }
      }
    }
  }
}

TEST_CASE("gradient failures: the same where the engine completes a gradient that is missing") {
  for (auto stage : {Stage::none, Stage::gradients}) {
    for (bool all_further : {false, true}) {
      CHECK(fail_every_call({.stage = stage, .misses_one = true}, all_further).went_on > 5);
    }
  }
}

TEST_CASE("gradient failures: with offload an engine whose copies were interrupted has failed, and says why") {
  for (auto stage : {Stage::none, Stage::gradients}) {
    for (bool all_further : {false, true}) {
      auto const outcomes = fail_every_call({.stage = stage, .micro_batches = 2, .offload = true}, all_further);
      CHECK(outcomes.went_on > 5);
      CHECK(outcomes.failed > 5);
    }
  }
}

}  // namespace gradients_failures_test
