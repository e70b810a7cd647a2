// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/error.hpp>
#include <zero/support/message.hpp>

#include <chrono>
#include <cstddef>
#include <string>

namespace zero {

/// Settings of an MpiCommunicator; the same on every rank, `host` apart, and `network_interface`, of which rank 0's
/// counts.
struct MpiConfig {
  std::chrono::nanoseconds deadline = std::chrono::minutes(10);          ///< of every wait for another rank
  std::chrono::nanoseconds meeting_deadline = std::chrono::minutes(10);  ///< until all ranks have come
  /// Which host this rank is on: ranks with the same name share memory, the others send messages. Empty: the machine's.
  std::string host{};
  /// Where rank 0 listens for the failure channel between hosts: an interface's name or an address; empty: the address
  /// of its machine's name.
  std::string network_interface{};
  /// Shared memory of each rank in each communicator, through which goes what lies outside of the engine's memory: what
  /// is read by name, norms, a caller's own buffers, and all that goes to other hosts.
  std::size_t bounce_bytes = std::size_t{4} << 20;

  /// \throws ConfigurationError for settings that cannot work.
  void validate() const {
    detail::enforce(deadline.count() > 0 && meeting_deadline.count() > 0,
                    "zero::MpiCommunicator: the deadlines must be positive");
    detail::enforce(bounce_bytes >= (std::size_t{64} << 10) && bounce_bytes <= (std::size_t{1} << 30),
                    "zero::MpiCommunicator: bounce_bytes must be from 64 KB to 1 GB");
  }
};

}  // namespace zero
