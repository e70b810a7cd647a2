// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Any bytes as a safetensors file: refused with the library's error, or a header that is written and read as itself.

#include <zero/checkpoint/detail/safetensors.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const bytes = std::as_bytes(std::span(data, size));
  try {
    auto const n = static_cast<std::size_t>(zero::detail::safetensors_header_bytes(bytes, size));
    std::string_view const json(reinterpret_cast<char const*>(data) + 8, n);
    auto const header = zero::detail::parse_safetensors_header(json, size - 8 - n);
    for (auto const& tensor : header.tensors) {
      if (tensor.begin > tensor.end || tensor.end > size - 8 - n) std::abort();
    }
    auto copy = header;
    zero::detail::lay_out(copy);
    auto const written = zero::detail::to_bytes(copy);
    auto const again = zero::detail::parse_safetensors_header(std::string_view(written).substr(8), copy.data_bytes());
    if (again.tensors != copy.tensors || again.metadata != copy.metadata) std::abort();
  } catch (zero::CheckpointError const&) {
  }
  return 0;
}
