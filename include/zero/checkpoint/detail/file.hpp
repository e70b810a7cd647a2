// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/checkpoint/file_system.hpp>
#include <zero/error.hpp>
#include <zero/support/message.hpp>
#include <zero/support/posix.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace zero::detail {
[[gnu::cold]] inline CheckpointFailure failure_of(long error) noexcept {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return CheckpointFailure::no_space;
    case EEXIST:
    case ENOTEMPTY:
      return CheckpointFailure::exists;
    case ENOENT:
      return CheckpointFailure::not_found;
    default:
      return CheckpointFailure::input_output;
  }
}

[[gnu::cold, noreturn]] inline void throw_file_error(std::string_view operation, std::string const& path, long result) {
  long const error = -result;
  std::string_view const hint = failure_of(error) == CheckpointFailure::no_space ? ": free space or raise the quota"
                                : error == EFBIG ? ": raise the limit on the size of files (ulimit -f)"
                                                 : "";
  throw CheckpointError(failure_of(error), concat({"zero: could not ", operation, " ", quote(path), ": ",
                                                   std::strerror(static_cast<int>(error)), hint}));
}

/// Calls \p f, which returns -errno, again as long as a signal interrupts it, but not for ever: something that only
/// ever interrupts is broken.
template <class Function>
long retry_interrupted(Function&& f) {
  constexpr int attempts = 100;
  return retry(
      f, [](long result) { return result == -EINTR; }, attempts);
}

/// \p result, or an error that says what could not be done with what.
inline long check_file(std::string_view operation, std::string const& path, long result) {
  if (result < 0) throw_file_error(operation, path, result);
  return result;
}

/// One open file. Owns its handle, which is its file system's and so no `Descriptor`: closing in the destructor says
/// nothing of errors, `close` does. Move-only. Every call blocks and throws CheckpointError, which names the operation
/// and the path.
class File {
 public:
  static File create(FileSystem& system, std::string path) {
    return File(system, "create", std::move(path), [](FileSystem& s, std::string const& p) { return s.create(p); });
  }
  static File open(FileSystem& system, std::string path) {
    return File(system, "open", std::move(path), [](FileSystem& s, std::string const& p) { return s.open(p); });
  }
  /// One that a user has named: follows links.
  static File open_input(FileSystem& system, std::string path) {
    return File(system, "open", std::move(path), [](FileSystem& s, std::string const& p) { return s.open_input(p); });
  }
  File(File&& other) noexcept
      : system_(other.system_), path_(std::move(other.path_)), handle_(std::exchange(other.handle_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(system_, other.system_);
    std::swap(path_, other.path_);
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~File() {
    if (handle_ >= 0) (void)system_->close(handle_);
  }

  [[nodiscard]] std::string const& path() const noexcept { return path_; }
  [[nodiscard]] std::uint64_t size() const {
    return static_cast<std::uint64_t>(
        check_file("take the size of", path_, retry_interrupted([&] { return system_->size(handle_); })));
  }

  /// When it was last written or touched, in nanoseconds, by the clock of the machine that keeps it.
  [[nodiscard]] std::uint64_t modified() const {
    return static_cast<std::uint64_t>(
        check_file("take the time of", path_, retry_interrupted([&] { return system_->modified(handle_); })));
  }

  /// Sets space aside, so that a full disk shows before the work; a file system that cannot do so is no error.
  void allocate(std::uint64_t bytes) {
    long const result = retry_interrupted([&] { return system_->allocate(handle_, bytes); });
    if (is_unsupported(result)) return;
    check_file("allocate", path_, result);
  }

  void write(std::span<std::byte const> bytes) {
    while (!bytes.empty()) {
      long const written =
          check_file("write", path_, retry_interrupted([&] { return system_->write(handle_, bytes); }));
      if (written == 0) throw_file_error("write", path_, -EIO);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }

  /// Fills \p bytes from \p offset on; a file that ends before that is damaged.
  void read(std::span<std::byte> bytes, std::uint64_t offset) const {
    while (!bytes.empty()) {
      long const count =
          check_file("read", path_, retry_interrupted([&] { return system_->read(handle_, bytes, offset); }));
      if (count == 0) {
        throw CheckpointError(CheckpointFailure::damaged,
                              concat({"zero: ", quote(path_), " ends at byte ", offset, ", too early"}));
      }
      bytes = bytes.subspan(static_cast<std::size_t>(count));
      offset += static_cast<std::uint64_t>(count);
    }
  }

  /// Lets the disk work on what was written while the caller goes on.
  void start_writing(std::uint64_t offset, std::uint64_t bytes) { system_->start_writing(handle_, offset, bytes); }

  /// Makes the content durable. A failure is final: the system may have dropped the pages, and a second call would then
  /// report success, so the file must be written anew.
  void sync() {
    check_file("sync", path_, retry_interrupted([&] { return system_->sync(handle_); }));
  }

  /// Network file systems report a full quota here. Not repeated: the handle is gone in any case.
  void close() {
    long const result = system_->close(std::exchange(handle_, -1));
    if (result != -EINTR) check_file("close", path_, result);
  }

 private:
  template <class Open>
  File(FileSystem& system, std::string_view operation, std::string path, Open&& open)
      : system_(&system), path_(std::move(path)) {
    handle_ = static_cast<int>(check_file(operation, path_, retry_interrupted([&] { return open(system, path_); })));
  }

  FileSystem* system_;
  std::string path_;
  FileSystem::Handle handle_ = -1;
};

/// The content of a small file. \throws CheckpointError (damaged) where it is larger than \p largest bytes: a file that
/// holds one name must not fill the memory.
[[nodiscard]] inline std::string read_text(File const& file, std::uint64_t largest) {
  std::uint64_t const size = file.size();
  if (size > largest) {
    throw CheckpointError(CheckpointFailure::damaged, concat({"zero: ", quote(file.path()), " has ", size,
                                                              " bytes, more than the ", largest, " it may"}));
  }
  std::string text(static_cast<std::size_t>(size), '\0');
  file.read(std::as_writable_bytes(std::span(text)), 0);
  return text;
}

/// The same for one that is opened for this only.
[[nodiscard]] inline std::string read_text(FileSystem& system, std::string const& path, std::uint64_t largest) {
  return read_text(File::open(system, path), largest);
}

/// Writes a new file and makes its content durable; its folder is the caller's to sync.
inline void write_new(FileSystem& system, std::string const& path, std::string_view text) {
  auto file = File::create(system, path);
  file.write(text);
  file.sync();
  file.close();
}

}  // namespace zero::detail
