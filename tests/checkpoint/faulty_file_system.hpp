// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/checkpoint/file_system.hpp>

#include <cerrno>
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

  std::function<void(std::size_t call)> before{};  ///< runs before each call that is counted

  [[nodiscard]] std::size_t calls() const { return calls_; }
  /// Call \p k of what follows fails, alone or with all after it.
  void fail(std::size_t k, int with, bool for_ever);
  void die_at(std::size_t k);
  void heal();

  long create(std::string const& path) override;
  long open(std::string const& path) override;
  long size(Handle file) override;
  long modified(Handle file) override;
  long write(Handle file, std::span<std::byte const> bytes) override;
  long read(Handle file, std::span<std::byte> bytes, std::uint64_t offset) override;
  long allocate(Handle file, std::uint64_t bytes) override;
  long sync(Handle file) override;
  long close(Handle file) override;
  long make_folder(std::string const& path) override;
  long sync_folder(std::string const& path) override;
  long list(std::string const& path, std::vector<std::string>& names) override;
  long rename_new(std::string const& from, std::string const& to) override;
  long rename_over(std::string const& from, std::string const& to) override;
  long exchange(std::string const& a, std::string const& b) override;
  long link(std::string const& from, std::string const& to) override;
  /// Neither counted nor failed: a lock's heartbeat comes from a thread of its own, at any time.
  long touch(std::string const& path) override { return inner_.touch(path); }
  long remove_file(std::string const& path) override;
  long remove_folder(std::string const& path) override;
  void pause(std::chrono::milliseconds time) override;

 private:
  long call(std::string_view name, std::function<long()> const& f, std::function<void()> const& half = {});

  FileSystem& inner_;
  std::mutex mutex_;
  std::size_t calls_ = 0;
};

}  // namespace checkpoint_test
