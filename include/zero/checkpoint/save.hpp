// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/checkpoint/detail/collective.hpp>
#include <zero/checkpoint/detail/shard_file.hpp>
#include <zero/checkpoint/detail/shard_plan.hpp>
#include <zero/checkpoint/detail/state_with_tensors.hpp>
#include <zero/checkpoint/folder.hpp>
#include <zero/checkpoint/manifest.hpp>
#include <zero/checkpoint/named_tensor.hpp>
#include <zero/engine_state.hpp>
#include <zero/error.hpp>
#include <zero/utility/json.hpp>
#include <zero/utility/utf8.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace zero {

/// How a checkpoint is saved. The same on every rank.
struct SaveOptions {
  std::string tag{};                   ///< the checkpoint's name in its folder, e.g. step-100
  UserState user_state{};              ///< rank 0's is saved; a manifest with it holds at most Manifest::largest bytes
  std::vector<NamedTensor> tensors{};  ///< saved beside the parameters: rank 0's values, of host memory that may be
                                       ///< changed once the call returns; names, shapes and types are every rank's
  bool parameters_only = false;        ///< leave the rule's states out: a third of the size with Adam
  bool replace = false;                ///< take the place of a checkpoint of the same tag
  std::size_t keep = 0;                ///< afterwards keep the newest so many, and those that a pointer names; 0: all
  std::vector<std::string> aliases{};  ///< `best`, `final`: let these name it too
  std::uint64_t chunk =
      Manifest::default_chunk;  ///< bytes per checksum, and of memory that loading takes; multiple of 8
};

/// What a save has done.
struct SaveReport {
  std::string tag;          ///< name of the checkpoint
  std::uint64_t steps = 0;  ///< updates done
  std::uint64_t bytes = 0;  ///< of all files of all ranks, without the manifest
  std::vector<std::string>
      warnings{};  ///< what went wrong once the checkpoint was safe: a pointer, or old ones to remove
};

namespace detail {

/// Gives \p into.size() bytes of one range, from element `first` on.
using RangeSource = std::function<void(StateRange const&, std::uint64_t first, std::span<std::byte> into)>;

inline void write_range(detail::ShardWriter& writer, StateRange const& range, RangeSource const& source) {
  std::uint64_t const size = element_size(range.type);
  for (std::uint64_t done = 0; done < range.count;) {
    auto place = writer.room((range.count - done) * size);
    place = place.first(place.size() / size * size);
    source(range, done, place);
    writer.put(place.size());
    done += place.size() / size;
  }
}

/// A new file in a folder that another machine may have made just now: some network file systems show it late. \p
/// look, which may throw, says whether waiting makes sense.
inline detail::File create_in_new_folder(FileSystem& system, std::string const& path,
                                         std::function<void()> const& look) {
  constexpr int attempts = 12;
  std::chrono::milliseconds wait{10};
  for (int i = 1;; ++i, wait *= 2) {
    try {
      return detail::File::create(system, path);
    } catch (CheckpointError const& error) {
      if (error.kind() != CheckpointFailure::not_found || i == attempts) throw;
    }
    look();
    system.pause(wait);
  }
}

/// Writes one file; it is durable once the writer has finished. \p piece is memory to work in.
inline detail::ShardWriter write_shard(CheckpointFolder const& folder, std::string const& name, detail::ShardPlan& plan,
                                       RangeSource const& source, std::span<std::byte> piece, std::uint64_t chunk) {
  auto file =
      create_in_new_folder(folder.system(), folder.path(name) + "/" + plan.file.name, [&] { folder.check_lock(); });
  detail::ShardWriter writer(std::move(file), plan.file.bytes, piece, chunk);
  writer.write(plan.head);
  for (auto const& range : plan.ranges) write_range(writer, range, source);
  plan.file.crc32c = writer.end();
  return writer;
}

inline void check_options(SaveOptions const& options) {
  auto const throw_bad_request = [](char const* why) { throw CheckpointError(CheckpointFailure::bad_request, why); };
  check_tag(options.tag);
  if (options.keep == 1)
    throw_bad_request("zero: keep must be 0 for all checkpoints, or at least 2: the only one may be the damaged one");
  if (options.chunk < 64 || options.chunk % 8 != 0 || options.chunk > (1U << 30U)) {
    throw_bad_request("zero: the chunk of a checkpoint must be a multiple of 8 bytes from 64 to 2^30, e.g. 16 << 20");
  }
  for (auto const& name : options.aliases) {
    if (!is_pointer_name(name)) throw_bad_request("zero: a checkpoint can be named best or final beside its tag");
  }
  for (auto const& [key, value] : options.user_state) {
    if (!is_utf8(key)) throw_bad_request("zero: a key of the caller's state is not UTF-8");
  }
}

/// One save, in the parts that it consists of, each called once and in this order.
class SaveTransaction {
 public:
  /// Agrees on the names and plans this rank's files. \throws CheckpointError on every rank.
  SaveTransaction(EngineState& state, CheckpointFolder folder, SaveOptions options)
      : folder_(std::move(folder)), options_(std::move(options)) {
    auto const nonce = run_on_rank_0(state, [&] {
      check_options(options_);
      return CheckpointFolder::make_nonce();
    });
    std::string mine = options_.tag + (options_.parameters_only ? " parameters" : "");
    for (auto const& tensor : options_.tensors) append_description(mine, tensor);
    auto const tags = run_on_all_ranks<CheckpointFailures>(state, [&] {
      check_options(options_);
      check_tensors(state.parameters(), options_.tensors);
      manifest_ = describe(state, options_.tag, nonce, !options_.parameters_only);
      manifest_.chunk = options_.chunk;
      manifest_.user_state = options_.user_state;
      for (auto const& parameter : manifest_.parameters)
        check_tensor_name(parameter.name);  // or it could never be consolidated
      plans_ = detail::plan_shards(state, manifest_);
      return mine;
    });
    run_on_all_ranks<CheckpointFailures>(state, [&] {
      if (tags[0] != mine) {
        throw CheckpointError(
            CheckpointFailure::bad_request,
            "zero: ranks save under different tags or with different contents: give every rank the same tag "
            "and tensors");
      }
    });
    hidden_ = run_on_rank_0(state, [&] {
      (void)text_to_save(manifest_);  // before any file is written
      folder_.lock();
      return folder_.begin(options_.tag, nonce, options_.replace);
    });
  }

  /// The folder as this save has it: rank 0's is locked, as long as there is a copy.
  [[nodiscard]] CheckpointFolder const& folder() const noexcept { return folder_; }

  [[nodiscard]] std::vector<detail::ShardPlan> const& plans() const noexcept { return plans_; }

  /// Writes this rank's files. Not collective: may run on a thread of its own. Keeps its failure for `collect`.
  void write(RangeSource const& source) {
    failure_ = attempt([&] {
      std::vector<std::byte> piece(
          static_cast<std::size_t>(std::min<std::uint64_t>(options_.chunk, detail::ShardWriter::largest_piece)));
      std::vector<detail::ShardWriter> writers;  // all are written before any is synced: the disk works meanwhile
      for (auto& plan : plans_) {
        writers.push_back(write_shard(folder_, hidden_, plan, source, piece, options_.chunk));
      }
      for (auto& writer : writers) writer.finish();
      folder_.sync_folder(folder_.path(hidden_));
    });
  }

  /// Agrees that every rank has written its files, and gathers what it says of them. Collective. \throws
  /// CheckpointError on every rank; the files are removed then.
  void collect(EngineState& state) {
    blame_lost_lock();
    Json::Array files;
    for (auto const& plan : plans_) files.push_back(json_of(plan.file));
    try {
      auto const written = propagate_failure<CheckpointFailures>(state, failure_, to_text(Json(std::move(files))));
      for (std::size_t r = 0; r < written.size(); ++r) files_.emplace_back(written[r]);
    } catch (CheckpointError const&) {
      if (state.rank() == 0) folder_.discard(hidden_);
      throw;
    }
  }

  /// Makes the checkpoint visible, points to it and removes old ones: rank 0's work, nothing on the others. Not
  /// collective: may run on a thread of its own. Keeps its failure for `finish`.
  void publish(bool rank_0) {
    if (!rank_0) return;
    failure_ = attempt([&] {
      for (auto const& text : files_) {
        Json const list = detail::parse_json(text);
        for (auto const& file : *list.get<Json::Array>()) manifest_.files.push_back(file_of(file, manifest_));
      }
      check_coverage(manifest_);
      folder_.commit(hidden_, manifest_, options_.replace);
    });
    if (failure_) return blame_lost_lock();
    // From here on the checkpoint is safe: what fails is a warning.
    auto const warn = [&](std::exception_ptr const& failure) {
      if (failure) warnings_.push_back(CheckpointFailures::outcome_of(failure).text);
    };
    warn(attempt([&] { folder_.point("latest", options_.tag); }));
    for (auto const& name : options_.aliases) warn(attempt([&] { folder_.point(name, options_.tag); }));
    warn(attempt([&] { folder_.prune(options_.keep, options_.tag); }));
    if (auto text = folder_.take_warning(); !text.empty()) warnings_.push_back(std::move(text));
  }

  /// Tells every rank how it ended. Collective. \throws CheckpointError on every rank; earlier checkpoints are
  /// untouched then.
  [[nodiscard]] SaveReport finish(EngineState& state) {
    auto const bytes = propagate_failure<CheckpointFailures>(state, failure_, std::to_string(manifest_.bytes()));
    return {.tag = options_.tag,
            .steps = manifest_.steps,
            .bytes = std::stoull(std::string(bytes[0])),
            .warnings = list_on_rank_0(state, [&] { return warnings_; })};
  }

 private:
  static void append_description(std::string& text, NamedTensor const& tensor) {
    text.append("\n").append(tensor.name).append(" ").append(name(tensor.type));
    for (auto const dimension : tensor.shape) text.append(" ").append(std::to_string(dimension));
  }

  /// Whoever has taken the folder over may have removed what was written: that is the cause then, whatever failed.
  void blame_lost_lock() {
    try {
      folder_.check_lock();
    } catch (CheckpointError const& error) {
      if (error.kind() == CheckpointFailure::locked) failure_ = std::current_exception();
    }
  }

  CheckpointFolder folder_;
  SaveOptions options_;
  Manifest manifest_;
  std::vector<detail::ShardPlan> plans_;
  std::string hidden_;
  std::vector<std::string> files_;  // every rank's part of the manifest
  std::vector<std::string> warnings_;
  std::exception_ptr failure_;
};

}  // namespace detail

/// Bytes of the data of one checkpoint, of all ranks, without headers and manifest. Collective.
[[nodiscard]] inline std::uint64_t checkpoint_bytes(EngineState& state, bool parameters_only = false) {
  std::uint64_t mine = 0, sum = 0;
  for (auto const& range : state.owned_ranges()) {
    if (range.kind == 0 || !parameters_only) mine += range.bytes();
  }
  for (auto const bytes : detail::exchange_words(state, mine)) sum += bytes;
  return sum;
}

/// Saves a checkpoint of the state between two steps into \p folder, and waits until it is durable: it is there whole,
/// or, after an error, not at all, and what was there before is as it was. Takes 1 MiB of memory at most. Holds the
/// folder's lock meanwhile, unless \p folder holds it already (lock.hpp). Collective. \throws CheckpointError, the same
/// on every rank, `locked` where another process saves there; SequenceError from `state()` inside a step.
inline SaveReport save_checkpoint(EngineState& engine, CheckpointFolder const& folder, SaveOptions const& options) {
  auto const beside = detail::with_tensors(engine, options.tensors);
  auto& state = beside ? *beside : engine;
  detail::SaveTransaction transaction(state, folder, options);
  transaction.write(
      [&](StateRange const& range, std::uint64_t first, std::span<std::byte> into) { state.read(range, first, into); });
  transaction.collect(state);
  transaction.publish(state.rank() == 0);
  return transaction.finish(state);
}

/// The same for an engine, or for an AnyEngine.
template <class Engine>
SaveReport save_checkpoint(Engine& engine, std::string const& folder, SaveOptions const& options) {
  auto const state = engine.state();
  return save_checkpoint(*state, CheckpointFolder(posix_file_system(), folder), options);
}

}  // namespace zero
