// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/error.hpp>
#include <zero/support/message.hpp>

#include <cstddef>
#include <optional>
#include <string_view>

namespace zero {

/// Optimizer states and master parameters stay on the device, and the update runs there.
struct NoOffload {
  static constexpr bool offloads = false;  ///< whether states may live in host memory
  /// Compared over ranks.
  static constexpr std::string_view name = "NoOffload";
  struct Config {};
  /// \throws ConfigurationError for settings that cannot work.
  static void validate(Config const& /*config*/) {}
};

/// Reduced gradients, optimizer states and master parameters live in host memory, and the update runs on the host,
/// pipelined in chunks (Ren et al., "ZeRO-Offload: Democratizing Billion-Scale Model Training", 2021, section 4).
/// Only staging is pinned.
struct CpuOffload {
  /// Whether states may live in host memory.
  static constexpr bool offloads = true;
  /// Compared over ranks.
  static constexpr std::string_view name = "CpuOffload";
  /// Settings.
  struct Config {
    std::size_t chunk_elements = std::size_t{1} << 22;  ///< what one copy moves; rounded up to the alignment
    std::size_t staging_chunks = 2;                     ///< chunks under way at once in each direction
    double device_share = 0.0;    ///< of the elements: what stays on the device, and is updated there meanwhile; to a
                                  ///< multiple of the alignment, those that are reduced first
    bool delayed_update = false;  ///< the host updates beside the next step's forward and backward, which still use the
                                  ///< parameters before it (ibid., section 5.2). Changes results: gradients are one
                                  ///< step late. Keeps the sums of two steps on the host; a step waits for nothing
  };
  /// Elements of one copy: a multiple of the alignment.
  [[nodiscard]] static std::size_t chunk_elements(Config const& config, std::size_t alignment_elements) noexcept {
    return (config.chunk_elements + alignment_elements - 1) / alignment_elements * alignment_elements;
  }
  /// \throws ConfigurationError for settings that cannot work.
  static void validate(Config const& config) {
    detail::enforce(config.chunk_elements > 0 && config.chunk_elements <= (std::size_t{1} << 50),
                    "zero::CpuOffload: chunk_elements must be at least 1 and at most 2^50, e.g. 1 << 20");
    detail::enforce(config.staging_chunks > 0 && config.staging_chunks <= 64,
                    "zero::CpuOffload: staging_chunks must be 1 to 64, e.g. 2");
    detail::enforce(config.device_share >= 0.0 && config.device_share <= 1.0,
                    "zero::CpuOffload: device_share must be 0 to 1; 0 keeps nothing on the device");
    detail::enforce(!config.delayed_update || config.device_share == 0.0,
                    "zero::CpuOffload: what stays on the device would not be updated late, and results would depend on "
                    "the share: leave out device_share or delayed_update");
  }
};

/// Offload that is chosen when the program runs: the settings of CpuOffload, or none. Costs the code of both.
struct AnyOffload {
  /// Whether states may live in host memory.
  static constexpr bool offloads = true;
  /// Settings of the offload; empty: none.
  using Config = std::optional<CpuOffload::Config>;
  /// \throws ConfigurationError for settings that cannot work.
  static void validate(Config const& config) {
    if (config) CpuOffload::validate(*config);
  }
};

}  // namespace zero
