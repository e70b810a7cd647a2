// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/profile/span.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace zero::profile {

/// All calls of one collective with one message size.
struct CommunicationEntry {
  std::string_view operation;    ///< such as "all_gather"
  std::size_t bytes = 0;         ///< of the whole message, as nccl-tests counts it: what all ranks hold of it together
  int ranks = 0;                 ///< that take part
  std::uint64_t count = 0;       ///< calls
  std::int64_t nanoseconds = 0;  ///< of all calls, waits for other ranks included
  std::int64_t shortest = 0;     ///< of one call
  std::int64_t longest = 0;      ///< of one call

  /// Bytes per second that the caller sees.
  [[nodiscard]] double algorithm_bandwidth() const noexcept {
    if (nanoseconds <= 0) return 0.0;
    return static_cast<double>(bytes) * static_cast<double>(count) / (static_cast<double>(nanoseconds) * 1e-9);
  }
  /// Bytes per second on each rank's link in a ring, which hardware can be compared with whatever the number of ranks.
  /// As nccl-tests has it: the algorithm's times 2 (n - 1) / n for an all-reduce, times (n - 1) / n for a
  /// reduce-scatter, an all-gather and an all-to-all, and the same for a message from one rank to another.
  [[nodiscard]] double bus_bandwidth() const noexcept {
    double const n = ranks;
    double const shares = operation == "all_reduce" ? 2.0 : 1.0;
    bool const is_message = operation == "send" || operation == "receive";
    if (ranks < 1) return 0.0;
    return algorithm_bandwidth() * (is_message ? 1.0 : shares * (n - 1.0) / n);
  }
};

/// What a rank's collectives have taken, by operation, message size and number of ranks.
class CommunicationLog {
 public:
  CommunicationLog() { entries_.reserve(256); }

  /// Takes a span in, where it is a collective's.
  void add(Span const& span) {
    auto const& operation = span.operation;
    if (operation.ranks == 0) return;
    auto& entry = find(operation);
    auto const took = span.duration();
    entry.shortest = entry.count == 0 || took < entry.shortest ? took : entry.shortest;
    entry.longest = took > entry.longest ? took : entry.longest;
    entry.nanoseconds += took;
    ++entry.count;
  }
  /// In the order of their first calls. Valid until the next one.
  [[nodiscard]] std::span<CommunicationEntry const> entries() const noexcept { return entries_; }
  /// Forgets all but the entries of the operations \p names.
  void keep_only(std::span<std::string const> names) {
    std::erase_if(entries_, [&](CommunicationEntry const& entry) {
      return std::find(names.begin(), names.end(), entry.operation) == names.end();
    });
  }
  /// Forgets all.
  void clear() noexcept { entries_.clear(); }

 private:
  [[nodiscard]] CommunicationEntry& find(Operation const& operation) {
    for (auto& entry : entries_) {
      if (entry.bytes == operation.bytes && entry.ranks == operation.ranks && entry.operation == operation.name) {
        return entry;
      }
    }
    entries_.push_back({.operation = operation.name, .bytes = operation.bytes, .ranks = operation.ranks});
    return entries_.back();
  }

  std::vector<CommunicationEntry> entries_;
};

/// A table with a line for each entry: bytes, milliseconds, and bandwidths in GB/s (10^9 bytes per second).
[[nodiscard]] inline std::string to_table(CommunicationLog const& log) {
  char line[192];
  std::snprintf(line, sizeof line, "%-20s %14s %5s %8s %11s %10s %10s %10s %9s %9s\n", "operation", "bytes", "ranks",
                "count", "total ms", "avg ms", "min ms", "max ms", "algbw", "busbw");
  std::string text = line;
  for (auto const& entry : log.entries()) {
    auto const ms = [](std::int64_t nanoseconds) { return static_cast<double>(nanoseconds) * 1e-6; };
    std::snprintf(line, sizeof line, "%-20.*s %14zu %5d %8llu %11.3f %10.4f %10.4f %10.4f %9.3f %9.3f\n",
                  static_cast<int>(entry.operation.size()), entry.operation.data(), entry.bytes, entry.ranks,
                  static_cast<unsigned long long>(entry.count), ms(entry.nanoseconds),
                  ms(entry.nanoseconds) / static_cast<double>(entry.count), ms(entry.shortest), ms(entry.longest),
                  entry.algorithm_bandwidth() * 1e-9, entry.bus_bandwidth() * 1e-9);
    text += line;
  }
  return text;
}

}  // namespace zero::profile
