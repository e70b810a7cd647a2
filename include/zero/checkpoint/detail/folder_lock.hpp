// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/checkpoint/detail/file.hpp>
#include <zero/checkpoint/detail/heartbeat.hpp>
#include <zero/checkpoint/detail/owner_file.hpp>
#include <zero/checkpoint/detail/owner_files.hpp>
#include <zero/checkpoint/detail/process_identity.hpp>
#include <zero/checkpoint/file_system.hpp>
#include <zero/checkpoint/lock_options.hpp>
#include <zero/error.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zero::detail {

/// The locks that this process holds, by their nonces: an owner's file that names this process and none of them is
/// left over from before an exec, or from a lock that could not be released.
class LiveLocks {
 public:
  static void add(std::string const& nonce) {
    std::lock_guard const lock(instance().mutex_);
    instance().nonces_.insert(nonce);
  }
  static void remove(std::string const& nonce) {
    std::lock_guard const lock(instance().mutex_);
    instance().nonces_.erase(nonce);
  }
  [[nodiscard]] static bool contain(std::string const& nonce) {
    std::lock_guard const lock(instance().mutex_);
    return instance().nonces_.contains(nonce);
  }

 private:
  static LiveLocks& instance() {
    static LiveLocks locks;
    return locks;
  }
  std::mutex mutex_;
  std::set<std::string> nonces_;
};

/// The right of one process to change a folder of checkpoints. Works with names and times alone, because advisory locks
/// do not work on all network file systems, and do not outlive a mount.
///
/// Owners are the files `.owner.<number>`, and the highest number owns. Whoever takes the folder makes the next number,
/// by a link to a file that is complete, or exclusively where links are refused: of two one fails. The highest file is
/// never removed, only marked as released, so numbers never come again, and an owner that slept through a takeover
/// finds a higher number when it wakes up.
class FolderLock {
 public:
  /// Takes \p root, which is there. \p system is borrowed. \throws CheckpointError (locked) that names the owner.
  FolderLock(FileSystem& system, std::string root, std::string nonce, CheckpointLockOptions const& options = {},
             ProcessIdentity process = this_process())
      : system_(system),
        owners_(system, std::move(root)),
        options_(options),
        me_{std::move(process), std::move(nonce)} {
    LiveLocks::add(me_.nonce);
    try {
      acquire();
      heartbeat_ = std::make_unique<Heartbeat>((std::max)(options_.stale_after / 12, std::chrono::milliseconds(1)),
                                               [this] { beat(); });
    } catch (...) {
      if (number_ > 0) release();
      LiveLocks::remove(me_.nonce);
      throw;
    }
  }
  FolderLock(FolderLock const&) = delete;
  FolderLock& operator=(FolderLock const&) = delete;
  ~FolderLock() {
    heartbeat_.reset();
    release();
    LiveLocks::remove(me_.nonce);
  }

  /// Who may have \p root, which is there, as far as reading says: nothing where nobody has. Takes and writes nothing.
  /// \throws CheckpointError (locked), as taking it does, where a process that runs on this machine has it.
  [[nodiscard]] static std::optional<std::string> look(FileSystem& system, std::string const& root,
                                                       CheckpointLockOptions const& options) {
    auto const newest = OwnerFiles(system, root).newest();
    if (!newest) return std::nullopt;
    auto const claim = newest->owner ? claim_of(*newest->owner, this_process()) : Claim::unknown;
    if (claim == Claim::held) throw refusal(root, newest->owner, options);
    return claim == Claim::free ? std::nullopt : std::optional(describe(newest->owner));
  }

  /// \throws CheckpointError (locked) where somebody else has taken the folder meanwhile.
  void(check)() const {
    auto const newest = owners_.newest();
    if (newest && newest->number == number_ && newest->owner && newest->owner->nonce == me_.nonce) return;
    throw CheckpointError(
        CheckpointFailure::locked,
        concat({"zero: ", quote(owners_.root()), " was taken over by ", newest ? describe(newest->owner) : "somebody",
                " while this process gave no sign of life: it saves nothing more there; start again, or use another "
                "folder"}));
  }

 private:
  enum class Claim : std::uint8_t { free, held, unknown };

  template <class Function>
  static long call(Function&& f) {
    return retry_interrupted(std::forward<Function>(f));
  }
  [[nodiscard]] std::string hidden() const { return owners_.path(std::string(new_owner_prefix) + me_.nonce); }

  /// What the owner's file says of its claim, and this machine of its process.
  [[nodiscard]] static Claim claim_of(Owner const& owner, ProcessIdentity const& me) {
    if (owner.has_released) return Claim::free;
    bool const is_this_process = !me.boot.empty() && owner.process == me;
    if (is_this_process && !LiveLocks::contain(owner.nonce)) return Claim::free;
    auto const fate = fate_of(owner.process, me);
    if (fate == ProcessFate::gone) return Claim::free;
    return fate == ProcessFate::running ? Claim::held : Claim::unknown;
  }

  [[nodiscard]] static CheckpointError refusal(std::string const& root, std::optional<Owner> const& owner,
                                               CheckpointLockOptions const& options) {
    return CheckpointError(
        CheckpointFailure::locked,
        concat({"zero: ", quote(root), " belongs to ", describe(owner),
                ", which saves checkpoints there: let it end, end it, or use another folder. Where it cannot be seen "
                "from here, it loses the folder when it gives no sign of life for ",
                std::chrono::duration_cast<std::chrono::seconds>(options.stale_after).count(), " s"}));
  }

  // ------------------------------------------------------------------------------------------------- taking it

  void acquire() {
    constexpr int attempts = 16;  // each of which somebody else was faster
    std::chrono::milliseconds waited{0};
    std::optional<OwnerFiles::Numbered> first, newest;
    for (int i = 0; i < attempts; ++i) {
      newest = owners_.newest();
      if (!first) first = newest;
      auto const state = newest ? state_of(*newest, *first) : Claim::free;
      if (state == Claim::free) {
        if (claim(newest ? newest->number + 1 : 1) && remove_superseded()) return;
      } else if (state == Claim::unknown && waited < options_.patience) {
        auto const pause = (std::min)((std::max)(options_.stale_after / 120, std::chrono::milliseconds(1)),
                                      options_.patience - waited);
        system_.pause(pause);
        waited += pause;
        i = -1;
      } else {
        break;
      }
    }
    throw refusal(owners_.root(), newest ? newest->owner : std::nullopt, options_);
  }

  /// Whether \p owner, as it is now, has lost the folder. \p before: what was seen first.
  [[nodiscard]] Claim state_of(OwnerFiles::Numbered const& owner, OwnerFiles::Numbered const& before) {
    if (owner.owner) {
      auto const claim = claim_of(*owner.owner, me_.process);
      if (claim == Claim::free || owner_age(owner) > options_.stale_after) return Claim::free;
      if (claim == Claim::held) return Claim::held;
    } else if (owner_age(owner) > options_.stale_after) {
      return Claim::free;
    }
    bool const moves = owner.number != before.number || owner.modified != before.modified;
    return moves ? Claim::held : Claim::unknown;
  }

  /// Time since the owner's last sign of life: both are read from the clock of the machine that keeps the folder.
  [[nodiscard]] std::chrono::nanoseconds owner_age(OwnerFiles::Numbered const& owner) {
    write_hidden();
    (void)call([&] { return system_.touch(hidden()); });
    auto const now = owners_.modified(hidden());
    remove_hidden();
    return std::chrono::nanoseconds(now > owner.modified ? now - owner.modified : 0);
  }

  void write_hidden() {
    try {
      write_new(system_, hidden(), to_text(me_));
    } catch (CheckpointError const&) {
      remove_hidden();
      throw;
    }
  }
  void remove_hidden() noexcept {
    (void)call([&] { return system_.remove_file(hidden()); });
  }

  /// False where somebody else was faster.
  bool claim(std::uint64_t number) {
    auto const file = owners_.path(owner_name(number));
    write_hidden();
    long linked = call([&] { return system_.link(hidden(), file); });
    // A server that answers twice says that the name is taken: by this very call.
    if (linked < 0 && is_mine(file)) linked = 0;
    remove_hidden();
    if (linked == -EEXIST || linked == -ENOENT) return false;
    bool const is_failure = linked == -EIO || linked == -ENOSPC || linked == -EDQUOT || linked == -EROFS;
    if (linked < 0 && (is_failure || !create(file))) {
      if (is_failure) check_file("create", file, linked);
      return false;
    }
    number_ = number;
    return true;
  }

  [[nodiscard]] bool is_mine(std::string const& file) const noexcept {
    try {
      auto const owner = parse_owner(read_text(system_, file, OwnerFiles::largest));
      return owner && owner->nonce == me_.nonce;
    } catch (...) {
      return false;
    }
  }

  /// Where there are no links. Until its text is there, the owner is an unknown one.
  bool create(std::string const& file) {
    try {
      write_new(system_, file, to_text(me_));
      return true;
    } catch (CheckpointError const& error) {
      if (error.kind() == CheckpointFailure::exists) return false;
      (void)call([&] { return system_.remove_file(file); });
      throw;
    }
  }

  /// Removes what earlier owners left, from the lowest on, so that the highest is always there. False where others took
  /// the folder, one after the other, since its owner was judged, so that the number was free again: it is given back.
  bool remove_superseded() {
    auto const found = owners_.numbers();
    bool const is_highest = !found.empty() && found.back() == number_;
    for (auto const number : found) {
      bool const is_over = is_highest ? number < number_ : number == number_;
      if (is_over) (void)call([&] { return system_.remove_file(owners_.path(owner_name(number))); });
    }
    if (!is_highest) number_ = 0;
    return is_highest;
  }

  // ------------------------------------------------------------------------------------------------- holding it

  void beat() noexcept {
    auto const file = owners_.path(owner_name(number_));
    if (long const touched = system_.touch(file); touched >= 0 || touched == -ENOENT) return;
    try {
      rewrite();  // a file system that dates no file unless it is written
    } catch (...) {
      // The next one may succeed. Without any the folder is lost, which `check` finds.
    }
  }

  /// Puts the same file, or one that says something else, in the place of this owner's.
  void rewrite() {
    write_hidden();
    auto const file = owners_.path(owner_name(number_));
    if (call([&] { return system_.rename_over(hidden(), file); }) < 0) remove_hidden();
  }

  /// Leaves the number behind. What somebody else has taken is theirs.
  void release() noexcept {
    try {
      auto const found = owners_.numbers();
      if (found.empty() || !is_mine(owners_.path(owner_name(number_)))) return;
      if (found.back() == number_) {
        me_.has_released = true;
        rewrite();
      } else {
        (void)call([&] { return system_.remove_file(owners_.path(owner_name(number_))); });
      }
    } catch (...) {
      // The process's end, or the owner's silence, releases it as well.
    }
  }

  FileSystem& system_;
  OwnerFiles owners_;
  CheckpointLockOptions options_;
  Owner me_;
  std::uint64_t number_ = 0;
  std::unique_ptr<Heartbeat> heartbeat_;
};

}  // namespace zero::detail
