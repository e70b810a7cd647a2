// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/engine/rank_agreement.hpp>

#include <algorithm>
#include <cstdint>

namespace zero {

/// Whether \p mine is true on any of the ranks of \p communicator: the same answer on all of them, so that all may act
/// on it. Collective, blocks. \throws CommunicationError.
template <class Communicator>
[[nodiscard]] bool any_rank(Communicator& communicator, bool mine) {
  auto const all = detail::exchange_words(communicator, mine ? 1 : 0);
  return std::find(all.begin(), all.end(), std::uint64_t{1}) != all.end();
}

}  // namespace zero
