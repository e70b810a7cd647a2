// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/checkpoint/manifest.hpp>
#include <zero/checkpoint/named_tensor.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace zero {

/// What is loaded, and how exactly it must fit. The same on every rank.
struct LoadOptions {
  std::string tag{};             ///< which checkpoint; empty: what `latest` names, else the newest valid one
  bool parameters_only = false;  ///< a new optimizer: states, step counts and loss scale stay as they are
  bool allow_missing = false;    ///< parameters that the checkpoint lacks stay as they are, with their own step count
  bool allow_extra = false;      ///< parameters that the engine lacks are skipped, and tensors that nobody asked for
  /// Where tensors beside the parameters go, of this rank, in the types that they were saved in, or for a floating
  /// point type in another one of 32 or 16 bits. Half new after an error in the data, as the engine.
  std::vector<NamedTensor> tensors{};
};

/// What a load has done.
struct LoadReport {
  std::string tag;                     ///< name of the checkpoint
  std::uint64_t steps = 0;             ///< updates that the checkpoint's run had done
  bool has_optimizer_state = true;     ///< with states, step counts and loss scale
  std::size_t parameters = 0;          ///< how many were set, tensors beside them included
  std::uint64_t bytes_read = 0;        ///< by this rank
  std::vector<std::string> missing{};  ///< parameters of the engine that were not there
  std::vector<std::string> extra{};    ///< parameters of the checkpoint that the engine has not
  std::vector<std::string> skipped{};  ///< newer checkpoints that could not be read, and why
  /// EngineConfig::micro_batches_per_step of the run that saved it, where it was given. Another number here was asked
  /// for, and gives other bits.
  std::optional<int> micro_batches_per_step{};
  UserState user_state{};  ///< the trainer's own state, as it was saved
};

}  // namespace zero
