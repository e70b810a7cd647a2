// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "checkpoint/faulty_file_system.hpp"

namespace checkpoint_test {

void FaultyFileSystem::fail(std::size_t k, int with, bool for_ever) {
  calls_ = 0;
  first = k;
  last = for_ever ? never : k;
  error = with;
  dead = false;
}

void FaultyFileSystem::die_at(std::size_t k) {
  fail(k, EIO, true);
  dead = true;
}

void FaultyFileSystem::heal() {
  first = last = never;
  dead = false;
  calls_ = 0;
}

long FaultyFileSystem::create(std::string const& path) {
  return call("create", [&] { return inner_.create(path); });
}

long FaultyFileSystem::open(std::string const& path) {
  return call("open", [&] { return inner_.open(path); });
}

long FaultyFileSystem::size(Handle file) {
  return call("size", [&] { return inner_.size(file); });
}

long FaultyFileSystem::modified(Handle file) {
  return call("modified", [&] { return inner_.modified(file); });
}

long FaultyFileSystem::write(Handle file, std::span<std::byte const> bytes) {
  return call(
      "write", [&] { return inner_.write(file, bytes); },
      [&] { (void)inner_.write(file, bytes.first(bytes.size() / 2)); });
}

long FaultyFileSystem::read(Handle file, std::span<std::byte> bytes, std::uint64_t offset) {
  return call("read", [&] { return inner_.read(file, bytes, offset); });
}

long FaultyFileSystem::allocate(Handle file, std::uint64_t bytes) {
  return call("allocate", [&] { return inner_.allocate(file, bytes); });
}

long FaultyFileSystem::sync(Handle file) {
  return call("sync", [&] { return inner_.sync(file); });
}

long FaultyFileSystem::close(Handle file) {
  long const closed = inner_.close(file);  // whatever is reported, the handle is gone
  return call("close", [&] { return closed; });
}

long FaultyFileSystem::make_folder(std::string const& path) {
  return call("make_folder", [&] { return inner_.make_folder(path); });
}

long FaultyFileSystem::sync_folder(std::string const& path) {
  return call("sync_folder", [&] { return inner_.sync_folder(path); });
}

long FaultyFileSystem::list(std::string const& path, std::vector<std::string>& names) {
  return call("list", [&] { return inner_.list(path, names); });
}

long FaultyFileSystem::rename_new(std::string const& from, std::string const& to) {
  return call("rename_new", [&] { return inner_.rename_new(from, to); });
}

long FaultyFileSystem::rename_over(std::string const& from, std::string const& to) {
  return call("rename_over", [&] { return inner_.rename_over(from, to); });
}

long FaultyFileSystem::exchange(std::string const& a, std::string const& b) {
  return call("exchange", [&] { return inner_.exchange(a, b); });
}

long FaultyFileSystem::link(std::string const& from, std::string const& to) {
  return call("link", [&] { return inner_.link(from, to); });
}

long FaultyFileSystem::remove_file(std::string const& path) {
  return call("remove_file", [&] { return inner_.remove_file(path); });
}

long FaultyFileSystem::remove_folder(std::string const& path) {
  return call("remove_folder", [&] { return inner_.remove_folder(path); });
}

void FaultyFileSystem::pause(std::chrono::milliseconds time) { inner_.pause(time); }

long FaultyFileSystem::call(std::string_view name, std::function<long()> const& f, std::function<void()> const& half) {
  {
    std::unique_lock lock(mutex_);
    if (only.empty() || only == name) {
      std::size_t const number = calls_++;
      if (before) {
        lock.unlock();
        before(number);
        lock.lock();
      }
      if (number >= first && number <= last) {
        if (dead && number == first && half) half();
        return -error;
      }
    }
  }
  return f();
}

}  // namespace checkpoint_test
