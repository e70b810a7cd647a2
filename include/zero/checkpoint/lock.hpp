// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/checkpoint/detail/collective.hpp>
#include <zero/checkpoint/folder.hpp>
#include <zero/checkpoint/save.hpp>

#include <string>
#include <utility>

namespace zero {

/// A run's right to save into a folder, which no other run has meanwhile: make one before the first step and keep it to
/// the end. Rank 0 holds the lock and gives a sign of life now and then, from a thread of its own; the others hold
/// nothing. Survives crashes: whoever comes next takes the folder at once where the owner's process is gone on the same
/// machine, and otherwise when it has given no sign of life for `CheckpointLockOptions::stale_after`. Needs no
/// advisory locks of the file system, only names and times. The folder is free again when the object and all savers
/// that were made from it are gone.
class CheckpointLock {
 public:
  /// Makes \p folder and those above it, where they are missing, and takes it. \p ranks is an engine's communicator,
  /// needed for this call only; \p system is borrowed. Collective, blocks; up to `patience` on top. \throws
  /// CheckpointError, the same on every rank: `locked`, which names the owner, where another process has the folder.
  template <class Ranks>
  CheckpointLock(Ranks& ranks, std::string folder, CheckpointLockOptions const& options = {},
                 FileSystem& system = posix_file_system())
      : folder_(system, std::move(folder)) {
    (void)detail::run_on_rank_0(ranks, [&] {
      folder_.lock(options);
      return std::string();
    });
  }
  /// Takes the ownership over; the other one holds nothing afterwards.
  CheckpointLock(CheckpointLock&&) = default;
  /// The same; what this one held is given back.
  CheckpointLock& operator=(CheckpointLock&&) = default;
  CheckpointLock(CheckpointLock const&) = delete;
  CheckpointLock& operator=(CheckpointLock const&) = delete;
  ~CheckpointLock() = default;

  /// The folder, as this rank may write to it.
  [[nodiscard]] CheckpointFolder const& folder() const noexcept { return folder_; }
  /// Looks whether this run still has the folder, which every save does, too. Not collective: nothing on other ranks
  /// than rank 0. \throws CheckpointError (locked) that names who has taken it over.
  void(check)() const { folder_.check_lock(); }

 private:
  CheckpointFolder folder_;
};

/// Saves an engine's checkpoint into the folder that \p lock holds. As the other `save_checkpoint`.
template <class Engine>
SaveReport save_checkpoint(Engine& engine, CheckpointLock const& lock, SaveOptions const& options) {
  auto const state = engine.state();
  return save_checkpoint(*state, lock.folder(), options);
}

}  // namespace zero
