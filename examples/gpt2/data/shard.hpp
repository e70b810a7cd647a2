// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "open_files.hpp"
#include "shard_layout.hpp"
#include "token_source.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace gpt2 {

/// A file of tokens, of which only what is asked for is read. A token beyond the vocabulary is found when it is read.
class Shard final : public TokenSource {
 public:
  /// Reads the first and the last bytes of \p path. \p files opens it from then on.
  /// \throws DataError where it cannot be read, or is no shard.
  Shard(std::shared_ptr<OpenFiles> files, std::string const& path);

  [[nodiscard]] std::string const& name() const noexcept override { return path_; }
  [[nodiscard]] std::uint64_t tokens() const noexcept override { return layout_.tokens; }
  void read(std::uint64_t first, std::span<Token> out) const override;

  [[nodiscard]] ShardLayout const& layout() const noexcept { return layout_; }
  /// Of the file.
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  /// Of its size and of what was read of it: another one tells of another file.
  [[nodiscard]] std::uint64_t fingerprint() const noexcept { return fingerprint_; }
  /// Tokens must be below it: \throws DataError in `read`.
  void set_vocabulary(std::size_t vocabulary) noexcept { vocabulary_ = vocabulary; }

 private:
  void require_vocabulary(std::uint64_t first, std::span<Token const> tokens) const;

  std::shared_ptr<OpenFiles> files_;
  std::string path_;
  std::uint64_t bytes_ = 0;
  ShardLayout layout_;
  std::uint64_t fingerprint_ = 0;
  std::size_t number_ = 0;
  std::size_t vocabulary_ = 0;
};

}  // namespace gpt2
