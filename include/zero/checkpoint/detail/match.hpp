// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/checkpoint/load_options.hpp>
#include <zero/checkpoint/manifest.hpp>
#include <zero/engine_state.hpp>
#include <zero/error.hpp>
#include <zero/precision.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace zero::detail {

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

}  // namespace zero::detail
