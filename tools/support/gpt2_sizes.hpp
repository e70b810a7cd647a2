// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

/// The sizes of GPT-2 that are known by name.
namespace command_line {

/// A GPT-2 as OpenAI released it, with a context of 1024 and a vocabulary of 50257.
struct Gpt2Size {
  std::string_view name;   ///< with its number of parameters
  std::string_view other;  ///< the name that Hugging Face's hub gives it
  std::size_t layers, heads, width;

  static constexpr std::size_t context = 1024, vocabulary = 50257;
};

inline constexpr std::array gpt2_sizes{
    Gpt2Size{"gpt2-124m", "gpt2", 12, 12, 768},
    Gpt2Size{"gpt2-355m", "gpt2-medium", 24, 16, 1024},
    Gpt2Size{"gpt2-774m", "gpt2-large", 36, 20, 1280},
    Gpt2Size{"gpt2-1558m", "gpt2-xl", 48, 25, 1600},
};

/// The one of either name, as the hub also has it with its owner's; null where there is none.
[[nodiscard]] inline Gpt2Size const* find_gpt2_size(std::string_view name) {
  constexpr std::string_view owner = "openai-community/";
  if (name.starts_with(owner)) name.remove_prefix(owner.size());
  for (auto const& size : gpt2_sizes) {
    if (size.name == name || size.other == name) return &size;
  }
  return nullptr;
}

/// Their names, for messages.
[[nodiscard]] inline std::string gpt2_names() {
  std::string names;
  for (auto const& size : gpt2_sizes) {
    names += (names.empty() ? "" : ", ") + std::string(size.name) + " (" + std::string(size.other) + ")";
  }
  return names;
}

}  // namespace command_line
