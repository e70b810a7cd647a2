// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "report.hpp"

#include <zero/utility/json.hpp>
#include <zero/version.hpp>

#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <utility>

namespace zero_plan {
namespace {

using zero::Json;

Json::Object memory_of(zero::MemoryReport const& memory) {
  Json::Object kinds;
  for (std::size_t k = 0; k < zero::memory_kinds; ++k) {
    Json::Object purposes;
    for (std::size_t p = 0; p < zero::memory_purposes; ++p) {
      auto const purpose = static_cast<zero::MemoryPurpose>(p);
      std::uint64_t const bytes = memory.bytes(static_cast<zero::MemoryKind>(k), purpose);
      if (bytes > 0) purposes.emplace_back(std::string(name(purpose)), bytes);
    }
    kinds.emplace_back(std::string(name(static_cast<zero::MemoryKind>(k))), std::move(purposes));
  }
  return kinds;
}

Json::Object traffic_of(zero::Traffic const& traffic) {
  return {{"gradients", traffic.gradients},         {"gradient_sums", traffic.gradient_sums},
          {"parameters", traffic.parameters},       {"gathered", traffic.gathered},
          {"control_words", traffic.control_words}, {"collectives", traffic.collectives}};
}

Json row_of(Report const& report, Row const& row) {
  auto const& settings = row.settings;
  Json::Object object{{"world", std::uint64_t(settings.plan.world)},
                      {"stage", std::uint64_t(settings.plan.stage)},
                      {"offload", settings.plan.offload ? "cpu" : "none"},
                      {"micro_batches", std::uint64_t(rounds(settings))},
                      {"memory_bytes", memory_of(row.plan.memory)},
                      {"device_bytes", row.device},
                      {"host_bytes", row.host},
                      {"model_state_bytes", model_state_bytes(row.plan.memory, settings.plan.stage)},
                      {"padding_elements", row.plan.padding_elements},
                      {"largest_bucket_elements", row.plan.bucket_elements},
                      {"published_bucket_elements", published_bucket_elements(report, row)},
                      {"traffic_elements", traffic_of(row.plan.traffic)},
                      {"sent_bytes", row.plan.bytes_sent}};
  if (settings.micro_batches_per_step) {
    object.emplace_back("micro_batches_per_step", std::uint64_t(*settings.micro_batches_per_step));
  }
  if (row.trainer) {
    auto const& [run, memory, process] = *row.trainer;
    object.emplace_back("micro_batch", std::uint64_t{run.sequences});
    object.emplace_back("recompute", std::string(name(run.recompute)));
    bool const computes_blocks = run.recompute == Recompute::block;
    if (computes_blocks && report.options.kept_inputs) object.emplace_back("kept_inputs", *report.options.kept_inputs);
    object.emplace_back("activation_bytes", memory.activations);
    if (run.inputs_on_host) object.emplace_back("host_activation_bytes", memory.pinned);
    object.emplace_back("scratch_bytes", memory.scratch + memory.packed);
    if (!run.cuda) object.emplace_back("process_bytes", process);
  }
  if (row.fits) {
    object.emplace_back("fits", *row.fits);
    object.emplace_back("sends_least", row.sends_least);
  }
  return object;
}

}  // namespace

std::string to_json(Report const& report) {
  auto const& options = report.options;
  Json::Array rows;
  for (auto const& row : report.rows) rows.push_back(row_of(report, row));
  for (auto const& finding : report.findings) {
    for (auto const& row : finding.rows) {
      auto object = row_of(report, row);
      object.get<Json::Object>()->emplace_back("memory", finding.memory);
      rows.push_back(std::move(object));
    }
  }
  auto const bucket = options.settings.bucket_elements;
  auto const version = zero::detail::concat({ZERO_VERSION_MAJOR, ".", ZERO_VERSION_MINOR, ".", ZERO_VERSION_PATCH});
  Json const bucket_elements = bucket ? Json(*bucket) : Json();
  auto const share = static_cast<std::uint64_t>(std::lround(options.offload.device_share * 100.0));
  Json::Object object{{"what", disclaimer},
                      {"zero", version},
                      {"model", report.model.name},
                      {"parameters", report.parameter_elements},
                      {"checkpoint_bytes", report.checkpoint_bytes},
                      {"rule", zero::AdamW::facts.name},
                      {"compute", name(options.settings.types.compute)},
                      {"sum", name(options.settings.types.sum)},
                      {"bucket_elements", bucket_elements},
                      {"activation_bytes", options.activations},
                      {"device_share_percent", share},
                      {"delayed_update", options.offload.delayed_update},
                      {"nccl", options.settings.plan.nccl.has_value()},
                      {"rows", std::move(rows)}};
  if (knows_activations(options)) {
    object.emplace_back("device", options.cuda ? "cuda" : "cpu");
    object.emplace_back("context", std::uint64_t{report.model.gpt2->context});
  }
  if (options.global_batch) object.emplace_back("global_batch", *options.global_batch);
  if (!report.model.note.empty()) object.emplace_back("note", report.model.note);
  return zero::to_text(std::move(object)) + '\n';
}

}  // namespace zero_plan
