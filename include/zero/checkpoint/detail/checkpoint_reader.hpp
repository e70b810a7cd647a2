// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/checkpoint/detail/crc32c.hpp>
#include <zero/checkpoint/detail/read_ahead.hpp>
#include <zero/checkpoint/detail/shard_file.hpp>
#include <zero/checkpoint/detail/shard_map.hpp>
#include <zero/checkpoint/file_system.hpp>
#include <zero/checkpoint/manifest.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace zero::detail {

/// Streams wanted elements out of the files of one checkpoint: every chunk that holds some of them is read once, in
/// order, and verified before any of it is used, while the next one is read. Takes one chunk of memory.
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

  /// Calls `f(part, bytes)` for all that is wanted, cut at pieces of chunks; what it is given is verified. \throws
  /// CheckpointError (damaged) after some calls, where a later chunk is not what was written.
  template <class Function>
  void read(Function&& f) {
    auto const targets = targets_to_read();
    ReadAhead ahead(system_, path_, manifest_, targets);
    std::vector<std::span<std::byte const>> pieces;
    std::size_t file = 0, next = 0;  // the first part of that file of which something is still to come
    for (auto const& target : targets) {
      if (std::exchange(file, target.file) != target.file) next = 0;
      read_chunk(ahead, target, pieces);
      std::uint64_t at = target.chunk * manifest_.chunk;
      for (auto const piece : pieces) {
        hand_out(parts_[file], next, at, piece, f);
        at += piece.size();
        ahead.release();
      }
    }
  }

  /// Bytes read so far, whole chunks.
  [[nodiscard]] std::uint64_t bytes_read() const noexcept { return bytes_read_; }

 private:
  /// Every chunk that holds something that is wanted, once.
  [[nodiscard]] std::vector<ChunkTarget> targets_to_read() const {
    std::vector<ChunkTarget> targets;
    for (std::size_t f = 0; f < parts_.size(); ++f) {
      std::uint64_t behind = 0;  // the last one of this file
      for (auto const& part : parts_[f]) {
        if (part.count == 0) continue;
        std::uint64_t const last = (part.at + part.bytes() - 1) / manifest_.chunk;
        for (auto k = (std::max)(behind, part.at / manifest_.chunk); k <= last; ++k) targets.push_back({f, k});
        behind = (std::max)(behind, last + 1);
      }
    }
    return targets;
  }

  void read_chunk(ReadAhead& ahead, ChunkTarget const& target, std::vector<std::span<std::byte const>>& pieces) {
    auto const& file = manifest_.files[target.file];
    pieces.clear();
    std::uint32_t crc = 0;
    for (std::uint64_t done = 0, size = ahead.size_of(target); done < size; done += pieces.back().size()) {
      pieces.push_back(ahead.next());
      crc = crc32c(pieces.back(), crc);
      bytes_read_ += pieces.back().size();
    }
    check_chunk(path_ + "/" + file.name, file, manifest_.chunk, target.chunk, crc);
  }

  /// What the bytes from \p begin on hold of \p parts, from the \p next one on. No element lies in two pieces: all are
  /// cut at multiples of every element's size.
  template <class Function>
  static void hand_out(std::vector<ShardPart> const& parts, std::size_t& next, std::uint64_t begin,
                       std::span<std::byte const> bytes, Function& f) {
    std::uint64_t const end = begin + bytes.size();
    for (std::size_t i = next; i < parts.size() && parts[i].at < end; ++i) {
      auto part = parts[i];
      std::uint64_t const size = element_size(part.type);
      std::uint64_t const from = (std::max)(part.at, begin), to = (std::min)(part.at + part.bytes(), end);
      if (from >= to) continue;
      part.first += (from - part.at) / size;
      part.count = (to - from) / size;
      part.at = from;
      f(part, bytes.subspan(static_cast<std::size_t>(from - begin), static_cast<std::size_t>(to - from)));
    }
    while (next < parts.size() && parts[next].at + parts[next].bytes() <= end) ++next;
  }

  FileSystem& system_;
  std::string path_;
  Manifest const& manifest_;
  std::vector<std::vector<ShardPart>> parts_;
  std::uint64_t bytes_read_ = 0;
};

}  // namespace zero::detail
