// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/checkpoint/detail/crc32c.hpp>
#include <zero/checkpoint/detail/file.hpp>
#include <zero/checkpoint/manifest.hpp>
#include <zero/error.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zero::detail {

/// Writes one file of a checkpoint from front to back, a piece at a time, and takes the checksum of every chunk.
class ShardWriter {
 public:
  static constexpr std::size_t largest_piece = std::size_t{1} << 20U;  ///< bytes; a second-level cache holds it

  /// \p piece is memory to work in, borrowed, no more than a chunk; \p chunk are the bytes that one checksum covers.
  ShardWriter(File file, std::uint64_t bytes, std::span<std::byte> piece, std::uint64_t chunk)
      : file_(std::move(file)), piece_(piece), chunk_(chunk) {
    file_.allocate(bytes);
  }

  /// Where the next bytes may be put, at most \p wanted, before `put` says that they are there.
  [[nodiscard]] std::span<std::byte> room(std::uint64_t wanted) noexcept {
    auto const rest = std::min<std::uint64_t>(piece_.size() - used_, chunk_ - in_chunk_ - used_);
    return piece_.subspan(used_, static_cast<std::size_t>((std::min)(rest, wanted)));
  }
  void put(std::size_t count) {
    used_ += count;
    if (used_ == piece_.size() || in_chunk_ + used_ == chunk_) flush();
  }
  void write(std::string_view text) {
    while (!text.empty()) {
      auto const place = room(text.size());
      std::memcpy(place.data(), text.data(), place.size());
      text.remove_prefix(place.size());
      put(place.size());
    }
  }

  /// Hands everything to the system, which may write it while the next file is made; the checksums of the chunks.
  [[nodiscard]] std::vector<std::uint32_t> end() {
    flush();
    if (in_chunk_ > 0) end_chunk();
    return std::move(checksums_);
  }
  /// Makes the file durable and closes it.
  void finish() {
    file_.sync();
    file_.close();
  }

 private:
  void flush() {
    if (used_ == 0) return;
    auto const bytes = piece_.first(std::exchange(used_, 0));
    crc_ = crc32c(bytes, crc_);
    file_.write(bytes);
    in_chunk_ += bytes.size();
    if (in_chunk_ == chunk_) end_chunk();
  }
  void end_chunk() {
    checksums_.push_back(std::exchange(crc_, 0));
    file_.start_writing(written_, in_chunk_);
    written_ += std::exchange(in_chunk_, 0);
  }

  File file_;
  std::span<std::byte> piece_;
  std::uint64_t chunk_;
  std::size_t used_ = 0;        // bytes of the piece
  std::uint64_t in_chunk_ = 0;  // bytes of this chunk that are written
  std::uint32_t crc_ = 0;       // of them
  std::uint64_t written_ = 0;   // bytes of the chunks before it
  std::vector<std::uint32_t> checksums_;
};

/// \throws CheckpointError (damaged) unless \p crc, of the bytes that were read, is what chunk \p k of \p file had.
inline void check_chunk(std::string const& path, ManifestFile const& file, std::uint64_t chunk_bytes, std::uint64_t k,
                        std::uint32_t crc) {
  if (crc == file.crc32c[static_cast<std::size_t>(k)]) return;
  std::uint64_t const begin = k * chunk_bytes;
  throw CheckpointError(CheckpointFailure::damaged, concat({"zero: ", quote(path), " is damaged: the checksum of the ",
                                                            (std::min)(chunk_bytes, file.bytes - begin),
                                                            " bytes from byte ", begin, " on does not fit"}));
}

/// Reads one file of a checkpoint, whose length is what the manifest says.
class ShardReader {
 public:
  /// \p file describes it and is borrowed. \throws CheckpointError where it is missing or not as long as it should be.
  ShardReader(FileSystem& system, std::string const& folder, Manifest const& manifest, ManifestFile const& file)
      : description_(file), chunk_(manifest.chunk), file_(File::open(system, folder + "/" + file.name)) {
    if (auto const size = file_.size(); size != file.bytes) {
      throw CheckpointError(CheckpointFailure::damaged,
                            concat({"zero: ", quote(file_.path()), " has ", size, " bytes instead of ", file.bytes}));
    }
  }

  /// Chunk \p k, in \p buffer, which holds at least one chunk; not handed out before its checksum fits.
  [[nodiscard]] std::span<std::byte const> read(std::uint64_t k, std::span<std::byte> buffer) const {
    std::uint64_t const begin = k * chunk_;
    auto const bytes = buffer.first(static_cast<std::size_t>((std::min)(chunk_, description_.bytes - begin)));
    file_.read(bytes, begin);
    check_chunk(file_.path(), description_, chunk_, k, crc32c(bytes));
    return bytes;
  }

  /// Bytes from \p offset on, for a caller who knows their checksum only later.
  void read_unverified(std::uint64_t offset, std::span<std::byte> bytes) const { file_.read(bytes, offset); }

 private:
  ManifestFile const& description_;
  std::uint64_t chunk_;
  File file_;
};

}  // namespace zero::detail
