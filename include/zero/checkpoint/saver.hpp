// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/checkpoint/detail/snapshot.hpp>
#include <zero/checkpoint/detail/state_with_tensors.hpp>
#include <zero/checkpoint/folder.hpp>
#include <zero/checkpoint/lock.hpp>
#include <zero/checkpoint/save.hpp>
#include <zero/engine_state.hpp>
#include <zero/error.hpp>
#include <zero/rank_agreement.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace zero {

/// Saves in the background: a snapshot of this rank's share is taken at the end of a step, and written while training
/// goes on. Mohan, Phanishayee and Chidambaram, "CheckFreq: Frequent, Fine-Grained DNN Checkpointing", 2021. One save
/// is under way at a time, so that memory is bounded by one snapshot and 1 MiB; the snapshot's memory is kept for
/// the next one. One saver per rank, used as the engine is; `start`, `poll` and `finish` are collective, so every
/// rank calls them in the same places.
class CheckpointSaver {
 public:
  /// Saves into the folder of \p lock, which this rank made together with the others. Is not to outlive it.
  explicit CheckpointSaver(CheckpointLock const& lock) : folder_(lock.folder()) {}
  /// Saves below \p folder, whose lock the first `start` takes, until the saver is destroyed. \p system is borrowed.
  explicit CheckpointSaver(std::string folder, FileSystem& system = posix_file_system())
      : folder_(system, std::move(folder)) {}
  CheckpointSaver(CheckpointSaver const&) = delete;
  CheckpointSaver& operator=(CheckpointSaver const&) = delete;
  /// Waits for this rank's thread. A save that was not brought to its end by `finish` is not there.
  ~CheckpointSaver() {
    if (worker_.joinable()) worker_.join();
  }

  /// Sets aside the memory of a snapshot of all that this rank saves, which otherwise holds up the first `start`. Not
  /// collective, unless the engine's updates are delayed. \throws std::bad_alloc, CudaError where it cannot be pinned.
  template <class Engine>
  void reserve(Engine& engine) {
    reserve(engine.state());
  }
  /// Allocates and touches the memory of a snapshot of \p state. Not collective.
  void reserve(std::unique_ptr<EngineState> const& state) {
    std::uint64_t bytes = 0;
    for (auto const& range : state->owned_ranges()) bytes += range.bytes();
    snapshot_.reserve(*state, static_cast<std::size_t>(bytes));
  }

  /// Takes the snapshot; everything else happens in the background and in later calls. Brings a save that is still
  /// under way to its end first, and returns its report. \throws CheckpointError as `save_checkpoint`. Where that
  /// earlier one has failed, its error comes once this one is under way: `under_way` tells the two apart.
  template <class Engine>
  std::optional<SaveReport> start(Engine& engine, SaveOptions options) {
    return start(engine.state(), std::move(options));
  }
  /// Copies this rank's part of \p state and returns; the files are written in the background. Collective. Returns the
  /// report of the save before, where one was under way.
  std::optional<SaveReport> start(std::unique_ptr<EngineState> state, SaveOptions options) {
    std::optional<SaveReport> earlier;
    auto const failure = detail::attempt([&] {
      if (save_) earlier = finish();
    });
    if (worker_.joinable()) worker_.join();
    state_ = std::move(state);
    if (!options.tensors.empty()) {
      state_ = std::make_unique<detail::StateWithTensors>(std::move(state_), options.tensors);
    }
    auto save = std::make_unique<detail::SaveTransaction>(*state_, folder_, std::move(options));
    folder_ = save->folder();  // and its lock, for all saves to come
    snapshot_.take(*state_, save->plans());
    save_ = std::move(save);
    phase_ = Phase::writing;
    work([this] { save_->write(snapshot_.source()); });
    if (failure) std::rethrow_exception(failure);
    return earlier;
  }

  /// Whether a save has started that `poll` or `finish` has not reported.
  [[nodiscard]] bool under_way() const noexcept { return save_ != nullptr; }

  /// Brings the save on as far as that costs no waiting for files; its report once it is durable.
  /// \throws CheckpointError on every rank: there is no such checkpoint then, and the earlier ones are as they were.
  std::optional<SaveReport> poll() {
    while (save_) {
      if (any_rank(*state_, !done_.load())) return std::nullopt;
      if (auto report = advance()) return report;
    }
    return std::nullopt;
  }

  /// Waits for the save that is under way; nothing where there is none.
  std::optional<SaveReport> finish() {
    while (save_) {
      if (auto report = advance()) return report;
    }
    return std::nullopt;
  }

 private:
  enum class Phase : std::uint8_t { writing, publishing };

  void work(std::function<void()> task) {
    done_.store(false);
    worker_ = std::thread([this, task = std::move(task)] {
      task();
      done_.store(true);
    });
  }

  /// What follows on a phase that every rank has done. Collective.
  std::optional<SaveReport> advance() {
    if (worker_.joinable()) worker_.join();
    if (phase_ == Phase::publishing) return std::exchange(save_, nullptr)->finish(*state_);
    auto save = std::exchange(save_, nullptr);  // gone, should collecting throw
    save->collect(*state_);
    save_ = std::move(save);
    phase_ = Phase::publishing;
    work([this, rank_0 = state_->rank() == 0] { save_->publish(rank_0); });
    return std::nullopt;
  }

  CheckpointFolder folder_;
  std::unique_ptr<EngineState> state_;  // for its ranks; what it reads is in the snapshot
  std::unique_ptr<detail::SaveTransaction> save_;
  detail::Snapshot snapshot_;
  Phase phase_ = Phase::writing;
  std::atomic<bool> done_{false};
  std::thread worker_;
};

}  // namespace zero
