// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/checkpoint/detail/names.hpp>
#include <zero/checkpoint/detail/safetensors.hpp>
#include <zero/checkpoint/manifest.hpp>
#include <zero/engine_state.hpp>
#include <zero/error.hpp>
#include <zero/support/message.hpp>
#include <zero/utility/utf8.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zero::detail {

/// One file that a rank is going to write: its head, and where its elements come from, in the order of the file.
struct ShardPlan {
  ManifestFile file;
  std::string head;  ///< the file's first bytes, up to its data
  std::vector<StateRange> ranges;
};

[[nodiscard]] inline std::string_view safetensors_type(ElementType type) noexcept {
  constexpr std::array<std::string_view, element_types> names{"F32", "F16", "BF16", "F64", "I64",
                                                              "I32", "I16", "I8",   "U8",  "BOOL"};
  return names[static_cast<std::size_t>(type)];
}

/// `name[begin:end]`: other programs see at once what part it is. A whole parameter has its shape.
inline TensorEntry tensor_of(ManifestParameter const& parameter, ManifestRange const& range, ElementType type) {
  bool const whole = range.begin == 0 && range.end == parameter.count();
  return {.name = concat({parameter.name, "[", range.begin, ":", range.end, "]"}),
          .type = std::string(safetensors_type(type)),
          .shape = whole ? parameter.shape : std::vector<std::uint64_t>{range.end - range.begin}};
}

/// What every file of a save says of itself, so that it is told from those of another save.
inline SafetensorsHeader::Metadata shard_metadata(Manifest const& manifest, ManifestFile const& file) {
  return {{"format", std::string(checkpoint_format)},
          {"tag", manifest.tag},
          {"nonce", manifest.nonce},
          {"kind", file.kind},
          {"rank", std::to_string(file.rank)}};
}

/// The head of a file whose ranges are in the order of their data. Also how a reader checks one.
inline SafetensorsHeader header_of(Manifest const& manifest, ManifestFile const& file) {
  SafetensorsHeader header{.metadata = shard_metadata(manifest, file)};
  for (auto const& range : file.ranges) {
    header.tensors.push_back(
        tensor_of(manifest.parameters[range.parameter], range, manifest.type_of(file.kind, range.parameter)));
  }
  lay_out(header);
  return header;
}

/// Brings \p plan's ranges into the order in which a safetensors file has them.
inline void sort_ranges(ShardPlan& plan, Manifest const& manifest) {
  auto const header = header_of(manifest, plan.file);
  std::map<std::string, std::size_t> index_of;
  for (std::size_t i = 0; i < header.tensors.size(); ++i) index_of[header.tensors[i].name] = i;
  std::vector<StateRange> sorted(plan.ranges.size());
  for (std::size_t i = 0; i < plan.ranges.size(); ++i) {
    auto const& range = plan.file.ranges[i];
    sorted[index_of.at(tensor_of(manifest.parameters[range.parameter], range, ElementType::fp32).name)] =
        plan.ranges[i];
  }
  plan.ranges = std::move(sorted);
  plan.file.ranges.clear();
  for (auto const& range : plan.ranges) {
    plan.file.ranges.push_back({range.parameter, range.begin, range.begin + range.count});
  }
}

/// A manifest without files: what a checkpoint of \p state says whoever writes it. \throws CheckpointError
/// (bad_request) for names that are not UTF-8.
[[nodiscard]] inline Manifest describe(EngineState const& state, std::string tag, std::string nonce, bool complete) {
  auto const& traits = state.traits();
  auto const progress = state.progress();
  Manifest manifest;
  manifest.tag = std::move(tag);
  manifest.nonce = std::move(nonce);
  manifest.world = state.size();
  manifest.stage = traits.layout.stage;
  manifest.compute = traits.compute;
  manifest.bucket_elements = traits.layout.bucket_elements;
  manifest.alignment_elements = traits.layout.alignment_elements;
  manifest.persistence_threshold = traits.layout.persistence_threshold;
  manifest.micro_batches_per_step = traits.micro_batches_per_step;
  manifest.has_optimizer_state = complete;
  manifest.rule = traits.rule;
  manifest.states = traits.states;
  manifest.scaler = traits.scaler;
  manifest.scaler_state = progress.scaler;
  manifest.steps = progress.steps;
  manifest.skipped = progress.skipped;
  for (auto const& spec : state.parameters()) {
    if (!is_utf8(spec.name)) {
      throw CheckpointError(CheckpointFailure::bad_request,
                            "zero: a parameter's name is not UTF-8: a checkpoint cannot hold it");
    }
    manifest.parameters.push_back({.name = spec.name,
                                   .shape = {spec.shape.begin(), spec.shape.end()},
                                   .type = ElementType::fp32,
                                   .frozen = spec.frozen});
    auto const i = manifest.parameters.size() - 1;
    auto const& own = state.traits_of(static_cast<std::uint32_t>(i));
    if (spec.frozen) manifest.parameters[i].type = own.compute;
    manifest.parameters[i].is_tensor = state.is_tensor(static_cast<std::uint32_t>(i));
    if (complete && !spec.frozen && own.rule != traits.rule) manifest.parameters[i].rule = own.rule;
    if (complete && !spec.frozen && own.states != traits.states) manifest.parameters[i].states = own.states;
    if (complete && !progress.first_steps.empty() && progress.first_steps[i] != 0 && !spec.frozen) {
      manifest.parameters[i].steps = progress.steps - progress.first_steps[i];
    }
  }
  return manifest;
}

/// The files that this rank writes of its share: one per kind.
[[nodiscard]] inline std::vector<ShardPlan> plan_shards(EngineState const& state, Manifest const& manifest) {
  auto const kinds = manifest.kinds();
  std::vector<ShardPlan> plans(kinds.size());
  for (std::size_t k = 0; k < kinds.size(); ++k) {
    auto& file = plans[k].file;
    file.kind = kinds[k];
    file.rank = state.rank();
    file.name = shard_name(file.kind, file.rank, manifest.world);
  }
  for (auto const& range : state.owned_ranges()) {
    if (range.kind > 0 && !manifest.has_optimizer_state) continue;
    std::size_t kind = 0;
    if (range.kind > 0) {
      auto const& name = manifest.states_of(range.parameter)[range.kind - 1];
      kind = static_cast<std::size_t>(std::find(kinds.begin(), kinds.end(), name) - kinds.begin());
    }
    plans[kind].file.ranges.push_back({range.parameter, range.begin, range.begin + range.count});
    plans[kind].ranges.push_back(range);
  }
  for (auto& plan : plans) {
    sort_ranges(plan, manifest);
    auto header = header_of(manifest, plan.file);
    plan.head = to_bytes(header);
    plan.file.data_begin = header.data_begin;
    plan.file.bytes = header.data_begin + header.data_bytes();
  }
  return plans;
}

}  // namespace zero::detail
