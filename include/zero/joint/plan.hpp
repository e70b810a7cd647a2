// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/description.hpp>
#include <zero/engine/micro_batch_sequence.hpp>
#include <zero/error.hpp>
#include <zero/joint/description.hpp>
#include <zero/kernels/decide.hpp>
#include <zero/partitioner.hpp>
#include <zero/step/joint_names.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zero::detail {

/// The engines of all ranks that step together, as follows from what the ranks have told each other: the same plan, or
/// the same error, on every rank.
class JointPlan {
 public:
  struct Engine {
    JointEngine const* described = nullptr;   ///< by its first rank
    std::vector<int> ranks;                   ///< in the world, in the order of its communicator
    std::size_t first_entry = 0;              ///< of its ranks, in the words of the norm
    std::uint32_t first_parameter = 0;        ///< number among those of all engines
    bool repeats = false;                     ///< its parameters are those of an engine before it
    std::optional<std::size_t> first_rate{};  ///< where it is repeated: of its ranks, in the words of the norm again
  };

  /// \throws MismatchError where ranks have other settings, ConfigurationError for engines that cannot step together.
  ZERO_OUT_OF_LINE explicit JointPlan(std::vector<JointRank> ranks) : ranks_(std::move(ranks)) {
    require_same_settings();
    find_engines();
    require_whole_groups();
    require_own_names();
    require_one_scaler();
    require_one_progress();
    count_micro_batches();
    require_order_of_sums();
    require_positions();
    number_entries();
  }
  JointPlan(JointPlan const&) = delete;
  JointPlan& operator=(JointPlan const&) = delete;

  /// In an order that all ranks have in common.
  [[nodiscard]] std::vector<Engine> const& engines() const noexcept { return engines_; }
  /// Which of them is number \p member of \p rank.
  [[nodiscard]] std::size_t engine_of(std::size_t rank, std::size_t member) const {
    return index_.at(key_of(ranks_[rank].engines[member]));
  }
  /// Of the words of the norm: one for each rank, then one for each rank of each engine, then one more for each rank of
  /// engines that are repeated, for what all repeats have in common.
  [[nodiscard]] std::vector<NormEntry> const& entries() const noexcept { return entries_; }
  /// Whose entry `engine` writes on \p rank.
  [[nodiscard]] std::size_t entry_of(std::size_t engine, int rank) const {
    return engines_[engine].first_entry + place_of(engine, rank);
  }
  /// The same for what it has in common with its repeats; none where it has none.
  [[nodiscard]] std::optional<std::size_t> rate_entry_of(std::size_t engine, int rank) const {
    auto const first = engines_[engine].first_rate;
    return first ? std::optional(*first + place_of(engine, rank)) : std::nullopt;
  }
  /// Whether any engine shards parameters, so that all-gathers come in between.
  [[nodiscard]] bool gathers() const noexcept {
    return std::any_of(engines_.begin(), engines_.end(), [](Engine const& e) {
      return e.described->stage == static_cast<std::uint64_t>(Stage::parameters);
    });
  }
  /// Whether a rank of any engine may lack gradients that others have, also where all have a micro-batch.
  [[nodiscard]] bool may_lack() const noexcept {
    return std::any_of(engines_.begin(), engines_.end(), [](Engine const& e) { return e.described->may_lack != 0; });
  }
  /// Micro-batches of a step, as \p engine sees them on \p rank.
  [[nodiscard]] MicroBatchSequence micro_batches(std::size_t engine, int rank) const noexcept {
    int present = 0;
    for (int other : engines_[engine].ranks) present += has_last(other) ? 1 : 0;
    auto const& self = ranks_[static_cast<std::size_t>(rank)];
    return {total_, static_cast<int>(self.positions), static_cast<int>(self.position), present};
  }
  [[nodiscard]] ZERO_OUT_OF_LINE JointNames names() const {
    JointNames names;
    for (auto const& engine : engines_) {
      if (engine.repeats) continue;
      auto& entry = names.engines.emplace_back();
      entry.name = engine.described->name;
      entry.first_parameter = engine.first_parameter;
      for (auto const& parameter : engine.described->parameters) entry.parameters.push_back(parameter.name);
    }
    return names;
  }
  /// The engine whose loss scaler decides, or the first one, where none has any.
  [[nodiscard]] JointEngine const& first_scaling() const noexcept {
    return scaling_ != nullptr ? *scaling_ : *engines_.front().described;
  }
  /// Micro-batches of a step, where they were given.
  [[nodiscard]] std::optional<int> given_micro_batches() const noexcept { return given_; }
  /// Of all parameters, as StepProgress has it.
  [[nodiscard]] std::vector<std::uint64_t> first_steps() const {
    std::vector<std::uint64_t> steps;
    bool plain = true;
    for (auto const& engine : engines_) {
      if (engine.repeats) continue;
      for (auto const& parameter : engine.described->parameters) {
        steps.push_back(parameter.first_step);
        plain = plain && parameter.first_step == 0;
      }
    }
    return plain ? std::vector<std::uint64_t>{} : steps;
  }
  /// Whether some rank has a member of this name.
  [[nodiscard]] bool knows(std::string_view name) const noexcept {
    return std::any_of(engines_.begin(), engines_.end(), [&](Engine const& e) { return e.described->name == name; });
  }

 private:
  [[nodiscard]] std::size_t place_of(std::size_t engine, int rank) const {
    auto const& ranks = engines_[engine].ranks;
    return static_cast<std::size_t>(std::find(ranks.begin(), ranks.end(), rank) - ranks.begin());
  }
  // An engine, or one repeat of it.
  using Key = std::pair<std::uint64_t, std::uint64_t>;
  [[nodiscard]] static Key key_of(JointEngine const& engine) { return {engine.identity(), engine.first_rank}; }

  [[nodiscard]] JointRank const& rank(int r) const noexcept { return ranks_[static_cast<std::size_t>(r)]; }
  [[nodiscard]] int world() const noexcept { return static_cast<int>(ranks_.size()); }
  // Whether a rank has a micro-batch in the last round.
  [[nodiscard]] bool has_last(int r) const noexcept {
    std::uint64_t const rest = static_cast<std::uint64_t>(total_) % rank(r).positions;
    return rest == 0 || rank(r).position < rest;
  }

  template <class Value>
  void require_same(char const* what, Value const& value) const {
    for (int r = 1; r < world(); ++r) {
      if (value(rank(r)) == value(rank(0))) continue;
      fail<MismatchError>({"zero::JointStep: ranks were set up differently: rank 0 has ", what, " ", value(rank(0)),
                           ", rank ", r, " has ", value(rank(r)), ": give every rank the same"});
    }
  }
  void require_same_settings() const {
    require_same("zero version", [](JointRank const& r) { return r.version; });
    require_same("gradient_clipping", [](JointRank const& r) { return exact_text(r.clipping); });
    require_same("max_skipped_steps", [](JointRank const& r) { return r.max_skipped; });
    require_same("micro_batches_per_step", [](JointRank const& r) { return r.micro_batches; });
    require_same("allow_idle_ranks", [](JointRank const& r) { return r.allow_idle; });
    require_same("data positions", [](JointRank const& r) { return r.positions; });
  }

  // By the first appearance of their names, then by their first ranks.
  void find_engines() {
    std::map<std::string_view, std::size_t> names;
    for (int r = 0; r < world(); ++r) {
      if (rank(r).engines.empty()) {
        fail<ConfigurationError>({"zero::JointStep: rank ", r,
                                  " has no member: pass at least one engine on every rank of the communicator, or make "
                                  "the joint step on a group of those that have"});
      }
      for (auto const& engine : rank(r).engines) {
        names.emplace(engine.name, names.size());
        auto const [at, is_new] = index_.emplace(key_of(engine), engines_.size());
        if (is_new) engines_.push_back({.described = &engine, .ranks = {}});
        engines_[at->second].ranks.push_back(r);
      }
    }
    std::stable_sort(engines_.begin(), engines_.end(), [&](Engine const& a, Engine const& b) {
      return names.at(a.described->name) < names.at(b.described->name);
    });
    for (std::size_t e = 0; e < engines_.size(); ++e) {
      index_[key_of(*engines_[e].described)] = e;
      engines_[e].repeats = !originals_.emplace(engines_[e].described->identity(), e).second;
    }
  }

  [[nodiscard]] JointEngine const& described_on(Engine const& engine, int r) const {
    auto const& all = rank(r).engines;
    return *std::find_if(all.begin(), all.end(),
                         [&](JointEngine const& other) { return key_of(other) == key_of(*engine.described); });
  }
  void require_whole_groups() const {
    for (auto const& engine : engines_) {
      auto const& name = engine.described->name;
      if (engine.ranks.size() < engine.described->ranks) {
        fail<ConfigurationError>({"zero::JointStep: member ", quote(name), " lives on ", engine.described->ranks,
                                  " ranks, but ", engine.ranks.size(), engine.ranks.size() == 1 ? " has" : " have",
                                  " passed it: pass it on every rank of its communicator"});
      }
      for (std::size_t i = 0; i < engine.ranks.size(); ++i) {
        if (described_on(engine, engine.ranks[i]).rank == i) continue;
        fail<ConfigurationError>(
            {"zero::JointStep: member ", quote(name), " counts rank ", engine.ranks[i], " of the world as its rank ",
             described_on(engine, engine.ranks[i]).rank,
             ", out of the world's order: split its communicator with the world's rank as the key"});
      }
    }
  }

  void require_own_names() const {
    std::map<std::string_view, Engine const*> owners;
    for (auto const& engine : engines_) {
      if (engine.repeats) continue;
      for (auto const& parameter : engine.described->parameters) {
        auto const [known, is_new] = owners.emplace(parameter.name, &engine);
        if (is_new) continue;
        fail<ConfigurationError>({"zero::JointStep: members ", quote(known->second->described->name), " and ",
                                  quote(engine.described->name), " both have a parameter ", quote(parameter.name),
                                  ": register each parameter with one engine, under a name of its own"});
      }
    }
  }

  void require_one_scaler() {
    for (auto const& engine : engines_) {
      auto const& mine = *engine.described;
      if (mine.scaler.empty()) continue;
      if (scaling_ == nullptr) scaling_ = &mine;
      if (mine.scaler == scaling_->scaler && mine.scaler_settings == scaling_->scaler_settings) continue;
      fail<ConfigurationError>({"zero::JointStep: members ", quote(scaling_->name), " and ", quote(mine.name),
                                " have other loss scalers, ", scaling_->scaler, " and ", mine.scaler,
                                ", or other settings of them, but a joint step has one loss scale: give them the same, "
                                "or zero::NoScale, which takes the scale of the others"});
    }
    for (int r = 0; r < world() && scaling_ != nullptr; ++r) {
      auto const& engines = rank(r).engines;
      if (std::any_of(engines.begin(), engines.end(), [](JointEngine const& e) { return !e.scaler.empty(); })) continue;
      fail<ConfigurationError>({"zero::JointStep: rank ", r, " has no member with ", scaling_->scaler,
                                ", the loss scaler of ", quote(scaling_->name),
                                ": give one engine of each rank that scaler, so that the rank knows the loss scale"});
    }
  }

  void require_one_progress() const {
    auto const& first = *engines_.front().described;
    for (auto const& engine : engines_) {
      auto const& mine = *engine.described;
      bool const same_scale = mine.scaler.empty() || mine.scaler_state == scaling_->scaler_state;
      if (mine.steps == first.steps && mine.skipped == first.skipped && same_scale) continue;
      fail<ConfigurationError>({"zero::JointStep: member ", quote(first.name), " has taken ",
                                counted(first.steps, "step"), " and skipped ", first.skipped, ", member ",
                                quote(mine.name), " ", mine.steps, " and ", mine.skipped,
                                same_scale ? "" : ", with another loss scale",
                                ": make the joint step before they step, or load one checkpoint into all of them"});
    }
  }

  void count_micro_batches() {
    auto const positions = static_cast<std::int64_t>(rank(0).positions);
    auto const rounds = static_cast<std::int64_t>(engines_.front().described->rounds);
    std::uint64_t given = rank(0).micro_batches;
    for (auto const& engine : engines_) {
      if (given == 0) given = engine.described->micro_batches;
    }
    if (given != 0) given_ = static_cast<int>(given);
    total_ = given != 0 ? static_cast<std::int64_t>(given) : rounds * positions;
    for (auto const& engine : engines_) {
      auto const& mine = *engine.described;
      if (mine.micro_batches != 0 && mine.micro_batches != given) {
        fail<ConfigurationError>({"zero::JointStep: member ", quote(mine.name), " has ", mine.micro_batches,
                                  " micro_batches_per_step, but the joint step has ", given, ": give all the same"});
      }
      std::int64_t const needed = (total_ + positions - 1) / positions;
      if (static_cast<std::int64_t>(mine.rounds) == needed) continue;
      fail<ConfigurationError>(
          {"zero::JointStep: member ", quote(mine.name), " is set up for ", counted(mine.rounds, "micro-batch"),
           " per step and rank, but ", counted(static_cast<std::uint64_t>(total_), "micro-batch"), " on ",
           counted(static_cast<std::uint64_t>(positions), "data position"), total_ == 1 ? " takes " : " take ",
           counted(static_cast<std::uint64_t>(needed), "round"), ": set its gradient_accumulation_steps to ", needed});
    }
    if (total_ >= positions || rank(0).allow_idle != 0) return;
    fail<ConfigurationError>({"zero::JointStep: micro_batches_per_step is ", total_, ", fewer than the ", positions,
                              " data positions, so that those from ", total_,
                              " on never compute: take fewer, or set allow_idle_ranks where they are to hold states "
                              "only"});
  }

  // With a number of micro-batches the bits are the same on any number of ranks: members that have only been told a
  // number of rounds could not know it.
  void require_order_of_sums() const {
    for (auto const& engine : engines_) {
      auto const& mine = *engine.described;
      if (!given_ || (mine.sums_once == 0 && mine.sums_fastest == 0)) continue;
      fail<ConfigurationError>(
          {"zero::JointStep: micro_batches_per_step is ", *given_, ", and member ", quote(mine.name),
           " adds gradients ", mine.sums_once != 0 ? "once per step" : "in the order that is fastest",
           ", so that its bits would depend on the number of ranks: ",
           mine.sums_once != 0
               ? "set its EngineConfig::reduce to Reduce::each_micro_batch, or to once_per_step where "
                 "that is meant"
               : "set NcclConfig::reduction to NcclReduction::ordered, or to native where that is meant"});
    }
  }

  void require_positions() const {
    std::vector<bool> taken(rank(0).positions);
    for (int r = 0; r < world(); ++r) taken[rank(r).position] = true;
    auto const free = std::find(taken.begin(), taken.end(), false) - taken.begin();
    if (static_cast<std::size_t>(free) < taken.size()) {
      fail<ConfigurationError>({"zero::JointStep: no rank is at data position ", free, " of ", taken.size(),
                                ": give each position to one rank at least"});
    }
    if (!given_) return;
    for (auto const& engine : engines_) {
      for (std::size_t i = 1; i < engine.ranks.size(); ++i) {
        int const before = engine.ranks[i - 1], after = engine.ranks[i];
        if (rank(before).position <= rank(after).position) continue;
        fail<ConfigurationError>({"zero::JointStep: of member ", quote(engine.described->name), " rank ", before,
                                  " is at data position ", rank(before).position, ", and rank ", after, " after it at ",
                                  rank(after).position, ", so that sums would not go in the order of the ", *given_,
                                  " micro_batches_per_step: number the world's ranks by their data positions, or give "
                                  "the members' gradient_accumulation_steps instead"});
      }
    }
  }

  void number_entries() {
    for (int r = 0; r < world(); ++r) entries_.push_back({.rank = static_cast<std::uint32_t>(r)});
    std::uint32_t parameters = 0;
    for (auto& engine : engines_) {
      engine.first_entry = entries_.size();
      engine.first_parameter = parameters;
      if (engine.repeats) {
        engine.first_parameter = engines_[originals_.at(engine.described->identity())].first_parameter;
      } else {
        parameters += static_cast<std::uint32_t>(engine.described->parameters.size());
      }
      for (int r : engine.ranks) {
        entries_.push_back({.rank = static_cast<std::uint32_t>(r),
                            .same_as = static_cast<std::uint32_t>(engine.first_entry),
                            .first_parameter = engine.first_parameter});
      }
    }
    for (auto& engine : engines_) number_rates(engine);
  }
  // Repeats follow what they repeat.
  void number_rates(Engine& engine) {
    auto const original = originals_.at(engine.described->identity());
    auto const family = std::count_if(engines_.begin(), engines_.end(), [&](Engine const& other) {
      return originals_.at(other.described->identity()) == original;
    });
    if (family == 1) return;
    engine.first_rate = entries_.size();
    auto const first = static_cast<std::uint32_t>(engines_[original].first_rate.value_or(entries_.size()));
    for (int r : engine.ranks) {
      entries_.push_back({.rank = static_cast<std::uint32_t>(r), .same_as = first, .first_parameter = 0});
    }
  }

  std::vector<JointRank> ranks_;
  std::vector<Engine> engines_;
  std::map<Key, std::size_t> index_;                // of engines
  std::map<std::uint64_t, std::size_t> originals_;  // by identity: the engine that others may repeat
  JointEngine const* scaling_ = nullptr;            // the first engine with a loss scaler
  std::int64_t total_ = 1;
  std::optional<int> given_;
  std::vector<NormEntry> entries_;
};

}  // namespace zero::detail
