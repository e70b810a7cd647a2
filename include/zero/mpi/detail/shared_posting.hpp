// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/communicator.hpp>
#include <zero/communicators/detail/collective_label.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace zero::detail {

/// Where a buffer lies that other processes of the host may read.
struct SharedPlace {
  std::uint64_t arena = 0;  ///< number of the engine's memory in the group, from 1; 0: outside of all of them
  std::uint64_t offset = 0;

  [[nodiscard]] bool is_outside() const noexcept { return arena == 0; }
};

/// One rank's part in a collective, in memory that processes share, or in a message.
struct SharedPosting {
  char operation[24];
  char what[64];
  std::uint64_t bucket, engine, count, element_bytes, sequence;
  std::int32_t first, addends;
  SharedPlace place;

  [[nodiscard]] static SharedPosting of(Posting const& posting) noexcept {
    SharedPosting made{};
    copy_text(posting.operation, made.operation);
    copy_text(posting.purpose.what, made.what);
    made.bucket = posting.purpose.bucket;
    made.engine = posting.purpose.engine;
    made.count = posting.count;
    made.element_bytes = posting.element_bytes;
    made.sequence = posting.sequence;
    made.first = posting.range.first ? 1 : 0;
    made.addends = posting.range.addends;
    return made;
  }
  /// Refers to this one's text.
  [[nodiscard]] Posting view() const noexcept {
    CollectivePurpose const purpose{what, static_cast<std::size_t>(bucket), engine};
    return {.operation = operation,
            .purpose = purpose,
            .count = static_cast<std::size_t>(count),
            .element_bytes = static_cast<std::size_t>(element_bytes),
            .sequence = sequence,
            .range = {.first = first != 0, .addends = addends}};
  }

 private:
  template <std::size_t Room>
  static void copy_text(std::string_view text, char (&to)[Room]) noexcept {
    auto* const end = std::copy_n(text.data(), (std::min)(text.size(), Room - 1), to);
    *end = '\0';
  }
};
static_assert(std::is_trivially_copyable_v<SharedPosting>);

/// How often a rank has come to a meeting of its group, and how many wait for it. Zeros are the beginning. A line of
/// the cache for each, so that a rank that spins on one does not slow the others' down.
struct alignas(64) MeetingCounter {
  std::atomic<std::uint32_t> meetings;
  std::atomic<std::uint32_t> sleepers;

  /// Whether its rank has come to the meeting of that number. Numbers go round.
  [[nodiscard]] bool has_reached(std::uint32_t meeting) const noexcept {
    return static_cast<std::int32_t>(meetings.load() - meeting) >= 0;
  }
};

}  // namespace zero::detail
