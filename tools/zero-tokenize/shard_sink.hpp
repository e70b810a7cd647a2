// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "files.hpp"
#include "text/manifest.hpp"

#include <zero/utility/fingerprint.hpp>

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace zero_tokenize {

/// The state of a ShardSink, from which it goes on.
struct SinkState {
  std::vector<zero_text::ManifestShard> shards;      ///< that are complete
  std::uint64_t tokens = 0;                          ///< in the one that is not
  std::uint64_t hash = zero::Fingerprint().value();  ///< of them
};

/// Writes the tokens of one split, in order, into shards of equal size. One that is not complete has a name that ends
/// in .part.
class ShardSink {
 public:
  /// Goes on from \p state, whose files must be there; what was written behind it is dropped. \throws DataError where a
  /// file is missing or too short.
  ShardSink(std::filesystem::path folder, bool validation, zero_text::ShardEncoding encoding,
            std::uint64_t shard_tokens, SinkState state = {});

  /// \throws std::system_error.
  void append(std::span<zero_text::TokenId const> tokens);
  /// Returns once the disk has all tokens so far.
  void sync() const;
  /// Completes the last shard.
  void finish();

  [[nodiscard]] SinkState const& state() const noexcept { return state_; }
  [[nodiscard]] std::uint64_t tokens() const noexcept;

 private:
  [[nodiscard]] std::filesystem::path path(std::size_t shard, bool complete) const;
  [[nodiscard]] std::string name(std::size_t shard) const;
  void open();
  void complete_shard();

  std::filesystem::path folder_;
  bool validation_;
  zero_text::ShardEncoding encoding_;
  std::uint64_t shard_tokens_;
  SinkState state_;
  OutputFile file_;
  std::string bytes_;
};

}  // namespace zero_tokenize
