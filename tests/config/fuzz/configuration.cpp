// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Any text as a configuration: refused with the library's error, or one that is written and read as itself.

#include <zero/config/read.hpp>
#include <zero/config/write.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string const text(reinterpret_cast<char const*>(data), size);
  zero::config::ReadOptions const options{.world = 3, .automatic = {.lr = 1e-3}};
  try {
    auto const written = zero::config::to_json(zero::config::parse(text, options));
    try {
      if (zero::config::to_json(zero::config::parse(written, options)) != written) std::abort();
    } catch (zero::config::ConfigError const&) {
      std::abort();  // what is written can be read
    }
  } catch (zero::config::ConfigError const&) {
  }
  return 0;
}
