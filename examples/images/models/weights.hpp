// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "classifier.hpp"

#include <string>
#include <vector>

namespace images {

/// Sets parameters and buffers of \p model to those of a safetensors file with torchvision's names. A head of another
/// number of classes stays as it was drawn: its parameters are what is returned, or nothing. \throws DataError, in one
/// line, for weights of another model, or that are not finite; zero::CheckpointError for a file that cannot be read. \p
/// model is unchanged then.
[[nodiscard]] std::vector<std::string> load_weights(Classifier& model, std::string const& path);

}  // namespace images
