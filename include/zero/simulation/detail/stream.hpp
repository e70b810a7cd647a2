// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/simulation/detail/operation.hpp>
#include <zero/simulation/detail/vector_clock.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

namespace zero::detail::simulation {

/// A stream of one rank: operations that run one after another, and what has happened before the next.
struct Stream {
  int rank = 0;
  std::uint64_t ranks = 1;
  std::size_t ordinal = 0;  ///< among the streams of its rank
  std::size_t thread = 0;   ///< in vector clocks
  std::string name;
  std::deque<std::shared_ptr<Operation>> queue{};  ///< what has not run, in order
  std::shared_ptr<Operation> last{};               ///< what was put last
  VectorClock clock{};
  std::uint64_t time = 0;  ///< logical time at which the last operation ended
};

}  // namespace zero::detail::simulation
