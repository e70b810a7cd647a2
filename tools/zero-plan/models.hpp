// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "gpt2_memory.hpp"

#include <zero/parameter.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace zero_plan {

/// A model to plan for: its parameters in the order of forward, with a unit per layer.
struct Model {
  std::string name;
  zero::ParameterList parameters;
  std::string note{};               ///< what a file has that is no parameter: a sentence, or nothing
  std::optional<Gpt2Shape> gpt2{};  ///< where it is one: its activations are known
};

/// A model whose shapes are known: GPT-2 as OpenAI released it, Llama as Meta did, both with the names that
/// transformers gives their parameters, and blocks of GPT-2's shape as large as the models of ZeRO's tables. \throws
/// UsageError for an unknown name, which lists the known ones.
[[nodiscard]] Model named_model(std::string_view name);

/// A GPT-2 of any size, called \p name. It is the one that train_gpt2 trains with such a context and vocabulary.
[[nodiscard]] Model gpt2_model(std::string name, Gpt2Shape const& shape);

}  // namespace zero_plan
