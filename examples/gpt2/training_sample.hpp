// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "data/training_data.hpp"
#include "generation/text_batch.hpp"
#include "generation/text_model.hpp"
#include "options.hpp"
#include "parameters.hpp"
#include "sampling.hpp"

#include <zero/processors.hpp>
#include <zero/rank_agreement.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <vector>

namespace gpt2 {

/// What a model under training writes.
struct TrainingSample {
  std::string text{};     ///< of rank 0; empty on the others
  std::size_t bytes = 0;  ///< of parameters, keys, values and scratch that this rank had for it beside the engine's
};

/// Text of `Options::sample` tokens that the parameters of \p engine continue from the first token of the validation
/// data: what generate_gpt2 makes of the same parameters in type \p T. The other ranks only keep their parts of the
/// parameters. Collective.
template <class T, class Engine, class Communicator>
[[nodiscard]] TrainingSample sample_text(Engine& engine, Communicator& communicator, ModelShape const& shape,
                                         TrainingData const& data, Options const& options, std::uint64_t seed) {
  auto const read = [&](std::string const& name) { return engine.read_parameter(name); };
  TrainingSample sample;
  std::vector<Token> text{data.first_token()};
  std::optional<TextModel> model;
  std::optional<TextBatch> batch;
  if (communicator.rank() == 0) {
    int const threads = options.threads > 0 ? options.threads : zero::usable_processors();
    model.emplace(shape, weight_type_of<T>, read, threads, TextCapacity{.tokens = options.sample});
    batch.emplace(model->decoder(), TextSettings{options.sample, options.sampling, seed},
                  std::vector<std::vector<Token>>{text},
                  [&](std::size_t, Token token) { return text.push_back(token), true; });
    sample.bytes = model->weights().bytes() + model->decoder().bytes();
  } else {
    for (auto const& parameter : parameter_shapes(shape)) (void)read(parameter.name);
  }
  std::exception_ptr failure;
  auto const step = [&] {
    try {
      return batch && batch->step();
    } catch (...) {
      failure = std::current_exception();
      return false;
    }
  };
  // The others wait for one token at a time, so that no text is too long for the deadline of a wait.
  while (zero::any_rank(communicator, step())) {
  }
  if (failure) std::rethrow_exception(failure);
  if (batch) sample.text = data.decode(text);
  return sample;
}

}  // namespace gpt2
