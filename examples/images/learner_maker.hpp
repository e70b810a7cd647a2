// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "learner.hpp"
#include "models/classifier.hpp"
#include "models/weights.hpp"

#include <zero/adapters/libtorch.hpp>

#include <torch/torch.h>

#include <algorithm>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

namespace images {

/// The rules that this program is built with: each one takes a compiler a while.
using Rules = zero::config::Rules<zero::AdamW, zero::Sgd>;

/// Weights decay; biases, and what BatchNorm scales by, do not.
[[nodiscard]] inline bool decays(torch::Tensor const& parameter) { return parameter.dim() >= 2; }

/// Calls \p f. An error of torch's, which is a page of addresses, becomes one line; one of memory is std::bad_alloc.
template <class F>
decltype(auto) in_one_line(F&& f) {
  try {
    return f();
  } catch (c10::Error const& error) {
    std::string text = error.what_without_backtrace();
    for (char const* const words : {"not enough memory", "can't allocate memory"}) {  // as the system has it
      if (text.find(words) != std::string::npos) throw std::bad_alloc();
    }
    std::replace(text.begin(), text.end(), '\n', ' ');
    throw std::runtime_error("torch: " + text);
  }
}

/// A learner of one rule and one precision.
template <class Rule, class Prec>
class TorchLearner final : public Learner {
 public:
  using Trainer = zero::libtorch::DataParallel<Rule, Prec>;

  TorchLearner(LearnerRequest const& request, zero::ThreadCommunicator& communicator, zero::Stage stage,
               typename Trainer::Config config, double weight_decay)
      : shape_(request.shape),
        model_(prepared(request)),
        drawn_(request.weights ? load_weights(*model_, *request.weights) : std::vector<std::string>()),
        trainer_(*model_, communicator, stage, std::move(config),
                 {.group_of = [weight_decay](std::string const&, torch::Tensor const& parameter) {
                   return zero::ParameterGroup{.weight_decay = decays(parameter) ? weight_decay : 0.0};
                 }}) {
    for (auto const& parameter : model_->named_parameters()) parameters_.push_back(described(parameter));
  }

  std::optional<BatchScore> micro_batch(Feed const& feed) override {
    std::optional<BatchScore> score;
    model_->train();
    (void)in_one_line([&] {
      return trainer_.micro_batch([&](std::int64_t index) {
        auto const batch = feed(static_cast<std::uint64_t>(index));
        auto const labels = labels_of(batch);
        auto const logits = forward(batch);
        auto const loss = torch::nn::functional::cross_entropy(logits, labels);
        score = judge(logits.detach(), labels, loss.template item<double>()).score;
        return loss;
      });
    });
    return score;
  }

  zero::StepReport step(zero::StepOptions const& options) override { return trainer_.step(options).get(); }

  void evaluate(std::size_t batches, std::function<LabelledPictures(std::size_t)> const& batch,
                std::function<void(std::size_t, Verdict)> const& take) override {
    model_->eval();
    in_one_line([&] {
      trainer_.evaluate([&] {
        for (std::size_t i = 0; i < batches; ++i) {
          auto const pictures = batch(i);
          auto const labels = labels_of(pictures);
          auto const logits = forward(pictures);
          take(i, judge(logits, labels, torch::nn::functional::cross_entropy(logits, labels).template item<double>()));
        }
      });
    });
  }

  std::unique_ptr<zero::EngineState> state() override { return trainer_.engine().state(); }
  void finish_update() override { trainer_.engine().finish_update(); }
  std::vector<float> read_parameter(std::string const& name) override { return trainer_.engine().read_parameter(name); }
  zero::MemoryReport const& memory() override { return trainer_.engine().memory(); }
  std::vector<Tensor> parameters() const override { return parameters_; }

  std::vector<zero::NamedTensor> buffers() override {
    trainer_.sync_buffers();
    copies_.clear();
    std::vector<zero::NamedTensor> named;
    for (auto const& buffer : model_->named_buffers()) {
      auto values = buffer.value().detach().contiguous().clone();
      named.push_back({.name = buffer.key(),
                       .shape = {values.sizes().begin(), values.sizes().end()},
                       .type = type_of(values),
                       .data = values.data_ptr()});
      copies_.push_back(std::move(values));
    }
    return named;
  }
  zero::LoadReport load(std::string const& root, zero::LoadOptions options) override {
    return trainer_.load(root, std::move(options));
  }
  std::vector<std::string> const& drawn() const override { return drawn_; }

 private:
  static std::shared_ptr<Classifier> prepared(LearnerRequest const& request) {
    at::set_num_threads(request.threads);
    return make_classifier(request.shape, request.seed);
  }
  template <class Item>
  static Tensor described(Item const& item) {
    auto const sizes = item.value().sizes();
    return {item.key(), {sizes.begin(), sizes.end()}};
  }
  static zero::ElementType type_of(torch::Tensor const& values) {
    switch (values.scalar_type()) {
      case torch::kFloat:
        return zero::ElementType::fp32;
      case torch::kBFloat16:
        return zero::ElementType::bf16;
      case torch::kHalf:
        return zero::ElementType::fp16;
      default:  // how many batches a BatchNorm has seen
        return zero::ElementType::int64;
    }
  }

  static torch::Tensor labels_of(LabelledPictures const& batch) {
    // from_blob wants memory that may be written to, and nothing here does
    return torch::from_blob(const_cast<std::int64_t*>(batch.labels.data()),  // NOLINT
                            {static_cast<std::int64_t>(batch.labels.size())}, torch::kLong);
  }
  /// In fp32, whatever the model computes in.
  torch::Tensor forward(LabelledPictures const& batch) {
    std::int64_t const count = static_cast<std::int64_t>(batch.labels.size());
    if (batch.pictures.size() != batch.labels.size() * shape_.channels * shape_.height * shape_.width) {
      throw std::logic_error("images::Learner: pictures of another size than the model's");
    }
    auto const side = [](std::size_t n) { return static_cast<std::int64_t>(n); };
    auto const pictures =
        torch::from_blob(const_cast<float*>(batch.pictures.data()),  // NOLINT
                         {count, side(shape_.channels), side(shape_.height), side(shape_.width)}, torch::kFloat);
    return model_->forward(pictures.to(model_->parameters().front().scalar_type())).to(torch::kFloat);
  }
  static Verdict judge(torch::Tensor const& logits, torch::Tensor const& labels, double loss) {
    auto const count = labels.size(0);
    auto const five = std::min<std::int64_t>(5, logits.size(1));
    auto const best = std::get<1>(logits.topk(five, 1)).contiguous();
    Verdict verdict{.score = {.loss = loss, .pictures = static_cast<std::uint64_t>(count)}};
    auto const* const likeliest = best.template data_ptr<std::int64_t>();
    auto const* const right = labels.template data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < count; ++i) {
      auto const* const of_picture = likeliest + i * five;
      verdict.predicted.push_back(*of_picture);
      verdict.score.correct += *of_picture == right[i] ? 1U : 0U;
      verdict.score.correct_top5 += std::find(of_picture, of_picture + five, right[i]) != of_picture + five ? 1U : 0U;
    }
    return verdict;
  }

  ModelShape shape_;
  std::shared_ptr<Classifier> model_;
  std::vector<std::string> drawn_;
  std::vector<Tensor> parameters_{};
  std::vector<torch::Tensor> copies_{};
  Trainer trainer_;
};

/// A learner of a precision out of \p TypeList.
template <class TypeList>
std::unique_ptr<Learner> make_learner_of(LearnerRequest const& request, zero::ThreadCommunicator& communicator) {
  auto const& settings = request.settings;
  return settings.template visit<Rules, TypeList>([&](auto rule, auto precision) -> std::unique_ptr<Learner> {
    using Made = TorchLearner<typename decltype(rule)::rule, typename decltype(precision)::precision>;
    typename Made::Trainer::Config config;
    settings.apply_to(config);
    config.reduce = request.reduce;
    config.allow_idle_ranks = request.allow_idle_ranks;
    config.optimizer = rule.config;
    double const weight_decay = static_cast<double>(rule.config.weight_decay);
    config.optimizer.weight_decay = 0.0;  // the group of the weights has it
    config.scale = precision.scale;
    auto const& sharding = settings.sharding;
    if (sharding) config.offload = sharding->offload;
    auto const stage = sharding ? sharding->stage : zero::Stage::none;
    return in_one_line(
        [&] { return std::make_unique<Made>(request, communicator, stage, std::move(config), weight_decay); });
  });
}

}  // namespace images
