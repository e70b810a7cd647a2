// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/checkpoint/detail/file.hpp>
#include <zero/checkpoint/file_system.hpp>
#include <zero/checkpoint/folder.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace zero::detail {

/// Files that are there under hidden names until all of them are complete; all or none are left.
class PendingFiles {
 public:
  explicit PendingFiles(FileSystem& system) : system_(system) {}
  PendingFiles(PendingFiles const&) = delete;
  PendingFiles& operator=(PendingFiles const&) = delete;
  ~PendingFiles() {
    for (std::size_t i = 0; i < names_.size() && !complete_; ++i) {
      (void)system_.remove_file(i < renamed_ ? names_[i] : hidden(names_[i]));
    }
  }
  /// Where to write what is to be called \p name.
  std::string add(std::string const& name) {
    names_.push_back(name);
    return hidden(name);
  }
  /// \throws CheckpointError (exists) where there is a file of that name: nothing is replaced.
  void rename_all() {
    for (; renamed_ < names_.size(); ++renamed_) {
      auto const& name = names_[renamed_];
      check_file("rename to its name", name, retry_interrupted([&] { return system_.rename_new(hidden(name), name); }));
    }
    auto const slash = names_.front().rfind('/');
    auto const folder = slash == std::string::npos ? std::string(".") : names_.front().substr(0, slash + 1);
    check_file("sync the folder", folder, retry_interrupted([&] { return system_.sync_folder(folder); }));
    complete_ = true;
  }
  [[nodiscard]] std::vector<std::string> const& names() const noexcept { return names_; }

 private:
  [[nodiscard]] std::string hidden(std::string const& name) const {
    auto const slash = name.rfind('/') + 1;  // 0 where there is none
    return name.substr(0, slash) + std::string(temporary_prefix) + nonce_ + "." + name.substr(slash);
  }

  FileSystem& system_;
  std::string nonce_ = CheckpointFolder::make_nonce();
  std::vector<std::string> names_;
  std::size_t renamed_ = 0;
  bool complete_ = false;
};

}  // namespace zero::detail
