// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>

namespace pictures_test {

/// A folder that is gone with the test. Its name has spaces, which whatever gives it to a shell has to quote.
class Folder {
 public:
  Folder() {
    static int number = 0;
    path_ = std::filesystem::temp_directory_path() /
            ("zero pictures " + std::to_string(::getpid()) + " " + std::to_string(number++));
    std::filesystem::create_directories(path_);
  }
  Folder(Folder const&) = delete;
  Folder& operator=(Folder const&) = delete;
  ~Folder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }

  [[nodiscard]] std::filesystem::path operator/(std::string const& name) const { return path_ / name; }
  [[nodiscard]] std::string path() const { return path_.string(); }
  [[nodiscard]] std::string path(std::string const& name) const { return path_.string() + "/" + name; }

 private:
  std::filesystem::path path_{};
};

}  // namespace pictures_test
