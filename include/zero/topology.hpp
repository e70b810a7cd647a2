// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/engine/rank_agreement.hpp>
#include <zero/error.hpp>
#include <zero/rank_grid.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <concepts>
#include <deque>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zero {

/// A communicator whose ranks can form groups: `split(color, key)` gives those with the same color, which is not
/// negative, a communicator of their own, ordered by key and rank, and nothing to ranks with a negative color.
/// Collective. A failure in any group ends the waits in every group of the world, with the first failure's rank as the
/// world counts; a group may outlive what it was split from.
template <class Communicator>
concept splittable_communicator = requires(Communicator& c) {
  { c.split(1, 1) } -> std::same_as<std::optional<Communicator>>;
};

/// The ranks of a world laid out along named axes, and the groups along them: ranks that differ in their position along
/// these axes only. Every rank makes the same one. Used by the communicator's thread. Move-only.
///
/// All groups share the host's one order of calls: collectives of different groups must be called in an order that fits
/// on all ranks, e.g. in the order of the axes.
template <splittable_communicator Communicator>
class Topology {
 public:
  /// Makes the group along each axis, in their order. Collective, blocks. \p world is borrowed and must outlive this.
  /// \throws ConfigurationError, on all ranks, for axes that RankGrid refuses or whose sizes do not multiply to the
  /// world, MismatchError where ranks have other axes.
  Topology(Communicator& world, std::vector<Axis> axes) : world_(world), grid_(std::move(axes)) {
    std::string text;
    for (auto const& axis : grid_.axes())
      text += detail::concat({"axis ", detail::quote(axis.name), " ", axis.size, "\n"});
    detail::agree_on_settings(world_, text);
    if (grid_.size() != world_.size()) {
      detail::fail<ConfigurationError>({"zero::Topology: ", grid_.describe(), grid_.size() == 1 ? " is " : " are ",
                                        detail::counted(static_cast<std::uint64_t>(grid_.size()), "rank"),
                                        ", but the world has ", world_.size(), ": choose sizes that multiply to that"});
    }
    for (auto const& axis : grid_.axes()) make(key_of({axis.name}), {axis.name});
  }
  /// Leaves \p other as good as destroyed.
  Topology(Topology&& other) noexcept = default;
  Topology& operator=(Topology&&) = delete;
  /// Ends the groups in the order in which they were made, on every rank.
  ~Topology() {
    while (!groups_.empty()) groups_.pop_front();
  }

  /// Who is where.
  [[nodiscard]] RankGrid const& grid() const noexcept { return grid_; }
  /// Positions along \p axis. \throws ConfigurationError for an unknown one.
  [[nodiscard]] int size(std::string_view axis) const { return grid_.size(axis); }
  /// Where this rank is along \p axis. \throws ConfigurationError for an unknown one.
  [[nodiscard]] int position(std::string_view axis) const { return grid_.position(world_.rank(), axis); }
  /// The ranks that differ from this one along \p axis only, in the order of their positions. Borrowed. \throws
  /// ConfigurationError for an unknown axis.
  [[nodiscard]] Communicator& group(std::string_view axis) {
    (void)grid_.size(axis);
    return *find(key_of({axis}));
  }
  /// The same along several axes, in whatever order they are named. The first call for a set of axes makes the group:
  /// it is collective then, and blocks. Borrowed. \throws ConfigurationError for an unknown axis, or one named twice,
  /// MismatchError on all ranks where others ask for other axes.
  [[nodiscard]] Communicator& group(std::initializer_list<std::string_view> axes) {
    (void)grid_.members(world_.rank(), axes);
    auto const key = key_of(axes);
    auto* const made = find(key);
    return made != nullptr ? *made : make(key, axes);
  }

 private:
  // Whatever the order of the names.
  [[nodiscard]] std::string key_of(std::vector<std::string_view> const& axes) const {
    std::string key;
    for (auto const& axis : grid_.axes()) {
      for (auto name : axes) {
        if (name == axis.name) key += detail::concat({detail::quote(axis.name), " "});
      }
    }
    return key;
  }
  [[nodiscard]] Communicator* find(std::string_view key) {
    auto const found =
        std::find_if(groups_.begin(), groups_.end(), [&](auto const& group) { return group.first == key; });
    return found == groups_.end() ? nullptr : &found->second;
  }
  Communicator& make(std::string const& key, std::vector<std::string_view> const& axes) {
    detail::agree_on_settings(world_, detail::concat({"group ", key, "\n"}));
    auto made = world_.split(grid_.color(world_.rank(), axes), world_.rank());
    return groups_.emplace_back(key, std::move(*made)).second;
  }

  Communicator& world_;
  RankGrid grid_;
  std::deque<std::pair<std::string, Communicator>> groups_;  // borrowed by callers: they stay where they are
};

}  // namespace zero
