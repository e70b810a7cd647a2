// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "models.hpp"

#include <zero/utility/fingerprint.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace zero_test {

/// One way of training, of which the bits must not depend, but for the number of micro-batches and the type.
struct Run {
  int ranks = 1;
  int micro_batches = 2;  ///< of the whole world, in a step
  bool ragged = false;    ///< by micro_batches_per_step
  zero::Stage stage = zero::Stage::none;
  bool offload = false;
  bool recomputes = false;  ///< activations, by checkpoint()
  std::optional<std::size_t> bucket_elements{};
  int steps = 3;
};

struct Outcome {
  std::uint64_t parameters = 0;  ///< fingerprint of them
  std::vector<float> losses;     ///< by micro-batch
};

/// Type of a module that an engine of \p Prec trains.
template <class Prec>
inline constexpr torch::Dtype dtype = std::is_same_v<typename Prec::compute, zero::FP32>   ? torch::kFloat
                                      : std::is_same_v<typename Prec::compute, zero::BF16> ? torch::kBFloat16
                                                                                           : torch::kHalf;

template <class Trainer>
std::uint64_t fingerprint_of_parameters(Trainer& trainer, torch::nn::Module& module) {
  zero::Fingerprint fingerprint;
  for (auto const& spec : module.named_parameters()) {
    if (spec.key() == "head.weight" && spec.value().size(0) == 64) continue;  // tied: it has the embedding's name
    auto const values = trainer.engine().read_parameter(spec.key());
    fingerprint.add(std::as_bytes(std::span(values)));
  }
  return fingerprint.value();
}

template <class Model, class Prec>
Outcome train(Run const& run) {
  using Trainer = zero::libtorch::DataParallel<zero::AdamW, Prec>;
  Outcome outcome;
  outcome.losses.resize(static_cast<std::size_t>(run.steps * run.micro_batches));
  zero::run_ranks(run.ranks, [&](zero::ThreadCommunicator& communicator) {
    at::set_num_threads(1);
    auto model = make_model<Model>();
    model->recomputes = run.recomputes;
    typename Trainer::Config config{.gradient_clipping = 1.0, .optimizer = {.lr = 1e-3F}};
    if (run.ragged) {
      config.micro_batches_per_step = run.micro_batches;
    } else {
      config.gradient_accumulation_steps = run.micro_batches / run.ranks;
    }
    config.reduce = zero::Reduce::each_micro_batch;
    config.bucket_elements = run.bucket_elements;
    if (run.offload) config.offload = zero::CpuOffload::Config{.chunk_elements = 4096};
    Trainer trainer(*model, communicator, run.stage, config, {.group_of = group_of});
    int const rounds = (run.micro_batches + run.ranks - 1) / run.ranks;
    for (int s = 0; s < run.steps; ++s) {
      for (int round = 0; round < rounds; ++round) {
        std::int64_t number = 0;
        auto const loss = trainer.micro_batch([&](std::int64_t index) {
          number = s * run.micro_batches + index;
          return loss_of(model, number, dtype<Prec>);
        });
        if (loss.defined()) outcome.losses[static_cast<std::size_t>(number)] = loss.template item<float>();
      }
      (void)trainer.step().get();
    }
    auto const parameters = fingerprint_of_parameters(trainer, *model);
    if (communicator.rank() == 0) outcome.parameters = parameters;
    trainer.close();
  });
  return outcome;
}

}  // namespace zero_test
