// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/utility/descriptor.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <sys/types.h>

namespace gpt2 {

/// What reads \p bytes of a file that is open, as pread does.
using ReadAt = std::function<ssize_t(int file, void* to, std::size_t bytes, off_t at)>;

/// Files that are read at any place, of which a bounded number is open at once: a data set may have more shards than a
/// process may have files. Several threads may read at once.
class OpenFiles {
 public:
  /// Calls \p read_at for each read; without one, pread.
  explicit OpenFiles(std::size_t most_open = 64, ReadAt read_at = {});
  OpenFiles(OpenFiles const&) = delete;
  OpenFiles& operator=(OpenFiles const&) = delete;

  /// Adds a file. Returns its number. Nothing is opened. \p bytes: its size, which it must have whenever it is opened.
  std::size_t add(std::string path, std::uint64_t bytes);
  /// Reads bytes [\p at, \p at + \p bytes) of file number \p file.
  /// \throws DataError where the file is no longer there, is not what it was, or has become too short;
  /// std::system_error where the process may open none.
  void read(std::size_t file, std::uint64_t at, void* to, std::size_t bytes);

 private:
  struct File {
    std::string path;
    std::uint64_t bytes = 0;
    std::shared_ptr<zero::Descriptor> open{};  // closed when the last thread that reads has done so
    std::uint64_t used = 0;
  };

  std::shared_ptr<zero::Descriptor> descriptor(std::size_t file);
  void close_oldest();

  std::size_t most_open_, open_ = 0;
  ReadAt read_at_;
  std::mutex mutex_;
  std::vector<File> files_;
  std::uint64_t clock_ = 0;
};

}  // namespace gpt2
