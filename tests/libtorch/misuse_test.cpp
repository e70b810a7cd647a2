// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What a user does wrong is a sentence, and nothing is lost: training goes on, or the sentence says that it does not.

#include "models.hpp"
#include "says.hpp"

#include <zero/communicators/self.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

namespace libtorch_misuse_test {

using namespace zero_test;
using zero::Stage;
using zero::libtorch::DataParallel;
using zero::libtorch::Options;

namespace {

using Trainer = DataParallel<zero::AdamW, zero::Precision<zero::FP32>, zero::SelfCommunicator>;

struct LayerImpl : nn::Module {
  LayerImpl(int in, int out) : linear(register_module("linear", nn::Linear(in, out))) {}
  Tensor forward(Tensor x) { return torch::tanh(linear(x)); }
  nn::Linear linear;
};
ZERO_TORCH_UNIT(Layer);

struct NetImpl : nn::Module {
  NetImpl()
      : first(register_module("first", Layer(4, 8))),
        second(register_module("second", Layer(8, 8))),
        last(register_module("last", nn::Linear(8, 1))) {}
  Tensor forward(Tensor x) { return last(second(first(x))); }
  Layer first, second;
  nn::Linear last;
};
TORCH_MODULE(Net);

Tensor input(int m) {
  auto g = at::detail::createCPUGenerator(static_cast<std::uint64_t>(m));
  return torch::randn({8, 4}, g);
}
Tensor loss_of_net(Net& net, int m) {
  auto const x = input(m);
  return (net(x) - x.sum(1, true)).pow(2).mean();
}

bool says(std::string const& text, std::string const& words) { return text.find(words) != std::string::npos; }

/// A model at one stage on one rank.
struct Fixture {
  explicit Fixture(int stage_number, Trainer::Config config = {.optimizer = {.lr = 1e-2F}}, Options options = {})
      : net(make_model<Net>()), trainer(*net, communicator, static_cast<Stage>(stage_number), config, options) {}
  float step(int m) {
    float const loss = trainer.micro_batch([&] { return loss_of_net(net, m); }).item<float>();
    (void)trainer.step().get();
    return loss;
  }
  zero::SelfCommunicator communicator;
  Net net;
  Trainer trainer;
};

/// The losses of three steps where nothing goes wrong.
std::vector<float> expected_losses(int stage) {
  Fixture fixture(stage);
  return {fixture.step(0), fixture.step(1), fixture.step(2)};
}

/// Does \p wrong, which must say \p words, between the first and the second of three steps, and expects that these are
/// what they are without it.
template <class Wrong>
void expect_nothing_lost(int stage, Wrong&& wrong) {
  CAPTURE(stage);
  auto const expected = expected_losses(stage);
  Fixture fixture(stage);
  CHECK(fixture.step(0) == expected[0]);
  wrong(fixture);
  CHECK(fixture.step(1) == expected[1]);
  CHECK(fixture.step(2) == expected[2]);
}

}  // namespace

// ------------------------------------------------------------------------------------------------------ wrapping

TEST_CASE("modules that cannot be wrapped") {
  zero::SelfCommunicator communicator;
  SUBCASE("without parameters") {
    nn::Sequential net{nn::Tanh()};
    CHECK_SAYS(Trainer(*net, communicator, Stage::none), "the module has no parameters");
  }
  SUBCASE("in two engines") {
    for (int stage = 0; stage < 4; ++stage) {
      Fixture fixture(stage);
      CHECK_SAYS(Trainer(*fixture.net, communicator, Stage::none), "belongs to another engine already");
      CHECK_SAYS(Trainer(*fixture.net->first, communicator, Stage::none), "'linear.weight' belongs to another engine");
      CHECK(fixture.step(0) > 0);
      fixture.trainer.close();
      Trainer again(*fixture.net, communicator, Stage::none);
      (void)again.micro_batch([&] { return loss_of_net(fixture.net, 1); });
    }
  }
  SUBCASE("on another device") {
    nn::Module net;
    net.register_parameter("elsewhere", torch::empty({2}, torch::kMeta));
    CHECK_SAYS(Trainer(net, communicator, Stage::none), "'elsewhere' is on meta, but HostBackend works in host memory");
  }
  SUBCASE("of another type") {
    Net net;
    net->to(torch::kDouble);
    CHECK_SAYS(Trainer(*net, communicator, Stage::none),
               "'first.linear.weight' is Double, but the engine computes in Float");
    Net mixed;
    mixed->last->to(torch::kBFloat16);
    using Trainer16 = DataParallel<zero::AdamW, zero::Precision<zero::BF16>, zero::SelfCommunicator>;
    CHECK_SAYS(Trainer16(*mixed, communicator, Stage::none), "'last.weight' is BFloat16, but the first one is Float");
  }
  SUBCASE("without units at stage 3") {
    nn::Linear net(4, 4);
    CHECK_SAYS(Trainer(*net, communicator, Stage::parameters), "the module has no unit");
  }
  SUBCASE("with an order of units that is not one") {
    Net net;
    CHECK_SAYS(Trainer(*net, communicator, Stage::parameters, {}, {.unit_order = {"first"}}),
               "unit_order lacks the unit 'second'");
    CHECK_SAYS(Trainer(*net, communicator, Stage::parameters, {}, {.unit_order = {"first", "third"}}),
               "names 'third', but no unit");
    CHECK_SAYS(Trainer(*net, communicator, Stage::parameters, {}, {.unit_order = {"first", "first"}}),
               "names 'first' twice");
  }
  SUBCASE("all of it frozen") {
    Net net;
    for (auto& parameter : net->parameters()) parameter.requires_grad_(false);
    CHECK_SAYS(Trainer(*net, communicator, Stage::none), "every parameter is frozen");
  }
}

TEST_CASE("ranks that are threads on a device are refused") {
  CHECK_SAYS(zero::libtorch::detail::check_ranks(false, true, 2), "run one process per GPU");
  zero::libtorch::detail::check_ranks(false, true, 1);
  zero::libtorch::detail::check_ranks(false, false, 2);
  zero::libtorch::detail::check_ranks(true, true, 2);
}

// ------------------------------------------------------------------------------------------------------ between steps

TEST_CASE("a module that is moved, cast or resized after it was wrapped") {
  for (int stage = 0; stage < 3; ++stage) {
    CAPTURE(stage);
    Fixture fixture(stage);
    fixture.step(0);
    fixture.net->to(torch::kDouble);
    CHECK_SAYS(fixture.step(1), "parameter 'first.linear.weight' has other memory, sizes, type or device");
    fixture.trainer.take_values();
    CHECK((fixture.net->last->weight.scalar_type() == torch::kFloat));
    CHECK(fixture.step(1) == expected_losses(stage)[1]);
    fixture.net->last->weight.set_data(torch::zeros({2, 8}));
    CHECK_SAYS(fixture.step(2), "parameter 'last.weight' has other memory");
    CHECK_SAYS(fixture.trainer.take_values(), "'last.weight' has 16 elements, but was wrapped with 8");
    fixture.trainer.close();
    CHECK(fixture.net->last->weight.numel() == 8);
  }
}

TEST_CASE("values that are edited behind the engine") {
  for (int stage = 0; stage < 4; ++stage) {
    CAPTURE(stage);
    Fixture fixture(stage);
    fixture.step(0);
    if (stage == 3) CHECK_SAYS(fixture.trainer.take_values(), "take_values() at stage 3 needs whole()");
    {
      auto const whole = fixture.trainer.whole();
      torch::NoGradGuard const guard;
      fixture.net->first->linear->weight.fill_(0.25);
      if (stage == 3) fixture.trainer.take_values();
    }
    if (stage < 3) {
      CHECK_SAYS(fixture.step(1), "parameter 'first.linear.weight' was changed in place");
      CHECK_SAYS((void)fixture.trainer.step(), "was changed in place");
      fixture.trainer.take_values();
    }
    CHECK(fixture.trainer.engine().read_parameter("first.linear.weight")[3] == 0.25F);
    fixture.step(1);
    auto const whole = fixture.trainer.whole();
    CHECK(fixture.net->first->linear->weight[0][0].item<float>() == doctest::Approx(0.25).epsilon(0.05));
  }
}

TEST_CASE("an edit within whole() that is not taken") {
  Fixture fixture(3);
  fixture.step(0);
  {
    auto const whole = fixture.trainer.whole();
    torch::NoGradGuard const guard;
    fixture.net->first->linear->weight.fill_(0.25);
  }
  CHECK_SAYS(fixture.step(1),
             "call take_values() on every rank to go on with the new values, at stage 3 while whole()");
  {
    // whole() cannot be had with it either, so that the way out is the end.
    fixture.trainer.close();
  }
  CHECK(fixture.net->first->linear->weight[0][0].item<float>() != 0.25F);
}

TEST_CASE("what is written through data() is found where that is asked for") {
  for (int stage = 0; stage < 3; ++stage) {
    CAPTURE(stage);
    Fixture fixture(stage, {.optimizer = {.lr = 1e-2F}}, {.check_values = true});
    fixture.step(0);
    fixture.step(1);
    fixture.net->first->linear->weight.data().add_(1.0);
    CHECK_SAYS(fixture.step(2), "were changed behind autograd, such as through data()");
    fixture.trainer.take_values();
    fixture.step(2);
  }
}

TEST_CASE("a parameter that is registered after the module was wrapped") {
  for (int stage = 0; stage < 4; ++stage) {
    CAPTURE(stage);
    Fixture fixture(stage);
    fixture.step(0);
    fixture.net->register_module("late", nn::Linear(1, 1));
    CHECK_SAYS(fixture.step(1), "parameter 'late.weight' was registered after the module was wrapped");
    fixture.trainer.close();
    Trainer again(*fixture.net, fixture.communicator, static_cast<Stage>(stage), {});
    CHECK(again.engine().read_parameter("late.weight").size() == 1);
  }
}

TEST_CASE("ranks whose modules differ in buffers") {
  std::vector<std::string> said(2);
  auto const run = [&](zero::ThreadCommunicator& communicator) {
    auto net = make_model<Net>();
    if (communicator.rank() == 1) net->register_buffer("mask", torch::ones({2, 3}));
    said[static_cast<std::size_t>(communicator.rank())] =
        error_of([&] { DataParallel<> trainer(*net, communicator, Stage::gradients); });
    CHECK(net(input(0)).numel() == 8);
  };
  zero::run_ranks(2, run);
  for (auto const& text : said) {
    CAPTURE(text);
    CHECK(says(text, "rank 0 has \"nothing\", rank 1 has \"buffer 'mask' Float [2,3,]\""));
  }
}

TEST_CASE("zero_grad is harmless") {
  for (int stage = 0; stage < 4; ++stage) {
    expect_nothing_lost(stage, [](Fixture& f) { f.net->zero_grad(); });
    expect_nothing_lost(stage, [](Fixture& f) { f.net->zero_grad(/*set_to_none=*/false); });
  }
}

TEST_CASE("a gradient from outside") {
  for (int stage = 0; stage < 4; ++stage) {
    expect_nothing_lost(stage, [](Fixture& f) {
      f.net->last->weight.mutable_grad() = torch::ones({1, 8});
      CHECK_SAYS(f.step(1), "parameter 'last.weight' has a gradient from outside of micro_batch()");
      f.net->zero_grad();
    });
  }
}

TEST_CASE("a parameter that is frozen or thawed after it was wrapped") {
  for (int stage = 0; stage < 4; ++stage) {
    expect_nothing_lost(stage, [](Fixture& f) {
      f.net->last->weight.requires_grad_(false);
      CHECK_SAYS(f.step(1), "'last.weight' was frozen after it was wrapped");
      f.net->last->weight.requires_grad_(true);
    });
  }
}

// ------------------------------------------------------------------------------------------------------ micro-batches

TEST_CASE("losses that backward cannot begin at") {
  for (int stage = 0; stage < 4; ++stage) {
    expect_nothing_lost(stage, [](Fixture& f) {
      CHECK_SAYS(f.trainer.micro_batch([&] { return f.net(input(1)); }),
                 "must return the loss, a tensor of one element");
      f.trainer.discard();
      CHECK_SAYS(f.trainer.micro_batch([&] { return Tensor(); }), "must return the loss");
      f.trainer.discard();
      CHECK_SAYS(f.trainer.micro_batch([&] { return loss_of_net(f.net, 1).detach(); }), "has no graph");
      f.trainer.discard();
    });
  }
}

TEST_CASE("backward twice") {
  for (int stage = 0; stage < 4; ++stage) {
    expect_nothing_lost(stage, [](Fixture& f) {
      CHECK_SAYS(f.trainer.micro_batch([&] {
        auto loss = loss_of_net(f.net, 1);
        loss.backward({}, /*retain_graph=*/true);
        return loss;
      }),
                 "backward ran twice");
      f.trainer.discard();
    });
  }
}

TEST_CASE("backward outside of a micro-batch") {
  for (int stage = 0; stage < 3; ++stage) {
    expect_nothing_lost(stage, [](Fixture& f) {
      CHECK_SAYS(loss_of_net(f.net, 1).backward(), "backward outside of micro_batch()");
      f.net->zero_grad();
    });
  }
  expect_nothing_lost(3, [](Fixture& f) {
    CHECK_SAYS(loss_of_net(f.net, 1).backward(), "is sharded");
    f.net->zero_grad();
  });
}

TEST_CASE("a micro-batch within another, and steps at the wrong time") {
  for (int stage = 0; stage < 4; ++stage) {
    expect_nothing_lost(stage, [](Fixture& f) {
      CHECK_SAYS(f.trainer.micro_batch(
                     [&]() -> Tensor { return f.trainer.micro_batch([&] { return loss_of_net(f.net, 1); }); }),
                 "micro_batch() inside of micro_batch()");
      f.trainer.discard();
      CHECK_SAYS((void)f.trainer.step(), "micro-batch");
      auto const whole = f.trainer.whole();
      CHECK_SAYS(f.trainer.micro_batch([&] { return loss_of_net(f.net, 1); }), "while whole() is held");
      CHECK_SAYS((void)f.trainer.whole(), "while whole() is held");
    });
  }
}

TEST_CASE("exceptions in forward and in hooks") {
  for (int stage = 0; stage < 4; ++stage) {
    expect_nothing_lost(stage, [](Fixture& f) {
      CHECK_THROWS_AS(f.trainer.micro_batch([&]() -> Tensor {
        auto const loss = loss_of_net(f.net, 1);
        throw std::out_of_range("of the user's");
        return loss;
      }),
                      std::out_of_range);
      CHECK_SAYS(f.trainer.micro_batch([&] { return loss_of_net(f.net, 1); }), "discard_gradients() first");
      f.trainer.discard();
      CHECK_THROWS_AS(f.trainer.micro_batch([&] {
        auto x = input(1);
        auto y = f.net->first(x);
        y.register_hook([](Tensor const&) { throw std::domain_error("of the user's"); });
        return f.net->last(f.net->second(y)).sum();
      }),
                      std::domain_error);
      f.trainer.discard();
    });
  }
}

TEST_CASE("a parameter without a gradient") {
  for (int stage = 0; stage < 4; ++stage) {
    CAPTURE(stage);
    expect_nothing_lost(stage, [](Fixture& f) {
      CHECK_SAYS(f.trainer.micro_batch([&] { return f.net->second(f.net->first(input(1))).mean(); }),
                 "parameter 'last.weight' got no gradient in this micro-batch");
      f.trainer.discard();
    });
    Fixture f(stage,
              {.missing_gradient = zero::MissingGradient::zero, .optimizer = {.lr = 1e-2F, .weight_decay = 0.0F}});
    auto const before = f.trainer.engine().read_parameter("last.weight");
    (void)f.trainer.micro_batch([&] { return f.net->second(f.net->first(input(1))).mean(); });
    (void)f.trainer.step().get();
    CHECK(f.trainer.engine().read_parameter("last.weight") == before);
  }
}

TEST_CASE("frozen parameters stay as they are") {
  for (int stage = 0; stage < 4; ++stage) {
    CAPTURE(stage);
    zero::SelfCommunicator communicator;
    auto net = make_model<Net>();
    net->first->linear->weight.requires_grad_(false);
    auto const before = net->first->linear->weight.clone();
    Trainer trainer(*net, communicator, static_cast<Stage>(stage));
    for (int m = 0; m < 2; ++m) {
      (void)trainer.micro_batch([&] { return loss_of_net(net, m); });
      (void)trainer.step().get();
    }
    auto const whole = trainer.whole();
    CHECK(torch::equal(net->first->linear->weight, before));
  }
}

// ------------------------------------------------------------------------------------------------------ units

TEST_CASE("what is in a unit is used without it") {
  expect_nothing_lost(3, [](Fixture& f) {
    CHECK_SAYS(f.trainer.micro_batch([&] { return f.net->last(f.net->second(f.net->first->linear(input(1)))).mean(); }),
               "is sharded: it is whole only while forward or backward goes through its unit");
    f.trainer.discard();
    CHECK_SAYS((void)f.net->first->linear->weight.sum(), "is sharded");
  });
}

TEST_CASE("a unit that runs twice in one pass") {
  for (int stage = 0; stage < 3; ++stage) {
    Fixture f(stage);
    (void)f.trainer.micro_batch(
        [&] { return f.net->last(f.net->second(f.net->second(f.net->first(input(1))))).mean(); });
    (void)f.trainer.step().get();
  }
  expect_nothing_lost(3, [](Fixture& f) {
    CHECK_SAYS(
        f.trainer.micro_batch([&] { return f.net->last(f.net->second(f.net->second(f.net->first(input(1))))).mean(); }),
        "unit 'second' runs forward twice in one micro-batch");
    f.trainer.discard();
  });
}

TEST_CASE("units in another order than they are registered in") {
  struct Reversed : nn::Module {
    Reversed() : late(register_module("late", Layer(8, 1))), early(register_module("early", Layer(4, 8))) {}
    Tensor forward(Tensor x) { return late(early(x)); }
    Layer late, early;
  };
  zero::SelfCommunicator communicator;
  Reversed net;
  auto const loss = [&] { return net.forward(input(0)).mean(); };
  {
    Trainer trainer(net, communicator, Stage::parameters);
    CHECK_SAYS(trainer.micro_batch(loss), "unit 'late' runs forward after 'early', which is registered later");
    trainer.discard();
    trainer.close();
  }
  Trainer trainer(net, communicator, Stage::parameters, {}, {.unit_order = {"early", "late"}});
  (void)trainer.micro_batch(loss);
  (void)trainer.step().get();
}

// ------------------------------------------------------------------------------------------------------ graphs and
// ends

TEST_CASE("a graph that is kept over a step") {
  for (int stage = 0; stage < 4; ++stage) {
    expect_nothing_lost(stage, [&](Fixture&) {
      Fixture f(stage);
      Tensor kept;
      (void)f.trainer.micro_batch([&] {
        auto const y = f.net->second(f.net->first(input(0)));
        kept = f.net->second->linear->weight.requires_grad() ? y.pow(2).sum() : y;
        return f.net->last(y).mean();
      });
      (void)f.trainer.step().get();
      std::string const said = error_of([&] { kept.backward(); });
      CAPTURE(said);
      CHECK((says(said, "modified by an inplace operation") || says(said, "second time") ||
             says(said, "earlier micro-batch")));
      f.net->zero_grad();
    });
  }
  // Its tensors are not freed, so that only their version counters tell.
  Fixture f(1);
  Tensor kept;
  (void)f.trainer.micro_batch([&] {
    auto const y = f.net->first(input(0));
    kept = f.net->last(f.net->second(y)).mean();
    return f.net->last(f.net->second(y.detach())).mean() + y.mean();
  });
  (void)f.trainer.step().get();
  CHECK_SAYS(kept.backward(), "inplace operation");
}

TEST_CASE("module and engine end in any order") {
  for (int stage = 0; stage < 4; ++stage) {
    CAPTURE(stage);
    zero::SelfCommunicator communicator;
    {
      auto net = make_model<Net>();
      auto trainer = std::make_unique<Trainer>(*net, communicator, static_cast<Stage>(stage));
      (void)trainer->micro_batch([&] { return loss_of_net(net, 0); });
      (void)trainer->step().get();
      Tensor const kept = net->last->weight;
      net = Net(nullptr);
      CHECK(trainer->engine().read_parameter("last.weight").size() == 8);
      trainer.reset();
    }
    auto net = make_model<Net>();
    Tensor graph;
    {
      Trainer trainer(*net, communicator, static_cast<Stage>(stage));
      (void)trainer.micro_batch([&] {
        auto const y = net->first(input(0));
        graph = y.mean();
        return net->last(net->second(y)).mean();
      });
      (void)trainer.step().get();
    }
    if (stage < 3) {
      CHECK(net(input(0)).numel() == 8);  // the values are the module's own now
    } else {
      CHECK_SAYS((void)net(input(0)), "went with its engine, which ended without close()");
    }
    CHECK(error_of([&] { graph.backward(); }) != "");
  }
}

TEST_CASE("close() gives the module back") {
  for (int stage = 0; stage < 4; ++stage) {
    CAPTURE(stage);
    Fixture f(stage);
    f.step(0);
    auto const values = f.trainer.engine().read_parameter("last.weight");
    f.trainer.close();
    f.trainer.close();
    CHECK(f.net->last->weight.flatten()[3].item<float>() == values[3]);
    loss_of_net(f.net, 1).backward();
    CHECK(f.net->first->linear->weight.grad().defined());
    CHECK_SAYS(f.step(1), "after close()");
    CHECK_SAYS((void)f.trainer.engine(), "after close()");
    CHECK_SAYS(f.trainer.discard(), "after close()");
  }
  Fixture f(0);
  auto moved = std::move(f.trainer);
  CHECK_SAYS(f.trainer.discard(), "moved from");
  moved.discard();
}

TEST_CASE("a rank that throws ends all of them, and the modules are usable") {
  for (int stage = 0; stage < 4; ++stage) {
    CAPTURE(stage);
    std::vector<std::string> said(2, "nothing");
    auto const run = [&](zero::ThreadCommunicator& communicator) {
      at::set_num_threads(1);
      auto const rank = static_cast<std::size_t>(communicator.rank());
      auto net = make_model<Net>();
      {
        DataParallel<> trainer(*net, communicator, static_cast<Stage>(stage));
        said[rank] = error_of([&] {
          for (int m = 0; m < 2; ++m) {
            (void)trainer.micro_batch([&] {
              if (rank == 1 && m == 1) throw std::out_of_range("of rank 1");
              return loss_of_net(net, 2 * m + communicator.rank());
            });
            (void)trainer.step().get();
          }
        });
        if (rank == 1) throw std::runtime_error(said[rank]);
      }
      if (stage < 3) (void)net(input(0));
    };
    CHECK_SAYS(zero::run_ranks(2, run), "of rank 1");
    CHECK(says(said[1], "of rank 1"));
    CHECK(says(said[0], "rank 1"));
  }
}

}  // namespace libtorch_misuse_test
