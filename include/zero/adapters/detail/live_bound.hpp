// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/adapters/detail/module_map.hpp>
#include <zero/engine_config.hpp>
#include <zero/flat_layout.hpp>
#include <zero/layout/default_bucket.hpp>
#include <zero/parameter.hpp>
#include <zero/partitioner.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace zero::libtorch::detail {

/// Elements that the root of \p map, the units around one, its tied parameters and the unit that is gathered ahead need
/// beside each other at stage 3 on \p ranks ranks. The engine knows of units in a row only, so that it is 0, which is
/// the engine's own choice, where there is nothing else.
template <class Config>
[[nodiscard]] std::size_t live_bound(ModuleMap const& map, ParameterList const& list, std::size_t ranks,
                                     Config const& config) {
  bool in_a_row = map.units[0].parameters.empty();
  for (auto const& unit : map.units) in_a_row = in_a_row && unit.parent == 0;
  for (auto const& parameter : map.parameters) in_a_row = in_a_row && parameter.units.size() == 1;
  if (in_a_row) return 0;
  LayoutSettings settings{.stage = Stage::parameters,
                          .world = ranks,
                          .alignment_elements = config.alignment_elements,
                          .persistence_threshold = config.persistence_threshold};
  if (config.bucket_elements) {
    settings.bucket_elements = *config.bucket_elements;
  } else {
    settings = zero::detail::DefaultBucket(list.specs(), settings).settings();
  }
  FlatLayout const layout(list.specs(), settings);
  std::vector<std::size_t> sizes, around;
  std::size_t largest = 0, deepest = 0;
  for (auto const& unit : map.units) {
    std::vector<std::uint32_t> blocks;
    for (auto const i : unit.parameters) blocks.push_back(layout.extents()[i].block);
    std::sort(blocks.begin(), blocks.end());
    blocks.erase(std::unique(blocks.begin(), blocks.end()), blocks.end());
    std::size_t size = 0;
    for (auto const block : blocks) size += layout.blocks()[block].whole ? 0 : layout.blocks()[block].elements;
    around.push_back(sizes.empty() || unit.parent == 0 ? 0 : around[unit.parent] + sizes[unit.parent]);
    sizes.push_back(size);
    if (sizes.size() > 1) largest = (std::max)(largest, size);
    deepest = (std::max)(deepest, around.back());
  }
  return sizes[0] + 2 * deepest + (deepest > 0 ? 3 : 2) * largest;
}

}  // namespace zero::libtorch::detail
