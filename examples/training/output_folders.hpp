// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/checkpoint/folder.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace training {

/// \throws UsageError where \p folder holds checkpoints of another run than \p run, or any, for a run that is new. \p
/// option: which begins a new run although one is resumed; empty: none.
void refuse_other_runs(zero::CheckpointFolder const& folder, std::string const& run, bool is_new,
                       std::string const& option);

/// Removes what other runs than \p run have left in \p folder, which is this run's. Says what could not be removed.
void remove_other_runs(zero::CheckpointFolder folder, std::string const& run);

/// Looks where the file \p path of \p option is to be written, and writes nothing. \throws UsageError where its folder
/// is not there or may not be written to, or where it is a folder itself.
void expect_writable_file(std::string const& option, std::string const& path);

/// The same, and where it is there already, unless the run \p may_replace it.
void expect_new_file(std::string const& option, std::string const& path, bool may_replace);

/// Looks whether the folder \p path of \p option is there or could be made, and written to, and writes nothing.
/// \throws UsageError where not.
void expect_writable_folder(std::string const& option, std::string const& path);

/// \throws UsageError where a model lies in the folder \p path of \p option, if there is one.
void refuse_other_models(std::string const& option, std::string const& path);

/// Makes the folder \p path of \p option and those above it, and writes a file there to see whether that works.
/// \throws UsageError where it does not, or where a model is there, unless it \p may_replace.
void prepare_export(std::string const& option, std::string const& path, bool may_replace);

/// Checkpoints that a run is going to save.
struct CheckpointCount {
  std::uint64_t to_come = 0;
  std::size_t kept = 0;  ///< of the newest; 0: all
};

/// A sentence with both numbers where \p count checkpoints of \p bytes each need more than what is free in \p folder;
/// empty otherwise.
[[nodiscard]] std::string space_warning(std::string const& folder, std::uint64_t bytes, CheckpointCount count);

}  // namespace training
