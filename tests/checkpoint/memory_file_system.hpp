// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/checkpoint/file_system.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
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
  MemoryFileSystem() { root_->folder = true; }

  long create(std::string const& path) override {
    std::lock_guard lock(mutex_);
    auto const [folder, name] = split(path);
    if (!folder) return -ENOENT;
    if (folder->entries.contains(name)) return -EEXIST;
    auto file = std::make_shared<Node>();
    change(*folder, {name, file});
    return add_handle(file);
  }
  long open(std::string const& path) override {
    std::lock_guard lock(mutex_);
    auto const node = find(path);
    if (!node) return -ENOENT;
    return node->folder ? -EINVAL : add_handle(node);
  }
  long size(Handle file) override {
    std::lock_guard lock(mutex_);
    return static_cast<long>(handle(file).content.size());
  }
  long write(Handle file, std::span<std::byte const> bytes) override {
    std::lock_guard lock(mutex_);
    // Short writes are always allowed: this system makes them, so that nobody forgets to go on.
    auto const part = bytes.first(std::min(bytes.size(), std::size_t{100'000}));
    handle(file).content.append(reinterpret_cast<char const*>(part.data()), part.size());
    return static_cast<long>(part.size());
  }
  long read(Handle file, std::span<std::byte> bytes, std::uint64_t offset) override {
    std::lock_guard lock(mutex_);
    auto const& content = handle(file).content;
    if (offset >= content.size()) return 0;
    std::size_t const count =
        std::min({bytes.size(), content.size() - static_cast<std::size_t>(offset), std::size_t{100'000}});
    std::memcpy(bytes.data(), content.data() + offset, count);
    return static_cast<long>(count);
  }
  long allocate(Handle /*file*/, std::uint64_t /*bytes*/) override { return 0; }
  long sync(Handle file) override {
    std::lock_guard lock(mutex_);
    handle(file).durable = handle(file).content;
    return 0;
  }
  long close(Handle file) override {
    std::lock_guard lock(mutex_);
    return handles_.erase(file) == 1 ? 0 : -EBADF;
  }

  long make_folder(std::string const& path) override {
    std::lock_guard lock(mutex_);
    auto const [folder, name] = split(path);
    if (!folder) return -ENOENT;
    if (folder->entries.contains(name)) return -EEXIST;
    auto node = std::make_shared<Node>();
    node->folder = true;
    change(*folder, {name, node});
    return 0;
  }
  long sync_folder(std::string const& path) override {
    std::lock_guard lock(mutex_);
    auto const node = find(path);
    if (!node || !node->folder) return -ENOENT;
    node->durable_entries = node->entries;
    node->changes.clear();
    return 0;
  }
  long list(std::string const& path, std::vector<std::string>& names) override {
    std::lock_guard lock(mutex_);
    auto const node = find(path);
    if (!node || !node->folder) return -ENOENT;
    for (auto const& [name, entry] : node->entries) names.push_back(name);
    return 0;
  }
  long rename_new(std::string const& from, std::string const& to) override { return rename(from, to, Existing::keep); }
  long rename_over(std::string const& from, std::string const& to) override {
    return rename(from, to, Existing::replace);
  }
  long exchange(std::string const& a, std::string const& b) override { return rename(a, b, Existing::swap); }
  long remove_file(std::string const& path) override { return remove(path, false); }
  long remove_folder(std::string const& path) override { return remove(path, true); }
  void pause(std::chrono::milliseconds time) override {
    std::lock_guard lock(mutex_);
    paused_ += time;
  }

  /// Power failure: every handle is gone, and so is what \p loss says. \p seed chooses for Loss::some.
  void crash(Loss loss, unsigned seed = 0) {
    std::lock_guard lock(mutex_);
    handles_.clear();
    std::mt19937 random(seed);
    forget(*root_, loss, random);
  }

  [[nodiscard]] std::size_t open_handles() const { return handles_.size(); }
  [[nodiscard]] std::chrono::milliseconds paused() const { return paused_; }

  /// The content of a file, to look at and to damage; it is durable at once.
  [[nodiscard]] std::string content(std::string const& path) {
    std::lock_guard lock(mutex_);
    auto const node = find(path);
    return node && !node->folder ? node->content : "";
  }
  void replace(std::string const& path, std::string text) {
    std::lock_guard lock(mutex_);
    auto const [folder, name] = split(path);
    auto node = std::make_shared<Node>();
    node->content = node->durable = std::move(text);
    folder->entries[name] = folder->durable_entries[name] = node;
  }
  /// All that programs see, by path: to compare and to go back to.
  [[nodiscard]] std::map<std::string, std::string> snapshot() {
    std::lock_guard lock(mutex_);
    std::map<std::string, std::string> files;
    collect(*root_, "", files);
    return files;
  }

 private:
  struct Node;
  using Entries = std::map<std::string, std::shared_ptr<Node>>;
  using Change = std::vector<std::pair<std::string, std::shared_ptr<Node>>>;  // name and what it means now, or nothing
  struct Node {
    bool folder = false;
    std::string content, durable;
    Entries entries, durable_entries;
    std::vector<Change> changes;  // since the last sync
  };
  enum class Existing : std::uint8_t { keep, replace, swap };

  static void apply(Entries& entries, Change const& change) {
    for (auto const& [name, node] : change) {
      if (node) {
        entries[name] = node;
      } else {
        entries.erase(name);
      }
    }
  }
  static void change(Node& folder, Change change) {
    apply(folder.entries, change);
    folder.changes.push_back(std::move(change));
  }
  static void change(Node& folder, std::pair<std::string, std::shared_ptr<Node>> one) {
    change(folder, Change{std::move(one)});
  }

  static void collect(Node const& folder, std::string const& prefix, std::map<std::string, std::string>& files) {
    for (auto const& [name, node] : folder.entries) {
      if (node->folder) {
        collect(*node, prefix + name + "/", files);
      } else {
        files[prefix + name] = node->content;
      }
    }
  }

  static void forget(Node& node, Loss loss, std::mt19937& random) {
    auto const pick = [&](std::size_t below) { return random() % below; };
    if (!node.folder) {
      if (loss == Loss::some && node.content != node.durable) {
        std::size_t const part = pick(node.content.size() + 1);
        switch (pick(4)) {
          case 0:
            break;
          case 1:
            node.durable = node.content.substr(0, part);
            break;
          case 2:
            node.durable = node.content.substr(0, part) + std::string(node.content.size() - part, '\0');
            break;
          default:
            node.durable = node.content;
        }
      }
      node.content = node.durable;
      return;
    }
    if (loss == Loss::contents) node.durable_entries = node.entries;
    if (loss == Loss::some) {
      std::size_t const kept = pick(node.changes.size() + 1);
      for (std::size_t i = 0; i < kept; ++i) apply(node.durable_entries, node.changes[i]);
    }
    node.entries = node.durable_entries;
    node.changes.clear();
    for (auto const& [name, entry] : node.entries) forget(*entry, loss, random);
  }

  std::shared_ptr<Node> find(std::string const& path) {
    auto node = root_;
    for (std::size_t at = 0; at < path.size();) {
      std::size_t const end = std::min(path.find('/', at), path.size());
      if (end > at) {
        auto const entry = node->entries.find(path.substr(at, end - at));
        if (!node->folder || entry == node->entries.end()) return nullptr;
        node = entry->second;
      }
      at = end + 1;
    }
    return node;
  }
  std::pair<std::shared_ptr<Node>, std::string> split(std::string const& path) {
    auto const slash = path.rfind('/');
    auto folder = slash == std::string::npos ? root_ : find(path.substr(0, slash));
    if (folder && !folder->folder) folder = nullptr;
    return {folder, path.substr(slash == std::string::npos ? 0 : slash + 1)};
  }

  // Within one folder only: a checkpoint needs no more.
  long rename(std::string const& from, std::string const& to, Existing existing) {
    std::lock_guard lock(mutex_);
    auto const [folder, old_name] = split(from);
    auto const [same, new_name] = split(to);
    if (!folder || folder != same) return folder ? -EXDEV : -ENOENT;
    auto const moved = folder->entries.find(old_name);
    auto const target = folder->entries.find(new_name);
    bool const there = target != folder->entries.end();
    if (moved == folder->entries.end() || (existing == Existing::swap && !there)) return -ENOENT;
    if (existing == Existing::keep && there) return -EEXIST;
    if (existing == Existing::replace && there && target->second->folder) return -ENOTEMPTY;
    auto const other = existing == Existing::swap ? target->second : nullptr;
    change(*folder, Change{{new_name, moved->second}, {old_name, other}});
    return 0;
  }
  long remove(std::string const& path, bool folder) {
    std::lock_guard lock(mutex_);
    auto const [parent, name] = split(path);
    if (!parent) return -ENOENT;
    auto const entry = parent->entries.find(name);
    if (entry == parent->entries.end()) return -ENOENT;
    if (entry->second->folder != folder) return folder ? -ENOTDIR : -EISDIR;
    if (folder && !entry->second->entries.empty()) return -ENOTEMPTY;
    change(*parent, {name, nullptr});
    return 0;
  }

  long add_handle(std::shared_ptr<Node> node) {
    handles_[next_] = std::move(node);
    return next_++;
  }
  Node& handle(Handle file) { return *handles_.at(file); }

  mutable std::mutex mutex_;
  std::shared_ptr<Node> root_ = std::make_shared<Node>();
  std::map<Handle, std::shared_ptr<Node>> handles_;
  Handle next_ = 3;
  std::chrono::milliseconds paused_{0};
};

}  // namespace checkpoint_test
