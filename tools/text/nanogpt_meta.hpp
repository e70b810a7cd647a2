// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <string>
#include <string_view>

namespace zero_text {

/// The characters of nanoGPT's meta.pkl, by their tokens: its `itos`, which must agree with `stoi` and `vocab_size`.
/// No pickle is run: those instructions are read that make dictionaries of numbers and texts (protocols 2 to 5), and
/// any other is refused by its name. \p name stands in errors. \throws command_line::DataError.
[[nodiscard]] std::u32string read_nanogpt_meta(std::string_view pickle, std::string const& name);

}  // namespace zero_text
