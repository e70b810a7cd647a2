// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "open_files.hpp"
#include "shard.hpp"
#include "text/manifest.hpp"
#include "windows.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gpt2 {

/// A shard that is there, or is to be.
struct ShardFile {
  std::string path;
  std::optional<zero_text::ManifestShard> expected{};  ///< what its folder's manifest says of it
};

/// Where the shards of a data set are.
struct ShardFiles {
  std::vector<ShardFile> train{};
  std::optional<std::vector<ShardFile>> validation{};  ///< nothing: a part of `train`
  std::optional<zero_text::Manifest> manifest{};       ///< of the folder, where it has one
  std::optional<std::string> doubtful{};  ///< of `train`, one whose name is of validation, where that of others is not
};

/// Looks for the shards of \p path: a file, a pattern, or a folder. A folder's manifest says which shards it has, and
/// what for; without one those for validation have `val` or `validation` as a word of their name. All that a pattern
/// fits is to train on.
/// \throws DataError where there are none, or what is there is no shard.
[[nodiscard]] ShardFiles find_shards(std::string const& path);

/// Whether \p path names shards: a pattern, a folder, or a file whose name ends in .bin.
[[nodiscard]] bool names_shards(std::string const& path);

/// Shards one after the other.
class ShardSet {
 public:
  /// Reads a few bytes of each. \throws DataError.
  ShardSet(std::shared_ptr<OpenFiles> const& files, std::vector<ShardFile> const& shards);

  [[nodiscard]] std::size_t shards() const noexcept { return shards_.size(); }
  [[nodiscard]] std::uint64_t tokens() const noexcept { return tokens_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::uint64_t fingerprint() const noexcept { return fingerprint_; }
  /// Of the tokenizers that their formats were made for, the largest.
  [[nodiscard]] std::size_t usual_vocabulary() const noexcept { return usual_vocabulary_; }
  /// Tokens that are not below it are refused when they are read.
  void set_vocabulary(std::size_t vocabulary);
  /// Tokens [\p first, \p first + \p count) of all of them.
  [[nodiscard]] std::vector<Piece> pieces(std::uint64_t first, std::uint64_t count) const;

 private:
  std::vector<std::shared_ptr<Shard>> shards_;
  std::uint64_t tokens_ = 0, bytes_ = 0, fingerprint_ = 0;
  std::size_t usual_vocabulary_ = 0;
};

}  // namespace gpt2
