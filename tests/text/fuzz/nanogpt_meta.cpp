// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Any bytes as nanoGPT's meta.pkl: refused with an error that names it, or characters that make a tokenizer.
#include "text/nanogpt_meta.hpp"
#include "text/tokenizer.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string const bytes(reinterpret_cast<char const*>(data), size);
  try {
    auto const characters = zero_text::read_nanogpt_meta(bytes, "file");
    if (zero_text::Tokenizer::of_characters(characters).vocabulary() != characters.size()) std::abort();
  } catch (zero_text::DataError const& error) {
    if (!std::string(error.what()).starts_with("file: ")) std::abort();
  }
  return 0;
}
