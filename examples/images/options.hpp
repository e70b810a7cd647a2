// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "pictures/decode.hpp"
#include "support/command_line.hpp"
#include "training/options.hpp"
#include "training/run_options.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace images {

using command_line::UsageError;

/// How pictures of the training are changed before the model sees them.
enum class AugmentChoice : std::uint8_t {
  none,
  crop,  ///< of the picture with a border of an eighth, and a flip
};

/// What `train_images` is asked to do. `batch` counts pictures; intervals of validations and checkpoints are epochs.
struct Options : training::CommonOptions {
  Options();

  std::string model = "resnet18";
  std::uint64_t epochs = 10;
  std::optional<std::size_t> classes;  ///< default: those of the data
  bool small_stem = false;             ///< see ModelShape
  std::size_t base_width = 64, hidden = 128;
  AugmentChoice augment = AugmentChoice::crop;
  std::optional<std::size_t> image_size;          ///< of folders of pictures; default: 224
  double validation_share = 0.1;                  ///< of a folder without a part for it
  bool skip_unreadable = false;                   ///< pictures that cannot be decoded are left out
  std::uint64_t most_pixels = usual_most_pixels;  ///< of a picture
  std::uint64_t cache = 0;                        ///< bytes for decoded pictures
  std::optional<std::string> show_batch;          ///< a file in PNG
  std::optional<std::string> history;             ///< a file in JSON
  std::optional<std::string> save_model;          ///< a file in safetensors
};

/// Reads a command line without the program's name. \throws UsageError.
[[nodiscard]] Options parse_options(std::span<char const* const> arguments);

/// The program and its options.
[[nodiscard]] command_line::Command<Options> const& command();

/// What options are worth together, once a configuration has said its part. \throws UsageError.
void check_options(Options& options);

/// What of \p options decides how a run goes, with what its defaults stand for.
[[nodiscard]] training::NamedOptions run_options(Options const& options);

}  // namespace images
