// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/bootstrap/detail/frame.hpp>
#include <zero/bootstrap/launch_environment.hpp>
#include <zero/error.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace zero::detail {

/// Whether two secrets are equal, in a time that does not depend on where they differ.
[[nodiscard]] inline bool equal_in_constant_time(std::span<std::byte const> a, std::span<std::byte const> b) noexcept {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference |= std::to_integer<unsigned>(a[i] ^ b[i]);
  return difference == 0;
}

/// Why rank 0 turns somebody away.
enum class Refusal : std::uint8_t {
  rejected = 1,  ///< no rank of ours, or one with another token
  other_run,     ///< of another run, or of another start of this run: worth another attempt
  conflict,      ///< a rank of this run that contradicts the others: the run cannot start
  missing,       ///< nothing wrong with it, but others did not come
  gone,          ///< nothing wrong with it, but another one left
};

/// The first message to rank 0, of a fixed size:
///
///   bytes  0 - 15  magic, version, world, rank
///   bytes 16 - 19  number of the restart
///   then           256 bytes of token and 256 of run id, padded with zeros
class HandshakeRequest {
 public:
  static constexpr std::uint32_t magic = 0x4F52455A;  // "ZERO"
  static constexpr std::uint32_t version = 1;
  static constexpr std::size_t text_bytes = 256;
  static constexpr std::size_t bytes = 20 + 2 * text_bytes;

  [[nodiscard]] static std::vector<std::byte> of(LaunchEnvironment const& launch) {
    enforce(launch.token.size() < text_bytes, "zero::Rendezvous: the token is longer than 255 bytes: shorten it");
    enforce(launch.run_id.size() < text_bytes, "zero::Rendezvous: the run id is longer than 255 bytes: shorten it");
    std::vector<std::byte> request;
    for (auto const word : {magic, version, static_cast<std::uint32_t>(launch.world),
                            static_cast<std::uint32_t>(launch.rank), launch.restart}) {
      append_word(request, word);
    }
    for (auto const* text : {&launch.token, &launch.run_id}) {
      auto const piece = bytes_of(*text);
      request.insert(request.end(), piece.begin(), piece.end());
      request.resize(request.size() + text_bytes - piece.size());
    }
    return request;
  }

  struct HandshakeResult {
    bool welcome = false;
    Refusal refusal = Refusal::rejected;
    std::string why{};
    int rank = 0;
  };

  /// What rank 0, whose own request is \p ours, thinks of a connection's. Says nothing of the token to one that has not
  /// got it.
  [[nodiscard]] static HandshakeResult validate(std::span<std::byte const> theirs, std::span<std::byte const> ours) {
    if (theirs.size() != bytes || word(theirs, 0) != magic) return {.why = "this is not a rank's greeting"};
    if (word(theirs, 1) != version) {
      return {.why = "its version of the protocol is another one: build all ranks with the same version of zero"};
    }
    auto const part = [](std::span<std::byte const> of, std::size_t at, std::size_t n) { return of.subspan(at, n); };
    if (!equal_in_constant_time(part(theirs, 20, text_bytes), part(ours, 20, text_bytes))) {
      return {.why = "its token is wrong: set ZERO_TOKEN to the same on all ranks"};
    }
    bool const same_run =
        equal_in_constant_time(part(theirs, 20 + text_bytes, text_bytes), part(ours, 20 + text_bytes, text_bytes));
    bool const same_start = equal_in_constant_time(part(theirs, 16, 4), part(ours, 16, 4));
    if (!same_run || !same_start) {
      return {.refusal = Refusal::other_run,
              .why = same_run ? concat({"it belongs to start ", word(theirs, 4), " of this run, rank 0 to start ",
                                        word(ours, 4), ": end the processes of the earlier start"})
                              : "it belongs to another run: give every run a port or an id of its own"};
    }
    return judge_numbers(word(theirs, 2), word(theirs, 3), word(ours, 2));
  }

 private:
  [[nodiscard]] static std::uint32_t word(std::span<std::byte const> request, std::size_t i) {
    return word_at<std::uint32_t>(request, 4 * i);
  }
  [[nodiscard]] static HandshakeResult judge_numbers(std::uint32_t world, std::uint32_t rank, std::uint32_t our_world) {
    if (world != our_world) {
      return {.refusal = Refusal::conflict,
              .why = concat({"rank ", rank, " believes in a world of ", world, ", rank 0 in one of ", our_world,
                             ": start all ranks with the same number"}),
              .rank = static_cast<int>(rank)};
    }
    if (rank == 0 || rank >= world) {
      return {.refusal = Refusal::conflict,
              .why = concat(
                  {"rank ", rank, " of ", world, " knocked at rank 0: ranks must be distinct, from 0 to ", world - 1}),
              .rank = static_cast<int>(rank)};
    }
    return {.welcome = true, .rank = static_cast<int>(rank)};
  }
};

/// What a refusal says: its kind, one byte, and a sentence.
[[nodiscard]] inline std::vector<std::byte> refusal_of(Refusal kind, std::string_view why) {
  auto const text = bytes_of(why);
  std::vector<std::byte> payload{static_cast<std::byte>(kind)};
  payload.insert(payload.end(), text.begin(), text.end());
  return payload;
}

/// "1, 4 and 6", of at most some.
[[nodiscard]] inline std::string listed(std::vector<int> const& ranks) {
  constexpr std::size_t most = 16;
  std::string text;
  std::size_t const shown = (std::min)(ranks.size(), most);
  for (std::size_t i = 0; i < shown; ++i) {
    bool const last = i + 1 == ranks.size();
    text += (i == 0 ? "" : last ? " and " : ", ") + std::to_string(ranks[i]);
  }
  if (ranks.size() > most) text += concat({" and ", ranks.size() - most, " more"});
  return text;
}

}  // namespace zero::detail
