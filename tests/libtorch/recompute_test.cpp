// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// checkpoint(): the bits of a run without it, less memory, and a sentence for what cannot be computed again. That
// results are equal over stages, offload, types and ranks is in equality_test.cpp.

#include "counted_memory.hpp"
#include "runs.hpp"
#include "says.hpp"

#include <zero/communicators/self.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace libtorch_recompute_test {

using namespace zero_test;
using zero::Stage;
using zero::libtorch::checkpoint;

namespace {

using Trainer = zero::libtorch::DataParallel<zero::AdamW, zero::Precision<zero::FP32>, zero::SelfCommunicator>;

/// A unit with all that checkpoint() has to see: several arguments and results, one that is no tensor and one without a
/// gradient, a region within a region, a parameter of two regions and of none, dropout, a frozen parameter.
struct PartsImpl : nn::Module {
  PartsImpl()
      : linear(register_module("linear", nn::Linear(8, 8))),
        scale(register_parameter("scale", torch::full({8}, 0.5))),
        fixed(register_parameter("fixed", torch::full({8}, 2.0), /*requires_grad=*/false)) {}
  using Pair = std::tuple<Tensor, Tensor>;
  [[nodiscard]] Pair part(Tensor const& x, Tensor const& mask, double factor) const {
    auto const y =
        nn::functional::dropout(torch::tanh(x * scale * fixed), nn::functional::DropoutFuncOptions().p(drop));
    return {y * mask * factor, y + x};
  }
  template <class Function, class... Arguments>
  [[nodiscard]] auto run(Function f, Arguments... arguments) const {
    if (recomputes) return checkpoint(f, arguments...);
    return f(arguments...);
  }
  Tensor forward(Tensor x) {
    auto const mask = torch::arange(8).remainder(3).to(torch::kFloat);
    auto const first = [this](Tensor const& a, Tensor const& m, double factor) { return part(a, m, factor); };
    auto const outer = [this, first](Tensor const& a, Tensor const& m) {
      auto const [u, v] = run(first, linear(a), m, 1.5);
      return torch::relu(u + v) * scale;
    };
    auto const [u, v] = run(first, x, mask, 0.5);
    return run(outer, u + v, mask) + scale;
  }
  nn::Linear linear;
  Tensor scale, fixed;
  bool recomputes = false;
  double drop = 0.0;
};
ZERO_TORCH_UNIT(Parts);

struct NetImpl : nn::Module {
  NetImpl() : parts(register_module("parts", Parts())), last(register_module("last", Parts())) {}
  Tensor forward(Tensor x) { return last(parts(x)).pow(2).mean(); }
  Parts parts, last;
};
TORCH_MODULE(Net);

Tensor input(int m) {
  auto g = at::detail::createCPUGenerator(static_cast<std::uint64_t>(m));
  return torch::randn({4, 8}, g);
}

std::uint64_t train_parts(int stage, bool recomputes, double drop) {
  zero::SelfCommunicator communicator;
  auto net = make_model<Net>();
  for (auto* const parts : {&net->parts, &net->last}) {
    (*parts)->recomputes = recomputes;
    (*parts)->drop = drop;
  }
  Trainer trainer(*net, communicator, static_cast<Stage>(stage), {.optimizer = {.lr = 1e-2F}});
  torch::manual_seed(7);
  for (int m = 0; m < 3; ++m) {
    (void)trainer.micro_batch([&] { return net(input(m)); });
    (void)trainer.step().get();
  }
  return fingerprint_of_parameters(trainer, *net);
}

/// What \p f throws, or nothing.
/// A model of one layer, in a unit, and of one in none.
struct Fixture {
  explicit Fixture(int stage) : trainer(*net, communicator, static_cast<Stage>(stage), {.optimizer = {.lr = 1e-2F}}) {}
  // A step that works.
  float step() {
    float const loss = trainer.micro_batch([&] { return checkpoint(net, input(1)); }).item<float>();
    (void)trainer.step().get();
    return loss;
  }
  zero::SelfCommunicator communicator;
  Net net = make_model<Net>();
  Trainer trainer;
};

}  // namespace

TEST_CASE("regions in units give the bits that are there without them") {
  auto const expected = train_parts(0, false, 0.0);
  for (int stage = 0; stage < 4; ++stage) {
    CAPTURE(stage);
    CHECK(train_parts(stage, false, 0.0) == expected);
    CHECK(train_parts(stage, true, 0.0) == expected);
  }
}

TEST_CASE("dropout is drawn once") {
  auto const expected = train_parts(0, false, 0.5);
  CHECK(expected != train_parts(0, false, 0.0));
  for (int stage = 0; stage < 4; ++stage) CHECK(train_parts(stage, true, 0.5) == expected);
}

TEST_CASE("statistics of BatchNorm count once") {
  std::vector<Tensor> means;
  for (bool const recomputes : {false, true}) {
    zero::SelfCommunicator communicator;
    auto model = make_model<ResNet>();
    model->recomputes = recomputes;
    Trainer trainer(*model, communicator, Stage::parameters);
    for (int m = 0; m < 2; ++m) {
      (void)trainer.micro_batch([&] { return loss_of(model, m, torch::kFloat); });
      (void)trainer.step().get();
    }
    CHECK(model->layers[1]->bn1->num_batches_tracked.item<std::int64_t>() == 2);
    means.push_back(model->layers[1]->bn1->running_mean.clone());
  }
  CHECK(torch::equal(means[0], means[1]));
}

TEST_CASE("activations of regions are not kept") {
  for (int stage = 0; stage < 4; ++stage) {
    CAPTURE(stage);
    std::vector<std::size_t> kept;
    for (bool const recomputes : {false, true}) {
      count_memory();
      zero::SelfCommunicator communicator;
      GptImpl model(64, 64, 32, 8, 4);
      model.recomputes = recomputes;
      Trainer trainer(model, communicator, static_cast<Stage>(stage));
      std::size_t bytes = 0;
      (void)trainer.micro_batch([&] {
        auto const before = Counted::now.load();
        auto const loss = model.forward(torch::zeros({8, 64}, torch::kLong)).mean();
        bytes = Counted::now - before;
        return loss;
      });
      kept.push_back(bytes);
    }
    CHECK(kept[1] * 10 < kept[0]);
  }
}

TEST_CASE("outside of a micro-batch and without gradients it is a call") {
  int calls = 0;
  auto const weight = torch::ones({2}, torch::requires_grad());
  auto const f = [&](Tensor const& x) {
    ++calls;
    return x * weight;
  };
  checkpoint(f, torch::ones({2})).sum().backward();
  CHECK(weight.grad().sum().item<float>() == 2.0F);
  CHECK(calls == 1);
  Fixture fixture(0);
  fixture.trainer.evaluate([&] { return checkpoint(f, torch::ones({2})); });
  CHECK(calls == 2);
}

TEST_CASE("what cannot be computed again") {
  for (int stage = 0; stage < 3; ++stage) {
    CAPTURE(stage);
    Fixture expected(stage);
    float const loss = expected.step();
    Fixture f(stage);
    auto const micro_batch = [&](std::function<Tensor()> const& body) {
      std::string const message = error_of([&] { (void)f.trainer.micro_batch(body); });
      f.trainer.discard();
      return message;
    };
    auto const says = [&](std::string const& words, std::function<Tensor()> const& body) {
      auto const message = micro_batch(body);
      CAPTURE(message);
      CHECK(message.find(words) != std::string::npos);
    };
    says("uses a tensor with a graph that it has not got as an argument", [&] {
      auto const y = f.net->parts(input(1));
      return checkpoint([=](Tensor const& x) { return x + y; }, input(1)).sum();
    });
    int calls = 0;
    says("gave another result when backward computed it again",
         [&] { return checkpoint([&](Tensor const& x) { return f.net->parts(x) * ++calls; }, input(1)).sum(); });
    says("modified by an inplace operation", [&] {
      auto x = input(1);
      auto const y = checkpoint(f.net->parts, x);
      x.add_(1);
      return y.sum();
    });
    says("of the user's", [&] {
      return checkpoint(
                 [&](Tensor const& x) {
                   if (++calls % 2 == 0) throw std::out_of_range("of the user's");
                   return f.net->parts(x);
                 },
                 input(1))
          .sum();
    });
    says("which has no second derivatives", [&] {
      auto x = input(1).requires_grad_();
      auto const y = checkpoint(f.net->parts, x).sum();
      return torch::autograd::grad({y}, {x}, {}, true, /*create_graph=*/true)[0].sum();
    });
    auto const hook = f.net->parts->scale.register_hook([](Tensor const& g) { return g; });
    says("has a hook, by register_hook()", [&] { return checkpoint(f.net->parts, input(1)).sum(); });
    f.net->parts->scale.remove_hook(hook);
    CHECK(f.step() == loss);
  }
}

TEST_CASE("a graph with a region that is kept over a step") {
  for (int stage = 0; stage < 4; ++stage) {
    CAPTURE(stage);
    Fixture f(stage);
    Tensor kept;
    (void)f.trainer.micro_batch([&] {
      auto const y = checkpoint(f.net->parts, input(0));
      kept = y.sum();
      return f.net->last(y.detach()).mean() + y.mean();
    });
    (void)f.trainer.step().get();
    CHECK_SAYS(kept.backward(), stage < 3 ? "checkpoint() of an earlier micro-batch" : "earlier micro-batch");
  }
}

TEST_CASE("two units in one region at stage 3") {
  Fixture f(3);
  CHECK_SAYS(f.trainer.micro_batch([&] { return checkpoint(f.net, input(1)); }),
             "unit 'last' runs forward in a checkpoint() that another unit runs in");
  f.trainer.discard();
  (void)f.trainer.micro_batch([&] { return checkpoint(f.net->last, checkpoint(f.net->parts, input(1))).mean(); });
  (void)f.trainer.step().get();
}

TEST_CASE("dropout where ranks that are threads share the generators") {
  for (int stage = 0; stage < 4; ++stage) {
    CAPTURE(stage);
    auto const run = [&](zero::ThreadCommunicator& communicator) {
      at::set_num_threads(1);
      auto net = make_model<Net>();
      net->parts->recomputes = net->last->recomputes = true;
      net->parts->drop = 0.5;
      zero::libtorch::DataParallel<> trainer(*net, communicator, static_cast<Stage>(stage));
      (void)trainer.micro_batch([&] { return net(input(communicator.rank())); });
    };
    CHECK_SAYS(zero::run_ranks(2, run), "share torch's generators");
  }
}

}  // namespace libtorch_recompute_test
