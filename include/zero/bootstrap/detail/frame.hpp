// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zero::detail {

/// What the ranks' host processes tell each other. All of it goes through rank 0.
enum class FrameKind : std::uint8_t {
  request = 1,  ///< to rank 0, first: who I am, and the proof that I belong here
  welcome,      ///< from rank 0: every rank is there
  refused,      ///< from rank 0: why not
  part,         ///< to rank 0: what I bring to an exchange
  whole,        ///< from rank 0: what all ranks brought
  late,         ///< to rank 0: my exchange has waited for longer than its deadline
  failed,       ///< either way: a rank has failed, and how
  left,  ///< either way: I shall not take part in anything any more; from rank 0, with another rank's number, that
         ///< this one has said so
};

/// A length-prefixed message: 4 bytes of length and 8 of a sequence number, little-endian; kind, three zeros; payload.
struct Frame {
  static constexpr std::size_t header_bytes = 16;

  FrameKind kind = FrameKind::left;
  std::uint64_t sequence = 0;
  std::vector<std::byte> bytes{};

  [[nodiscard]] std::string text() const {
    std::string text(bytes.size(), '\0');
    if (!bytes.empty()) std::memcpy(text.data(), bytes.data(), bytes.size());
    return text;
  }
};

template <class Word>
void append_word(std::vector<std::byte>& to, Word word) {
  for (std::size_t i = 0; i < sizeof word; ++i) to.push_back(static_cast<std::byte>(word >> (8 * i)));
}
template <class Word>
[[nodiscard]] Word word_at(std::span<std::byte const> bytes, std::size_t at) {
  Word word = 0;
  for (std::size_t i = 0; i < sizeof word; ++i) {
    word = static_cast<Word>(word | static_cast<Word>(std::to_integer<Word>(bytes[at + i]) << (8 * i)));
  }
  return word;
}
[[nodiscard]] inline std::span<std::byte const> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

[[nodiscard]] inline std::vector<std::byte> encoded(FrameKind kind, std::uint64_t sequence,
                                                    std::span<std::byte const> payload) {
  if (payload.size() > (std::numeric_limits<std::uint32_t>::max)()) {
    fail<ConfigurationError>({"zero::Rendezvous: a message of ", payload.size(), " bytes: 4 GiB is the most"});
  }
  std::vector<std::byte> bytes;
  bytes.reserve(Frame::header_bytes + payload.size());
  append_word(bytes, static_cast<std::uint32_t>(payload.size()));
  append_word(bytes, sequence);
  append_word(bytes, static_cast<std::uint32_t>(kind));
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  return bytes;
}

/// Puts frames together from whatever pieces they arrive in. Trusts nothing: a length beyond the cap or an unknown kind
/// is malformed, and memory grows with what has arrived, not with what was announced.
class FrameReader {
 public:
  static constexpr std::size_t growth = std::size_t{1} << 20;

  explicit FrameReader(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  /// Most bytes of payload from now on.
  void allow(std::size_t max_bytes) noexcept { max_bytes_ = max_bytes; }

  /// Where the next bytes go; empty when a frame is complete or malformed.
  [[nodiscard]] std::span<std::byte> space() {
    if (malformed_ || complete()) return {};
    if (got_ < Frame::header_bytes) return std::span(header_).subspan(got_);
    std::size_t const have = got_ - Frame::header_bytes;
    if (have == frame_.bytes.size()) frame_.bytes.resize((std::min)(length_, have + growth));
    return std::span(frame_.bytes).subspan(have);
  }
  /// \p n bytes have been put there.
  void filled(std::size_t n) {
    bool const in_header = got_ < Frame::header_bytes;
    got_ += n;
    if (in_header && got_ == Frame::header_bytes) read_header();
  }

  [[nodiscard]] bool malformed() const noexcept { return malformed_; }
  [[nodiscard]] bool complete() const noexcept {
    return !malformed_ && got_ >= Frame::header_bytes && got_ - Frame::header_bytes == length_;
  }
  /// Nothing of a further frame has arrived yet.
  [[nodiscard]] bool empty() const noexcept { return got_ == 0; }
  /// The complete frame; the reader starts anew.
  [[nodiscard]] Frame take() {
    got_ = length_ = 0;
    return std::exchange(frame_, {});
  }

 private:
  void read_header() {
    length_ = word_at<std::uint32_t>(header_, 0);
    frame_.sequence = word_at<std::uint64_t>(header_, 4);
    auto const kind = word_at<std::uint32_t>(header_, 12);
    malformed_ = length_ > max_bytes_ || kind < static_cast<std::uint32_t>(FrameKind::request) ||
                 kind > static_cast<std::uint32_t>(FrameKind::left);
    frame_.kind = static_cast<FrameKind>(kind);
  }

  std::size_t max_bytes_;
  std::array<std::byte, Frame::header_bytes> header_{};
  std::size_t got_ = 0;     // of header and payload
  std::size_t length_ = 0;  // of the payload
  Frame frame_{};
  bool malformed_ = false;
};

}  // namespace zero::detail
