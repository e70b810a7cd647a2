// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/config/batch.hpp>

#include <cstdint>
#include <optional>

namespace zero::config {

/// A trainer's own values, which a configuration takes by `"auto"`. Where one is empty, `"auto"` is an error that names
/// the key. Sizes of an engine, such as `reduce_bucket_size`, need none: there `"auto"` is the engine's choice.
struct Automatic {
  std::optional<std::uint64_t> train_batch_size{};                ///< of that key; "auto" leaves it to the others
  std::optional<std::uint64_t> train_micro_batch_size_per_gpu{};  ///< of that key
  std::optional<std::uint64_t> gradient_accumulation_steps{};     ///< of that key
  std::optional<double> gradient_clipping{};                      ///< of that key
  std::optional<double> lr{};            ///< learning rate; what a schedule starts from where no optimizer says it
  std::optional<double> beta1{};         ///< of `betas`
  std::optional<double> beta2{};         ///< of `betas`
  std::optional<double> eps{};           ///< of that key
  std::optional<double> weight_decay{};  ///< of that key
  std::optional<bool> fp16{};            ///< of `fp16.enabled`
  std::optional<bool> bf16{};            ///< of `bf16.enabled`
  std::optional<std::uint64_t> warmup_num_steps{};  ///< of that key
  std::optional<std::uint64_t> total_num_steps{};   ///< of that key
};

/// What a configuration does not say of its run.
struct ReadOptions {
  int world = 1;          ///< data-parallel ranks
  Automatic automatic{};  ///< what "auto" stands for
  /// \name What was given beside the configuration, and replaces what it says
  /// @{
  BatchRequest batch{};        ///< members that are set
  std::optional<double> lr{};  ///< of the optimizer, and the largest of the schedule
  /// @}
};

}  // namespace zero::config
