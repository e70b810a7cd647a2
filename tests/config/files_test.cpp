// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Whole files as users of DeepSpeed write them: read as they stand, or refused for one reason.

#include <zero/config/read.hpp>

#include <doctest/doctest.h>

#include <string>
#include <variant>

namespace config_files_test {

namespace {

zero::config::Settings read_file(std::string const& name, int world) {
  return zero::config::read(std::string(CONFIGURATION_FILES) + "/" + name, {.world = world, .automatic = {.lr = 1e-3}});
}

std::string refusal_of(std::string const& name) {
  try {
    static_cast<void>(read_file(name, 1));
    return {};
  } catch (zero::config::ConfigError const& error) {
    CHECK(error.where().file.ends_with(name));
    CHECK(error.where().line > 0);
    CHECK(std::string(error.what()).find('\n') == std::string::npos);
    return error.where().key + ": " + error.problem() + ": " + error.cure();
  }
}

}  // namespace

TEST_CASE("configuration files: those of users are read as they stand") {
  auto const large = read_file("accumulation_fp16.json", 4);
  CHECK(large.batch == zero::config::Batch{64, 1, 64, 16});
  CHECK(std::get<zero::DynamicScale::Config>(large.precision->scale).initial == 4096.0F);
  CHECK(large.sharding->stage == zero::Stage::gradients);
  CHECK(large.notes.size() == 3);

  auto const all = read_file("all_batch_sizes.json", 1);
  CHECK(all.batch == zero::config::Batch{24, 3, 8, 8});
  CHECK(all.gradient_clipping == 0.5);
  CHECK(all.sharding->bucket_elements == 200000000);
  CHECK(all.schedule->at(1000).lr == 0.002);
  CHECK(std::get<zero::AdamW::Config>(*all.rule).beta2 == 0.98);

  auto const offload = read_file("offload_fp16.json", 2);
  REQUIRE(offload.sharding->offload);
  CHECK(offload.sharding->offload->device_share == 0.0);
  CHECK(offload.gradient_clipping == 1.0);

  auto const curves = read_file("tensorboard_job.json", 2);
  REQUIRE(curves.tensorboard);
  CHECK(curves.tensorboard->job_name == "Läufe 2026-11-28 19:30");
  CHECK(curves.batch == zero::config::Batch{8, 4, 2, 1});
  CHECK_FALSE(curves.precision);
  CHECK_FALSE(curves.recomputation);

  auto const recomputation = read_file("recomputation.json", 2);
  REQUIRE(recomputation.recomputation);
  CHECK(recomputation.recomputation->kept_inputs == 4);
  CHECK(recomputation.recomputation->inputs_in_host_memory);
  REQUIRE(recomputation.notes.size() == 2);
  CHECK(recomputation.notes[0].key == "activation_checkpointing");
  CHECK(recomputation.notes[1].key == "activation_checkpointing.contiguous_memory_optimization");
}

TEST_CASE("configuration files: others are refused for one reason, with what to write instead") {
  CHECK(refusal_of("refused_amp.json").find("amp: cannot be had: Apex is PyTorch's, and excludes ZeRO") == 0);
  CHECK(refusal_of("refused_nested_activation.json")
            .find("checkpoint.activation_checkpointing: does not belong into \"checkpoint\"") == 0);
  CHECK(refusal_of("refused_parameter_offload.json")
            .find("zero_optimization.offload_param.device: cannot be had: parameters cannot be offloaded yet") == 0);
}

}  // namespace config_files_test
