// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "learner.hpp"
#include "models/classifier.hpp"
#include "models/weights.hpp"
#include "score_sheet.hpp"

#include <zero/adapters/libtorch.hpp>

#include <torch/torch.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace images {

/// The rules and types that this program is built with: each one takes a compiler a while.
using Rules = zero::config::Rules<zero::AdamW, zero::Sgd>;
using Types = zero::config::Types<zero::FP32, zero::BF16, zero::FP16>;

/// Weights decay; biases, and what BatchNorm scales by, do not.
[[nodiscard]] inline bool decays(torch::Tensor const& parameter) { return parameter.dim() >= 2; }

/// Calls \p f. An error of torch's, which is a page of addresses, becomes one line; one of memory is std::bad_alloc.
template <class F>
decltype(auto) in_one_line(F&& f) {
  try {
    return f();
  } catch (c10::Error const& error) {
    std::string text = error.what_without_backtrace();
    // as the system has it, and as a device has it
    for (char const* const words : {"not enough memory", "can't allocate memory", "out of memory"}) {
      if (text.find(words) != std::string::npos) throw std::bad_alloc();
    }
    std::replace(text.begin(), text.end(), '\n', ' ');
    throw std::runtime_error("torch: " + text);
  }
}

/// A batch as torch sees it.
struct TorchBatch {
  torch::Tensor pictures;  ///< [N, channels, height, width] in fp32
  torch::Tensor labels;    ///< [N]
};

/// Tensors over memory that is borrowed.
[[nodiscard]] inline TorchBatch torch_batch(LabelledPictures const& batch, ModelShape const& shape) {
  auto const count = static_cast<std::int64_t>(batch.labels.size());
  if (batch.pictures.size() != batch.labels.size() * shape.channels * shape.height * shape.width) {
    throw std::logic_error("images::Learner: pictures of another size than the model's");
  }
  auto const side = [](std::size_t n) { return static_cast<std::int64_t>(n); };
  // from_blob wants memory that may be written to, and nothing here does
  return {torch::from_blob(const_cast<float*>(batch.pictures.data()),  // NOLINT
                           {count, side(shape.channels), side(shape.height), side(shape.width)}, torch::kFloat),
          torch::from_blob(const_cast<std::int64_t*>(batch.labels.data()), {count}, torch::kLong)};  // NOLINT
}

/// Where a learner computes, and how pictures come there: on the host, where they are.
class HostPlace {
 public:
  using Backend = zero::HostBackend;

  /// Batches of one sequence, each taken by `next`, and in use until `release`; see AheadUpload.
  class Uploads {
   public:
    explicit Uploads(ModelShape const& shape) : shape_(shape) {}
    template <class Load>
    [[nodiscard]] TorchBatch next(Load const& load) const {
      return torch_batch(load(), shape_);
    }
    void release() const noexcept {}
    template <class Load>
    void load_ahead(Load const& /*load*/) const noexcept {}

   private:
    ModelShape shape_;
  };

  /// \p model, there.
  [[nodiscard]] Classifier& put(Classifier& model) const noexcept { return model; }
  [[nodiscard]] Uploads uploads(ModelShape const& shape) const { return Uploads(shape); }
  [[nodiscard]] std::optional<std::size_t> peak_of_torch() const noexcept { return std::nullopt; }
  /// The engine's settings of its backend.
  [[nodiscard]] Backend::Config backend() const { return {}; }
};

/// A learner of one rule and one precision, at \p Place, of ranks that are connected by \p Communicator.
template <class Rule, class Prec, class Place, class Communicator>
class TorchLearner final : public Learner {
 public:
  using Trainer = zero::libtorch::DataParallel<Rule, Prec, Communicator, typename Place::Backend>;

  TorchLearner(LearnerRequest const& request, Place place, Communicator& communicator, zero::Stage stage,
               typename Trainer::Config config, double weight_decay)
      : shape_(request.shape),
        place_(std::move(place)),
        model_(prepared(request)),
        drawn_(request.weights ? load_weights(*model_, *request.weights) : std::vector<std::string>()),
        training_(place_.uploads(shape_)),
        trainer_(place_.put(*model_), communicator, stage, std::move(config),
                 {.group_of = [weight_decay](std::string const&, torch::Tensor const& parameter) {
                   return zero::ParameterGroup{.weight_decay = decays(parameter) ? weight_decay : 0.0};
                 }}) {
    for (auto const& parameter : model_->named_parameters()) parameters_.push_back(described(parameter));
  }

  void micro_batch(Feed const& feed) override {
    model_->train();
    in_one_line([&] {
      bool contributes = false;
      (void)trainer_.micro_batch([&] {
        contributes = true;
        auto const& batch = training_.next(feed);
        auto const logits = forward(batch.pictures);
        auto loss = torch::nn::functional::cross_entropy(logits, batch.labels);
        scores_.add(logits, batch.labels, loss);
        return loss;
      });
      if (!contributes) return;
      training_.release();
      training_.load_ahead(feed);
    });
  }
  std::vector<BatchScore> take_scores() override {
    return in_one_line([&] { return scores_.take(); });
  }

  zero::StepReport step(zero::StepOptions const& options) override { return trainer_.step(options).get(); }

  EvaluationScores evaluate(std::size_t rounds, std::size_t counted, Feed const& feed) override {
    model_->eval();
    return in_one_line([&] {
      ScoreSheet sheet(shape_.classes);
      auto uploads = place_.uploads(shape_);
      trainer_.evaluate([&] {
        for (std::size_t i = 0; i < rounds; ++i) {
          auto const& batch = uploads.next(feed);
          auto const logits = forward(batch.pictures);
          if (i < counted) {
            sheet.add(logits, batch.labels, torch::nn::functional::cross_entropy(logits, batch.labels));
          }
          uploads.release();
          if (i + 1 < rounds) uploads.load_ahead(feed);
        }
      });
      return EvaluationScores{sheet.take(), sheet.confusion()};
    });
  }

  std::unique_ptr<zero::EngineState> state() override { return trainer_.engine().state(); }
  void finish_update() override { trainer_.engine().finish_update(); }
  std::vector<float> read_parameter(std::string const& name) override { return trainer_.engine().read_parameter(name); }
  zero::MemoryReport const& memory() override { return trainer_.engine().memory(); }
  zero::FlatLayout const& layout() override { return trainer_.engine().layout(); }
  std::optional<std::size_t> peak_of_torch() const override { return place_.peak_of_torch(); }
  std::vector<Tensor> parameters() const override { return parameters_; }

  std::vector<zero::NamedTensor> buffers() override {
    trainer_.sync_buffers();
    copies_.clear();
    std::vector<zero::NamedTensor> named;
    for (auto const& buffer : model_->named_buffers()) {
      auto values = buffer.value().detach().to(torch::kCPU).contiguous().clone();
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

  /// In fp32, whatever the model computes in.
  torch::Tensor forward(torch::Tensor const& pictures) {
    return model_->forward(pictures.to(model_->parameters().front().scalar_type())).to(torch::kFloat);
  }

  ModelShape shape_;
  Place place_;
  std::shared_ptr<Classifier> model_;
  std::vector<std::string> drawn_;
  std::vector<Tensor> parameters_{};
  std::vector<torch::Tensor> copies_{};
  ScoreSheet scores_{};
  typename Place::Uploads training_;
  Trainer trainer_;
};

/// A learner at \p place, of the rule, precision and stage that the request's settings name.
template <class Place, class Communicator>
std::unique_ptr<Learner> make_learner_of(LearnerRequest const& request, Place const& place,
                                         Communicator& communicator) {
  auto const& settings = request.settings;
  return settings.visit<Rules, Types>([&](auto rule, auto precision) -> std::unique_ptr<Learner> {
    using Made =
        TorchLearner<typename decltype(rule)::rule, typename decltype(precision)::precision, Place, Communicator>;
    typename Made::Trainer::Config config;
    settings.apply_to(config);
    config.reduce = request.reduce;
    config.allow_idle_ranks = request.allow_idle_ranks;
    config.optimizer = rule.config;
    double const weight_decay = static_cast<double>(rule.config.weight_decay);
    config.optimizer.weight_decay = 0.0;  // the group of the weights has it
    config.scale = precision.scale;
    config.backend = place.backend();
    auto const& sharding = settings.sharding;
    if (sharding) config.offload = sharding->offload;
    auto const stage = sharding ? sharding->stage : zero::Stage::none;
    return in_one_line(
        [&] { return std::make_unique<Made>(request, place, communicator, stage, std::move(config), weight_decay); });
  });
}

}  // namespace images
