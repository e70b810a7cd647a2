// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/utility/descriptor.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace zero_tokenize {

/// A file that is written from front to back, and may be gone on with. Errors are std::system_error, which names it.
/// Move-only.
class OutputFile {
 public:
  /// Opens \p path and keeps its first \p bytes, which it must have; it is made where it is missing and they are 0.
  void open(std::filesystem::path const& path, std::uint64_t bytes);
  [[nodiscard]] bool is_open() const noexcept { return static_cast<bool>(descriptor_); }
  /// Behind all that was written.
  void write(std::string_view bytes);
  /// At the front.
  void overwrite_front(std::string_view bytes) const;
  /// Returns once the disk has it.
  void sync() const;
  void close() noexcept { descriptor_.close(); }

 private:
  [[noreturn]] void fail(char const* what) const;

  std::filesystem::path path_;
  zero::Descriptor descriptor_;
};

/// Writes a whole file or none, and returns once the disk has it. \throws std::system_error.
void write_file(std::filesystem::path const& path, std::string_view text);

/// Renames within a folder, and returns once the disk has it. \throws std::system_error.
void rename_file(std::filesystem::path const& from, std::filesystem::path const& to);

/// Keeps other programs of this kind from a folder, as long as it lives.
class FolderLock {
 public:
  /// \throws command_line::UsageError where another holds it; std::system_error.
  explicit FolderLock(std::filesystem::path const& folder);
  FolderLock(FolderLock&&) = delete;

 private:
  zero::Descriptor descriptor_;
};

}  // namespace zero_tokenize
