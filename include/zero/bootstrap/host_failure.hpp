// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/bootstrap/detail/frame.hpp>
#include <zero/error.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zero {

/// Who has failed, and how: what the failure channel tells every rank.
struct HostFailure {
  CommunicationFailure kind = CommunicationFailure::peer_failed;  ///< what happened
  int rank = 0;                                                   ///< that failed
  std::string reason{};                                           ///< goes on after "rank N"
};

namespace detail {

/// A failure as it travels: kind and rank, four bytes each, and the reason.
[[nodiscard]] inline std::vector<std::byte> encoded_failure(HostFailure const& failure) {
  constexpr std::size_t most = 2000;
  std::vector<std::byte> payload;
  append_word(payload, static_cast<std::uint32_t>(failure.kind));
  append_word(payload, static_cast<std::uint32_t>(failure.rank));
  auto const reason = bytes_of(std::string_view(failure.reason).substr(0, most));
  payload.insert(payload.end(), reason.begin(), reason.end());
  return payload;
}
/// None where \p frame is malformed.
[[nodiscard]] inline std::optional<HostFailure> decoded_failure(Frame const& frame, std::size_t world) {
  if (frame.bytes.size() < 8) return std::nullopt;
  auto const kind = word_at<std::uint32_t>(frame.bytes, 0);
  auto const rank = word_at<std::uint32_t>(frame.bytes, 4);
  if (kind > static_cast<std::uint32_t>(CommunicationFailure::transport) || rank >= world) return std::nullopt;
  return HostFailure{static_cast<CommunicationFailure>(kind), static_cast<int>(rank), frame.text().substr(8)};
}

}  // namespace detail
}  // namespace zero
