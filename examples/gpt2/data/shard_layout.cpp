// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "shard_layout.hpp"

#include "support/data_error.hpp"

#include <algorithm>

namespace gpt2 {
namespace {

using command_line::refuse_data;

constexpr std::size_t llm_c_header_bytes = std::size_t{256} * 4;

/// One of llm.c's headers.
struct Header {
  std::uint32_t magic, version;
  std::size_t token_bytes, usual_vocabulary;
  char const* type;
};
constexpr Header headers[] = {{20240520, 1, 2, 50257, "uint16"}, {20240801, 7, 4, 128256, "uint32"}};

std::uint32_t little_endian(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint32_t value = 0;
  for (std::size_t i = size; i-- != 0;) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

std::uint32_t swapped(std::uint32_t value) {
  return value << 24 | (value & 0xFF00U) << 8 | (value >> 8 & 0xFF00U) | value >> 24;
}

ShardLayout behind_header(std::string const& name, Header const& header, std::string_view head, std::uint64_t size) {
  auto const version = little_endian(head, 4, 4), count = little_endian(head, 8, 4);
  if (version != header.version) {
    refuse_data(name, "has llm.c's header " + std::to_string(header.magic) + " of version " + std::to_string(version) +
                          "; write version " + std::to_string(header.version) + " (" + header.type + ")");
  }
  ShardLayout const layout{llm_c_header_bytes, header.token_bytes, count, header.usual_vocabulary};
  if (size < llm_c_header_bytes || size - llm_c_header_bytes != std::uint64_t{count} * header.token_bytes) {
    auto const there = size < llm_c_header_bytes ? 0 : (size - llm_c_header_bytes) / header.token_bytes;
    refuse_data(name, "does not hold the " + std::to_string(count) + " tokens that its header names, but " +
                          std::to_string(there) + (there < count ? ": it is cut off" : "") + "; write it again");
  }
  return layout;
}

/// Tokens of 32 bits, of which every other half would be taken for a token: all of those are below 4, and zero mostly,
/// while the halves between them are not. Vocabularies end below 2^18.
bool has_wide_tokens(std::string_view head) {
  if (head.size() < 64) return false;
  std::size_t zero = 0, pairs = 0;
  std::uint32_t low = 0, high = 0;
  for (std::size_t at = 0; at + 4 <= head.size(); at += 4, ++pairs) {
    auto const upper = little_endian(head, at + 2, 2);
    low = std::max(low, little_endian(head, at, 2));
    high = std::max(high, upper);
    zero += upper == 0 ? 1U : 0U;
  }
  return zero == pairs ? low > 0 : high < 4 && low > 3 && zero > pairs / 2;
}

}  // namespace

ShardLayout ShardLayout::parse(std::string const& name, std::string_view head, std::uint64_t file_bytes) {
  if (file_bytes == 0) refuse_data(name, "is empty; give a file with tokens");
  std::uint32_t const magic = head.size() >= 12 ? little_endian(head, 0, 4) : 0;
  for (auto const& header : headers) {
    if (magic == header.magic) return behind_header(name, header, head, file_bytes);
    if (magic == swapped(header.magic)) {
      refuse_data(name,
                  "has llm.c's header in another byte order; write it on a little-endian machine, or with numpy's "
                  "byteswap()");
    }
  }
  if (file_bytes % 2 != 0) {
    refuse_data(name, "has an odd number of bytes, but tokens take two; it is cut off or not a token file");
  }
  if (file_bytes % 4 == 0 && has_wide_tokens(head)) {
    refuse_data(name,
                "holds tokens of 32 bits without a header, but those of 16 bits are read; write them with numpy's "
                "astype('uint16'), or behind llm.c's header 20240801");
  }
  return {0, 2, file_bytes / 2, 50257};
}

}  // namespace gpt2
