// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/flat_layout.hpp>
#include <zero/memory_report.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace training {

/// Bytes beside an engine's, as rows of the table of memory have them.
struct MemoryRow {
  char const* kind;     ///< whose they are, or where
  char const* purpose;  ///< what they are for
  std::size_t bytes;
};

/// What one rank's memory is for.
struct MemoryRows {
  zero::MemoryReport engine;
  std::vector<MemoryRow> others;
};

/// The table of memory of all \p ranks, and what \p layout pads, as lines; for the rank that speaks.
void print_memory(std::span<MemoryRows const> ranks, zero::FlatLayout const& layout);

}  // namespace training
