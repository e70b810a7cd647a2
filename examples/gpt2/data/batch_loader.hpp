// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "batch_source.hpp"
#include "training/ordered_loader.hpp"
#include "training_data.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>

namespace gpt2 {

using training::LoadOptions;

/// Loads micro-batches in a given order, on threads of its own: see OrderedLoader. Which tokens a batch has is
/// TrainingData's to say.
class BatchLoader : public training::OrderedLoader<TokenBatch> {
 public:
  /// The \p n-th batch that will be asked for, from 0 on. Called by workers, several at once.
  using Plan = std::function<BatchRequest(std::uint64_t n)>;

  /// Loads \p count batches of \p tokens tokens each. \p data is borrowed. `take` throws DataError, as
  /// TrainingData::sample does.
  BatchLoader(TrainingData const& data, LoadOptions const& options, std::size_t tokens, std::uint64_t count, Plan plan)
      : OrderedLoader(options, count, [&data, tokens, plan = std::move(plan)](std::uint64_t n, TokenBatch& batch) {
          batch.tokens.resize(tokens);
          batch.targets.resize(tokens);
          data.sample(plan(n), batch.tokens, batch.targets);
        }) {}
};

}  // namespace gpt2
