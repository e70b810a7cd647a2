// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "files.hpp"

#include "support/usage_error.hpp"

#include <zero/utility/file_lock.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace zero_tokenize {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_at(fs::path const& path, char const* what) {
  throw std::system_error(errno, std::generic_category(), path.string() + ": " + what);
}

void write_all(int descriptor, std::string_view bytes, off_t at, bool at_end, fs::path const& path) {
  while (!bytes.empty()) {
    auto const written = zero::restart_interrupted([&] {
      return at_end ? ::write(descriptor, bytes.data(), bytes.size())
                    : ::pwrite(descriptor, bytes.data(), bytes.size(), at);
    });
    if (written <= 0) fail_at(path, "cannot be written");
    bytes.remove_prefix(static_cast<std::size_t>(written));
    at += static_cast<off_t>(written);
  }
}

zero::Descriptor opened_folder(fs::path const& folder) {
  zero::Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!descriptor) fail_at(folder, "cannot be opened");
  return descriptor;
}

void sync_folder(fs::path const& folder) {
  ::fsync(opened_folder(folder).get());  // what cannot be synchronized is not worse than before
}

}  // namespace

void OutputFile::open(fs::path const& path, std::uint64_t bytes) {
  close();
  path_ = path;
  descriptor_ = zero::Descriptor(::open(path.c_str(), O_RDWR | O_CLOEXEC | (bytes == 0 ? O_CREAT : 0), 0666));
  if (!descriptor_) fail("cannot be opened");
  if (::lseek(descriptor_.get(), 0, SEEK_END) < static_cast<off_t>(bytes)) {
    errno = ENODATA;
    fail("is shorter than it was when its state was saved");
  }
  if (::ftruncate(descriptor_.get(), static_cast<off_t>(bytes)) != 0) fail("cannot be cut");
  if (::lseek(descriptor_.get(), static_cast<off_t>(bytes), SEEK_SET) < 0) fail("cannot be written");
}

void OutputFile::write(std::string_view bytes) { write_all(descriptor_.get(), bytes, 0, true, path_); }
void OutputFile::overwrite_front(std::string_view bytes) const { write_all(descriptor_.get(), bytes, 0, false, path_); }
void OutputFile::sync() const {
  if (::fsync(descriptor_.get()) != 0) fail("cannot be written");
}
void OutputFile::fail(char const* what) const { fail_at(path_, what); }

void write_file(fs::path const& path, std::string_view text) {
  auto const part = path.string() + ".part";
  OutputFile file;
  file.open(part, 0);
  file.write(text);
  file.sync();
  file.close();
  rename_file(part, path);
}

void rename_file(fs::path const& from, fs::path const& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) fail_at(to, "cannot be written");
  sync_folder(to.parent_path().empty() ? fs::path(".") : to.parent_path());
}

FolderLock::FolderLock(fs::path const& folder) : descriptor_(opened_folder(folder)) {
  if (!zero::try_lock_file(descriptor_.get())) {
    throw command_line::UsageError(folder.string() + ": another zero-tokenize is at work in this folder; wait for it");
  }
}

}  // namespace zero_tokenize
