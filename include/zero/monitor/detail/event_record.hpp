// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/checkpoint/detail/crc32c.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <istream>
#include <optional>
#include <span>
#include <string>
#include <string_view>

/// \file
/// Records of TensorBoard's event files: TFRecord frames around messages of protocol buffers.
namespace zero::detail {

inline void append_little_endian(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 0xFFU);
}

[[nodiscard]] inline std::uint64_t read_little_endian(std::string_view bytes) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8U | static_cast<unsigned char>(bytes[i]);
  return value;
}

/// A message of protocol buffers as it is sent (its encoding: protobuf.dev, "Encoding"), field by field.
class ProtobufMessage {
 public:
  void whole(unsigned field, std::uint64_t value) {
    varint(std::uint64_t{field} << 3U);
    varint(value);
  }
  void real(unsigned field, double value) {
    varint(std::uint64_t{field} << 3U | 1U);
    append_little_endian(bytes_, std::bit_cast<std::uint64_t>(value), 8);
  }
  void real(unsigned field, float value) {
    varint(std::uint64_t{field} << 3U | 5U);
    append_little_endian(bytes_, std::bit_cast<std::uint32_t>(value), 4);
  }
  /// Text, or another message.
  void bytes(unsigned field, std::string_view value) {
    varint(std::uint64_t{field} << 3U | 2U);
    varint(value.size());
    bytes_ += value;
  }
  [[nodiscard]] std::string const& str() const noexcept { return bytes_; }

 private:
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7U) bytes_ += static_cast<char>(value | 0x80U);
    bytes_ += static_cast<char>(value);
  }

  std::string bytes_;
};

/// What this program needs to know of an event that it finds in a file.
struct EventHead {
  std::uint64_t step = 0;
  bool has_summary = false;  ///< a value or a text
};

/// Reads the fields of an event one after the other; nothing where it is malformed.
[[nodiscard]] inline std::optional<EventHead> read_event(std::string_view rest) {
  auto const varint = [&rest]() -> std::optional<std::uint64_t> {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !rest.empty(); shift += 7) {
      auto const byte = static_cast<unsigned char>(rest.front());
      rest.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return value;
    }
    return std::nullopt;
  };
  EventHead event;
  while (!rest.empty()) {
    auto const key = varint();
    if (!key) return std::nullopt;
    auto const kind = *key & 7U, field = *key >> 3U;
    std::optional<std::uint64_t> skipped = kind == 1 ? 8 : kind == 5 ? 4 : 0;
    if (kind == 0 || kind == 2) {
      auto const value = varint();
      if (!value) return std::nullopt;
      if (field == 2 && kind == 0) event.step = *value;
      if (kind == 2) skipped = *value;
    } else if (kind != 1 && kind != 5) {
      return std::nullopt;
    }
    if (*skipped > rest.size()) return std::nullopt;
    rest.remove_prefix(static_cast<std::size_t>(*skipped));
    event.has_summary |= field == 5 && kind == 2;
  }
  return event;
}

/// TFRecord's checksum: CRC-32C, rotated and shifted, so that a checksum of checksums stays one.
[[nodiscard]] inline std::uint32_t masked_crc32c(std::string_view bytes) noexcept {
  std::uint32_t const crc = crc32c(std::as_bytes(std::span(bytes)));
  return std::rotr(crc, 15) + 0xA282EAD8U;
}

/// Appends \p data as a TFRecord: its length, the length's checksum, the data, the data's checksum.
inline void append_record(std::string& out, std::string_view data) {
  std::string length;
  append_little_endian(length, data.size(), 8);
  out += length;
  append_little_endian(out, masked_crc32c(length), 4);
  out += data;
  append_little_endian(out, masked_crc32c(data), 4);
}

/// The data of the next record; nothing at the end, and where a record is torn or damaged. At most \p left bytes
/// follow.
[[nodiscard]] inline std::optional<std::string> read_record(std::istream& file, std::uint64_t left) {
  constexpr std::uint64_t frame = 16;
  std::string head(12, '\0');
  if (left < frame || !file.read(head.data(), 12)) return std::nullopt;
  std::string_view const length_bytes = std::string_view(head).substr(0, 8);
  auto const length = read_little_endian(length_bytes);
  if (read_little_endian(std::string_view(head).substr(8)) != masked_crc32c(length_bytes)) return std::nullopt;
  if (length > left - frame) return std::nullopt;
  std::string data(static_cast<std::size_t>(length) + 4, '\0');
  if (!file.read(data.data(), static_cast<std::streamsize>(data.size()))) return std::nullopt;
  auto const crc = read_little_endian(std::string_view(data).substr(data.size() - 4));
  data.resize(data.size() - 4);
  return crc == masked_crc32c(data) ? std::optional(data) : std::nullopt;
}

}  // namespace zero::detail
