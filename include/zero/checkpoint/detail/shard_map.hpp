// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/checkpoint/manifest.hpp>
#include <zero/error.hpp>
#include <zero/precision.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace zero::detail {

/// A piece of a file that is to be read: elements of one parameter and kind.
struct ShardPart {
  std::uint64_t at = 0;                  ///< bytes from the start of the file
  std::uint64_t count = 0;               ///< elements
  std::uint64_t first = 0;               ///< the first one, in the parameter
  ElementType type = ElementType::fp32;  ///< in the file
  std::size_t target = 0;                ///< which of the wanted ranges it belongs to

  [[nodiscard]] std::uint64_t bytes() const noexcept { return count * element_size(type); }
};

/// Elements that are wanted of a checkpoint.
struct WantedRange {
  std::string kind;             ///< `parameters`, or the name of a state
  std::uint32_t parameter = 0;  ///< place in the manifest's list
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// Which parts of which files hold what is wanted, however many ranks wrote them: one list per file of the manifest, in
/// the order of the file. A pure function of the manifest, whose files hold every element once.
[[nodiscard]] inline std::vector<std::vector<ShardPart>> map_shards(Manifest const& manifest,
                                                                    std::span<WantedRange const> wanted) {
  std::map<std::pair<std::string_view, std::uint32_t>, std::vector<std::size_t>> targets;
  for (std::size_t i = 0; i < wanted.size(); ++i) targets[{wanted[i].kind, wanted[i].parameter}].push_back(i);
  for (auto& [key, list] : targets) {
    std::sort(list.begin(), list.end(),
              [&](std::size_t a, std::size_t b) { return wanted[a].begin < wanted[b].begin; });
  }
  std::vector<std::vector<ShardPart>> parts(manifest.files.size());
  for (std::size_t f = 0; f < manifest.files.size(); ++f) {
    auto const& file = manifest.files[f];
    std::uint64_t at = file.data_begin;
    for (auto const& range : file.ranges) {
      ElementType const type = manifest.type_of(file.kind, range.parameter);
      std::uint64_t const size = element_size(type);
      std::uint64_t const begin = std::exchange(at, at + (range.end - range.begin) * size);
      auto const found = targets.find({file.kind, range.parameter});
      if (found == targets.end()) continue;
      auto target = std::partition_point(found->second.begin(), found->second.end(),
                                         [&](std::size_t i) { return wanted[i].end <= range.begin; });
      for (; target != found->second.end() && wanted[*target].begin < range.end; ++target) {
        std::uint64_t const from = (std::max)(range.begin, wanted[*target].begin);
        std::uint64_t const to = (std::min)(range.end, wanted[*target].end);
        parts[f].push_back({begin + (from - range.begin) * size, to - from, from, type, *target});
      }
    }
    // Several wanted ranges may overlap; parts come in the order of the file all the same.
    std::stable_sort(parts[f].begin(), parts[f].end(), [](auto const& a, auto const& b) { return a.at < b.at; });
  }
  return parts;
}

}  // namespace zero::detail
