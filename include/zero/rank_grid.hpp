// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/error.hpp>
#include <zero/support/message.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zero {

/// One direction in which the ranks of a world are laid out.
struct Axis {
  std::string name;  ///< such as "data", "pipeline", "expert"
  int size = 1;      ///< positions along it
};

/// The ranks of a world laid out along named axes, of which the last is the innermost: neighbours along it have
/// neighbouring numbers. Says who is where, and who is in a group with whom, without asking anybody.
class RankGrid {
 public:
  /// \throws ConfigurationError for no axis, a name that is empty or there twice, and a size below 1.
  explicit RankGrid(std::vector<Axis> axes) : axes_(std::move(axes)) {
    detail::enforce(!axes_.empty(), "zero::RankGrid: no axes: name one at least, e.g. {{\"data\", 8}}");
    std::int64_t ranks = 1;
    for (std::size_t a = 0; a < axes_.size(); ++a) {
      check_axis(a);
      ranks *= axes_[a].size;
      detail::enforce(ranks <= most_ranks, "zero::RankGrid: the sizes multiply to more than 2^20 ranks: correct them");
    }
  }

  /// In order, the outermost first.
  [[nodiscard]] std::vector<Axis> const& axes() const noexcept { return axes_; }
  /// Number of ranks: the product of all sizes.
  [[nodiscard]] std::int64_t size() const noexcept {
    std::int64_t product = 1;
    for (auto const& axis : axes_) product *= axis.size;
    return product;
  }
  /// Positions along \p axis. \throws ConfigurationError for an unknown one.
  [[nodiscard]] int size(std::string_view axis) const { return axes_[index_of(axis)].size; }
  /// Where \p rank is along \p axis. \throws ConfigurationError for an unknown one, or a rank that the grid has not.
  [[nodiscard]] int position(int rank, std::string_view axis) const {
    require_rank(rank);
    auto const a = index_of(axis);
    return rank / stride(a) % axes_[a].size;
  }

  /// The ranks that differ from \p rank along \p axes only, itself among them, in the order of their numbers: the group
  /// of those axes. \throws ConfigurationError for an unknown axis, one that is named twice, or a rank that the grid
  /// has not.
  [[nodiscard]] std::vector<int> members(int rank, std::vector<std::string_view> const& axes) const {
    require_rank(rank);
    auto const varies = chosen(axes);
    std::vector<int> ranks;
    for (int other = 0; other < size(); ++other) {
      if (is_together(rank, other, varies)) ranks.push_back(other);
    }
    return ranks;
  }
  /// A number that the ranks of one group of \p axes have in common, and no others: the color to split a communicator
  /// of all ranks with. \throws as `members`.
  [[nodiscard]] int color(int rank, std::vector<std::string_view> const& axes) const {
    return members(rank, axes).front();
  }

  /// All ranks and their positions, one per line under a heading.
  [[nodiscard]] std::string table() const {
    std::string text = "rank";
    for (auto const& axis : axes_) text += "  " + axis.name;
    text += '\n';
    for (int rank = 0; rank < size(); ++rank) {
      text += right_aligned(std::to_string(rank), 4);
      for (auto const& axis : axes_) {
        text += "  " + right_aligned(std::to_string(position(rank, axis.name)), axis.name.size());
      }
      text += '\n';
    }
    return text;
  }
  /// As in "pipeline 2 x data 4".
  [[nodiscard]] std::string describe() const {
    std::string text;
    for (auto const& axis : axes_) text += (text.empty() ? "" : " x ") + axis.name + " " + std::to_string(axis.size);
    return text;
  }

 private:
  void check_axis(std::size_t a) const {
    auto const& axis = axes_[a];
    detail::enforce(!axis.name.empty(), "zero::RankGrid: an axis has no name: give each its own");
    if (axis.size < 1) {
      detail::fail<ConfigurationError>(
          {"zero::RankGrid: axis ", detail::quote(axis.name), " has size ", axis.size, ": it must be at least 1"});
    }
    for (std::size_t b = 0; b < a; ++b) {
      if (axes_[b].name != axis.name) continue;
      detail::fail<ConfigurationError>(
          {"zero::RankGrid: axis ", detail::quote(axis.name), " is there twice: names must be unique"});
    }
  }

  void require_rank(int rank) const {
    if (rank >= 0 && rank < size()) return;
    detail::fail<ConfigurationError>({"zero::RankGrid: there is no rank ", rank, ": the ",
                                      detail::counted(static_cast<std::uint64_t>(size()), "rank"), " of ", describe(),
                                      size() == 1 ? " counts from 0" : " count from 0"});
  }
  [[nodiscard]] std::size_t index_of(std::string_view name) const {
    for (std::size_t a = 0; a < axes_.size(); ++a) {
      if (axes_[a].name == name) return a;
    }
    detail::fail<ConfigurationError>(
        {"zero::RankGrid: there is no axis ", detail::quote(name), ": the axes are ", describe()});
  }
  // From one position along an axis to the next.
  [[nodiscard]] int stride(std::size_t a) const noexcept {
    int product = 1;
    for (std::size_t b = a + 1; b < axes_.size(); ++b) product *= axes_[b].size;
    return product;
  }
  [[nodiscard]] std::vector<bool> chosen(std::vector<std::string_view> const& names) const {
    std::vector<bool> varies(axes_.size());
    for (auto name : names) {
      auto const a = index_of(name);
      if (varies[a]) {
        detail::fail<ConfigurationError>(
            {"zero::RankGrid: a group names axis ", detail::quote(name), " twice: name it once"});
      }
      varies[a] = true;
    }
    return varies;
  }
  [[nodiscard]] bool is_together(int rank, int other, std::vector<bool> const& varies) const noexcept {
    for (std::size_t a = 0; a < axes_.size(); ++a) {
      int const along = stride(a);
      if (!varies[a] && rank / along % axes_[a].size != other / along % axes_[a].size) return false;
    }
    return true;
  }
  [[nodiscard]] static std::string right_aligned(std::string const& text, std::size_t width) {
    return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
  }

  static constexpr std::int64_t most_ranks = std::int64_t{1} << 20;

  std::vector<Axis> axes_;
};

}  // namespace zero
