// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "checkpoint/memory_file_system.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace checkpoint_test {

MemoryFileSystem::MemoryFileSystem() : root_(std::make_shared<Node>()) { root_->folder = true; }
MemoryFileSystem::MemoryFileSystem(MemoryFileSystem const& other) {
  std::lock_guard lock(other.mutex_);
  Copies copies;
  root_ = copy_of(other.root_, copies);
  next_ = other.next_;
  clock_ = other.clock_;
  refuses_touch = other.refuses_touch.load();
}
MemoryFileSystem::~MemoryFileSystem() = default;

long MemoryFileSystem::create(std::string const& path) {
  std::lock_guard lock(mutex_);
  auto const [folder, name] = split(path);
  if (!folder) return -ENOENT;
  if (folder->entries.contains(name)) return -EEXIST;
  auto file = std::make_shared<Node>();
  file->modified = clock_;
  change(*folder, {name, file});
  return add_handle(file);
}

long MemoryFileSystem::open(std::string const& path) {
  std::lock_guard lock(mutex_);
  auto const node = find(path);
  if (!node) return -ENOENT;
  return node->folder ? -EINVAL : add_handle(node);
}

long MemoryFileSystem::size(Handle file) {
  std::lock_guard lock(mutex_);
  return static_cast<long>(handle(file).content.size());
}

long MemoryFileSystem::modified(Handle file) {
  std::lock_guard lock(mutex_);
  return static_cast<long>(handle(file).modified.count());
}

long MemoryFileSystem::write(Handle file, std::span<std::byte const> bytes) {
  std::lock_guard lock(mutex_);
  // Short writes are always allowed: this system makes them, so that nobody forgets to go on.
  auto const part = bytes.first(std::min(bytes.size(), std::size_t{100'000}));
  handle(file).content.append(reinterpret_cast<char const*>(part.data()), part.size());
  handle(file).modified = clock_;
  return static_cast<long>(part.size());
}

long MemoryFileSystem::read(Handle file, std::span<std::byte> bytes, std::uint64_t offset) {
  std::lock_guard lock(mutex_);
  auto const& content = handle(file).content;
  if (offset >= content.size()) return 0;
  std::size_t const count =
      std::min({bytes.size(), content.size() - static_cast<std::size_t>(offset), std::size_t{100'000}});
  std::memcpy(bytes.data(), content.data() + offset, count);
  return static_cast<long>(count);
}

long MemoryFileSystem::allocate(Handle /*file*/, std::uint64_t /*bytes*/) { return 0; }

long MemoryFileSystem::sync(Handle file) {
  std::lock_guard lock(mutex_);
  handle(file).durable = handle(file).content;
  return 0;
}

long MemoryFileSystem::close(Handle file) {
  std::lock_guard lock(mutex_);
  return handles_.erase(file) == 1 ? 0 : -EBADF;
}

long MemoryFileSystem::make_folder(std::string const& path) {
  std::lock_guard lock(mutex_);
  auto const [folder, name] = split(path);
  if (!folder) return -ENOENT;
  if (folder->entries.contains(name)) return -EEXIST;
  auto node = std::make_shared<Node>();
  node->folder = true;
  change(*folder, {name, node});
  return 0;
}

long MemoryFileSystem::sync_folder(std::string const& path) {
  std::lock_guard lock(mutex_);
  auto const node = find(path);
  if (!node || !node->folder) return -ENOENT;
  node->durable_entries = node->entries;
  node->changes.clear();
  return 0;
}

long MemoryFileSystem::list(std::string const& path, std::vector<std::string>& names) {
  std::lock_guard lock(mutex_);
  auto const node = find(path);
  if (!node || !node->folder) return -ENOENT;
  for (auto const& [name, entry] : node->entries) names.push_back(name);
  return 0;
}

long MemoryFileSystem::rename_new(std::string const& from, std::string const& to) {
  return rename(from, to, Existing::keep);
}

long MemoryFileSystem::rename_over(std::string const& from, std::string const& to) {
  return rename(from, to, Existing::replace);
}

long MemoryFileSystem::exchange(std::string const& a, std::string const& b) { return rename(a, b, Existing::swap); }

long MemoryFileSystem::link(std::string const& from, std::string const& to) {
  std::lock_guard lock(mutex_);
  auto const node = find(from);
  auto const [folder, name] = split(to);
  if (!node || !folder) return -ENOENT;
  if (node->folder) return -EPERM;
  if (folder->entries.contains(name)) return -EEXIST;
  change(*folder, {name, node});
  return 0;
}

long MemoryFileSystem::touch(std::string const& path) {
  std::lock_guard lock(mutex_);
  auto const node = find(path);
  if (!node) return -ENOENT;
  if (refuses_touch) return -ENOSYS;
  node->modified = clock_;
  return 0;
}

long MemoryFileSystem::remove_file(std::string const& path) { return remove(path, false); }

long MemoryFileSystem::remove_folder(std::string const& path) { return remove(path, true); }

void MemoryFileSystem::pause(std::chrono::milliseconds time) {
  std::lock_guard lock(mutex_);
  paused_ += time;
  clock_ += time;
}

void MemoryFileSystem::advance_clock(std::chrono::milliseconds time) {
  std::lock_guard lock(mutex_);
  clock_ += time;
}

void MemoryFileSystem::crash(Loss loss, unsigned seed) {
  std::lock_guard lock(mutex_);
  handles_.clear();
  std::mt19937 random(seed);
  forget(*root_, loss, random);
}

std::string MemoryFileSystem::content(std::string const& path) {
  std::lock_guard lock(mutex_);
  auto const node = find(path);
  return node && !node->folder ? node->content : "";
}

void MemoryFileSystem::replace(std::string const& path, std::string text) {
  std::lock_guard lock(mutex_);
  auto const [folder, name] = split(path);
  auto node = std::make_shared<Node>();
  node->content = node->durable = std::move(text);
  node->modified = clock_;
  folder->entries[name] = folder->durable_entries[name] = node;
}

std::map<std::string, std::string> MemoryFileSystem::snapshot() {
  std::lock_guard lock(mutex_);
  std::map<std::string, std::string> files;
  collect(*root_, "", files);
  return files;
}

// What has several names, or was removed and may come back, is one node of the copy, too.
std::shared_ptr<MemoryFileSystem::Node> MemoryFileSystem::copy_of(std::shared_ptr<Node> const& node, Copies& copies) {
  if (!node) return nullptr;
  auto& copy = copies[node.get()];
  if (copy) return copy;
  auto made = copy = std::make_shared<Node>(*node);
  for (auto& [name, entry] : made->entries) entry = copy_of(entry, copies);
  for (auto& [name, entry] : made->durable_entries) entry = copy_of(entry, copies);
  for (auto& change : made->changes) {
    for (auto& [name, entry] : change) entry = copy_of(entry, copies);
  }
  return made;
}

void MemoryFileSystem::apply(Entries& entries, Change const& change) {
  for (auto const& [name, node] : change) {
    if (node) {
      entries[name] = node;
    } else {
      entries.erase(name);
    }
  }
}

void MemoryFileSystem::change(Node& folder, Change change) {
  apply(folder.entries, change);
  folder.changes.push_back(std::move(change));
}

void MemoryFileSystem::change(Node& folder, std::pair<std::string, std::shared_ptr<Node>> one) {
  change(folder, Change{std::move(one)});
}

void MemoryFileSystem::collect(Node const& folder, std::string const& prefix,
                               std::map<std::string, std::string>& files) {
  for (auto const& [name, node] : folder.entries) {
    if (node->folder) {
      collect(*node, prefix + name + "/", files);
    } else {
      files[prefix + name] = node->content;
    }
  }
}

void MemoryFileSystem::forget(Node& node, Loss loss, std::mt19937& random) {
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

std::shared_ptr<MemoryFileSystem::Node> MemoryFileSystem::find(std::string const& path) {
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

std::pair<std::shared_ptr<MemoryFileSystem::Node>, std::string> MemoryFileSystem::split(std::string const& path) {
  auto const slash = path.rfind('/');
  auto folder = slash == std::string::npos ? root_ : find(path.substr(0, slash));
  if (folder && !folder->folder) folder = nullptr;
  return {folder, path.substr(slash == std::string::npos ? 0 : slash + 1)};
}

long MemoryFileSystem::rename(std::string const& from, std::string const& to, Existing existing) {
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

long MemoryFileSystem::remove(std::string const& path, bool folder) {
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

long MemoryFileSystem::add_handle(std::shared_ptr<Node> node) {
  handles_[next_] = std::move(node);
  return next_++;
}

MemoryFileSystem::Node& MemoryFileSystem::handle(Handle file) { return *handles_.at(file); }

}  // namespace checkpoint_test
