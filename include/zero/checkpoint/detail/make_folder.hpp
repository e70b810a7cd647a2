// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/checkpoint/detail/file.hpp>
#include <zero/checkpoint/file_system.hpp>
#include <zero/error.hpp>
#include <zero/support/message.hpp>

#include <cerrno>
#include <string>
#include <vector>

namespace zero::detail {

[[nodiscard]] inline std::string parent_folder(std::string const& path) {
  auto const slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

/// Waits until the entries of \p folder are on the disk; false where the file system cannot do that for folders, as
/// some network file systems cannot. \throws CheckpointError.
inline bool sync_folder(FileSystem& system, std::string const& folder) {
  long const synced = retry_interrupted([&] { return system.sync_folder(folder); });
  if (is_unsupported(synced)) return false;
  check_file("sync the folder", folder, synced);
  return true;
}

/// Makes \p folder and the folders above it, where they are missing, and lets the new ones survive a power failure.
/// \throws CheckpointError, also where something else has its name.
inline void make_folders(FileSystem& system, std::string const& folder) {
  auto const make = [&] { return retry_interrupted([&] { return system.make_folder(folder); }); };
  long made = make();
  if (made == -ENOENT && parent_folder(folder) != folder) {
    make_folders(system, parent_folder(folder));
    made = make();
  }
  if (made >= 0) {
    (void)sync_folder(system, parent_folder(folder));
    return;
  }
  std::vector<std::string> names;
  long const listed = made == -EEXIST ? retry_interrupted([&] { return system.list(folder, names); }) : 0;
  if (listed == -ENOTDIR || listed == -ENOENT) {
    throw CheckpointError(CheckpointFailure::bad_request,
                          concat({"zero: ", quote(folder),
                                  " is no folder: a file, or a link that leads nowhere, has "
                                  "its name: remove it, or name another folder"}));
  }
  if (made != -EEXIST) check_file("make the folder", folder, made);
}

}  // namespace zero::detail
