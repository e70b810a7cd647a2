// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/checkpoint/detail/checkpoint_reader.hpp>
#include <zero/checkpoint/detail/convert.hpp>
#include <zero/checkpoint/detail/match.hpp>
#include <zero/checkpoint/detail/shard_map.hpp>
#include <zero/checkpoint/detail/state_with_tensors.hpp>
#include <zero/checkpoint/file_system.hpp>
#include <zero/checkpoint/folder.hpp>
#include <zero/checkpoint/load_options.hpp>
#include <zero/checkpoint/manifest.hpp>
#include <zero/engine_state.hpp>
#include <zero/precision.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace zero::detail {

/// One attempt to load one checkpoint.
class LoadTransaction {
 public:
  LoadTransaction(EngineState& state, CheckpointFolder const& folder, LoadOptions const& options, Manifest manifest)
      : state_(state),
        options_(options),
        manifest_(std::move(manifest)),
        path_(folder.path(manifest_.tag)),
        system_(folder.system()) {}

  /// Compares the checkpoint with the engine, without touching it. \throws CheckpointError (mismatch).
  void match(LoadReport& report) {
    report.missing.clear();
    report.extra.clear();
    check_tensors(state_.parameters(), options_.tensors);
    if (!options_.parameters_only) {
      match_policies(manifest_, state_);
      match_micro_batches(manifest_, state_);
    }
    auto const index_of = match_parameters(manifest_, state_, options_, report);
    if (!options_.parameters_only) match_rules(manifest_, state_, index_of);
    if (!options_.parameters_only) first_steps_ = first_steps_of(index_of);
    for (auto const& range : state_.resident_ranges()) {
      auto const& place = index_of[range.parameter];
      if (!place || (range.kind > 0 && options_.parameters_only)) continue;
      targets_.push_back(range);
      wanted_.push_back({range.kind == 0 ? std::string(parameters_kind) : manifest_.states_of(*place)[range.kind - 1],
                         *place, range.begin, range.begin + range.count});
    }
    report.tag = manifest_.tag;
    report.steps = manifest_.steps;
    report.has_optimizer_state = !options_.parameters_only;
    report.parameters = state_.parameters().size() - report.missing.size();
    report.micro_batches_per_step = manifest_.micro_batches_per_step;
    report.user_state = manifest_.user_state;
    reader_.emplace(system_, path_, manifest_, wanted_);
  }

  void check_files() const { reader_->check_files(); }

  /// Streams this rank's part into the engine.
  void read(LoadReport& report) {
    reader_->read([&](ShardPart const& part, std::span<std::byte const> bytes) {
      auto const& range = targets_[part.target];
      write_converted(state_, range, part.first - range.begin, bytes, part.type);
    });
    report.bytes_read = reader_->bytes_read();
    if (options_.parameters_only) return;
    state_.set_progress({manifest_.steps, manifest_.skipped, manifest_.scaler_state, first_steps_});
  }

 private:
  // Every parameter goes on with its own step count: the checkpoint's, or, where that lacks it, the one that it has.
  [[nodiscard]] std::vector<std::uint64_t> first_steps_of(
      std::vector<std::optional<std::uint32_t>> const& index_of) const {
    auto const now = state_.progress();
    std::vector<std::uint64_t> first_steps;
    for (std::size_t i = 0; i < index_of.size(); ++i) {
      auto const own = now.steps - (now.first_steps.empty() ? 0 : now.first_steps[i]);
      auto const steps = index_of[i] ? manifest_.parameters[*index_of[i]].steps.value_or(manifest_.steps) : own;
      first_steps.push_back(manifest_.steps - steps);
    }
    return first_steps;
  }

  EngineState& state_;
  LoadOptions options_;
  Manifest manifest_;
  std::string path_;
  FileSystem& system_;
  std::vector<StateRange> targets_;
  std::vector<WantedRange> wanted_;
  std::vector<std::uint64_t> first_steps_;
  std::optional<CheckpointReader> reader_;
};

}  // namespace zero::detail
