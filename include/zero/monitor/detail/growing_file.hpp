// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/file_size_signal.hpp>
#include <zero/support/posix.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace zero::detail {

/// A file that stays open and grows at its end only, by whole appends. Its folders are made at the first one.
class GrowingFile {
 public:
  /// \p header is what an empty file begins with.
  GrowingFile(std::string path, std::string header) : path_(std::move(path)), header_(std::move(header)) {}

  /// Appends all of \p bytes, or nothing. Returns what went wrong, or nothing. A file that somebody has removed is said
  /// to be, and begun anew.
  [[nodiscard]] std::string append(std::string_view bytes) {
    struct stat status {};
    std::string problem;
    if (file_ && (::fstat(file_.get(), &status) != 0 || status.st_nlink == 0)) {
      file_.close();
      problem = path_ + " was removed, and is begun anew";
    }
    if (!file_) {
      if (auto failed = open(); !failed.empty()) return failed;
      if (::fstat(file_.get(), &status) != 0) return said("read", errno);
    }
    bool const is_file = S_ISREG(status.st_mode);
    auto failed = status.st_size == 0 && !header_.empty() ? write(header_ + std::string(bytes), is_file, 0)
                                                          : write(bytes, is_file, status.st_size);
    return failed.empty() ? problem : failed;
  }

  [[nodiscard]] std::string const& path() const noexcept { return path_; }

 private:
  /// Does not wait for the reader of a pipe.
  std::string open() {
    std::error_code error;
    auto const folder = std::filesystem::path(path_).parent_path();
    if (!folder.empty()) std::filesystem::create_directories(folder, error);
    if (error) return "the folder " + folder.string() + " cannot be made: " + error.message();
    constexpr int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    file_ = Descriptor(restart_interrupted([&] { return ::open(path_.c_str(), flags, 0666); }));
    return file_ ? std::string() : said("open", errno);
  }

  /// A part of a record at the end of a file would hide all that follows from a reader: it is cut off again.
  std::string write(std::string_view bytes, bool is_file, off_t before) {
    for (std::size_t done = 0; done < bytes.size();) {
      auto const written = without_file_size_signal([&] {
        return restart_interrupted([&] { return ::write(file_.get(), bytes.data() + done, bytes.size() - done); });
      });
      if (written < 0) {
        int const error = errno;
        bool const whole =
            done == 0 || !is_file || restart_interrupted([&] { return ::ftruncate(file_.get(), before); }) == 0;
        if (!whole || error == ESTALE) file_.close();
        return said("write", error);
      }
      done += static_cast<std::size_t>(written);
    }
    return {};
  }

  [[nodiscard]] std::string said(char const* what, int error) const {
    return std::string("cannot ") + what + " " + path_ + ": " + system_message(error);
  }

  std::string path_, header_;
  Descriptor file_;
};

}  // namespace zero::detail
