// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/support/file_size_signal.hpp>
#include <zero/support/posix.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

namespace zero {

namespace detail {

/// Whether \p result, -errno, says that the file system does not know what was asked for.
[[nodiscard]] inline bool is_unsupported(long result) noexcept {
  return result == -EINVAL || result == -ENOSYS || result == -EOPNOTSUPP || result == -ENOTSUP;
}

}  // namespace detail

/// What checkpoints need of a file system, one system call each. Every call returns what the system call does, or
/// -errno; none throws and none repeats itself, so that a test can fail, tear or forget any of them. Paths are absolute
/// or relative to the working directory. Calls for different files may come from different threads.
class FileSystem {
 public:
  /// An open file.
  using Handle = int;

  FileSystem() = default;
  FileSystem(FileSystem const&) = delete;
  FileSystem& operator=(FileSystem const&) = delete;
  virtual ~FileSystem() = default;

  /// A new file to write; -EEXIST where there is one.
  virtual long create(std::string const& path) = 0;
  /// A regular file to read: no link, no folder, no pipe (-EINVAL). Never blocks on one of those.
  virtual long open(std::string const& path) = 0;
  /// The same, but of whatever links lead to: what a user names himself. By default it follows no links either.
  virtual long open_input(std::string const& path) { return open(path); }
  /// Bytes of an open file.
  virtual long size(Handle file) = 0;
  /// When an open file was last written or touched, by the clock of the machine that keeps it, in nanoseconds.
  virtual long modified(Handle file) = 0;
  /// May write or read less than asked for, as the system does.
  virtual long write(Handle file, std::span<std::byte const> bytes) = 0;
  /// Reads up to bytes.size() bytes at \p offset; returns how many, 0 at the end.
  virtual long read(Handle file, std::span<std::byte> bytes, std::uint64_t offset) = 0;
  /// Sets \p bytes aside for a file that is about to be written, where the file system can.
  virtual long allocate(Handle file, std::uint64_t bytes) = 0;
  /// Waits until what was written is on the disk.
  virtual long sync(Handle file) = 0;
  /// Closes in any case, also where it fails.
  virtual long close(Handle file) = 0;

  /// Makes one folder; its parent must be there.
  virtual long make_folder(std::string const& path) = 0;
  /// Makes the entries of a folder durable.
  virtual long sync_folder(std::string const& path) = 0;
  /// Names of a folder's entries, without . and .., in any order.
  virtual long list(std::string const& path, std::vector<std::string>& names) = 0;
  /// Fails where \p to exists.
  virtual long rename_new(std::string const& from, std::string const& to) = 0;
  /// Replaces the file \p to.
  virtual long rename_over(std::string const& from, std::string const& to) = 0;
  /// Swaps two entries at once.
  virtual long exchange(std::string const& a, std::string const& b) = 0;
  /// A second name for a file; -EEXIST where there is something of that name, and another error where the file system
  /// knows no such names.
  virtual long link(std::string const& from, std::string const& to) = 0;
  /// Marks a file as modified now, by the clock of the machine that keeps it.
  virtual long touch(std::string const& path) = 0;
  /// Removes one file.
  virtual long remove_file(std::string const& path) = 0;
  /// Removes one empty folder.
  virtual long remove_folder(std::string const& path) = 0;

  /// A hint, whose failure is none: that bytes of a file can go to the disk now.
  virtual void start_writing(Handle /*file*/, std::uint64_t /*offset*/, std::uint64_t /*bytes*/) {}

  /// Waits before something is tried again.
  virtual void pause(std::chrono::milliseconds time) { std::this_thread::sleep_for(time); }
};

/// The operating system's.
class PosixFileSystem final : public FileSystem {
 public:
  long create(std::string const& path) override {
    return result(::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0666));
  }
  long open(std::string const& path) override { return open_regular(path, O_NOFOLLOW); }
  long open_input(std::string const& path) override { return open_regular(path, 0); }
  /// Bytes of an open file.
  long size(Handle file) override {
    struct stat status {};
    return ::fstat(file, &status) != 0 ? -errno : static_cast<long>(status.st_size);
  }
  long modified(Handle file) override {
    struct stat status {};
    if (::fstat(file, &status) != 0) return -errno;
#if defined(__APPLE__)
    auto const& time = status.st_mtimespec;
#else
    auto const& time = status.st_mtim;
#endif
    return static_cast<long>(time.tv_sec) * 1'000'000'000L + time.tv_nsec;
  }
  long write(Handle file, std::span<std::byte const> bytes) override {
    return result(detail::without_file_size_signal([&] { return ::write(file, bytes.data(), bytes.size()); }));
  }
  /// Reads up to bytes.size() bytes at \p offset; returns how many, 0 at the end.
  long read(Handle file, std::span<std::byte> bytes, std::uint64_t offset) override {
    return result(::pread(file, bytes.data(), bytes.size(), static_cast<off_t>(offset)));
  }
  long allocate(Handle file, std::uint64_t bytes) override {
#if defined(__linux__)
    return result(detail::without_file_size_signal(
        [&] { return ::fallocate(file, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(bytes)); }));
#else
    return -EOPNOTSUPP;
#endif
  }
  /// Waits until what was written is on the disk.
  long sync(Handle file) override { return result(::fsync(file)); }
  long close(Handle file) override { return result(::close(file)); }

  void start_writing([[maybe_unused]] Handle file, [[maybe_unused]] std::uint64_t offset,
                     [[maybe_unused]] std::uint64_t bytes) override {
#if defined(__linux__)
    (void)::sync_file_range(file, static_cast<off_t>(offset), static_cast<off_t>(bytes), SYNC_FILE_RANGE_WRITE);
#endif
  }

  /// Makes one folder; its parent must be there.
  long make_folder(std::string const& path) override { return result(::mkdir(path.c_str(), 0777)); }
  long sync_folder(std::string const& path) override {
    long const folder = result(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder < 0) return folder;
    long const synced = sync(static_cast<int>(folder));
    long const closed = close(static_cast<int>(folder));
    return synced < 0 ? synced : closed;
  }
  long list(std::string const& path, std::vector<std::string>& names) override {
    std::error_code error;
    std::filesystem::directory_iterator at(path, error);
    for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
      names.push_back(at->path().filename().string());
    }
    return -error.value();
  }
  long rename_new(std::string const& from, std::string const& to) override {
#if defined(__linux__)
    long const renamed = rename_with_flags(from, to, 1U);  // RENAME_NOREPLACE
    if (!detail::is_unsupported(renamed)) return renamed;
#endif
    // Some network file systems know no flags. Then a folder that holds something is still never replaced, and a file
    // is only by whoever makes one in this very moment.
    struct stat status {};
    return ::lstat(to.c_str(), &status) == 0 ? -EEXIST : rename_over(from, to);
  }
  long rename_over(std::string const& from, std::string const& to) override {
    return result(::rename(from.c_str(), to.c_str()));
  }
  long exchange(std::string const& a, std::string const& b) override {
#if defined(__linux__)
    return rename_with_flags(a, b, 2U);  // RENAME_EXCHANGE
#else
    return -EINVAL;
#endif
  }
  long link(std::string const& from, std::string const& to) override {
    return result(::link(from.c_str(), to.c_str()));
  }
  long touch(std::string const& path) override {
    // Without times it is the server that says what now is.
    return result(::utimensat(AT_FDCWD, path.c_str(), nullptr, AT_SYMLINK_NOFOLLOW));
  }
  /// Removes one file.
  long remove_file(std::string const& path) override { return result(::unlink(path.c_str())); }
  /// Removes one empty folder.
  long remove_folder(std::string const& path) override { return result(::rmdir(path.c_str())); }

 private:
  static long result(long value) noexcept { return value < 0 ? -errno : value; }
  static long open_regular(std::string const& path, int flags) noexcept {
    // Without O_NONBLOCK the open of a pipe would wait for somebody who writes to it.
    Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags));
    if (!file) return -errno;
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) return -errno;
    return S_ISREG(status.st_mode) ? file.release() : -EINVAL;
  }
#if defined(__linux__)
  static long rename_with_flags(std::string const& from, std::string const& to, unsigned flags) noexcept {
    return result(::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags));
  }
#endif
};

/// The one of the operating system, shared: it has no state.
[[nodiscard]] inline FileSystem& posix_file_system() {
  static PosixFileSystem system;
  return system;
}

}  // namespace zero
