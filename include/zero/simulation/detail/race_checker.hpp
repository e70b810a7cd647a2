// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>
#include <zero/simulation/detail/operation.hpp>
#include <zero/simulation/detail/vector_clock.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zero::detail::simulation {

/// Judges the accesses of one rank: any two that overlap in a byte, one of them a write, must be ordered by the order
/// of a stream, by events or by a wait of the host. Keeps the last write of every byte and the reads since that are
/// not ordered before one another, each with the clock of its thread (the happens-before detection of Flanagan and
/// Freund, FastTrack, 2009, over ranges). What it finds does not depend on the order in which operations run: a race
/// of the recorded graph is found in every one.
class RaceChecker {
 public:
  /// Who touched bytes.
  struct Actor {
    std::size_t thread = 0;
    std::shared_ptr<Operation const> operation;  ///< null: the host
    int rank = 0;
  };

  /// Gives new meaning to memory: whatever happened there before is over.
  void allocate(Access range, std::string name) {
    forget(range);
    names_.push_back({range.begin, range.bytes, std::move(name)});
  }
  void name(Access range, std::string name) { names_.push_back({range.begin, range.bytes, std::move(name)}); }
  void forget(Access range) {
    cut(range.begin);
    cut(range.end());
    cells_.erase(cells_.lower_bound(range.begin), cells_.lower_bound(range.end()));
    std::erase_if(names_, [&](MemoryName const& n) { return n.begin >= range.begin && n.begin < range.end(); });
  }

  /// Enters an access of \p actor, before which \p clock has happened; the actor's own tick is part of it.
  /// \throws RaceError.
  void touch(Access const& access, Actor const& actor, VectorClock const& clock) {
    if (access.bytes == 0) return;
    cover(access);
    auto const begin = cells_.find(access.begin);
    for (auto cell = begin; cell != cells_.end() && cell->first < access.end(); ++cell) {
      compare(cell->first, cell->second, access, actor, clock);
      if (!access.writes) enter_read(cell->second, actor, clock);
    }
    if (!access.writes) return;
    cells_.erase(begin, cells_.lower_bound(access.end()));
    cells_.emplace(access.begin, Cell{access.end(), {actor, clock[actor.thread]}, {}});
  }

  /// Judges what the host does beside an operation that it has put on a stream and that has not run yet.
  /// \throws RaceError.
  void judge_pending(Access const& host, std::shared_ptr<Operation const> const& pending) const {
    for (auto const& access : pending->accesses) {
      if (access.begin >= host.end() || host.begin >= access.end() || !(access.writes || host.writes)) continue;
      report((std::max)(access.begin, host.begin), {0, pending, pending->rank}, access.writes,
             {0, nullptr, pending->rank}, host.writes);
    }
  }

  /// The part of named memory that \p at lies in; the narrowest name counts.
  [[nodiscard]] std::string where(std::uintptr_t at) const {
    MemoryName const* best = nullptr;
    for (auto const& name : names_) {
      if (at < name.begin || at >= name.begin + name.bytes) continue;
      if (best == nullptr || name.bytes <= best->bytes) best = &name;
    }
    if (best == nullptr) return "memory of the caller";
    return concat({best->name, " at byte ", at - best->begin});
  }

 private:
  struct Touch {
    Actor actor;
    std::uint64_t tick = 0;
  };
  // Bytes with the same history, from the key in the map on.
  struct Cell {
    std::uintptr_t end = 0;
    Touch write;  // tick 0: none
    std::vector<Touch> reads;
  };

  [[nodiscard]] static bool before(Touch const& touch, VectorClock const& clock) noexcept {
    return touch.tick <= clock[touch.actor.thread];
  }

  void compare(std::uintptr_t at, Cell const& cell, Access const& access, Actor const& actor,
               VectorClock const& clock) const {
    if (!before(cell.write, clock)) report(at, cell.write.actor, true, actor, access.writes);
    if (!access.writes) return;
    for (auto const& read : cell.reads) {
      if (!before(read, clock)) report(at, read.actor, false, actor, true);
    }
  }

  static void enter_read(Cell& cell, Actor const& actor, VectorClock const& clock) {
    std::erase_if(cell.reads, [&](Touch const& read) { return before(read, clock); });
    cell.reads.push_back({actor, clock[actor.thread]});
  }

  // Makes a cell begin at `at`, if one spans it.
  void cut(std::uintptr_t at) {
    auto after = cells_.upper_bound(at);
    if (after == cells_.begin()) return;
    auto const cell = std::prev(after);
    if (cell->first == at || cell->second.end <= at) return;
    auto rest = cell->second;
    cell->second.end = at;
    cells_.emplace_hint(after, at, std::move(rest));
  }

  // Makes cells that begin and end with the access and leave no gap in it.
  void cover(Access const& access) {
    cut(access.begin);
    cut(access.end());
    auto at = access.begin;
    for (auto cell = cells_.lower_bound(access.begin); at < access.end(); ++cell) {
      auto const next = cell == cells_.end() ? access.end() : std::min<std::uintptr_t>(cell->first, access.end());
      if (next > at) cell = cells_.emplace_hint(cell, at, Cell{next, {}, {}});
      at = cell->second.end;
    }
  }

  [[noreturn]] void report(std::uintptr_t at, Actor const& first, bool first_writes, Actor const& second,
                           bool second_writes) const {
    if (first.operation && second.operation && first.operation->number > second.operation->number) {
      report(at, second, second_writes, first, first_writes);
    }
    throw RaceError(
        concat({"zero: race on rank ", second.rank, ": ", describe(second), " ", (second_writes ? "writes" : "reads"),
                " what ", describe(first), " ", (first_writes ? "writes" : "reads"), ", and nothing orders them, in ",
                where(at), ". Missing edge: ", missing_edge(first, second)}));
  }

  [[nodiscard]] static std::string describe(Actor const& actor) {
    return actor.operation ? actor.operation->describe() : std::string("the host");
  }

  // The order in which the host put both on streams is the one that it meant. An operation that it had put on a stream
  // before is not over because the host goes on; one that it puts there afterwards comes after all that the host did.
  [[nodiscard]] static std::string missing_edge(Actor const& first, Actor const& second) {
    auto const& before = first.operation ? first : second;
    auto const recorded = concat(
        {"record an event on stream ", quote(*before.operation->stream), " after ", quote(before.operation->name)});
    if (!first.operation || !second.operation) return recorded + " and let the host wait for it";
    return concat({recorded, " and let stream ", quote(*second.operation->stream), " wait for it before ",
                   quote(second.operation->name)});
  }

  std::map<std::uintptr_t, Cell> cells_;
  std::vector<MemoryName> names_;
};

}  // namespace zero::detail::simulation
