// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/error.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace zero {

/// An operation that has run on a stream of a rank. Times are logical ones in a simulation, where an operation takes 1
/// unit, and 1 for each 1024 bytes that it touches; and nanoseconds of a real step.
struct TraceEvent {
  int rank = 0;                                        ///< that ran it
  std::string stream;                                  ///< that it ran on
  std::string name;                                    ///< of the operation
  std::size_t bucket = CommunicationError::no_bucket;  ///< that it worked on, or none
  std::uint64_t begin = 0;                             ///< logical time, or nanoseconds
  std::uint64_t end = 0;                               ///< logical time, or nanoseconds
};

}  // namespace zero
