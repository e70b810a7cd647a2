// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// One result for each number of micro-batches and type, whatever stage, offload, buckets, ranks and recomputation; and
// torch's own.

#include "runs.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <set>
#include <vector>

namespace libtorch_equality_test {

using namespace zero_test;

namespace {

template <class Model, class Prec>
void expect_one_result(int micro_batches, std::vector<Run> const& layouts) {
  std::optional<Outcome> first;
  for (auto const& layout : layouts) {
    for (int stage = 0; stage < 4; ++stage) {
      for (int const variant : {0, 1, 2, 3}) {
        bool const offload = variant % 2 == 1, recomputes = variant >= 2;
        Run run = layout;
        run.micro_batches = micro_batches;
        run.stage = static_cast<zero::Stage>(stage);
        run.offload = offload;
        run.recomputes = recomputes;
        CAPTURE(run.ranks);
        CAPTURE(stage);
        CAPTURE(offload);
        CAPTURE(recomputes);
        auto const outcome = train<Model, Prec>(run);
        if (!first) first = outcome;
        CHECK(outcome.parameters == first->parameters);
        CHECK(outcome.losses == first->losses);
      }
    }
  }
  REQUIRE(first);
  CHECK(first->losses.front() != first->losses.back());
}

template <class Prec>
void expect_one_result_of_each() {
  std::vector<Run> const two{{.ranks = 1}, {.ranks = 2}};
  std::vector<Run> const three{
      {.ranks = 1, .ragged = true}, {.ranks = 2, .ragged = true}, {.ranks = 3, .ragged = true}};
  SUBCASE("residual network, 2 micro-batches") { expect_one_result<ResNet, Prec>(2, two); }
  SUBCASE("residual network, 3 micro-batches") { expect_one_result<ResNet, Prec>(3, three); }
  SUBCASE("GPT, 2 micro-batches") { expect_one_result<Gpt, Prec>(2, two); }
  SUBCASE("GPT, 3 micro-batches") { expect_one_result<Gpt, Prec>(3, three); }
}

// The same training with torch alone.
template <class Model>
Model train_by_torch(int micro_batches, int steps) {
  at::set_num_threads(1);
  auto model = make_model<Model>();
  std::vector<torch::optim::OptimizerParamGroup> groups;
  std::vector<Tensor> matrices, vectors;
  std::set<void const*> seen;  // parameters() has a tied one as often as it is registered
  for (auto const& parameter : model->parameters()) {
    if (!seen.insert(parameter.unsafeGetTensorImpl()).second) continue;
    (parameter.dim() >= 2 ? matrices : vectors).push_back(parameter);
  }
  auto const options = [](double decay) {
    return std::make_unique<torch::optim::AdamWOptions>(torch::optim::AdamWOptions(1e-3).weight_decay(decay));
  };
  groups.emplace_back(matrices, options(0.1));
  groups.emplace_back(vectors, options(0.0));
  torch::optim::AdamW optimizer(groups);
  for (int s = 0; s < steps; ++s) {
    optimizer.zero_grad();
    for (int m = 0; m < micro_batches; ++m) {
      (loss_of(model, s * micro_batches + m, torch::kFloat) / micro_batches).backward();
    }
    optimizer.step();
  }
  return model;
}

template <class Model>
void expect_torch_result() {
  constexpr int steps = 4, micro_batches = 2;
  auto const expected = train_by_torch<Model>(micro_batches, steps);
  for (int stage = 0; stage < 4; ++stage) {
    CAPTURE(stage);
    zero::run_ranks(2, [&](zero::ThreadCommunicator& communicator) {
      at::set_num_threads(1);
      auto model = make_model<Model>();
      zero::libtorch::DataParallel<> trainer(*model, communicator, static_cast<zero::Stage>(stage),
                                             {.optimizer = {.lr = 1e-3F}}, {.group_of = group_of});
      for (int s = 0; s < steps; ++s) {
        trainer.micro_batch([&](std::int64_t m) { return loss_of(model, s * micro_batches + m, torch::kFloat); });
        (void)trainer.step().get();
      }
      auto const whole = trainer.whole();
      if (communicator.rank() != 0) return;
      for (auto const& parameter : expected->named_parameters()) {
        auto const mine = model->named_parameters()[parameter.key()];
        double const difference = (mine - parameter.value()).abs().max().template item<double>();
        CAPTURE(parameter.key());
        // Of updates of 1e-3 each. Biases of keys change no attention: their gradients are rounding alone.
        bool const is_noise = parameter.key().ends_with("qkv.bias");
        CHECK(difference < (is_noise ? 8e-3 : 2e-5));
      }
    });
  }
}

}  // namespace

TEST_CASE("fp32: one result over stages, offload, recomputation and ranks") {
  expect_one_result_of_each<zero::Precision<zero::FP32>>();
}
TEST_CASE("bf16: one result over stages, offload, recomputation and ranks") {
  expect_one_result_of_each<zero::Precision<zero::BF16>>();
}
TEST_CASE("fp16: one result over stages, offload, recomputation and ranks") {
  expect_one_result_of_each<zero::Precision<zero::FP16, zero::DynamicScale>>();
}
TEST_CASE("fp32: small buckets and rings give the same result") {
  for (int variant = 0; variant < 8; ++variant) {
    int const stage = variant / 2;
    CAPTURE(stage);
    Run run{.ranks = 2, .stage = static_cast<zero::Stage>(stage)};
    auto const expected = train<Gpt, zero::Precision<zero::FP32>>(run);
    run.recomputes = variant % 2 == 1;
    for (std::size_t const elements : {1024U, 8192U}) {
      CAPTURE(elements);
      run.bucket_elements = elements;
      CHECK(train<Gpt, zero::Precision<zero::FP32>>(run).parameters == expected.parameters);
    }
  }
}
TEST_CASE("the results of torch::optim, but for rounding") {
  SUBCASE("residual network") { expect_torch_result<ResNet>(); }
  SUBCASE("GPT") { expect_torch_result<Gpt>(); }
}

}  // namespace libtorch_equality_test
