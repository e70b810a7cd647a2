// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/config/batch.hpp>
#include <zero/config/detail/entry.hpp>
#include <zero/config/detail/typed_section.hpp>
#include <zero/config/read_options.hpp>
#include <zero/config/settings.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace zero::config::detail {

/// What a document says, value by value, before it is made sense of. Members have DeepSpeed 0.19.8's defaults.
struct RawSettings {
  explicit RawSettings(Automatic const& own) : automatic(own) {}

  struct Fp16 {
    std::optional<Entry> section{}, enabled{};
    bool is_enabled = false, consecutive_hysteresis = false;
    double loss_scale = 0.0;
    std::uint64_t initial_scale_power = 16, loss_scale_window = 1000, hysteresis = 2, min_loss_scale = 1;
  };
  struct Bf16 {
    std::optional<Entry> section{}, enabled{};
    bool is_enabled = false;
  };
  struct Zero {
    std::optional<Entry> section{};
    std::uint64_t stage = 0, param_persistence_threshold = 100000;
    std::optional<std::uint64_t> reduce_bucket_size{}, max_live_parameters{};
    bool ignores_unused_parameters = true, prefetches = true, offloads = false, delays_update = false;
    std::optional<Entry> delayed_update{}, ratio_entry{};
    double ratio = 1.0;
  };
  /// A monitor's section.
  struct Monitor {
    std::optional<Entry> output_path{}, job_name{};
    bool enabled = false;
  };

  Automatic const& automatic;
  BatchRequest batch{};
  TypedSection optimizer{}, scheduler{};
  Fp16 fp16{};
  Bf16 bf16{};
  Zero zero{};
  Monitor tensorboard{}, csv{};
  double gradient_clipping = 1.0;
  std::optional<std::uint64_t> steps_per_print{};
  bool wall_clock_breakdown = false, memory_breakdown = false;
  std::optional<Recomputation> recomputation{};
  bool profiles_recomputation = false;
  bool logs_communication = false, captures_steps = false;
  std::vector<std::string> logged_operations{};
  bool logs_all_operations = true;
  std::optional<Entry> communication_data_type{}, gradient_sum_type{}, parameter_type{};
  std::vector<Note> notes{};
};

}  // namespace zero::config::detail
