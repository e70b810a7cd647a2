// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "memory_table.hpp"

#include "console.hpp"
#include "progress.hpp"

#include <string>

namespace training {

void print_memory(std::span<MemoryRows const> ranks, zero::FlatLayout const& layout) {
  auto const line = [](std::size_t rank, std::string const& kind, std::string const& purpose, std::size_t bytes) {
    say("  %4zu  %-9s %-15s %16s\n", rank, kind.c_str(), purpose.c_str(), with_separators(bytes).c_str());
  };
  say("\nwhere memory went (bytes)\n  rank  kind      purpose\n");
  for (std::size_t r = 0; r < ranks.size(); ++r) {
    auto const& report = ranks[r].engine;
    for (std::size_t k = 0; k < zero::memory_kinds; ++k) {
      for (std::size_t p = 0; p < zero::memory_purposes; ++p) {
        auto const kind = static_cast<zero::MemoryKind>(k);
        auto const purpose = static_cast<zero::MemoryPurpose>(p);
        auto const bytes = report.bytes(kind, purpose);
        if (bytes > 0) line(r, std::string(name(kind)), std::string(name(purpose)), bytes);
      }
    }
    std::size_t total = report.total();
    for (auto const& row : ranks[r].others) {
      line(r, row.kind, row.purpose, row.bytes);
      total += row.bytes;
    }
    line(r, "", "in all", total);
  }
  say("  padding of the flat space: %.2f %%\n",
      100.0 * static_cast<double>(layout.padding_elements()) / static_cast<double>(layout.total()));
}

}  // namespace training
