// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/checkpoint/detail/candidates.hpp>
#include <zero/checkpoint/detail/collective.hpp>
#include <zero/checkpoint/detail/load_transaction.hpp>
#include <zero/checkpoint/detail/state_with_tensors.hpp>
#include <zero/checkpoint/folder.hpp>
#include <zero/checkpoint/load_options.hpp>
#include <zero/engine_state.hpp>
#include <zero/error.hpp>

#include <cstddef>
#include <optional>
#include <string>

namespace zero {

namespace detail {

/// \p candidate as all ranks see it: rank 0 reads the manifest and hands it on. \throws CheckpointError on every rank.
inline void load_candidate(EngineState& state, CheckpointFolder const& folder, LoadOptions options,
                           std::string const& candidate, LoadReport& report, bool& touched) {
  options.tag = candidate;
  auto const text = run_on_rank_0(state, [&] { return folder.manifest_text(candidate); });
  std::optional<LoadTransaction> transaction;
  run_on_all_ranks<CheckpointFailures>(state, [&] {
    transaction.emplace(state, folder, options, CheckpointFolder::parse(candidate, text));
    transaction->match(report);
  });
  run_on_all_ranks<CheckpointFailures>(state, [&] { transaction->check_files(); });
  if (!touched) state.begin_load();
  touched = true;
  run_on_all_ranks<CheckpointFailures>(state, [&] { transaction->read(report); });
  state.finish_load();
}

}  // namespace detail

/// Sets the engine to what a checkpoint in \p folder holds, whatever number of ranks, stage, bucket size and offload it
/// was saved from. Rank 0 chooses and hands the manifest on; every rank reads and verifies what it needs, in one chunk
/// of memory; a checkpoint that cannot be read is skipped for the next one of the same run (`run_id_key`), unless one
/// was asked for. Collective, blocks. \throws CheckpointError, the same on every rank: not_found where there is none,
/// damaged where none can be read, mismatch where it does not fit. The engine is unchanged then, unless damage showed
/// only in the data: then it is poisoned until another load succeeds.
inline LoadReport load_checkpoint(EngineState& engine, CheckpointFolder const& folder,
                                  LoadOptions const& options = {}) {
  auto const beside = detail::with_tensors(engine, options.tensors);
  auto& state = beside ? *beside : engine;
  detail::Candidates candidates;
  LoadReport report;
  candidates.tags = detail::list_on_rank_0(state, [&] {
    candidates = detail::find_candidates(folder, options);
    return candidates.tags;
  });
  report.skipped = detail::list_on_rank_0(state, [&] { return candidates.skipped; });
  bool touched = false;
  for (std::size_t i = 0;; ++i) {
    try {
      detail::load_candidate(state, folder, options, candidates.tags[i], report, touched);
      return report;
    } catch (CheckpointError const& error) {
      if (i + 1 == candidates.tags.size() || !detail::may_fall_back(error.kind())) throw;
      report.skipped.push_back(candidates.tags[i] + ": " + error.what());
    }
  }
}

/// The same for an engine, or for an AnyEngine.
template <class Engine>
LoadReport load_checkpoint(Engine& engine, std::string const& folder, LoadOptions const& options = {}) {
  auto const state = engine.state();
  return load_checkpoint(*state, CheckpointFolder(posix_file_system(), folder), options);
}

}  // namespace zero
