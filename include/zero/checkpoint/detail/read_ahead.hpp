// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/checkpoint/detail/shard_file.hpp>
#include <zero/checkpoint/file_system.hpp>
#include <zero/checkpoint/manifest.hpp>

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace zero::detail {

/// A chunk that is to be read: which one of which file of the manifest.
struct ChunkTarget {
  std::size_t file = 0;
  std::uint64_t chunk = 0;
};

/// Reads chunks in the order in which they are wanted, in pieces and ahead of who uses them: a thread of its own fills
/// the places of pieces that were given back while the caller verifies and copies others. All of it takes one chunk of
/// memory, because a piece of the next chunk may take the place of one of this chunk. Where there is less than a piece
/// to read, a thread would cost more than it saves, and the caller reads.
///
/// Used by one thread: `next` and `release`. Everything that is asked of the file system once this is made comes from
/// the other one, as long as there is one.
class ReadAhead {
 public:
  static constexpr std::size_t piece_bytes = std::size_t{1} << 20U;  ///< at most; a second-level cache holds it

  /// \p folder and \p manifest are borrowed.
  ReadAhead(FileSystem& system, std::string const& folder, Manifest const& manifest, std::vector<ChunkTarget> targets)
      : system_(system), folder_(folder), manifest_(manifest), targets_(std::move(targets)) {
    std::uint64_t largest = 0, sum = 0;
    for (auto const& target : targets_) {
      largest = (std::max)(largest, size_of(target));
      sum += size_of(target);
    }
    ring_.resize(static_cast<std::size_t>((largest + 7) / 8 * 8));
    if (sum > piece_bytes) reader_ = std::thread([this] { read_all(); });
  }
  ReadAhead(ReadAhead const&) = delete;
  ReadAhead& operator=(ReadAhead const&) = delete;
  ~ReadAhead() {
    if (!reader_.joinable()) return;
    {
      std::lock_guard const lock(mutex_);
      stops_ = true;
    }
    changed_.notify_all();
    reader_.join();
  }

  /// The next piece of the chunk that is being read, none of which reaches into the next one. Not verified. It stays
  /// where it is until `release` has been called once for it and for each before it.
  /// \throws CheckpointError for what went wrong in reading it.
  [[nodiscard]] std::span<std::byte const> next() {
    if (!reader_.joinable()) read_piece();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return taken_ < pieces_.size() || failure_ != nullptr; });
    if (taken_ == pieces_.size()) std::rethrow_exception(failure_);
    return pieces_[taken_++].bytes;
  }
  /// Gives back the oldest piece.
  void release() {
    {
      std::lock_guard const lock(mutex_);
      begin_ = pieces_.front().end;
      pieces_.pop_front();
      --taken_;
    }
    changed_.notify_all();
  }

  [[nodiscard]] std::uint64_t size_of(ChunkTarget const& target) const noexcept {
    return (std::min)(manifest_.chunk, manifest_.files[target.file].bytes - target.chunk * manifest_.chunk);
  }

 private:
  struct Segment {
    std::span<std::byte const> bytes;
    std::uint64_t end = 0;  // where the next one begins
  };

  void read_all() {
    try {
      while (target_ < targets_.size() && read_piece()) {
      }
    } catch (...) {
      std::lock_guard const lock(mutex_);
      failure_ = std::current_exception();
    }
    changed_.notify_all();
  }

  /// False where nobody wants it any more. Positions count all bytes that have ever been in the ring; a chunk begins at
  /// a multiple of 8, and so does the ring's end lie, that no element is cut.
  bool read_piece() {
    auto const& target = targets_[target_];
    auto const in_ring = static_cast<std::size_t>(end_ % ring_.size());
    auto const size = static_cast<std::size_t>(
        std::min<std::uint64_t>({piece_bytes, size_of(target) - done_, ring_.size() - in_ring}));
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stops_ || end_ + size - begin_ <= ring_.size(); });
      if (stops_) return false;
    }
    if (open_ != target.file) {
      reader_of_.emplace(system_, folder_, manifest_, manifest_.files[target.file]);
      open_ = target.file;
    }
    auto const bytes = std::span(ring_).subspan(in_ring, size);
    reader_of_->read_unverified(target.chunk * manifest_.chunk + done_, bytes);
    done_ += size;
    bool const ends = done_ == size_of(target);
    {
      std::lock_guard const lock(mutex_);
      end_ += size;
      if (ends) end_ = (end_ + 7) / 8 * 8;
      pieces_.push_back({bytes, end_});
    }
    changed_.notify_all();
    if (ends) {
      ++target_;
      done_ = 0;
    }
    return true;
  }

  FileSystem& system_;
  std::string const& folder_;
  Manifest const& manifest_;
  std::vector<ChunkTarget> targets_;
  std::vector<std::byte> ring_;

  // Of the thread that reads.
  std::size_t target_ = 0;
  std::uint64_t done_ = 0;  // bytes of this place
  std::optional<std::size_t> open_;
  std::optional<ShardReader> reader_of_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Segment> pieces_;         // read and not given back
  std::size_t taken_ = 0;              // of them
  std::uint64_t begin_ = 0, end_ = 0;  // positions of the oldest, and behind the newest; `end_` is the reader's
  bool stops_ = false;
  std::exception_ptr failure_;
  std::thread reader_;
};

}  // namespace zero::detail
