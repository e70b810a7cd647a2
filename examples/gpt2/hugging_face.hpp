// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "parameters.hpp"
#include "saved_tokenizer.hpp"

#include <zero/precision.hpp>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gpt2 {

/// Names that a parameter may have in Hugging Face's GPT-2 files: with and without the language model's prefix.
/// Matrices lie as Conv1D keeps them on both sides.
[[nodiscard]] std::vector<std::string> hugging_face_names(std::string_view parameter);

/// How a model is written for others.
struct HuggingFaceOptions {
  std::uint64_t max_shard_bytes = 0;  ///< of data per file, but for a parameter that is larger; 0: one file
  zero::ElementType type = zero::ElementType::fp32;  ///< of parameters: fp32, bf16 or fp16
  SavedTokenizer tokenizer{};
  bool removes_other_tokenizer = false;  ///< what the folder has of one that `tokenizer` does not replace
};

/// Writes the folder \p path, made where it is missing, as `transformers` loads it: `config.json`,
/// `generation_config.json`, the tokenizer's files, and `model.safetensors` or, where it would be larger than the
/// options allow, `model-00001-of-0000N.safetensors` and `model.safetensors.index.json`. \p read gives a whole
/// parameter, in the order in which it is asked; on a rank that does not write its values are dropped, since reading
/// them is collective. What is there under these names is replaced once the new files are complete; a process that is
/// killed while it replaces leaves the old files, the new ones, or none, but never some of each. \throws
/// zero::CheckpointError, on the rank that writes; also where a parameter is beyond the range of the options' type.
void save_hugging_face(ModelShape const& shape, std::string const& path, bool writes,
                       std::function<std::vector<float>(std::string const&)> const& read,
                       HuggingFaceOptions const& options = {});

/// Of the names of a folder, those that `save_hugging_face` gives to the files of a model.
[[nodiscard]] bool is_model_file(std::string_view name);

}  // namespace gpt2
