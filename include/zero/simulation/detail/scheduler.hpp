// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/simulation/detail/stream.hpp>
#include <zero/simulation/options.hpp>
#include <zero/utility/split_mix.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace zero::detail::simulation {

/// Chooses what comes next. Its draws depend on the seed alone.
class Scheduler {
 public:
  Scheduler(SimulationOrder order, std::uint64_t seed) : order_(order), random_(seed), seed_(SplitMix64::mix(seed)) {}

  /// The one of \p ready, not empty, whose first operation is to run; null to let one of \p hosts go on instead.
  [[nodiscard]] Stream* choose(std::vector<Stream*> const& ready, std::size_t hosts) {
    auto const younger = [](Stream const* a, Stream const* b) {
      return a->queue.front()->number < b->queue.front()->number;
    };
    switch (order_) {
      case SimulationOrder::earliest:
        return *std::min_element(ready.begin(), ready.end(), younger);
      case SimulationOrder::latest:
        return hosts > 0 ? nullptr : *std::max_element(ready.begin(), ready.end(), younger);
      case SimulationOrder::starved:
        return choose_unstarved(ready, hosts);
      case SimulationOrder::random:
        break;
    }
    auto const pick = draw(ready.size() + hosts);
    return pick < ready.size() ? ready[pick] : nullptr;
  }

  /// A number below \p n.
  [[nodiscard]] std::size_t draw(std::size_t n) { return static_cast<std::size_t>(random_() % n); }

 private:
  // Starve one stream of one rank: the same stream starved on several ranks would soon be forced to run.
  [[nodiscard]] bool is_starved(Stream const& stream) const noexcept {
    return stream.ordinal == seed_ % 4 && static_cast<std::uint64_t>(stream.rank) == (seed_ >> 8) % stream.ranks;
  }

  [[nodiscard]] Stream* choose_unstarved(std::vector<Stream*> const& ready, std::size_t hosts) {
    auto const eligible = static_cast<std::size_t>(
        std::count_if(ready.begin(), ready.end(), [&](Stream const* s) { return !is_starved(*s); }));
    if (eligible + hosts == 0) return ready.front();
    auto pick = draw(eligible + hosts);
    for (auto* stream : ready) {
      if (!is_starved(*stream) && pick-- == 0) return stream;
    }
    return nullptr;
  }

  SimulationOrder order_;
  SplitMix64 random_;
  std::uint64_t seed_;
};

}  // namespace zero::detail::simulation
