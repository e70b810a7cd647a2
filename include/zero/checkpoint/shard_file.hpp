// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/checkpoint/crc32c.hpp>
#include <zero/checkpoint/file.hpp>
#include <zero/checkpoint/manifest.hpp>
#include <zero/error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zero {

/// Writes one file of a checkpoint from front to back, a chunk at a time, and takes the checksum of every chunk.
class ShardWriter {
 public:
  /// \p chunk is borrowed, and what one checksum covers.
  ShardWriter(File file, std::uint64_t bytes, std::span<std::byte> chunk) : file_(std::move(file)), chunk_(chunk) {
    file_.allocate(bytes);
  }

  /// Where the next bytes may be put, at most \p wanted, before `put` says that they are there.
  [[nodiscard]] std::span<std::byte> room(std::uint64_t wanted) noexcept {
    auto const rest = chunk_.subspan(used_);
    return rest.first(static_cast<std::size_t>(std::min<std::uint64_t>(rest.size(), wanted)));
  }
  void put(std::size_t count) {
    used_ += count;
    if (used_ == chunk_.size()) flush();
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
    auto const bytes = chunk_.first(std::exchange(used_, 0));
    checksums_.push_back(crc32c(bytes));
    file_.write(bytes);
    file_.start_writing(written_, bytes.size());
    written_ += bytes.size();
  }

  File file_;
  std::span<std::byte> chunk_;
  std::size_t used_ = 0;
  std::uint64_t written_ = 0;
  std::vector<std::uint32_t> checksums_;
};

namespace detail {

/// \throws CheckpointError (damaged) unless \p crc, of the bytes that were read, is what chunk \p k of \p file had.
inline void check_chunk(std::string const& path, ManifestFile const& file, std::uint64_t chunk_bytes, std::uint64_t k,
                        std::uint32_t crc) {
  if (crc == file.crc32c[static_cast<std::size_t>(k)]) return;
  std::uint64_t const begin = k * chunk_bytes;
  throw CheckpointError(
      CheckpointFailure::damaged,
      sentence({"zero: ", detail::quoted(path), " is damaged: the checksum of the ",
                std::min(chunk_bytes, file.bytes - begin), " bytes from byte ", begin, " on does not fit"}));
}

}  // namespace detail

/// Reads one file of a checkpoint, whose length is what the manifest says.
class ShardReader {
 public:
  /// \p file describes it and is borrowed. \throws CheckpointError where it is missing or not as long as it should be.
  ShardReader(FileSystem& system, std::string const& folder, Manifest const& manifest, ManifestFile const& file)
      : description_(file), chunk_(manifest.chunk), file_(File::open(system, folder + "/" + file.name)) {
    if (auto const size = file_.size(); size != file.bytes) {
      throw CheckpointError(
          CheckpointFailure::damaged,
          detail::sentence({"zero: ", detail::quoted(file_.path()), " has ", size, " bytes instead of ", file.bytes}));
    }
  }

  /// Chunk \p k, in \p buffer, which holds at least one chunk; not handed out before its checksum fits.
  [[nodiscard]] std::span<std::byte const> read(std::uint64_t k, std::span<std::byte> buffer) const {
    std::uint64_t const begin = k * chunk_;
    auto const bytes = buffer.first(static_cast<std::size_t>(std::min(chunk_, description_.bytes - begin)));
    file_.read(bytes, begin);
    detail::check_chunk(file_.path(), description_, chunk_, k, crc32c(bytes));
    return bytes;
  }

  /// Bytes from \p offset on, for a caller who knows their checksum only later.
  void read_unverified(std::uint64_t offset, std::span<std::byte> bytes) const { file_.read(bytes, offset); }

 private:
  ManifestFile const& description_;
  std::uint64_t chunk_;
  File file_;
};

}  // namespace zero
