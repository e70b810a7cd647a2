// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/checkpoint/file_system.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace checkpoint_test {

/// What a power failure leaves of what was not synced.
enum class Loss : std::uint8_t {
  everything,  ///< no change of a folder, no byte of a file
  contents,    ///< folders are as they were, files are empty
  some,        ///< each folder the first so many changes, each file whatever the system had got to: nothing, a part,
               ///< zeros, or all
};

/// A file system in memory that knows what has been synced: files and folders each have a content that programs see and
/// one that would survive a power failure. Creating, renaming or removing a name is a change of its folder, and durable
/// only once that is synced, in the order of the changes. Less than what any real system promises.
class MemoryFileSystem final : public zero::FileSystem {
 public:
  MemoryFileSystem();
  /// The same files; handles that are open stay the other one's.
  MemoryFileSystem(MemoryFileSystem const& other);
  MemoryFileSystem& operator=(MemoryFileSystem const&) = delete;
  ~MemoryFileSystem() override;

  long create(std::string const& path) override;
  long open(std::string const& path) override;
  long size(Handle file) override;
  long modified(Handle file) override;
  long write(Handle file, std::span<std::byte const> bytes) override;
  long read(Handle file, std::span<std::byte> bytes, std::uint64_t offset) override;
  long allocate(Handle /*file*/, std::uint64_t /*bytes*/) override;
  long sync(Handle file) override;
  long close(Handle file) override;

  long make_folder(std::string const& path) override;
  long sync_folder(std::string const& path) override;
  long list(std::string const& path, std::vector<std::string>& names) override;
  long rename_new(std::string const& from, std::string const& to) override;
  long rename_over(std::string const& from, std::string const& to) override;
  long exchange(std::string const& a, std::string const& b) override;
  long link(std::string const& from, std::string const& to) override;
  long touch(std::string const& path) override;
  long remove_file(std::string const& path) override;
  long remove_folder(std::string const& path) override;
  void pause(std::chrono::milliseconds time) override;

  /// Power failure: every handle is gone, and so is what \p loss says. \p seed chooses for Loss::some.
  void crash(Loss loss, unsigned seed = 0);

  [[nodiscard]] std::size_t open_handles() const { return handles_.size(); }
  [[nodiscard]] std::chrono::milliseconds paused() const { return paused_; }
  std::atomic<bool> refuses_touch = false;  ///< as some file systems in user space do
  /// Lets time go by on the clock that files are dated with, which stands still otherwise.
  void advance_clock(std::chrono::milliseconds time);

  /// The content of a file, to look at and to damage; it is durable at once.
  [[nodiscard]] std::string content(std::string const& path);
  void replace(std::string const& path, std::string text);
  /// All that programs see, by path: to compare and to go back to.
  [[nodiscard]] std::map<std::string, std::string> snapshot();

 private:
  struct Node;
  using Entries = std::map<std::string, std::shared_ptr<Node>>;
  using Change = std::vector<std::pair<std::string, std::shared_ptr<Node>>>;  // name and what it means now, or nothing
  struct Node {
    bool folder = false;
    std::string content, durable;
    std::chrono::nanoseconds modified{0};
    Entries entries, durable_entries;
    std::vector<Change> changes;  // since the last sync
  };
  enum class Existing : std::uint8_t { keep, replace, swap };
  using Copies = std::map<Node const*, std::shared_ptr<Node>>;

  static std::shared_ptr<Node> copy_of(std::shared_ptr<Node> const& node, Copies& copies);

  static void apply(Entries& entries, Change const& change);
  static void change(Node& folder, Change change);
  static void change(Node& folder, std::pair<std::string, std::shared_ptr<Node>> one);

  static void collect(Node const& folder, std::string const& prefix, std::map<std::string, std::string>& files);

  static void forget(Node& node, Loss loss, std::mt19937& random);

  std::shared_ptr<Node> find(std::string const& path);
  std::pair<std::shared_ptr<Node>, std::string> split(std::string const& path);

  // Within one folder only: a checkpoint needs no more.
  long rename(std::string const& from, std::string const& to, Existing existing);
  long remove(std::string const& path, bool folder);

  long add_handle(std::shared_ptr<Node> node);
  Node& handle(Handle file);

  mutable std::mutex mutex_;
  std::shared_ptr<Node> root_;
  std::map<Handle, std::shared_ptr<Node>> handles_;
  Handle next_ = 3;
  std::chrono::milliseconds paused_{0};
  std::chrono::nanoseconds clock_{std::chrono::hours(1)};
};

}  // namespace checkpoint_test
