// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "../weights.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace gpt2 {

/// Tokens in a row, wherever they lie. Several threads may read at once.
class TokenSource {
 public:
  TokenSource() = default;
  TokenSource(TokenSource const&) = delete;
  TokenSource& operator=(TokenSource const&) = delete;
  virtual ~TokenSource() = default;

  /// What messages call it.
  [[nodiscard]] virtual std::string const& name() const noexcept = 0;
  [[nodiscard]] virtual std::uint64_t tokens() const noexcept = 0;
  /// Fills \p out with the tokens from number \p first on, which must be there. \throws DataError where they cannot be
  /// had any more.
  virtual void read(std::uint64_t first, std::span<Token> out) const = 0;
};

/// Those of a text, in memory.
class TokensInMemory final : public TokenSource {
 public:
  /// \p owner keeps \p tokens where they are.
  TokensInMemory(std::string name, std::span<std::uint16_t const> tokens, std::shared_ptr<void const> owner)
      : name_(std::move(name)), tokens_(tokens), owner_(std::move(owner)) {}

  [[nodiscard]] std::string const& name() const noexcept override { return name_; }
  [[nodiscard]] std::uint64_t tokens() const noexcept override { return tokens_.size(); }
  void read(std::uint64_t first, std::span<Token> out) const override {
    auto const from = tokens_.begin() + static_cast<std::ptrdiff_t>(first);
    std::copy_n(from, out.size(), out.begin());
  }

 private:
  std::string name_;
  std::span<std::uint16_t const> tokens_;
  std::shared_ptr<void const> owner_;
};

}  // namespace gpt2
