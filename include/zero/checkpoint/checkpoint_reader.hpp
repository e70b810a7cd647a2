// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/checkpoint/file_system.hpp>
#include <zero/checkpoint/manifest.hpp>
#include <zero/checkpoint/shard_file.hpp>
#include <zero/checkpoint/shard_map.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace zero {

/// Streams wanted elements out of the files of one checkpoint: every chunk that holds some of them is read once, in
/// order, and verified before any of it is used. Takes one chunk of memory.
class CheckpointReader {
 public:
  /// \p path is the checkpoint's own folder; \p manifest is borrowed.
  CheckpointReader(FileSystem& system, std::string path, Manifest const& manifest, std::span<WantedRange const> wanted)
      : system_(system), path_(std::move(path)), manifest_(manifest), parts_(map_shards(manifest, wanted)) {}

  /// Makes sure that the files are there and as long as they should be. \throws CheckpointError.
  void check_files() const {
    for (std::size_t f = 0; f < parts_.size(); ++f) {
      if (!parts_[f].empty()) (void)ShardReader(system_, path_, manifest_, manifest_.files[f]);
    }
  }

  /// Calls `f(part, bytes)` for all that is wanted, cut at chunks; what it is given is verified. \throws
  /// CheckpointError (damaged) after some calls, where a later chunk is not what was written.
  template <class F>
  void read(F&& f) {
    std::vector<std::byte> buffer(static_cast<std::size_t>(std::min(manifest_.chunk, largest_file())));
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      if (!parts_[i].empty()) read_file(manifest_.files[i], parts_[i], buffer, f);
    }
  }

  /// Bytes read so far, whole chunks.
  [[nodiscard]] std::uint64_t bytes_read() const noexcept { return bytes_read_; }

 private:
  [[nodiscard]] std::uint64_t largest_file() const noexcept {
    std::uint64_t largest = 0;
    for (std::size_t f = 0; f < parts_.size(); ++f) {
      if (!parts_[f].empty()) largest = std::max(largest, manifest_.files[f].bytes);
    }
    return largest;
  }

  template <class F>
  void read_file(ManifestFile const& file, std::vector<ShardPart> const& parts, std::span<std::byte> buffer, F& f) {
    ShardReader const reader(system_, path_, manifest_, file);
    std::uint64_t const chunk = manifest_.chunk;
    std::size_t next = 0;  // the first part of which something is still to come
    for (std::uint64_t k = 0; next < parts.size(); ++k) {
      k = std::max(k, parts[next].at / chunk);
      std::uint64_t const begin = k * chunk, end = std::min(file.bytes, begin + chunk);
      auto const bytes = reader.read(k, buffer);
      bytes_read_ += bytes.size();
      for (std::size_t i = next; i < parts.size() && parts[i].at < end; ++i) {
        hand_out(parts[i], begin, end, bytes, f);
      }
      while (next < parts.size() && parts[next].at + parts[next].bytes() <= end) ++next;
    }
  }

  // The part of a part inside a chunk. No element lies in two chunks: both are multiples of every element's size.
  template <class F>
  static void hand_out(ShardPart part, std::uint64_t begin, std::uint64_t end, std::span<std::byte const> bytes, F& f) {
    std::uint64_t const size = element_size(part.type);
    std::uint64_t const from = std::max(part.at, begin), to = std::min(part.at + part.bytes(), end);
    if (from >= to) return;
    part.first += (from - part.at) / size;
    part.count = (to - from) / size;
    part.at = from;
    f(part, bytes.subspan(static_cast<std::size_t>(from - begin), static_cast<std::size_t>(to - from)));
  }

  FileSystem& system_;
  std::string path_;
  Manifest const& manifest_;
  std::vector<std::vector<ShardPart>> parts_;
  std::uint64_t bytes_read_ = 0;
};

}  // namespace zero
