// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "data/training_data.hpp"
#include "options.hpp"
#include "support/counted.hpp"
#include "training/console.hpp"
#include "training/progress.hpp"

#include <zero/checkpoint/load.hpp>
#include <zero/checkpoint/locate.hpp>

#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <optional>
#include <string>

namespace gpt2 {

inline void print_loss(char const* what, double loss, std::size_t batches, Options const& options) {
  say("%-10s loss %s, perplexity %s, over %s of %s\n", what, json_number(loss).c_str(),
      json_number(std::exp(loss)).c_str(), command_line::counted(batches, "micro-batch").c_str(),
      command_line::counted(options.batch, "sequence").c_str());
}

/// Says the losses of the checkpoint that --evaluate names, and writes nothing. Collective.
/// \throws zero::CheckpointError, on every rank.
template <class Trainer>
void evaluate_checkpoint(typename Trainer::Communicator& ranks, Options const& options, TrainingData const& data,
                         Trainer& trainer) {
  bool const speaks = ranks.rank() == 0;
  auto const place = zero::locate_checkpoint(ranks, *options.evaluate);
  auto const loaded = zero::load_checkpoint(trainer.engine(), place.root, {.tag = place.tag, .parameters_only = true});
  if (speaks) {
    say("checkpoint: parameters of %s/%s, %llu updates done\n", place.root.c_str(), loaded.tag.c_str(),
        static_cast<unsigned long long>(loaded.steps));
    auto const find = [&](char const* key) {
      auto const found = loaded.user_state.find(key);
      return found == loaded.user_state.end() ? std::nullopt : std::optional(found->second);
    };
    auto const hash = find("data hash");
    if (hash && data.difference_from(find(DataIdentity::key), std::strtoull(hash->c_str(), nullptr, 10))) {
      say("checkpoint: saved while training on other data than %s\n", data.name().c_str());
    }
  }
  auto const found = trainer.evaluate();
  if (!speaks) return;
  if (found.train_loss) print_loss("training", *found.train_loss, train_batches(options), options);
  print_loss("validation", found.val_loss, options.eval_batches * data.validation_sets().size(), options);
  for (auto const& [label, loss] : found.val_losses) {
    print_loss(("  " + label).c_str(), loss, options.eval_batches, options);
  }
  say("evaluated in %.2f s\n", found.seconds);
}

}  // namespace gpt2
