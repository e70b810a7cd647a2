// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What a trainer relies on besides its results: buffers, evaluation, checkpoints, memory, and gradients in any order.

#include "counted_memory.hpp"
#include "runs.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

namespace libtorch_training_test {

using namespace zero_test;
using zero::Stage;
using zero::libtorch::DataParallel;

namespace {

using Trainer = DataParallel<>;

Trainer::Config usual() { return {.optimizer = {.lr = 1e-3F}}; }

void steps(ResNet& model, Trainer& trainer, int rank, int first, int count) {
  for (int s = first; s < first + count; ++s) {
    (void)trainer.micro_batch([&] { return loss_of(model, 2 * s + rank, torch::kFloat); });
    (void)trainer.step().get();
  }
}

}  // namespace

TEST_CASE("buffers drift apart between ranks, and are rank 0's in evaluation") {
  for (int stage = 0; stage < 4; ++stage) {
    CAPTURE(stage);
    std::vector<Tensor> before(2), after(2), buffers(2);
    zero::run_ranks(2, [&](zero::ThreadCommunicator& communicator) {
      at::set_num_threads(1);
      auto const rank = static_cast<std::size_t>(communicator.rank());
      auto model = make_model<ResNet>();
      Trainer trainer(*model, communicator, static_cast<Stage>(stage), usual());
      steps(model, trainer, communicator.rank(), 0, 2);
      before[rank] = model->stem->bn->running_mean.clone();
      auto const whole = trainer.whole();
      torch::NoGradGuard const guard;
      model->eval();
      buffers[rank] = model->stem->bn->running_mean.clone();
      after[rank] = model(torch::ones({1, 3, 8, 8}));
    });
    CHECK_FALSE(torch::equal(before[0], before[1]));
    CHECK(torch::equal(buffers[0], before[0]));
    CHECK(torch::equal(buffers[1], before[0]));
    CHECK(torch::equal(after[0], after[1]));
  }
}

TEST_CASE("rank 0's values and buffers begin a run, whatever the other ranks have drawn") {
  for (int stage = 0; stage < 4; ++stage) {
    CAPTURE(stage);
    zero::run_ranks(2, [&](zero::ThreadCommunicator& communicator) {
      at::set_num_threads(1);
      auto model = make_model<ResNet>();
      if (communicator.rank() == 1) {
        torch::NoGradGuard const guard;
        for (auto& parameter : model->parameters()) parameter.fill_(0.5);
        for (auto& buffer : model->buffers()) buffer.fill_(3);
      }
      Trainer trainer(*model, communicator, static_cast<Stage>(stage), usual());
      CHECK(model->stem->bn->running_mean.max().item<float>() == 0.0F);
      auto const whole = trainer.whole();
      CHECK(torch::equal(model->stem->conv->weight, make_model<ResNet>()->stem->conv->weight));
    });
  }
}

TEST_CASE("evaluation gathers what it needs, and has rank 0's buffers") {
  std::vector<Tensor> results;
  for (int stage = 0; stage < 4; ++stage) {
    std::vector<Tensor> of_ranks(2);
    zero::run_ranks(2, [&](zero::ThreadCommunicator& communicator) {
      at::set_num_threads(1);
      auto model = make_model<ResNet>();  // its head is in no unit
      Trainer trainer(*model, communicator, static_cast<Stage>(stage),
                      {.reduce = zero::Reduce::each_micro_batch, .optimizer = {.lr = 1e-3F}});
      for (int s = 0; s < 2; ++s) {
        steps(model, trainer, communicator.rank(), s, 1);
        model->eval();
        auto const result = trainer.evaluate([&] { return model(torch::ones({1, 3, 8, 8})); });
        model->train();
        CHECK_FALSE(result.requires_grad());
        of_ranks[static_cast<std::size_t>(communicator.rank())] = result;
      }
      CHECK_THROWS_AS(trainer.evaluate([]() -> int { throw std::out_of_range("of the user's"); }), std::out_of_range);
      steps(model, trainer, communicator.rank(), 2, 1);
    });
    CHECK(torch::equal(of_ranks[0], of_ranks[1]));
    results.push_back(of_ranks[0]);
  }
  for (auto const& result : results) CHECK(torch::equal(result, results[0]));
}

TEST_CASE("evaluation through units needs no call") {
  std::vector<float> losses;
  for (int stage = 0; stage < 4; ++stage) {
    zero::run_ranks(2, [&](zero::ThreadCommunicator& communicator) {
      at::set_num_threads(1);
      auto model = make_model<Gpt>();
      Trainer trainer(*model, communicator, static_cast<Stage>(stage),
                      {.reduce = zero::Reduce::each_micro_batch, .optimizer = {.lr = 1e-3F}});
      (void)trainer.micro_batch([&] { return loss_of(model, communicator.rank(), torch::kFloat); });
      (void)trainer.step().get();
      torch::NoGradGuard const guard;
      auto const loss = loss_of(model, 99, torch::kFloat).item<float>();
      if (communicator.rank() == 0) losses.push_back(loss);
    });
  }
  for (auto const loss : losses) CHECK(loss == losses[0]);
}

TEST_CASE("torch::save within whole() holds what the engine has") {
  for (int stage = 0; stage < 4; ++stage) {
    CAPTURE(stage);
    zero::run_ranks(2, [&](zero::ThreadCommunicator& communicator) {
      at::set_num_threads(1);
      auto model = make_model<ResNet>();
      Trainer trainer(*model, communicator, static_cast<Stage>(stage), usual());
      steps(model, trainer, communicator.rank(), 0, 1);
      auto const expected = trainer.engine().read_parameter("layer1_0.conv2.weight");
      std::stringstream file;
      {
        auto const whole = trainer.whole();
        torch::save(model, file);
      }
      auto read = make_model<ResNet>();
      torch::load(read, file);
      auto const values = read->layers[1]->conv2->weight.detach().flatten().contiguous();
      CHECK(std::equal(expected.begin(), expected.end(), values.data_ptr<float>()));
      steps(model, trainer, communicator.rank(), 1, 1);
    });
  }
}

TEST_CASE("a 16-bit module has master values in fp32, of the module's own") {
  using Trainer16 = DataParallel<zero::AdamW, zero::Precision<zero::BF16>>;
  for (int stage = 0; stage < 4; ++stage) {
    CAPTURE(stage);
    zero::run_ranks(1, [&](zero::ThreadCommunicator& communicator) {
      auto model = make_model<ResNet>();
      auto const wide = model->stem->conv->weight.detach().clone();
      Trainer16 trainer(*model, communicator, static_cast<Stage>(stage), {.optimizer = {.lr = 0.0F}});
      CHECK((model->stem->conv->weight.scalar_type() == torch::kBFloat16));
      CHECK((model->stem->bn->running_mean.scalar_type() == torch::kBFloat16));
      CHECK((model->stem->bn->num_batches_tracked.scalar_type() == torch::kLong));
      auto const masters = trainer.engine().read_parameter("stem.conv.weight");
      CHECK(std::equal(masters.begin(), masters.end(), wide.data_ptr<float>()));
    });
  }
}

TEST_CASE("the loss scale is in backward, and an overflow is skipped") {
  using Trainer16 = DataParallel<zero::AdamW, zero::Precision<zero::FP16, zero::DynamicScale>>;
  for (int stage = 0; stage < 4; ++stage) {
    CAPTURE(stage);
    zero::run_ranks(1, [&](zero::ThreadCommunicator& communicator) {
      auto model = make_model<Gpt>();
      Trainer16 trainer(*model, communicator, static_cast<Stage>(stage),
                        {.optimizer = {.lr = 1e-3F}, .scale = {.initial = 16777216.0F, .hysteresis = 1}});
      auto const before = trainer.engine().read_parameter("embed.wte.weight");
      int skipped = 0;
      for (int s = 0; s < 24; ++s) {
        auto const loss = trainer.micro_batch([&] { return loss_of(model, 0, torch::kHalf); });
        CHECK(loss.item<float>() < 10.0F);  // not multiplied
        skipped += trainer.step().get().skipped ? 1 : 0;
        if (skipped == s + 1) CHECK(trainer.engine().read_parameter("embed.wte.weight") == before);
      }
      CHECK(skipped > 0);
      CHECK(skipped < 24);
      try {
        (void)trainer.micro_batch([&] { return loss_of(model, 0, torch::kHalf).to(torch::kHalf); });
        FAIL("a loss in which the scale overflows was taken");
      } catch (zero::ConfigurationError const& error) {
        CHECK(std::string(error.what()).find("the loss is Half") != std::string::npos);
      }
    });
  }
}

TEST_CASE("gradients in an order that the ring does not expect") {
  // Registered in the reverse of forward, with a ring of one bucket: every gradient but the last comes too early.
  struct Backwards : nn::Module {
    Backwards() {
      for (int i = 0; i < 6; ++i) layers.push_back(register_module("l" + std::to_string(i), nn::Linear(40, 40)));
    }
    Tensor forward(Tensor x) {
      for (std::size_t i = layers.size(); i-- > 0;) x = torch::tanh(layers[i](x));
      return x;
    }
    std::vector<nn::Linear> layers;
  };
  std::vector<std::vector<float>> results;
  for (int stage = 0; stage < 3; ++stage) {
    zero::run_ranks(2, [&](zero::ThreadCommunicator& communicator) {
      at::set_num_threads(1);
      auto model = make_model<Backwards>();
      Trainer trainer(model, communicator, static_cast<Stage>(stage),
                      {.reduce = zero::Reduce::each_micro_batch, .bucket_elements = 1024, .gradient_ring = 1});
      for (int s = 0; s < 2; ++s) {
        auto g = at::detail::createCPUGenerator(static_cast<std::uint64_t>(2 * s + communicator.rank()));
        (void)trainer.micro_batch([&] { return model.forward(torch::randn({4, 40}, g)).mean(); });
        (void)trainer.step().get();
      }
      auto const values = trainer.engine().read_parameter("l3.weight");
      if (communicator.rank() == 0) results.push_back(values);
    });
  }
  CHECK(results[1] == results[0]);
  CHECK(results[2] == results[0]);
}

TEST_CASE("below stage 3 there is one copy of the parameters, at one address") {
  count_memory();
  for (int stage = 0; stage < 3; ++stage) {
    CAPTURE(stage);
    zero::run_ranks(1, [&](zero::ThreadCommunicator& communicator) {
      at::set_num_threads(1);
      auto const empty = Counted::now.load();
      auto model = make_model<Gpt>();
      std::size_t const module_bytes = Counted::now - empty;
      CHECK(module_bytes > 90000);
      Trainer trainer(*model, communicator, static_cast<Stage>(stage), usual());
      CHECK(Counted::now - empty < 100);  // of torch's own nothing is left
      auto const* const address = model->embed->wte->weight.data_ptr();
      for (int s = 0; s < 2; ++s) {
        (void)trainer.micro_batch([&] { return loss_of(model, s, torch::kFloat); });
        (void)trainer.step().get();
      }
      CHECK(model->embed->wte->weight.data_ptr() == address);
      CHECK(Counted::now - empty < 4000);  // the loss and such
    });
  }
}

TEST_CASE("stage 3 holds two units and what is tied at most") {
  count_memory();
  zero::run_ranks(2, [&](zero::ThreadCommunicator& communicator) {
    at::set_num_threads(1);
    auto model = Gpt(64, 16, 32, 8);
    std::size_t elements = 0, largest = 0;
    for (auto const& unit : model->children()) {
      std::size_t size = 0;
      for (auto const& parameter : unit->parameters()) size += static_cast<std::size_t>(parameter.numel());
      largest = std::max(largest, size);
      elements += size;
    }
    Trainer trainer(*model, communicator, Stage::parameters, usual());
    auto const gathered = trainer.engine().memory().bytes(zero::MemoryPurpose::gathered);
    CHECK(gathered <= 4 * (2 * largest + 8 * 256));
    CHECK(gathered < 4 * elements / 3);
    (void)trainer.micro_batch([&] { return loss_of(model, communicator.rank(), torch::kFloat); });
    (void)trainer.step().get();
    CHECK(trainer.engine().memory().bytes(zero::MemoryPurpose::gathered) == gathered);
  });
}

TEST_CASE("units within units, units without gradients of their inputs, and modules in no unit") {
  struct InnerImpl : nn::Module {
    InnerImpl() : linear(register_module("linear", nn::Linear(8, 8))) {}
    std::tuple<Tensor, std::vector<Tensor>> forward(Tensor x, std::optional<Tensor> bias) {
      auto const y = torch::tanh(linear(x));
      return {bias ? y + *bias : y, {y * 2, x}};
    }
    nn::Linear linear;
  };
  struct OuterImpl : nn::Module {
    OuterImpl()
        : before(register_module("before", nn::Linear(8, 8))),
          inner(register_module("inner", std::make_shared<zero::libtorch::Unit<InnerImpl>>())) {}
    Tensor forward(Tensor x) {
      auto const [y, parts] = inner->forward(before(x), x);
      return y + parts[0] + parts[1];
    }
    nn::Linear before;
    std::shared_ptr<zero::libtorch::Unit<InnerImpl>> inner;
  };
  struct Whole : nn::Module {
    Whole()
        : left(register_module("left", std::make_shared<zero::libtorch::Unit<OuterImpl>>())),
          right(register_module("right", std::make_shared<zero::libtorch::Unit<OuterImpl>>())),
          any(register_module(
              "any", std::make_shared<zero::libtorch::Unit<nn::SequentialImpl>>(nn::Linear(8, 8), nn::Tanh()))),
          scale(register_parameter("scale", torch::full({8}, 0.5))),
          last(register_module("last", nn::Linear(8, 1))) {}
    // Both see the input, which has no gradient.
    Tensor forward(Tensor x) {
      auto const y = left->forward(x);
      return last(any->forward(y + right->forward(x) * scale));
    }
    std::shared_ptr<zero::libtorch::Unit<OuterImpl>> left, right;
    std::shared_ptr<zero::libtorch::Unit<nn::SequentialImpl>> any;
    Tensor scale;
    nn::Linear last;
  };
  std::vector<std::uint64_t> results;
  for (bool const may_lack : {false, true}) {
    for (int stage = 0; stage < 4; ++stage) {
      zero::run_ranks(2, [&](zero::ThreadCommunicator& communicator) {
        at::set_num_threads(1);
        auto model = make_model<Whole>();
        Trainer::Config config{.reduce = zero::Reduce::each_micro_batch};
        if (may_lack) config.missing_gradient = zero::MissingGradient::zero;
        Trainer trainer(model, communicator, static_cast<Stage>(stage), config);
        for (int s = 0; s < 3; ++s) {
          auto g = at::detail::createCPUGenerator(static_cast<std::uint64_t>(2 * s + communicator.rank()));
          (void)trainer.micro_batch([&] { return model.forward(torch::randn({4, 8}, g)).pow(2).mean(); });
          (void)trainer.step().get();
        }
        auto const result = fingerprint_of_parameters(trainer, model);
        if (communicator.rank() == 0) results.push_back(result);
      });
    }
  }
  for (auto const result : results) CHECK(result == results[0]);
}

TEST_CASE("parameters that only some ranks use") {
  std::vector<std::uint64_t> results;
  for (int stage = 0; stage < 4; ++stage) {
    zero::run_ranks(2, [&](zero::ThreadCommunicator& communicator) {
      at::set_num_threads(1);
      auto model = make_model<ResNet>();
      auto const unused = model->register_parameter("unused", torch::ones({300}));
      Trainer trainer(*model, communicator, static_cast<Stage>(stage),
                      {.reduce = zero::Reduce::each_micro_batch,
                       .missing_gradient = zero::MissingGradient::zero,
                       .optimizer = {.lr = 1e-3F}});
      for (int s = 0; s < 3; ++s) {
        (void)trainer.micro_batch([&] {
          auto const loss = loss_of(model, 2 * s + communicator.rank(), torch::kFloat);
          return communicator.rank() == s % 2 ? loss + unused.pow(2).mean() : loss;
        });
        (void)trainer.step().get();
      }
      auto const result = fingerprint_of_parameters(trainer, *model);
      if (communicator.rank() == 0) results.push_back(result);
    });
  }
  for (auto const result : results) CHECK(result == results[0]);
}

TEST_CASE("a run that is saved and loaded goes on as if it had not ended") {
  auto const folder = std::filesystem::temp_directory_path() / "zero_libtorch_checkpoints";
  std::filesystem::remove_all(folder);
  std::vector<std::uint64_t> results;
  std::vector<Tensor> means;
  auto const run = [&](Stage stage, int ranks, auto const& body) {
    zero::run_ranks(ranks, [&](zero::ThreadCommunicator& communicator) {
      at::set_num_threads(1);
      auto model = make_model<ResNet>();
      Trainer::Config config{.micro_batches_per_step = 2, .optimizer = {.lr = 1e-3F}};
      Trainer trainer(*model, communicator, stage, config);
      auto const step = [&](int s) {
        for (int round = 0; round < 2 / ranks; ++round) {
          (void)trainer.micro_batch([&](std::int64_t m) { return loss_of(model, 2 * s + m, torch::kFloat); });
        }
        (void)trainer.step().get();
      };
      body(model, trainer, step);
      auto const result = fingerprint_of_parameters(trainer, *model);
      if (communicator.rank() == 0) results.push_back(result);
      if (communicator.rank() == 0) means.push_back(model->stem->bn->running_mean.clone());
    });
  };
  run(Stage::gradients, 2, [&](ResNet&, Trainer& trainer, auto const& step) {
    for (int s = 0; s < 2; ++s) step(s);
    (void)trainer.save(folder.string(), {.tag = "two"});
    for (int s = 2; s < 4; ++s) step(s);
  });
  for (int stage = 0; stage < 4; ++stage) {
    for (int const ranks : {1, 2}) {
      run(static_cast<Stage>(stage), ranks, [&](ResNet& model, Trainer& trainer, auto const& step) {
        if (stage > 0) step(7);
        CHECK(trainer.load(folder.string()).steps == 2);
        CHECK(model->stem->bn->num_batches_tracked.item<std::int64_t>() == 2);
        for (int s = 2; s < 4; ++s) step(s);
      });
    }
  }
  for (auto const result : results) CHECK(result == results[0]);
  for (std::size_t i = 2; i < means.size(); i += 2) CHECK(torch::equal(means[i], means[0]));  // of 2 ranks
  zero::run_ranks(1, [&](zero::ThreadCommunicator& communicator) {
    auto model = make_model<ResNet>();
    Trainer trainer(*model, communicator, Stage::none, {.micro_batches_per_step = 2});
    auto const before = model->stem->bn->running_mean.clone();
    CHECK_THROWS_AS(trainer.load((folder / "none").string()), zero::CheckpointError);
    CHECK(torch::equal(model->stem->bn->running_mean, before));
    (void)trainer.micro_batch([&] { return loss_of(model, 0, torch::kFloat); });
    CHECK_THROWS_AS((void)trainer.save(folder.string(), {.tag = "half"}), zero::SequenceError);
  });
  std::filesystem::remove_all(folder);
}

}  // namespace libtorch_training_test
