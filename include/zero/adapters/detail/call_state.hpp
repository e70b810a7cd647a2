// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/error.hpp>
#include <zero/support/message.hpp>

namespace zero::libtorch::detail {

/// What a session is in the middle of, and which calls may come then.
struct CallState {
  bool is_open = true;     ///< it has an engine
  bool is_active = false;  ///< inside of micro_batch
  bool is_whole = false;   ///< between whole and the end of what it returns

  /// These \throw SequenceError, which names \p call, where it may not come now. \p remedy says what to do.
  void require_open(char const* call) const {
    if (is_open) return;
    zero::detail::fail<SequenceError>({"zero::libtorch: ", call, " after close(): wrap the module again"});
  }
  void require_not_whole(char const* call) const {
    if (!is_whole) return;
    zero::detail::fail<SequenceError>(
        {"zero::libtorch: ", call, " while whole() is held: end its scope before, because it holds every parameter"});
  }
  void require_outside(char const* call, char const* remedy = "call it between two steps") const {
    if (!is_active) return;
    zero::detail::fail<SequenceError>({"zero::libtorch: ", call, " inside of micro_batch(): ", remedy});
  }
};

}  // namespace zero::libtorch::detail
