// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/checkpoint/detail/collective.hpp>
#include <zero/checkpoint/folder.hpp>
#include <zero/checkpoint/load.hpp>
#include <zero/error.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace zero {

/// One checkpoint: the folder that it is in, and its tag.
struct CheckpointLocation {
  std::string root;  ///< the folder of checkpoints
  std::string tag;   ///< name of the checkpoint
};

/// Finds the checkpoint that a user means by \p path: a checkpoint's own folder, whatever links lead there; the file
/// `latest`, `best` or `final` of a folder of checkpoints, which names one; or the folder itself, of which the one that
/// loading would take. \throws CheckpointError (not_found, damaged).
[[nodiscard]] inline CheckpointLocation locate_checkpoint(std::string const& path) {
  std::error_code error;
  std::filesystem::path const named(path);
  if (detail::is_pointer_name(named.filename().string()) && std::filesystem::is_regular_file(named, error)) {
    auto const root = named.has_parent_path() ? named.parent_path().string() : std::string(".");
    CheckpointFolder const checkpoints(posix_file_system(), root);
    if (auto tag = checkpoints.pointer(named.filename().string())) return {root, std::move(*tag)};
  }
  auto const folder = std::filesystem::canonical(path, error);
  if (error || !std::filesystem::is_directory(folder, error)) {
    throw CheckpointError(CheckpointFailure::not_found,
                          detail::concat({"zero: there is no folder ", detail::quote(path)}));
  }
  if (std::filesystem::exists(folder / detail::manifest_name, error)) {
    return {folder.parent_path().string(), folder.filename().string()};
  }
  CheckpointFolder const checkpoints(posix_file_system(), folder.string());
  return {folder.string(), detail::find_candidates(checkpoints, {}).tags.front()};
}

/// The same, by every rank for itself; where one of them finds none, every rank throws the same. Collective, blocks.
template <class Communicator>
[[nodiscard]] CheckpointLocation locate_checkpoint(Communicator& ranks, std::string const& path) {
  CheckpointLocation place;
  detail::run_on_all_ranks<detail::CheckpointFailures>(ranks, [&] { place = locate_checkpoint(path); });
  return place;
}

}  // namespace zero
