// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/layout/gather_places.hpp>
#include <zero/layout/unit_table.hpp>
#include <zero/support/message.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace zero::detail {

/// Says which units to gather ahead: those that follow the unit in use, in the direction that the units have been used
/// in so far. A pure function of the calls, so that all ranks gather the same in the same order.
class UnitPrefetcher {
 public:
  /// Owns \p units. \p units_ahead of them are gathered ahead; 0 turns it off.
  /// \throws ConfigurationError for a negative number.
  UnitPrefetcher(UnitTable units, int units_ahead) : units_(std::move(units)), units_ahead_(units_ahead) {
    enforce(units_ahead >= 0, "zero::Engine: prefetch_units must not be negative; 0 turns it off");
  }

  /// Places for what a pass over all units needs to be gathered at once: the unit in use and those that are prefetched,
  /// and the tied ones, which may be held meanwhile.
  [[nodiscard]] GatherPlaces working_set() const { return {units_, static_cast<std::size_t>(units_ahead_) + 1}; }
  /// Elements of all units.
  [[nodiscard]] std::size_t elements() const noexcept { return units_.elements(); }

  /// Notes that \p unit is in use, and calls `gather(block)` for the blocks of the units that follow it, until that
  /// returns false: there is no room for more. Tied parameters say nothing of the direction, and end a prefetch.
  /// Backward has no use for the first unit: embeddings are looked up once. \throws what \p gather throws.
  template <class Gather>
  void use(int unit, Gather&& gather) {
    auto at = units_.find(unit);
    if (!units_[at].in_order || unit == last_used_) return;
    bool const forward = unit > last_used_;
    last_used_ = unit;
    for (int ahead = 0; ahead < units_ahead_; ++ahead) {
      if (forward ? at + 1 >= units_.size() : at <= 1) return;
      at = forward ? at + 1 : at - 1;
      if (!units_[at].in_order) return;
      for (auto block : units_[at].blocks) {
        if (!gather(block)) return;
      }
    }
  }

  /// The next unit starts a pass in a direction of its own.
  void forget_direction() noexcept { last_used_ = none; }

 private:
  static constexpr int none = -1;  // below every unit, so that a first pass goes forward

  UnitTable units_;
  int units_ahead_;
  int last_used_ = none;
};

}  // namespace zero::detail
