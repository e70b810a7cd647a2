// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "differential/engine_runs.hpp"
#include "differential/rank_trainer.hpp"

#include <cstddef>
#include <vector>

namespace differential {

template <class R, class Prec>
std::vector<Outcome> train_with(Scenario const& s) {
  std::vector<Outcome> outcomes(static_cast<std::size_t>(s.world));
  zero::run_ranks(s.world, [&](zero::ThreadCommunicator& communicator) {
    auto& outcome = outcomes[static_cast<std::size_t>(communicator.rank())];
    outcome = RankTrainer<R, zero::AnyEngine<R, Prec>>(s, communicator).train();
  });
  return outcomes;
}

template <class Prec>
std::vector<Outcome> train_by_rule(Scenario const& s) {
  switch (s.rule) {
    case Rule::adam:
      return train_with<zero::Adam, Prec>(s);
    case Rule::sgd:
      return train_with<zero::Sgd, Prec>(s);
    case Rule::lion:
      return train_with<zero::Lion, Prec>(s);
    case Rule::adagrad:
      return train_with<zero::Adagrad, Prec>(s);
    default:
      return train_with<zero::AdamW, Prec>(s);
  }
}

/// With parameters and gradients of \p Compute.
template <class Compute>
std::vector<Outcome> train_in(Scenario const& s) {
  if (s.sum == Type::bf16) return train_by_rule<zero::Precision<Compute, AnyScale, zero::BF16>>(s);
  return train_by_rule<zero::Precision<Compute, AnyScale>>(s);
}

}  // namespace differential
