// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/flat_layout.hpp>
#include <zero/gradients/closing_schedule.hpp>
#include <zero/parameter.hpp>
#include <zero/partitioner.hpp>
#include <zero/support/out_of_line.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <vector>

namespace zero::detail {

/// The one order in which the gradient buckets of all members of a joint step are reduced: that of backward through the
/// units, those of one unit engine by engine. A bucket's place depends on its engine alone, so that ranks with other
/// members agree on the order of those that they share.
class JointSequence {
 public:
  /// One member of this rank. What it refers to is borrowed while the sequence is made.
  struct Member {
    std::size_t engine = 0;  ///< number among those of all ranks
    std::vector<ParameterSpec> const* specs = nullptr;
    FlatLayout const* layout = nullptr;
    ClosingSchedule const* closing = nullptr;  ///< where gathers close buckets
  };
  struct Bucket {
    std::uint32_t member = 0;
    std::uint32_t bucket = 0;
  };

  JointSequence() = default;
  /// \p gathers: any engine of any rank is at stage 3, so that all-gathers come in between. Buckets that no gather
  /// closes are then reduced after all others.
  ZERO_OUT_OF_LINE JointSequence(std::vector<Member> const& members, bool gathers) {
    std::vector<Entry> entries;
    for (std::size_t m = 0; m < members.size(); ++m)
      append(entries, members[m], static_cast<std::uint32_t>(m), gathers);
    std::stable_sort(entries.begin(), entries.end(), [](Entry const& a, Entry const& b) { return a.key < b.key; });
    positions_.resize(members.size());
    for (std::size_t m = 0; m < members.size(); ++m) positions_[m].resize(members[m].layout->trainable_buckets());
    for (auto const& entry : entries) {
      positions_[entry.at.member][entry.at.bucket] = buckets_.size();
      buckets_.push_back(entry.at);
    }
  }

  [[nodiscard]] std::size_t size() const noexcept { return buckets_.size(); }
  [[nodiscard]] Bucket operator[](std::size_t i) const noexcept { return buckets_[i]; }
  /// Where bucket \p b of \p member comes.
  [[nodiscard]] std::size_t position(std::size_t member, std::size_t b) const noexcept { return positions_[member][b]; }

 private:
  // Of the end, units from above, stages from above, engine.
  using Key = std::tuple<bool, int, int, std::size_t>;
  struct Entry {
    Key key;
    Bucket at;
  };

  // An engine's own order stays: a bucket comes no earlier than the one before it.
  static void append(std::vector<Entry>& entries, Member const& member, std::uint32_t m, bool gathers) {
    auto const stage = static_cast<int>(member.layout->settings().stage);
    Key last{false, INT32_MIN, -stage, member.engine};
    for (std::size_t b = 0; b < member.layout->trainable_buckets(); ++b) {
      int unit = INT32_MAX;
      for (auto const& segment : member.layout->buckets()[b].segments) {
        unit = (std::min)(unit, (*member.specs)[segment.parameter].unit);
      }
      bool const at_end = gathers && (member.closing == nullptr || !member.closing->is_in_order(b));
      last = (std::max)(last, Key{at_end, -unit, -stage, member.engine});
      entries.push_back({last, {m, static_cast<std::uint32_t>(b)}});
    }
  }

  std::vector<Bucket> buckets_;
  std::vector<std::vector<std::size_t>> positions_;
};

}  // namespace zero::detail
