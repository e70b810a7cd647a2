// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/checkpoint/file_system.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace checkpoint_test {

/// Another file system, of which some calls fail. Counts all calls; call k fails where `fails` says so.
class FaultyFileSystem final : public zero::FileSystem {
 public:
  static constexpr std::size_t never = std::numeric_limits<std::size_t>::max();

  explicit FaultyFileSystem(FileSystem& inner) : inner_(inner) {}

  std::size_t first = never;  ///< the first call that fails
  std::size_t last = never;   ///< the last one
  int error = EIO;
  bool dead = false;  ///< the first call does half of what it should and nothing afterwards does anything
  std::string only;   ///< fail calls of this name alone, and count only those

  [[nodiscard]] std::size_t calls() const { return calls_; }
  /// Call \p k of what follows fails, alone or with all after it.
  void fail(std::size_t k, int with, bool for_ever) {
    calls_ = 0;
    first = k;
    last = for_ever ? never : k;
    error = with;
    dead = false;
  }
  void die_at(std::size_t k) {
    fail(k, EIO, true);
    dead = true;
  }
  void heal() {
    first = last = never;
    dead = false;
    calls_ = 0;
  }

  long create(std::string const& path) override {
    return call("create", [&] { return inner_.create(path); });
  }
  long open(std::string const& path) override {
    return call("open", [&] { return inner_.open(path); });
  }
  long size(Handle file) override {
    return call("size", [&] { return inner_.size(file); });
  }
  long write(Handle file, std::span<std::byte const> bytes) override {
    return call(
        "write", [&] { return inner_.write(file, bytes); },
        [&] { (void)inner_.write(file, bytes.first(bytes.size() / 2)); });
  }
  long read(Handle file, std::span<std::byte> bytes, std::uint64_t offset) override {
    return call("read", [&] { return inner_.read(file, bytes, offset); });
  }
  long allocate(Handle file, std::uint64_t bytes) override {
    return call("allocate", [&] { return inner_.allocate(file, bytes); });
  }
  long sync(Handle file) override {
    return call("sync", [&] { return inner_.sync(file); });
  }
  long close(Handle file) override {
    long const closed = inner_.close(file);  // whatever is reported, the handle is gone
    return call("close", [&] { return closed; });
  }
  long make_folder(std::string const& path) override {
    return call("make_folder", [&] { return inner_.make_folder(path); });
  }
  long sync_folder(std::string const& path) override {
    return call("sync_folder", [&] { return inner_.sync_folder(path); });
  }
  long list(std::string const& path, std::vector<std::string>& names) override {
    return call("list", [&] { return inner_.list(path, names); });
  }
  long rename_new(std::string const& from, std::string const& to) override {
    return call("rename_new", [&] { return inner_.rename_new(from, to); });
  }
  long rename_over(std::string const& from, std::string const& to) override {
    return call("rename_over", [&] { return inner_.rename_over(from, to); });
  }
  long exchange(std::string const& a, std::string const& b) override {
    return call("exchange", [&] { return inner_.exchange(a, b); });
  }
  long remove_file(std::string const& path) override {
    return call("remove_file", [&] { return inner_.remove_file(path); });
  }
  long remove_folder(std::string const& path) override {
    return call("remove_folder", [&] { return inner_.remove_folder(path); });
  }
  void pause(std::chrono::milliseconds time) override { inner_.pause(time); }

 private:
  long call(std::string_view name, std::function<long()> const& f, std::function<void()> const& half = {}) {
    {
      std::lock_guard lock(mutex_);
      if (only.empty() || only == name) {
        std::size_t const number = calls_++;
        if (number >= first && number <= last) {
          if (dead && number == first && half) half();
          return -error;
        }
      }
    }
    return f();
  }

  FileSystem& inner_;
  std::mutex mutex_;
  std::size_t calls_ = 0;
};

}  // namespace checkpoint_test
