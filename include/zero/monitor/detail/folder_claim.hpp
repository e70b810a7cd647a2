// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/posix.hpp>
#include <zero/utility/file_lock.hpp>

#include <fcntl.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace zero::detail {

/// The right to write files of one kind into a folder, which one run has at a time: a lock on a file of its own there.
/// It ends with the object, and with the process, however that ends. The file stays: removing it could take it from
/// another run that has just locked it.
class FolderClaim {
 public:
  /// False where another run has it. The folder is made. Where that fails, or the file system has no locks, nothing is
  /// locked: what cannot be written there is said when it is written.
  [[nodiscard]] bool take(std::string const& folder, std::string_view kind) {
    if (file_) return true;
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    auto const path = folder + "/." + std::string(kind) + ".lock";
    Descriptor file(
        restart_interrupted([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666); }));
    if (!file) return true;
    if (!try_lock_file(file.get())) return false;
    file_ = std::move(file);
    return true;
  }

 private:
  Descriptor file_;
};

}  // namespace zero::detail
