// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Any text as the manifest of a folder of shards: refused with an error that names it, or one that is written and read
// as itself.
#include "text/manifest.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string const text(reinterpret_cast<char const*>(data), size);
  try {
    auto const written = to_json(zero_text::parse_manifest(text, "file"));
    try {
      if (to_json(zero_text::parse_manifest(written, "file")) != written) std::abort();
    } catch (zero_text::DataError const&) {
      std::abort();  // what is written can be read
    }
  } catch (zero_text::DataError const& error) {
    if (!std::string(error.what()).starts_with("file: ")) std::abort();
  }
  return 0;
}
