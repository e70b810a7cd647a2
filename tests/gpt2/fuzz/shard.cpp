// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Any bytes as a shard: refused with DataError, or tokens that all can be read. The same bytes as what a checkpoint
// says of its data: refused, or what is written as itself.

#include <gpt2/data/data_identity.cpp>  // NOLINT(bugprone-suspicious-include): one file for the fuzzer
#include <gpt2/data/shard_layout.cpp>   // NOLINT(bugprone-suspicious-include)

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

void check_layout(std::string const& bytes) {
  try {
    auto const head = bytes.substr(0, gpt2::ShardLayout::head_bytes);
    auto const layout = gpt2::ShardLayout::parse("shard.bin", head, bytes.size());
    bool const fits = layout.header_bytes + layout.tokens * layout.token_bytes == bytes.size();
    bool const known = layout.token_bytes == 2 || layout.token_bytes == 4;
    if (!fits || !known || layout.usual_vocabulary == 0) std::abort();
  } catch (command_line::DataError const&) {
  }
}

void check_identity(std::string const& text) {
  try {
    auto const written = gpt2::DataIdentity::parse(text).to_text();
    try {
      auto const again = gpt2::DataIdentity::parse(written);
      if (again.to_text() != written) std::abort();
      if (again.difference(again)) std::abort();
    } catch (command_line::DataError const&) {
      std::abort();  // what is written can be read
    }
  } catch (command_line::DataError const&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string const bytes(reinterpret_cast<char const*>(data), size);
  check_layout(bytes);
  check_identity(bytes);
  return 0;
}
