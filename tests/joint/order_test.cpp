// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "engine/engine_under_test.hpp"

#include <zero/any_engine.hpp>
#include <zero/joint_step.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace joint_order_test {

// In which order the members of a joint step reduce their buckets, and what may be called when.

using engine_test::contains;
using engine_test::id;
using engine_test::message_of;
using zero::Stage;

namespace {

using Engine = zero::AnyEngine<zero::AdamW, zero::Precision<zero::FP32>>;
using Ranks = zero::ThreadCommunicator;
using Joint = zero::JointStep<zero::HostBackend, Ranks>;

/// Parameters "<name>0", "<name>1", ... of 256 elements and a unit each.
zero::ParameterList units(std::string const& name, std::size_t count) {
  zero::ParameterList list;
  for (std::size_t p = 0; p < count; ++p) {
    (void)list.add({.name = name + std::to_string(p), .shape = {256}, .unit = static_cast<int>(p)});
  }
  return list;
}

std::unique_ptr<Engine> engine_of(Stage stage, Ranks& ranks, std::string const& name, std::size_t count,
                                  Engine::Config config = {}) {
  if (!config.bucket_elements) config.bucket_elements = 256;
  return zero::make_any_engine<zero::AdamW, zero::Precision<zero::FP32>>(stage, ranks, units(name, count), std::nullopt,
                                                                         config);
}

void contribute(Engine& engine, std::size_t p, float value = 1.0F) { engine_test::contribute(engine, id(p), value); }

/// A micro-batch of two engines with as many units, in which each gradient is \p value.
void micro_batch(Joint& joint, Engine& a, Engine& b, std::size_t count, float value = 1.0F) {
  auto pass = joint.begin_micro_batch({});
  for (std::size_t p = 0; p < count; ++p) {
    auto const first = a.gather(id(p), {});
    auto const second = b.gather(id(p), {});
  }
  for (std::size_t p = count; p-- > 0;) {
    auto const first = a.gather(id(p), {});
    auto const second = b.gather(id(p), {});
    contribute(a, p, value), contribute(b, p, value);
  }
  pass.finish({});
}

}  // namespace

TEST_CASE("joint step: buckets go unit by unit, whichever member's gradient comes first") {
  zero::run_ranks(2, [](Ranks& ranks) {
    auto const a = engine_of(Stage::gradients, ranks, "a", 4), b = engine_of(Stage::gradients, ranks, "b", 4);
    Joint joint{ranks, {a->member("a"), b->member("b")}};
    auto pass = joint.begin_micro_batch({});
    auto const reduced = [&] { return std::pair(a->traffic().collectives, b->traffic().collectives); };
    auto const before = reduced();
    contribute(*b, 3);  // waits for that of a
    CHECK(reduced() == before);
    contribute(*a, 3);  // both go
    CHECK(reduced() == std::pair(before.first + 1, before.second + 1));
    for (std::size_t p = 3; p-- > 0;) contribute(*a, p), contribute(*b, p);
    CHECK(reduced() == std::pair(before.first + 4, before.second + 4));
    pass.finish({});
    CHECK(joint.step({}).get().step == 1);
    // One collective settles both, and each all-gathers its own buckets.
    CHECK(a->traffic().control_words + b->traffic().control_words == 20 + 2 + 4);
  });
}

TEST_CASE("joint step: with an engine at stage 3 buckets go where gathers say so") {
  zero::run_ranks(2, [](Ranks& ranks) {
    auto const a = engine_of(Stage::gradients, ranks, "a", 4), b = engine_of(Stage::parameters, ranks, "b", 4);
    auto const late = engine_of(Stage::optimizer_states, ranks, "late", 4);
    Joint joint{ranks, {late->member("late"), a->member("a"), b->member("b")}};
    auto pass = joint.begin_micro_batch({});
    for (std::size_t p = 0; p < 4; ++p) {
      auto const first = a->gather(id(p), {});
      auto const second = b->gather(id(p), {});
    }
    auto const start = std::pair(a->traffic().gradients, b->traffic().gradients);
    for (std::size_t p = 4; p-- > 0;) {
      auto const first = a->gather(id(p), {});
      auto const second = b->gather(id(p), {});
      // What the gathers of the unit above have left behind is reduced; on every rank, whatever has arrived.
      CHECK(a->traffic().gradients - start.first == (3 - p) * 128);
      CHECK(b->traffic().gradients - start.second == (3 - p) * 128);
      contribute(*late, p), contribute(*a, p), contribute(*b, p);
    }
    CHECK(late->traffic().gradients == 0);
    pass.finish({});
    CHECK(late->traffic().gradients > 0);
    (void)joint.step({}).get();
  });
}

TEST_CASE("joint step: gradients that lie in the place of others wait for those of all members above") {
  zero::run_ranks(1, [](Ranks& ranks) {
    auto const a = engine_of(Stage::gradients, ranks, "a", 3, {.gradient_ring = 1});
    auto const b = engine_of(Stage::optimizer_states, ranks, "b", 3);
    Joint joint{ranks, {a->member("a"), b->member("b")}};
    {
      auto pass = joint.begin_micro_batch({});
      contribute(*a, 2), contribute(*a, 1);
      auto const message = message_of<zero::GradientError>([&] { contribute(*a, 0); });
      CHECK(contains(message, "gradient of 'a0' of 'a' needs the place of one that is reduced after the gradient of"));
      CHECK(contains(message, "'b2' of 'b', which has not arrived: number the units of all members alike"));
      contribute(*b, 2), contribute(*a, 0), contribute(*b, 1), contribute(*b, 0);
      pass.finish({});
    }
    CHECK(joint.step({}).get().gradient_norm == std::sqrt(6.0 * 256));
  });
}

TEST_CASE("joint step: a gradient that is missing on one rank swaps no collectives, or is an error that says so") {
  for (bool gathers : {true, false}) {
    std::atomic<int> told{0};
    zero::run_ranks(2, [gathers, &told](Ranks& ranks) {
      // Rings of one bucket: each lease needs the place of the one before.
      Engine::Config const config{.gradient_ring = 1, .missing_gradient = zero::MissingGradient::zero};
      auto const a = engine_of(Stage::gradients, ranks, "a", 4, config);
      auto const b = engine_of(Stage::parameters, ranks, "b", 4, config);
      Joint joint{ranks, {a->member("a"), b->member("b")}};
      auto const train = [&] {
        auto pass = joint.begin_micro_batch({});
        for (std::size_t p = 0; p < 4; ++p) {
          if (gathers) auto const first = a->gather(id(p), {});
          auto const second = b->gather(id(p), {});
        }
        for (std::size_t p = 4; p-- > 0;) {
          if (gathers) auto const first = a->gather(id(p), {});
          auto const second = b->gather(id(p), {});
          if (ranks.rank() == 0 || p != 2) contribute(*a, p);
          if (ranks.rank() == 1 || p != 1) contribute(*b, p);
        }
        pass.finish({});
      };
      if (gathers) {
        train();
        CHECK(joint.step({}).get().gradient_norm == std::sqrt(6.0 * 4 + 2.0) * std::sqrt(256.0) / 2);
      } else {
        try {
          train();
          FAIL_CHECK("nothing was thrown");
        } catch (zero::GradientError const& error) {
          CHECK(contains(error.what(), "' of 'b' is gathered after a lease has closed buckets to make room"));
          ++told;
        } catch (zero::CommunicationError const& error) {  // the other rank was told first
          CHECK(error.kind() == zero::CommunicationFailure::peer_failed);
        }
      }
    });
    CHECK((told > 0) == !gathers);
  }
}

TEST_CASE("joint step: an overflow in one member skips all of them, and is said to be its own") {
  zero::run_ranks(2, [](Ranks& ranks) {
    auto const a = engine_of(Stage::gradients, ranks, "a", 2), b = engine_of(Stage::parameters, ranks, "b", 2);
    Joint joint{ranks, {a->member("a"), b->member("b")}, {.max_skipped_steps = 2}};
    micro_batch(joint, *a, *b, 2);
    CHECK(!joint.step({}).get().skipped);
    auto const before = std::pair(a->read_parameter("a1"), b->read_parameter("b1"));
    for (int skipped = 1; skipped <= 2; ++skipped) {
      auto pass = joint.begin_micro_batch({});
      for (std::size_t p = 2; p-- > 0;) {
        bool const bad = p == 1 && ranks.rank() == 1;
        contribute(*b, p, bad ? std::numeric_limits<float>::infinity() : 1.0F), contribute(*a, p);
      }
      pass.finish({});
      auto const ticket = joint.step({});
      if (skipped == 2) {
        CHECK(contains(message_of<zero::DivergenceError>([&] { (void)ticket.get(); }), "first in 'b1' of 'b'"));
        continue;
      }
      auto const report = ticket.get();
      CHECK(report.skipped);
      CHECK(report.bad_parameter == "b1");
      CHECK(report.bad_engine == "b");
      CHECK(a->step_state().skipped == 1);
    }
    CHECK(std::pair(a->read_parameter("a1"), b->read_parameter("b1")) == before);
  });
}

TEST_CASE("joint step: the scale of one member unscales those without a scaler") {
  zero::run_ranks(2, [](Ranks& ranks) {
    zero::Engine<zero::AnyStage, zero::Optimizer<zero::AdamW>, zero::Precision<zero::FP32, zero::DynamicScale>,
                 zero::HostBackend, Ranks>
        scaled{Stage::gradients, ranks, units("a", 1), {.scale = {.initial = 1024.0F, .window = 1, .hysteresis = 1}}};
    auto const plain = engine_of(Stage::none, ranks, "b", 1);
    Joint joint{ranks, {plain->member("plain"), scaled.member("scaled")}};
    for (float scale : {1024.0F, 2048.0F, 4096.0F}) {
      CHECK(joint.loss_scale().value() == scale);
      auto pass = joint.begin_micro_batch({});
      engine_test::contribute(scaled, id(0), 2.0F * scale), contribute(*plain, 0, 2.0F * scale);
      pass.finish({});
      CHECK(plain->read_gradient("b0").front() == 2.0F);
      auto const report = joint.step({}).get();
      CHECK(report.loss_scale == scale);
      CHECK(report.gradient_norm == std::sqrt(2.0 * 256 * 4));
    }
    auto const first = scaled.read_parameter("a0");
    CHECK(first == plain->read_parameter("b0"));
  });
}

TEST_CASE("joint step: a gradient that is written by hand enters the norm of all members") {
  zero::run_ranks(2, [](Ranks& ranks) {
    auto const a = engine_of(Stage::gradients, ranks, "a", 2), b = engine_of(Stage::none, ranks, "b", 2);
    Joint joint{ranks, {a->member("a"), b->member("b")}};
    micro_batch(joint, *a, *b, 2);
    b->write_gradient("b0", std::vector<float>(256, 3.0F));
    CHECK(joint.step({}).get().gradient_norm == std::sqrt(256.0 * (3 + 9)));
  });
}

TEST_CASE("joint step: where one member's finish fails, the gradients of all are to be discarded") {
  zero::run_ranks(2, [](Ranks& ranks) {
    auto const a = engine_of(Stage::optimizer_states, ranks, "a", 2), b = engine_of(Stage::parameters, ranks, "b", 2);
    Joint joint{ranks, {a->member("a"), b->member("b")}};
    for (int attempt = 0; attempt < 2; ++attempt) {
      auto pass = joint.begin_micro_batch({});
      contribute(*b, 1), contribute(*b, 0), contribute(*a, 1);
      CHECK(contains(message_of<zero::GradientError>([&] { pass.finish({}); }), "no gradient of 'a0'"));
      CHECK(contains(message_of<zero::SequenceError>([&] { (void)joint.step({}); }),
                     "zero::JointStep: step after a micro-batch or step that failed: call discard_gradients() first"));
      CHECK(contains(message_of<zero::SequenceError>([&] { (void)b->read_gradient("b0"); }), "discard_gradients()"));
      joint.discard_gradients();
      micro_batch(joint, *a, *b, 2, 2.0F);
      CHECK(joint.step({}).get().gradient_norm == std::sqrt(256.0 * 16));
    }
    { auto const forgotten = joint.begin_micro_batch({}); }
    CHECK(contains(message_of<zero::SequenceError>([&] { (void)joint.begin_micro_batch({}); }),
                   "zero::JointStep: begin_micro_batch after a micro-batch that ended without finish()"));
    joint.discard_gradients();
    micro_batch(joint, *a, *b, 2);
    (void)joint.step({}).get();
  });
}

TEST_CASE("joint step: members step by themselves again when it has ended, and it ends with the first of them") {
  zero::run_ranks(2, [](Ranks& ranks) {
    auto const a = engine_of(Stage::gradients, ranks, "a", 2);
    auto b = engine_of(Stage::parameters, ranks, "b", 2);
    {
      Joint joint{ranks, {a->member("a"), b->member("b")}};
      micro_batch(joint, *a, *b, 2);
      (void)joint.step({}).get();
    }
    engine_test::micro_batch(*a, 2, 2.0F);
    CHECK(a->step({}).get().gradient_norm == std::sqrt(2.0 * 256 * 4));
    engine_test::micro_batch(*b, 2, 2.0F);
    CHECK(b->step({}).get().step == 2);

    std::optional<Joint> joint(std::in_place, ranks,
                               std::vector<zero::EngineMember<zero::HostBackend>>{a->member("a"), b->member("b")});
    auto pass = joint->begin_micro_batch({});
    contribute(*a, 1);
    b.reset();
    auto const gone = "an engine that was a member is gone";
    CHECK(contains(message_of<zero::SequenceError>([&] { pass.finish({}); }), gone));
    CHECK(contains(message_of<zero::SequenceError>([&] { (void)joint->begin_micro_batch({}); }), gone));
    CHECK(contains(message_of<zero::SequenceError>([&] { (void)joint->loss_scale(); }), gone));
    CHECK(contains(message_of<zero::SequenceError>([&] { (void)a->begin_micro_batch({}); }), "discard_gradients()"));
    a->discard_gradients();
    engine_test::micro_batch(*a, 2, 2.0F);
    CHECK(a->step({}).get().step == 3);
    joint.reset();
  });
}

TEST_CASE("joint step: ranks that step with other rates, momentum or clipping are found out, and nothing is updated") {
  for (int what = 0; what < 5; ++what) {
    zero::run_ranks(2, [what](Ranks& ranks) {
      auto const a = engine_of(Stage::gradients, ranks, "a", 2), b = engine_of(Stage::none, ranks, "b", 2);
      Joint joint{ranks, {a->member("a"), b->member("b")}};
      micro_batch(joint, *a, *b, 2);
      double const other = ranks.rank() == 0 ? 0.5 : 0.25;
      zero::JointStepOptions options;
      if (what == 0) options.lr = {{"b", other}};
      if (what == 1) options.gradient_clipping = other;
      if (what == 2) options.momentum = {{"b", other, {}}};
      if (what == 3) options.momentum = {{"b", {}, other}};
      if (what == 4 && ranks.rank() == 0) options.momentum = {{"a", 0.5, {}}};
      auto const ticket = joint.step(options, {});
      CHECK(contains(message_of<zero::MismatchError>([&] { (void)ticket.get(); }), "rank 1 took a step otherwise"));
      CHECK(a->read_parameter("a0") == std::vector<float>(256));
      CHECK(b->read_parameter("b0") == std::vector<float>(256));
    });
  }
}

TEST_CASE("joint step: momentum of a step is that of the member it is given for, as if configured") {
  zero::run_ranks(2, [](Ranks& ranks) {
    // Parameters after steps with other gradients, where momentum shows.
    auto const train = [&](Engine::Config const& of_a, zero::JointStepOptions const& options) {
      auto const a = engine_of(Stage::gradients, ranks, "a", 2, of_a), b = engine_of(Stage::none, ranks, "b", 2);
      Joint joint{ranks, {a->member("a"), b->member("b")}};
      for (float const gradient : {1.0F, -0.5F, 0.25F}) {
        micro_batch(joint, *a, *b, 2, gradient);
        CHECK(!joint.step(options, {}).get().skipped);
      }
      return std::pair(a->read_parameter("a1"), b->read_parameter("b1"));
    };
    auto const plain = train({}, {});
    auto const configured = train({.optimizer = {.beta1 = 0.5, .beta2 = 0.75}}, {});
    auto const given = train({}, {.momentum = {{"a", 0.5, 0.75}}});
    CHECK(given == configured);
    CHECK(given.first != plain.first);
    CHECK(given.second == plain.second);
  });
}

TEST_CASE("joint step: clipping is compared over the world, learning rates and momentum over the ranks of a member") {
  for (int what = 0; what < 3; ++what) {
    bool const clips = what == 0;
    zero::run_ranks(2, [clips, what](Ranks& ranks) {
      auto alone = ranks.split(ranks.rank(), 0);
      auto const mine = engine_of(Stage::none, *alone, ranks.rank() == 0 ? "a" : "b", 2);  // no engine in common
      Joint joint{ranks, {mine->member("mine")}};
      auto pass = joint.begin_micro_batch({});
      contribute(*mine, 1), contribute(*mine, 0);
      pass.finish({});
      double const other = ranks.rank() == 0 ? 0.5 : 0.25;
      zero::JointStepOptions options;
      if (clips) options.gradient_clipping = other;
      if (what == 1) options.lr = {{"mine", other}};
      if (what == 2) options.momentum = {{"mine", other, 0.5}};
      auto const ticket = joint.step(options, {});
      if (clips) {
        CHECK(contains(message_of<zero::MismatchError>([&] { (void)ticket.get(); }), "rank 1 took a step otherwise"));
      } else {
        CHECK(ticket.get().gradient_norm == std::sqrt(1024.0) / 2);  // four parameters, two data positions
      }
    });
  }
}

TEST_CASE("joint step: engines of one communicator that ranks call in other orders are a mismatch on all of them") {
  std::vector<std::string> messages(2);
  CHECK_THROWS_AS(zero::run_ranks(2,
                                  [&](Ranks& ranks) {
                                    auto const a = engine_of(Stage::parameters, ranks, "a", 2);
                                    auto const b = engine_of(Stage::parameters, ranks, "b", 2);
                                    Joint joint{ranks, {a->member("a"), b->member("b")}};
                                    auto const pass = joint.begin_micro_batch({});
                                    auto& first = ranks.rank() == 0 ? *a : *b;
                                    try {
                                      auto const weights = first.gather(id(0), {});
                                    } catch (zero::CommunicationError const& error) {
                                      messages[static_cast<std::size_t>(ranks.rank())] = error.what();
                                      CHECK(error.kind() == zero::CommunicationFailure::mismatch);
                                      throw;
                                    }
                                  }),
                  zero::CommunicationError);
  for (auto const& message : messages) CHECK(contains(message, "engine"));
}

namespace {

// Which engines have updated, one after another, in this thread.
thread_local std::string updates;

/// A rule that says when it runs.
template <char name>
struct NotedRule {
  static constexpr std::size_t state_count = 0;
  struct Config {
    double lr = 1e-3;
  };
  struct Constants {
    float minus_lr;
  };
  static Constants constants(Config const& config, std::uint64_t /*step*/) { return {static_cast<float>(-config.lr)}; }
  template <class Real>
  ZERO_HOST_DEVICE static void update(Real& p, Real const& g, zero::States<Real, 0>& /*states*/, Constants const& c) {
    if (updates.empty() || updates.back() != name) updates += name;
    p = fma(Real(c.minus_lr), g, p);
  }
};

template <char name, class Offload>
using NotedEngine = zero::Engine<zero::Partitioner<Stage::gradients>, zero::Optimizer<NotedRule<name>, Offload>,
                                 zero::Precision<zero::FP32>, zero::HostBackend, zero::SelfCommunicator>;

}  // namespace

TEST_CASE("joint step: members on the device update before the host waits for those with offload, in any order") {
  zero::SelfCommunicator alone;
  auto const offloaded_list = units("o", 1), device_list = units("d", 1);
  for (bool const offloaded_first : {false, true}) {
    NotedEngine<'o', zero::CpuOffload> offloaded{alone, offloaded_list, {.backend = {.threads = 1}}};
    NotedEngine<'d', zero::NoOffload> on_device{alone, device_list, {.backend = {.threads = 1}}};
    std::vector members{offloaded.member("offloaded"), on_device.member("on device")};
    if (!offloaded_first) std::swap(members[0], members[1]);
    zero::JointStep joint{alone, members};
    auto micro_batch = joint.begin_micro_batch({});
    engine_test::contribute(offloaded, id(0), 1.0F), engine_test::contribute(on_device, id(0), 1.0F);
    micro_batch.finish({});
    updates.clear();
    (void)joint.step({}).get();
    CHECK(updates == "do");
  }
}

}  // namespace joint_order_test
