// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "../weights.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace gpt2::device {

/// Tokens in pinned memory, from where a device copies them. Their address stays, so that a copy which was recorded
/// reads what lies there when it is replayed.
template <class Device>
class PinnedTokens {
 public:
  PinnedTokens(Device& device, std::size_t most) : tokens_(device.template allocate_pinned<std::uint32_t>(most)) {}

  /// Blocks the host until the device has read what was there before.
  void fill(std::span<Token const> tokens) {
    read_.synchronize();
    std::copy(tokens.begin(), tokens.end(), tokens_.data());
  }
  /// Puts a copy of the first \p n on the device's stream. Unless it is only recorded, `mark_read` follows.
  void upload(Device& device, std::uint32_t* to, std::size_t n) const {
    device.copy(to, tokens_.data(), n * sizeof(std::uint32_t));
  }
  /// Says that they have been read when the device's stream comes here.
  void mark_read(Device& device) { device.record(read_); }

  [[nodiscard]] bool begins_with(std::span<Token const> tokens) const {
    return std::equal(tokens.begin(), tokens.end(), tokens_.data());
  }

 private:
  typename Device::template Shared<std::uint32_t> tokens_;
  typename Device::Event read_;
};

}  // namespace gpt2::device
