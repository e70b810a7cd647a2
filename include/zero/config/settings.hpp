// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/config/batch.hpp>
#include <zero/config/choices.hpp>
#include <zero/config/config_error.hpp>
#include <zero/engine_config.hpp>
#include <zero/monitor/curve_folder.hpp>
#include <zero/offload.hpp>
#include <zero/partitioner.hpp>
#include <zero/schedule/schedule.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace zero::config {

/// What is always so here, or what a value means here.
struct Note {
  std::string key;   ///< such as `zero_optimization.contiguous_gradients`
  std::string text;  ///< a sentence
};

/// How states, gradients and parameters are sharded. The members after `offload` are EngineConfig's.
struct Sharding {
  Stage stage = Stage::none;                                 ///< of ZeRO
  std::optional<CpuOffload::Config> offload{};               ///< of optimizer states; empty: none
  std::optional<std::size_t> bucket_elements{};              ///< empty: the engine's choice
  MissingGradient missing_gradient = MissingGradient::zero;  ///< what a parameter without a gradient means
  std::size_t max_live_elements = 0;                         ///< stage 3; 0: what units under way need
  int prefetch_units = 1;                                    ///< stage 3
  std::size_t persistence_threshold = 0;                     ///< stage 3
};

/// What a run is to log of its collectives.
struct CommunicationLog {
  std::vector<std::string> operations{};  ///< names, such as `all_gather`; empty: all
};

/// Blocks that are computed again in the backward pass: what zero::activation::SegmentPlan and HostInputs are made by.
struct Recomputation {
  std::optional<std::size_t> kept_inputs{};  ///< of segments, 1 or more; empty: of each block but the last
  bool inputs_in_host_memory = false;        ///< they are kept in pinned host memory
};

/// What a configuration asks of a run: read from a file (read.hpp), or filled in by a program. A value. What is empty
/// is the trainer's to decide.
struct Settings {
  Batch batch{};                                        ///< of a step
  double gradient_clipping = 1.0;                       ///< largest norm; 0: no clipping
  std::optional<RuleChoice> rule{};                     ///< the optimizer
  std::optional<PrecisionChoice> precision{};           ///< types, and the loss scaler
  std::optional<Sharding> sharding{};                   ///< stage and offload
  std::optional<schedule::Schedule> schedule{};         ///< of the learning rate
  std::optional<monitor::CurveFolder> tensorboard{};    ///< empty: no such curves
  std::optional<monitor::CurveFolder> csv{};            ///< empty: no such curves
  std::optional<std::uint64_t> steps_per_print{};       ///< steps between lines
  bool wall_clock_breakdown = false;                    ///< say where each step's time goes
  bool memory_breakdown = false;                        ///< say what memory is for
  bool cuda_graph = false;                              ///< capture a step once, and replay it
  std::optional<Recomputation> recomputation{};         ///< empty: no block is computed again
  std::optional<CommunicationLog> communication_log{};  ///< empty: none
  std::vector<Note> notes{};                            ///< of what was read

  /// Calls `visitor(ChosenRule<Rule>, ChosenPrecision<Precision>)` with what was chosen, out of \p RuleList, which is a
  /// Rules<...>, and \p TypeList, a Types<...>; returns what it returns, which has one type. \throws ConfigError where
  /// rule or precision is empty, or is none of the lists.
  template <class RuleList, class TypeList, class Visitor>
  decltype(auto) visit(Visitor&& visitor) const {
    return visit_rules(RuleList{}, TypeList{}, visitor);
  }

  /// Writes what is asked of an engine into \p config, an EngineConfig, whose rule and scaler are not touched.
  /// `micro_batches_per_step` is set where ranks do not divide them, else `gradient_accumulation_steps`.
  template <class Config>
  void apply_to(Config& config) const {
    if (batch.accumulation > 0) {
      config.gradient_accumulation_steps = static_cast<int>(batch.accumulation);
    } else {
      config.micro_batches_per_step = static_cast<int>(batch.micro_batches);
    }
    config.gradient_clipping = gradient_clipping;
    if (!sharding) return;
    // Names every member, so that a new one is not forgotten here. Of these, stage and offload choose the engine's
    // type.
    auto const& [stage, offload, bucket_elements, missing_gradient, max_live_elements, prefetch_units, threshold] =
        *sharding;
    config.bucket_elements = bucket_elements;
    config.missing_gradient = missing_gradient;
    config.max_live_elements = max_live_elements;
    config.prefetch_units = prefetch_units;
    config.persistence_threshold = threshold;
  }

 private:
  template <class... Rule, class TypeList, class Visitor>
  decltype(auto) visit_rules(Rules<Rule...> /*rules*/, TypeList types, Visitor& visitor) const {
    if (!rule) throw ConfigError({{}, 0, 0, "optimizer"}, "is missing", "write the section, or set Settings::rule");
    if (!precision) {
      throw ConfigError({{}, 0, 0, "fp16"}, "neither fp16 nor bf16 is there", "write one, or set Settings::precision");
    }
    return visit_pairs<Rule...>(types, visitor);
  }

  template <class Rule, class... Others, class... Type, class Visitor>
  decltype(auto) visit_pairs(Types<Type...> types, Visitor& visitor) const {
    if (auto const* const config = std::get_if<typename Rule::Config>(&*rule)) {
      return visit_types<Type...>(ChosenRule<Rule>{*config}, visitor);
    }
    if constexpr (sizeof...(Others) > 0) {
      return visit_pairs<Others...>(types, visitor);
    } else {
      fail_unlisted("optimizer.type", name(*rule));
    }
  }

  template <class Type, class... Others, class Chosen, class Visitor>
  decltype(auto) visit_types(Chosen const& chosen, Visitor& visitor) const {
    return visit_precisions<Others...>(typename detail::PrecisionsOf<Type>::list{}, chosen, visitor);
  }

  template <class... Others, class Prec, class... More, class Chosen, class Visitor>
  decltype(auto) visit_precisions(detail::PrecisionList<Prec, More...> /*list*/, Chosen const& chosen,
                                  Visitor& visitor) const {
    if (detail::is_precision<Prec>(*precision)) {
      return visitor(chosen, ChosenPrecision<Prec>{std::get<typename Prec::scale::Config>(precision->scale)});
    }
    if constexpr (sizeof...(More) > 0) {
      return visit_precisions<Others...>(detail::PrecisionList<More...>{}, chosen, visitor);
    } else if constexpr (sizeof...(Others) > 0) {
      return visit_types<Others...>(chosen, visitor);
    } else {
      fail_unlisted("data_types", zero::name(precision->compute));
    }
  }

  [[noreturn]] void fail_unlisted(std::string key, std::string_view what) const {
    bool const sums = key == "data_types" && precision->sum != ElementType::fp32;
    throw ConfigError({{}, 0, 0, std::move(key)},
                      std::string(what) + (sums ? " with sums in bf16" : "") + ": this program was built without it",
                      "add it to the rules or types that it visits");
  }
};

}  // namespace zero::config
