// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "open_files.hpp"

#include "support/data_error.hpp"

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gpt2 {
namespace {

using command_line::refuse_data;

std::shared_ptr<zero::Descriptor> opened(std::string const& path) {
  auto file = std::make_shared<zero::Descriptor>();
  *file = zero::Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));  // last: the caller looks at errno
  return file;
}

}  // namespace

OpenFiles::OpenFiles(std::size_t most_open, ReadAt read_at) : most_open_(most_open), read_at_(std::move(read_at)) {
  if (!read_at_)
    read_at_ = [](int file, void* to, std::size_t bytes, off_t at) { return ::pread(file, to, bytes, at); };
}

std::size_t OpenFiles::add(std::string path, std::uint64_t bytes) {
  std::lock_guard const lock(mutex_);
  files_.push_back({.path = std::move(path), .bytes = bytes});
  return files_.size() - 1;
}

void OpenFiles::close_oldest() {
  File* oldest = nullptr;
  for (auto& file : files_) {
    if (file.open && (oldest == nullptr || file.used < oldest->used)) oldest = &file;
  }
  if (oldest == nullptr) return;
  oldest->open.reset();
  --open_;
}

std::shared_ptr<zero::Descriptor> OpenFiles::descriptor(std::size_t number) {
  std::lock_guard const lock(mutex_);
  auto& file = files_[number];
  file.used = ++clock_;
  if (file.open) return file.open;
  if (open_ >= most_open_) close_oldest();
  auto made = opened(file.path);
  while (made->get() < 0 && (errno == EMFILE || errno == ENFILE) && open_ > 0) {
    close_oldest();  // the process may have fewer files than were to be open
    made = opened(file.path);
  }
  if (made->get() < 0 && (errno == EMFILE || errno == ENFILE)) {
    throw std::system_error(errno, std::generic_category(),
                            file.path + ": cannot be opened; let the process open more files (ulimit -n)");
  }
  if (made->get() < 0) refuse_data(file.path, std::string("cannot be opened: ") + std::strerror(errno));
  struct stat status {};
  bool const is_same = ::fstat(made->get(), &status) == 0 && static_cast<std::uint64_t>(status.st_size) == file.bytes;
  if (!is_same) {
    refuse_data(file.path, "has " + std::to_string(status.st_size) + " bytes, but had " + std::to_string(file.bytes) +
                               " when the run began; leave data alone while they are read");
  }
  file.open = std::move(made);
  ++open_;
  return file.open;
}

void OpenFiles::read(std::size_t number, std::uint64_t at, void* to, std::size_t bytes) {
  auto const open = descriptor(number);
  auto* place = static_cast<char*>(to);
  while (bytes > 0) {
    auto const got =
        zero::restart_interrupted([&] { return read_at_(open->get(), place, bytes, static_cast<off_t>(at)); });
    if (got > 0) {
      place += got;
      at += static_cast<std::uint64_t>(got);
      bytes -= static_cast<std::size_t>(got);
      continue;
    }
    int const error = errno;
    std::string path;
    std::uint64_t size = 0;
    {
      std::lock_guard const lock(mutex_);
      path = files_[number].path;
      size = files_[number].bytes;
    }
    if (got < 0) refuse_data(path, "cannot be read at byte " + std::to_string(at) + ": " + std::strerror(error));
    refuse_data(path, "ends at byte " + std::to_string(at) + ", but had " + std::to_string(size) +
                          " when the run began: it has been cut off since; write it again and resume the run");
  }
}

}  // namespace gpt2
