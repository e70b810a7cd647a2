// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/checkpoint/detail/checkpoint_reader.hpp>
#include <zero/checkpoint/detail/collective.hpp>
#include <zero/checkpoint/detail/convert.hpp>
#include <zero/checkpoint/detail/manifest_reader.hpp>
#include <zero/checkpoint/detail/shard_map.hpp>
#include <zero/checkpoint/detail/state_with_tensors.hpp>
#include <zero/checkpoint/folder.hpp>
#include <zero/checkpoint/manifest.hpp>
#include <zero/checkpoint/named_tensor.hpp>
#include <zero/engine_state.hpp>
#include <zero/error.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace zero {

/// What is loaded, and how exactly it must fit. The same on every rank.
struct LoadOptions {
  std::string tag{};             ///< which checkpoint; empty: what `latest` names, else the newest valid one
  bool parameters_only = false;  ///< a new optimizer: states, step counts and loss scale stay as they are
  bool allow_missing = false;    ///< parameters that the checkpoint lacks stay as they are, with their own step count
  bool allow_extra = false;      ///< parameters that the engine lacks are skipped, and tensors that nobody asked for
  /// Where tensors beside the parameters go, of this rank, in the types that they were saved in, or for a floating
  /// point type in another one of 32 or 16 bits. Half new after an error in the data, as the engine.
  std::vector<NamedTensor> tensors{};
};

/// What a load has done.
struct LoadReport {
  std::string tag;                     ///< name of the checkpoint
  std::uint64_t steps = 0;             ///< updates that the checkpoint's run had done
  bool has_optimizer_state = true;     ///< with states, step counts and loss scale
  std::size_t parameters = 0;          ///< how many were set, tensors beside them included
  std::uint64_t bytes_read = 0;        ///< by this rank
  std::vector<std::string> missing{};  ///< parameters of the engine that were not there
  std::vector<std::string> extra{};    ///< parameters of the checkpoint that the engine has not
  std::vector<std::string> skipped{};  ///< newer checkpoints that could not be read, and why
  /// EngineConfig::micro_batches_per_step of the run that saved it, where it was given. Another number here was asked
  /// for, and gives other bits.
  std::optional<int> micro_batches_per_step{};
  UserState user_state{};  ///< the trainer's own state, as it was saved
};

namespace detail {

[[noreturn]] inline void throw_mismatch(std::string_view why, std::string_view remedy) {
  throw CheckpointError(CheckpointFailure::mismatch,
                        concat({"zero: the checkpoint does not fit: ", why, ": ", remedy}));
}

/// The first few of a list of names.
inline std::string enumerate(std::vector<std::string> const& names, std::size_t most = 8) {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < most; ++i) {
    text += concat({i > 0 ? ", " : "", detail::quote(names[i])});
  }
  return names.size() > most ? text + concat({" and ", names.size() - most, " more"}) : text;
}

inline std::string shape_text(auto const& shape) {
  std::string text = "[";
  for (auto const dimension : shape) text += (text.size() > 1 ? "," : "") + std::to_string(dimension);
  return text + "]";
}

/// Compares a checkpoint with an engine; the place of each of the engine's parameters in the checkpoint, or nothing.
/// Fills in what is missing and extra. \throws CheckpointError (mismatch) that names what differs.
inline std::vector<std::optional<std::uint32_t>> match_parameters(Manifest const& manifest, EngineState const& state,
                                                                  LoadOptions const& options, LoadReport& report) {
  std::unordered_map<std::string_view, std::uint32_t> index_of;
  for (std::uint32_t p = 0; p < manifest.parameters.size(); ++p) index_of[manifest.parameters[p].name] = p;
  std::vector<std::optional<std::uint32_t>> found;
  for (auto const& spec : state.parameters()) {
    auto const place = index_of.find(spec.name);
    if (place == index_of.end()) {
      report.missing.push_back(spec.name);
      found.emplace_back();
      continue;
    }
    auto const& saved = manifest.parameters[place->second];
    if (!std::equal(saved.shape.begin(), saved.shape.end(), spec.shape.begin(), spec.shape.end())) {
      throw_mismatch(concat({"parameter ", detail::quote(spec.name), " is ", shape_text(saved.shape), " there and ",
                             shape_text(spec.shape), " here"}),
                     "load it into a model of the same shape");
    }
    auto const p = static_cast<std::uint32_t>(found.size());
    auto const own = spec.frozen ? state.traits_of(p).compute : ElementType::fp32;
    if (saved.type != own && !(is_parameter_type(saved.type) && is_parameter_type(own))) {
      throw_mismatch(concat({"tensor ", detail::quote(spec.name), " is of ", name(saved.type), " there and of ",
                             name(own), " here"}),
                     "load it into memory of the type that it was saved in");
    }
    if (!options.parameters_only && saved.frozen && !spec.frozen) {
      throw_mismatch(concat({"parameter ", detail::quote(spec.name), " was frozen and has no states"}),
                     "freeze it, or load parameters only");
    }
    found.emplace_back(place->second);
    index_of.erase(place);
  }
  bool has_extra_parameters = false;
  for (auto const& parameter : manifest.parameters) {
    if (!index_of.contains(parameter.name)) continue;
    report.extra.push_back(parameter.name);
    has_extra_parameters = has_extra_parameters || !parameter.is_tensor;
  }
  if (!report.missing.empty() && !options.allow_missing) {
    throw_mismatch("it lacks " + enumerate(report.missing), "name the parameters as they were, or allow missing ones");
  }
  if (!report.extra.empty() && !options.allow_extra) {
    if (!has_extra_parameters) {
      throw_mismatch("it has " + enumerate(report.extra) + " beside the parameters",
                     "say in LoadOptions::tensors where they go, or allow extra ones");
    }
    throw_mismatch("it has " + enumerate(report.extra) + ", which the engine has not",
                   "name the parameters as they were, or allow extra ones");
  }
  return found;
}

/// Whether every parameter has the rule that the checkpoint names, and that the engine names.
inline bool has_one_rule(Manifest const& manifest, EngineState const& state) {
  for (auto const& parameter : manifest.parameters) {
    if (parameter.rule || parameter.states) return false;
  }
  auto const& traits = state.traits();
  for (std::uint32_t p = 0; p < state.parameters().size(); ++p) {
    auto const& own = state.traits_of(p);
    if (&own != &traits && (own.rule != traits.rule || own.states != traits.states)) return false;
  }
  return true;
}

/// \p index_of is where each of the engine's parameters is in the checkpoint. \throws CheckpointError (mismatch) that
/// names the first parameter that was trained with another rule, or other states, than it has here.
inline void match_rules(Manifest const& manifest, EngineState const& state,
                        std::vector<std::optional<std::uint32_t>> const& index_of) {
  for (std::uint32_t p = 0; p < index_of.size(); ++p) {
    auto const& own = state.traits_of(p);
    if (!index_of[p] || state.parameters()[p].frozen || manifest.parameters[*index_of[p]].frozen) continue;
    auto const& rule = manifest.rule_of(*index_of[p]);
    if (rule == own.rule && manifest.states_of(*index_of[p]) == own.states) continue;
    throw_mismatch(concat({"parameter ", detail::quote(state.parameters()[p].name), " was trained with ", rule,
                           ", here it is with ", own.rule}),
                   "train each parameter with the rule that it had, in one engine or several that step together, or "
                   "load parameters only");
  }
}

/// \throws CheckpointError (mismatch) that names the first parameter with another scaler than the engine's, which only
/// a later library could have written.
inline void match_scalers_of_parameters(Manifest const& manifest, EngineState const& state) {
  for (auto const& parameter : manifest.parameters) {
    if (!parameter.scaler || *parameter.scaler == state.traits().scaler) continue;
    throw_mismatch(concat({"the loss of parameter ", detail::quote(parameter.name), " was scaled by ",
                           *parameter.scaler, ", this engine's by ", state.traits().scaler}),
                   "use a version of the library that has scalers per parameter, or load parameters only");
  }
}

inline void match_policies(Manifest const& manifest, EngineState const& state) {
  auto const& traits = state.traits();
  std::string_view const remedy = "use the same policies, or load parameters only";
  if (!manifest.has_optimizer_state) throw_mismatch("it holds parameters only", "load parameters only");
  bool const differs = manifest.rule != traits.rule || manifest.states != traits.states;
  if (differs && has_one_rule(manifest, state)) {
    throw_mismatch(concat({"it was trained with ", manifest.rule, ", this engine trains with ", traits.rule}), remedy);
  }
  if (manifest.scaler != traits.scaler || manifest.scaler_state.size() != traits.scaler_bytes) {
    throw_mismatch(concat({"its loss was scaled by ", manifest.scaler, ", this engine's by ", traits.scaler}), remedy);
  }
  match_scalers_of_parameters(manifest, state);
}

/// A run whose bits depend on the number of micro-batches of a step goes on with as many, unless the engine was given
/// another number. \throws CheckpointError (mismatch).
inline void match_micro_batches(Manifest const& manifest, EngineState const& state) {
  if (!manifest.micro_batches_per_step || state.traits().micro_batches_per_step) return;
  auto const saved = *manifest.micro_batches_per_step;
  throw_mismatch(concat({"its steps have ", counted(static_cast<std::uint64_t>(saved), "micro-batch"),
                         " of the whole world, and this engine was given no "
                         "micro_batches_per_step"}),
                 concat({"set EngineConfig::micro_batches_per_step to ", saved,
                         " to go on with the same bits on any number of ranks, or to another number"}));
}

/// Sets elements of \p range from those of another type.
inline void write_converted(EngineState& state, StateRange const& range, std::uint64_t first,
                            std::span<std::byte const> from, ElementType type) {
  if (type == range.type) return state.write(range, first, from);
  convert_elements(from, type, range.type, [&](std::span<std::byte const> part) {
    state.write(range, first, part);
    first += part.size() / element_size(range.type);
  });
}

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
    reader_->read([&](detail::ShardPart const& part, std::span<std::byte const> bytes) {
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
  std::vector<detail::WantedRange> wanted_;
  std::vector<std::uint64_t> first_steps_;
  std::optional<detail::CheckpointReader> reader_;
};

/// Checkpoints in the order in which rank 0 tries them, and why others are not among them.
struct Candidates {
  std::vector<std::string> tags;
  std::vector<std::string> skipped;
};

inline Candidates find_candidates(CheckpointFolder const& folder, LoadOptions const& options) {
  if (!options.tag.empty()) {
    check_tag(options.tag);
    return {{options.tag}, {}};
  }
  Candidates candidates;
  auto saved = folder.checkpoints(&candidates.skipped);
  std::optional<std::string> hint;
  auto const failure = attempt([&] { hint = folder.pointer("latest"); });
  if (failure) candidates.skipped.push_back(CheckpointFailures::outcome_of(failure).text);
  auto const hinted = std::find_if(saved.begin(), saved.end(), [&](auto const& one) { return one.tag == hint; });
  // `latest` may deliberately name an older checkpoint. If it names one that is missing, it is ignored.
  if (hinted != saved.end()) std::rotate(saved.begin(), hinted, hinted + 1);
  if (saved.empty()) {
    bool const none = candidates.skipped.empty();
    throw CheckpointError(none ? CheckpointFailure::not_found : CheckpointFailure::damaged,
                          concat({"zero: there is no valid checkpoint in ", detail::quote(folder.root()),
                                  none ? ": name the folder that one was saved into" : "; passed over: ",
                                  enumerate(candidates.skipped, 3)}));
  }
  bool const is_one_run =
      std::all_of(saved.begin(), saved.end(), [&](auto const& one) { return one.run == saved.front().run; });
  if (hint && hinted == saved.end() && !is_one_run) {
    // Which run it was of, it cannot say any more, and another run's state is not an older one of the same.
    throw CheckpointError(CheckpointFailure::damaged,
                          concat({"zero: ", detail::quote(folder.root()), " holds checkpoints of several runs, and ",
                                  detail::quote(*hint), ", the latest, cannot be read: name the one to load"}));
  }
  auto const run = saved.front().run;
  for (auto& one : saved) {
    if (one.run == run) candidates.tags.push_back(std::move(one.tag));
  }
  return candidates;
}

/// Whether an older checkpoint may do instead: this one cannot be read, whatever the engine.
[[nodiscard]] inline bool may_fall_back(CheckpointFailure kind) noexcept {
  return kind == CheckpointFailure::damaged || kind == CheckpointFailure::input_output ||
         kind == CheckpointFailure::not_found;
}

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
