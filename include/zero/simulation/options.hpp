// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/call_site.hpp>
#include <zero/nccl/reduction.hpp>
#include <zero/support/message.hpp>
#include <zero/utility/trace_event.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zero {

/// Which of the operations that may run is run next. Every order is one that streams and events allow.
enum class SimulationOrder : std::uint8_t {
  earliest,  ///< as soon as it may, in the order in which hosts put operations on streams
  latest,    ///< only when every host waits; what was put last comes first
  random,    ///< any, and hosts go on at random
  starved,   ///< as random, but one stream, drawn from the seed, runs only when nothing else can
};

enum class SimulationStorage : std::uint8_t {
  real,     ///< operations run on host memory
  phantom,  ///< memory has addresses and sizes but no bytes: operations are ordered and counted, not run
};

enum class OrderingKind : std::uint8_t { record, wait, synchronize };

/// A place in the source that orders operations: where an event is recorded or waited for, or where the host waits.
struct OrderingSite {
  OrderingKind kind = OrderingKind::wait;  ///< what orders there
  CallSite at;                             ///< the place

  /// Name of its source file, without folders.
  [[nodiscard]] std::string_view file() const noexcept {
    std::string_view const path = at.file;
    return path.substr(path.rfind('/') + 1);
  }
  /// File, line and kind, as text.
  [[nodiscard]] std::string describe() const {
    constexpr std::string_view names[] = {"record", "wait", "synchronize"};
    return detail::concat({names[static_cast<std::size_t>(kind)], " at ", file(), ":", at.line});
  }
  friend bool operator==(OrderingSite const& a, OrderingSite const& b) noexcept {
    return a.kind == b.kind && a.at.line == b.at.line && a.file() == b.file();
  }
};

/// How a simulation runs.
struct SimulationOptions {
  int ranks = 1;                                        ///< number of ranks
  std::uint64_t seed = 0;                               ///< the same seed and options give the same run
  SimulationOrder order = SimulationOrder::random;      ///< which operation runs next
  SimulationStorage storage = SimulationStorage::real;  ///< whether memory has bytes
  bool check = true;                                    ///< look for races
  bool trace = false;                                   ///< keep what ran, and when
  std::optional<NcclReductions> nccl{};                 ///< ranks have the staging of those of NcclCommunicator
  std::optional<int> only_rank{};         ///< with phantom storage: run one rank of `ranks` that are all alike
  std::optional<OrderingSite> without{};  ///< do as if the source did not order anything there: a test of the checker
};

/// What a simulation has seen.
struct SimulationResult {
  std::uint64_t operations = 0;     ///< that ran, records and waits among them
  std::vector<OrderingSite> sites;  ///< places that order, where they were asked for
  std::vector<TraceEvent> trace;    ///< operations, where they were asked for
};

}  // namespace zero
