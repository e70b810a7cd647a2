// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "parameters.hpp"

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gpt2 {

/// Names that a parameter may have in Hugging Face's GPT-2 files: with and without the language model's prefix.
/// Matrices lie as Conv1D keeps them on both sides.
[[nodiscard]] std::vector<std::string> hugging_face_names(std::string_view parameter);

/// Writes `config.json` and `model.safetensors` into the folder \p path, made where it is missing, as `transformers`
/// loads them. \p read gives a whole parameter, in the order in which it is asked; on a rank that does not write its
/// values are dropped, since reading them is collective. What is there under these names is replaced once the new files
/// are complete. \throws zero::CheckpointError, on the rank that writes.
void save_hugging_face(ModelShape const& shape, std::string const& path, bool writes,
                       std::function<std::vector<float>(std::string const&)> const& read);

}  // namespace gpt2
