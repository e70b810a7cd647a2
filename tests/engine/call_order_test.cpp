// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "engine/engine_under_test.hpp"

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace engine_call_order_test {

using engine_test::contains;
using engine_test::contribute;
using engine_test::id;
using engine_test::message_of;
using engine_test::micro_batch;
using engine_test::parameters;
using zero::Stage;

namespace {

using Self = engine_test::EngineOf<Stage::none, zero::Precision<zero::FP32>, zero::NoOffload, zero::SelfCommunicator>;
using Ring =
    engine_test::EngineOf<Stage::gradients, zero::Precision<zero::FP32>, zero::NoOffload, zero::SelfCommunicator>;
using Gathering =
    engine_test::EngineOf<Stage::parameters, zero::Precision<zero::FP32>, zero::NoOffload, zero::SelfCommunicator>;
using Two = engine_test::EngineOf<Stage::optimizer_states>;
constexpr float infinity = std::numeric_limits<float>::infinity();

// After an error the engine must still take a whole step from fresh gradients, with the result of one that had no
// error.
template <class Engine>
void check_usable(Engine& engine, std::size_t count) {
  engine.discard_gradients();
  for (int a = 0; a < engine.config().gradient_accumulation_steps.value_or(1); ++a) micro_batch(engine, count, 3.0F);
  for (std::size_t p = 0; p < count; ++p) {
    auto const name = "p" + std::to_string(p);
    for (float g : engine.read_gradient(name)) CHECK(g == 3.0F);
  }
  CHECK(!engine.step({}).get().skipped);
}

}  // namespace

TEST_CASE("call order: a gradient that arrives twice names the parameter, and enters nothing") {
  zero::SelfCommunicator self;
  Self engine(self, parameters({3, 4}));
  {
    auto pass = engine.begin_micro_batch({});
    contribute(engine, id(1), 1.0F);
    std::vector const both{id(0), id(1)};
    std::string parameter, what;
    try {
      (void)engine.gradients(both, {});
    } catch (zero::GradientError const& error) {
      parameter = error.parameter();
      what = error.what();
    }
    CHECK(parameter == "p1");
    CHECK(contains(what, "'p1' arrived 2 times in one micro-batch, but 1"));
    contribute(engine, id(0), 1.0F);
    pass.finish({});
  }
  CHECK(engine.read_gradient("p0") == std::vector<float>(3, 1.0F));
  check_usable(engine, 2);
}

TEST_CASE("call order: the place of a gradient has one holder at a time") {
  zero::SelfCommunicator self;
  Self engine(self, parameters({3}));
  auto pass = engine.begin_micro_batch({});
  auto first = std::optional(engine.gradients(id(0), {}));
  CHECK(contains(message_of<zero::LeaseError>([&] { (void)engine.gradients(id(0), {}); }), "'p0' is leased already"));
  std::vector const twice{id(0), id(0)};
  first.reset();  // gives it back, and hands nothing over
  CHECK(contains(message_of<zero::LeaseError>([&] { (void)engine.gradients(twice, {}); }), "'p0' is leased already"));
  contribute(engine, id(0), 1.0F);
  pass.finish({});
  CHECK(engine.step({}).get().step == 1);
}

TEST_CASE("call order: a missing gradient names the parameter; zero takes its place where that is configured") {
  zero::SelfCommunicator self;
  Self strict(self, parameters({3, 4}));
  {
    auto pass = strict.begin_micro_batch({});
    contribute(strict, id(1), 1.0F);
    auto const message = message_of<zero::GradientError>([&] { pass.finish({}); });
    CHECK(contains(message, "no gradient of 'p0'"));
    CHECK(contains(message, "MissingGradient::zero"));
  }
  CHECK(contains(message_of<zero::SequenceError>([&] { (void)strict.step({}); }), "discard_gradients()"));
  check_usable(strict, 2);

  Self lenient(self, parameters({3, 4}), {.missing_gradient = zero::MissingGradient::zero});
  micro_batch(lenient, 2, 5.0F);
  (void)lenient.step({}).get();
  auto pass = lenient.begin_micro_batch({});
  contribute(lenient, id(1), 1.0F);
  pass.finish({});
  CHECK(lenient.read_gradient("p0") == std::vector<float>(3, 0.0F));
  CHECK(lenient.read_gradient("p1") == std::vector<float>(4, 1.0F));
}

TEST_CASE("call order: missing gradients count as zero in more buckets than the ring has") {
  zero::SelfCommunicator self;
  Ring engine(self, parameters({128, 128, 128, 128, 128}),
              {.bucket_elements = 128, .gradient_ring = 1, .missing_gradient = zero::MissingGradient::zero});
  auto pass = engine.begin_micro_batch({});
  contribute(engine, id(4), 2.0F);
  pass.finish({});
  CHECK(engine.read_gradient("p4") == std::vector<float>(128, 2.0F));
  for (auto const* name : {"p0", "p1", "p2", "p3"}) CHECK(engine.read_gradient(name) == std::vector<float>(128, 0.0F));
}

TEST_CASE("call order: half of a tied gradient counts where missing ones are zero, adopted or placed") {
  zero::SelfCommunicator self;
  for (bool adopted : {false, true}) {
    std::vector<float> own(3, -1.0F);
    zero::ParameterList list;
    zero::ParameterSpec spec{.name = "p0", .shape = {3}, .contributions = 2};
    if (adopted) spec.gradients = zero::adopt(std::span(own));
    (void)list.add(spec);
    Ring engine(self, list, {.missing_gradient = zero::MissingGradient::zero});
    auto pass = engine.begin_micro_batch({});
    contribute(engine, id(0), 2.0F);
    pass.finish({});
    CHECK(engine.read_gradient("p0") == std::vector<float>(3, 2.0F));
  }
}

TEST_CASE("call order: the first contribution may overwrite, later ones add") {
  zero::SelfCommunicator self;
  zero::ParameterList list;
  auto const tied = list.add({.name = "tied", .shape = {3}, .contributions = 2});
  Self engine(self, list);
  for (int step = 0; step < 2; ++step) {
    auto pass = engine.begin_micro_batch({});
    for (bool second : {false, true}) {
      auto gradients = engine.gradients(tied, {});
      CHECK(gradients.write(tied).adds == second);
      for (auto& g : gradients[tied]) g += 1.5F;  // zeroed where nothing was there
      CHECK(gradients.write(tied).adds);
      gradients.ready({});
    }
    pass.finish({});
    CHECK(engine.read_gradient("tied") == std::vector<float>(3, 3.0F));
    (void)engine.step({}).get();
  }
}

TEST_CASE("call order: a gradient of a frozen parameter is refused by name") {
  zero::SelfCommunicator self;
  zero::ParameterList list;
  (void)list.add({.name = "p0", .shape = {3}});
  (void)list.add({.name = "still", .shape = {3}, .frozen = true});
  Self engine(self, list);
  {
    auto pass = engine.begin_micro_batch({});
    CHECK(contains(message_of<zero::GradientError>([&] { (void)engine.gradients(id(1), {}); }),
                   "'still', which is frozen"));
  }
  check_usable(engine, 1);
}

TEST_CASE("call order: a gradient beyond the ring is refused, or where zeros are allowed the one that it overtakes") {
  zero::SelfCommunicator self;
  for (auto missing : {zero::MissingGradient::error, zero::MissingGradient::zero}) {
    bool const refused = missing == zero::MissingGradient::error;
    for (bool adopted : {false, true}) {
      std::vector<float> own(128);
      zero::ParameterList list;
      for (auto const* name : {"p0", "p1", "p2"}) {
        zero::ParameterSpec spec{.name = name, .shape = {128}};
        if (adopted && spec.name == "p0") spec.gradients = zero::adopt(std::span(own));
        (void)list.add(spec);
      }
      Ring engine(self, list, {.bucket_elements = 128, .gradient_ring = 2, .missing_gradient = missing});
      {
        auto pass = engine.begin_micro_batch({});
        contribute(engine, id(1), 7.0F);  // one ahead: within the ring
        if (refused) {
          auto const message = message_of<zero::GradientError>([&] { contribute(engine, id(0), 7.0F); });
          CHECK(contains(message, "'p0' needs the place of the gradient of 'p2' in the ring of 2 buckets"));
          contribute(engine, id(2), 7.0F);  // the way is free now
          contribute(engine, id(0), 7.0F);
          pass.finish({});
          CHECK(engine.read_gradient("p0") == std::vector<float>(128, 7.0F));
          continue;
        }
        contribute(engine, id(0), 7.0F);  // takes the place of p2
        auto const message = message_of<zero::GradientError>([&] { contribute(engine, id(2), 7.0F); });
        CHECK(contains(message, "'p2' comes after its bucket was closed"));
        CHECK(contains(message_of<zero::GradientError>([&] { pass.finish({}); }), "'p2'"));
      }
      engine.discard_gradients();
      check_usable(engine, 3);
    }
  }
}

TEST_CASE("call order: at stage 3 no lease may close what a rank without its gradient would close after a gather") {
  auto const names_both = [](std::string const& message) {
    CHECK(contains(message, "'p0' is gathered after a lease has closed bucket 0 to make room"));
    CHECK(contains(message, "raise gradient_ring"));
  };
  for (int ring : {1, 2}) {
    zero::run_ranks(2, [&](zero::ThreadCommunicator& ranks) {
      engine_test::EngineOf<zero::Stage::parameters> engine(ranks, parameters({256, 256, 256}),
                                                            {.bucket_elements = 256,
                                                             .gradient_ring = ring,
                                                             .missing_gradient = zero::MissingGradient::zero,
                                                             .max_live_elements = 1024});
      auto pass = engine.begin_micro_batch({});
      for (std::size_t unit : {0U, 1U, 2U}) (void)engine.gather(id(unit), {});
      auto const upper = engine.gather(id(2), {});
      auto const lower = engine.gather(id(1), {});
      for (std::size_t unit : {2U, 1U})
        contribute(engine, id(unit), 1.0F);  // the second one needs the place of the first
      if (ring == 1) return names_both(message_of<zero::GradientError>([&] { (void)engine.gather(id(0), {}); }));
      CHECK_NOTHROW((void)engine.gather(id(0), {}));
      pass.finish({});
    });
  }
}

TEST_CASE("call order: nor may it where another rank has no micro-batch in this round") {
  zero::run_ranks(2, [&](zero::ThreadCommunicator& ranks) {
    engine_test::EngineOf<zero::Stage::parameters> engine(
        ranks, parameters({256, 256, 256}),
        {.micro_batches_per_step = 3, .bucket_elements = 256, .gradient_ring = 1, .max_live_elements = 1024});
    micro_batch(engine, 3, 1.0F);
    auto pass = engine.begin_micro_batch({});
    for (std::size_t unit : {0U, 1U, 2U}) (void)engine.gather(id(unit), {});
    auto const upper = engine.gather(id(2), {});
    auto const lower = engine.gather(id(1), {});
    for (std::size_t unit : {2U, 1U}) contribute(engine, id(unit), 1.0F);  // also where they do not count
    CHECK(contains(message_of<zero::GradientError>([&] { (void)engine.gather(id(0), {}); }),
                   "as ranks without a micro-batch do"));
  });
}

TEST_CASE("call order: a ring that a unit does not fit into is refused where ranks could not agree on an order") {
  zero::SelfCommunicator self;
  zero::ParameterList list;
  (void)list.add({.name = "tied", .shape = {256}, .contributions = 2});
  for (int p = 0; p < 4; ++p) (void)list.add({.name = "p" + std::to_string(p), .shape = {256}, .unit = p / 2});
  auto const make = [&](int ring, zero::MissingGradient missing) {
    Gathering(self, list, {.bucket_elements = 256, .gradient_ring = ring, .missing_gradient = missing});
  };
  auto const message = message_of<zero::ConfigurationError>([&] { make(1, zero::MissingGradient::zero); });
  CHECK(contains(message, "gradient_ring is 1, but the gradients of one unit take 2 buckets"));
  CHECK(contains(message, "'tied'"));
  CHECK_NOTHROW(make(2, zero::MissingGradient::zero));
  CHECK_NOTHROW(make(1, zero::MissingGradient::error));
  zero::run_ranks(2, [&](zero::ThreadCommunicator& ranks) {
    auto const share = [&](int micro_batches) {
      engine_test::EngineOf<zero::Stage::parameters>(
          ranks, list, {.micro_batches_per_step = micro_batches, .bucket_elements = 256, .gradient_ring = 1});
    };
    CHECK(contains(message_of<zero::ConfigurationError>([&] { share(3); }), "with ranks without a micro-batch"));
    CHECK_NOTHROW(share(4));
  });
}

TEST_CASE("call order: a whole unit's gradients fit into the ring at once, in however many buckets they lie") {
  zero::SelfCommunicator self;
  zero::ParameterList list;
  for (int p = 0; p < 6; ++p) {
    (void)list.add({.name = "p" + std::to_string(p), .shape = {128}, .unit = p / 3});
  }
  auto const hand_over_by_unit = [&](Ring& engine) {
    auto pass = engine.begin_micro_batch({});
    for (std::size_t unit : {1U, 0U}) {
      std::vector const ids{id(3 * unit), id(3 * unit + 1), id(3 * unit + 2)};
      auto gradients = engine.gradients(ids, {});
      for (auto parameter : ids) gradients[parameter][127] = 1.0F;
      gradients.ready({});
    }
    pass.finish({});
  };
  Ring engine(self, list, {.bucket_elements = 128});
  CHECK(engine.layout().ring_buckets_of_largest_unit() == 3);
  hand_over_by_unit(engine);
  for (auto const* name : {"p0", "p3", "p5"}) CHECK(engine.read_gradient(name)[127] == 1.0F);
  Ring narrow(self, list, {.bucket_elements = 128, .gradient_ring = 2});
  CHECK(contains(message_of<zero::GradientError>([&] { hand_over_by_unit(narrow); }), "ring of 2 buckets"));
}

TEST_CASE("call order: micro-batches neither nest nor exceed the accumulation, and a step waits for the last") {
  zero::SelfCommunicator self;
  Self engine(self, parameters({3}), {.gradient_accumulation_steps = 2});
  CHECK(contains(message_of<zero::SequenceError>([&] { (void)engine.gradients(id(0), {}); }),
                 "begin_micro_batch() first"));
  CHECK(contains(message_of<zero::SequenceError>([&] { (void)engine.step({}); }), "0 of 2 micro-batches"));
  {
    auto pass = engine.begin_micro_batch({});
    CHECK(contains(message_of<zero::SequenceError>([&] { (void)engine.begin_micro_batch({}); }), "finish() first"));
    CHECK(contains(message_of<zero::SequenceError>([&] { (void)engine.step({}); }), "finish() first"));
    contribute(engine, id(0), 1.0F);
    pass.finish({});
    CHECK(contains(message_of<zero::SequenceError>([&] { pass.finish({}); }), "finished already"));
  }
  CHECK(contains(message_of<zero::SequenceError>([&] { (void)engine.step({}); }), "1 of 2 micro-batches"));
  micro_batch(engine, 1, 2.0F);
  CHECK(contains(message_of<zero::SequenceError>([&] { (void)engine.begin_micro_batch({}); }), "call step()"));
  CHECK(engine.read_gradient("p0") == std::vector<float>(3, 1.5F));
  CHECK(engine.step({}).get().step == 1);
}

TEST_CASE("call order: a micro-batch that was given up is out of the sums after discard_gradients") {
  zero::SelfCommunicator self;
  Self engine(self, parameters({3, 3}), {.gradient_accumulation_steps = 2});
  micro_batch(engine, 2, 9.0F);
  {
    auto pass = engine.begin_micro_batch({});
    contribute(engine, id(1), infinity);
  }
  CHECK(contains(message_of<zero::SequenceError>([&] { (void)engine.begin_micro_batch({}); }), "discard_gradients()"));
  check_usable(engine, 2);
}

TEST_CASE("call order: what was discarded has no say in the next micro-batch") {
  zero::SelfCommunicator self;
  Self engine(self, parameters({3, 3}));
  {
    auto given_up = engine.begin_micro_batch({});
    engine.discard_gradients();
  }
  micro_batch(engine, 2);
  (void)engine.step({}).get();
  auto old = std::make_unique<zero::MicroBatch<zero::HostStream>>(engine.begin_micro_batch({}));
  auto stale = std::make_unique<Self::Gradients>(engine.gradients(id(0), {}));
  engine.discard_gradients();
  auto pass = engine.begin_micro_batch({});
  contribute(engine, id(1), 1.0F);
  CHECK(contains(message_of<zero::LeaseError>([&] { (void)(*stale)[id(0)]; }), "of an earlier micro-batch"));
  CHECK(contains(message_of<zero::LeaseError>([&] { stale->ready({}); }), "of an earlier micro-batch"));
  CHECK(contains(message_of<zero::SequenceError>([&] { old->finish({}); }), "were discarded"));
  contribute(engine, id(0), 1.0F);
  old.reset(), stale.reset();
  pass.finish({});
  CHECK(engine.read_gradient("p0") == std::vector<float>(3, 1.0F));
  CHECK(engine.step({}).get().step == 2);
}

TEST_CASE("call order: a lease knows its own parameters only, in every stage") {
  zero::SelfCommunicator self;
  auto const check = [&]<class Engine>(Engine* /*type*/) {
    Engine engine(self, parameters({3, 3}));
    auto pass = engine.begin_micro_batch({});
    auto const weights = engine.gather(id(0), {});
    CHECK(weights[id(0)].size() == 3);
    CHECK(contains(message_of<zero::LeaseError>([&] { (void)weights[id(1)]; }), "'p1' is not part of this lease"));
    CHECK(contains(message_of<zero::LeaseError>([&] { (void)weights[id(9)]; }), "not part of this lease"));
    auto const gradients = engine.gradients(id(0), {});
    CHECK(contains(message_of<zero::LeaseError>([&] { (void)gradients[id(1)]; }), "'p1' is not part of this lease"));
    CHECK(contains(message_of<zero::LeaseError>([&] { (void)gradients[id(9)]; }), "not part of this lease"));
  };
  check(static_cast<Self*>(nullptr));
  check(static_cast<Ring*>(nullptr));
  check(static_cast<Gathering*>(nullptr));
}

TEST_CASE("call order: parameters do not change while a lease is held, in every stage") {
  zero::SelfCommunicator self;
  auto const check = [&]<class Engine>(Engine* /*type*/) {
    Engine engine(self, parameters({3, 3}));
    micro_batch(engine, 2);
    {
      auto const weights = engine.gather(id(1), {});
      CHECK(contains(message_of<zero::SequenceError>([&] { (void)engine.step({}); }), "a lease on 'p1' is still held"));
      std::vector<float> const values(3, 1.0F);
      CHECK(contains(message_of<zero::SequenceError>([&] { engine.write_parameter("p0", values); }), "still held"));
    }
    CHECK(engine.step({}).get().step == 1);
  };
  check(static_cast<Self*>(nullptr));
  check(static_cast<Ring*>(nullptr));
  check(static_cast<Gathering*>(nullptr));
}

TEST_CASE("call order: what outlives its engine is refused when used, and ends silently") {
  zero::SelfCommunicator self;
  auto engine = std::make_unique<Gathering>(self, parameters({3, 3}));
  auto pass = engine->begin_micro_batch({});
  auto weights = engine->gather(id(0), {});
  auto gradients = engine->gradients(id(0), {});
  auto moved = std::move(weights);
  CHECK(moved[id(0)].size() == 3);
  // NOLINTNEXTLINE(bugprone-use-after-move): that is the point
  CHECK(contains(message_of<zero::LeaseError>([&] { (void)weights[id(0)]; }), "used after its end"));
  engine.reset();
  CHECK(contains(message_of<zero::LeaseError>([&] { (void)moved[id(0)]; }), "or the engine's"));
  CHECK(contains(message_of<zero::LeaseError>([&] { (void)gradients[id(0)]; }), "engine's end"));
  CHECK(contains(message_of<zero::LeaseError>([&] { gradients.ready({}); }), "engine's end"));
  CHECK(contains(message_of<zero::SequenceError>([&] { pass.finish({}); }), "the engine is gone"));
}

TEST_CASE("call order: a lease that was released, and a gradient that was handed over, are refused") {
  zero::SelfCommunicator self;
  Gathering engine(self, parameters({3}));
  auto pass = engine.begin_micro_batch({});
  auto weights = engine.gather(id(0), {});
  weights.release();
  weights.release();
  CHECK(contains(message_of<zero::LeaseError>([&] { (void)weights[id(0)]; }), "used after its end"));
  auto gradients = engine.gradients(id(0), {});
  (void)gradients[id(0)];
  gradients.ready({});
  CHECK(contains(message_of<zero::LeaseError>([&] { gradients.ready({}); }), "used after ready()"));
  pass.finish({});
}

TEST_CASE("call order: Inf and NaN on one rank skip the step on all, and name the first parameter") {
  for (float bad : {infinity, -infinity, std::numeric_limits<float>::quiet_NaN()}) {
    zero::run_ranks(3, [bad](zero::ThreadCommunicator& ranks) {
      Two engine(ranks, parameters({3, 300, 5}), {.gradient_clipping = 1.0});
      micro_batch(engine, 3);
      CHECK(engine.step({}).get().step == 1);
      auto const before = engine.read_parameter("p1");
      auto const state = engine.read_state("p1", 1);
      auto pass = engine.begin_micro_batch({});
      for (std::size_t p : {2U, 1U, 0U}) contribute(engine, id(p), ranks.rank() == 2 && p != 0 ? bad : 1.0F);
      pass.finish({});
      auto const report = engine.step({}).get();
      CHECK(report.skipped);
      CHECK(report.bad_parameter == "p1");
      CHECK(report.step == 1);
      CHECK(report.skipped_steps == 1);
      CHECK(engine.read_parameter("p1") == before);
      CHECK(engine.read_state("p1", 1) == state);
      CHECK(engine.step_state().skipped == 1);
    });
  }
}

TEST_CASE("call order: the error of one rank ends the run of all of them") {
  auto const message = message_of<zero::GradientError>([] {
    zero::run_ranks(3, [](zero::ThreadCommunicator& ranks) {
      Two engine(ranks, parameters({300, 5}), {.reduce = zero::Reduce::each_micro_batch});
      auto pass = engine.begin_micro_batch({});
      contribute(engine, id(1), 1.0F);
      if (ranks.rank() == 1) contribute(engine, id(1), 1.0F);
      contribute(engine, id(0), 1.0F);
      pass.finish({});
    });
  });
  CHECK(contains(message, "'p1' arrived 2 times"));
}

}  // namespace engine_call_order_test
