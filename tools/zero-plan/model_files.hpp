// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "models.hpp"

#include <string>
#include <vector>

namespace zero_plan {

/// How the parameters of a file are used, which the file does not say.
struct FileHints {
  std::vector<std::string> tied;     ///< names: used by two layers, with a gradient from each
  std::vector<std::string> skipped;  ///< ends of names: no parameters, such as attention masks
};

/// Reads a list of shapes, one parameter per line in the order of forward: its name and its dimensions, such as
/// `h.0.mlp.weight 768 3072`. Empty lines and what follows a # are left out. A scalar has no dimension.
/// \throws UsageError, DataError or zero::CheckpointError, which name the file and the line.
[[nodiscard]] Model read_shapes(std::string const& path, FileHints const& hints);

/// Reads the tensors of safetensors files, of which only the headers are looked at; a folder stands for those in it.
/// Tensors that are not floating-point, and the scales of 8-bit weights, are no parameters: the model's note says so.
/// \throws DataError or zero::CheckpointError, which name the file.
[[nodiscard]] Model read_safetensors(std::vector<std::string> const& paths, FileHints const& hints);

}  // namespace zero_plan
