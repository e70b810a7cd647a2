// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/config/config_error.hpp>
#include <zero/config/detail/schedule_settings.hpp>
#include <zero/config/settings.hpp>
#include <zero/utility/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace zero::config::detail {

/// Settings as the configuration that means them, section by section.
class Writer {
 public:
  explicit Writer(Settings const& settings) : settings_(settings) {}

  [[nodiscard]] Json write() {
    write_batch();
    add("gradient_clipping", settings_.gradient_clipping);
    if (settings_.rule) add("optimizer", rule());
    if (settings_.schedule) add("scheduler", schedule());
    if (settings_.precision) write_precision();
    if (settings_.sharding) add("zero_optimization", sharding());
    if (settings_.steps_per_print) add("steps_per_print", *settings_.steps_per_print);
    if (settings_.tensorboard) add("tensorboard", monitor(*settings_.tensorboard));
    if (settings_.csv) add("csv_monitor", monitor(*settings_.csv));
    add("wall_clock_breakdown", settings_.wall_clock_breakdown);
    add("memory_breakdown", settings_.memory_breakdown);
    add("cuda_graph", Json::Object{{"enabled", settings_.cuda_graph}});
    if (settings_.recomputation) add("activation_checkpointing", recomputation());
    if (settings_.communication_log) add("comms_logger", communication_log());
    return std::move(root_);
  }

 private:
  void add(std::string_view name, Json value) { root_.emplace_back(std::string(name), std::move(value)); }

  void write_batch() {
    auto const& batch = settings_.batch;
    add("train_batch_size", batch.sequences);
    add("train_micro_batch_size_per_gpu", batch.micro_batch);
    if (batch.accumulation > 0) {
      add("gradient_accumulation_steps", batch.accumulation);
    } else {
      add("micro_batches_per_step", batch.micro_batches);
    }
  }

  [[nodiscard]] Json rule() const {
    bool const is_l2 = std::holds_alternative<Adam::Config>(*settings_.rule);
    auto params = std::visit([](auto const& config) { return rule_settings(config); }, *settings_.rule);
    if (is_l2) params.emplace_back("adam_w_mode", false);
    return Json::Object{{"type", Json(config::name(*settings_.rule))}, {"params", std::move(params)}};
  }
  template <class Config>
  static Json::Object rule_settings(Config const& c) {
    Json::Object params{{"lr", c.lr}};
    if constexpr (requires { c.beta1; }) params.emplace_back("betas", Json::Array{c.beta1, c.beta2});
    if constexpr (requires { c.eps; }) params.emplace_back("eps", c.eps);
    if constexpr (requires { c.momentum; }) params.emplace_back("momentum", c.momentum);
    if constexpr (requires { c.dampening; }) params.emplace_back("dampening", c.dampening);
    if constexpr (requires { c.nesterov; }) params.emplace_back("nesterov", c.nesterov);
    if constexpr (requires { c.lr_decay; }) params.emplace_back("lr_decay", c.lr_decay);
    params.emplace_back("weight_decay", c.weight_decay);
    return params;
  }

  [[nodiscard]] Json schedule() const {
    Json::Object params;
    if (!take(AllSchedules{}, params)) fail("scheduler", "is a function of the program");
    return Json::Object{{"type", Json(settings_.schedule->name())}, {"params", std::move(params)}};
  }
  template <class... Kind>
  bool take(ScheduleList<Kind...> /*kinds*/, Json::Object& params) const {
    return (take_one<Kind>(params) || ...);
  }
  template <class Kind>
  bool take_one(Json::Object& params) const {
    auto const* const kind = settings_.schedule->template get_if<Kind>();
    if (kind == nullptr) return false;
    auto config = kind->config();
    for_each_setting(config, [&](std::string_view name, auto const& member, Missing) {
      if (auto value = json_of(member)) params.emplace_back(std::string(name), std::move(*value));
    });
    return true;
  }
  template <class Member>
  static std::optional<Json> json_of(Member const& member) {
    if constexpr (std::is_same_v<Member, std::optional<std::uint64_t>>) {
      if (member) return Json(*member);
      return std::nullopt;
    } else if constexpr (std::is_same_v<Member, std::vector<std::uint64_t>>) {
      return Json(Json::Array(member.begin(), member.end()));
    } else if constexpr (std::is_same_v<Member, schedule::WarmupShape>) {
      return Json(member == schedule::WarmupShape::linear ? "linear" : "log");
    } else if constexpr (std::is_same_v<Member, schedule::DecayShape>) {
      return Json(member == schedule::DecayShape::linear ? "linear" : "1-sqrt");
    } else {
      return Json(member);
    }
  }

  void write_precision() {
    auto const& precision = *settings_.precision;
    Json::Object fp16{{"enabled", precision.compute == ElementType::fp16}};
    if (precision.compute == ElementType::fp16) {
      if (auto const* const fixed = std::get_if<StaticScale::Config>(&precision.scale)) {
        fp16.emplace_back("loss_scale", static_cast<double>(fixed->scale));
      } else if (auto const* const dynamic = std::get_if<DynamicScale::Config>(&precision.scale)) {
        add_dynamic_scale(fp16, *dynamic);
      } else {
        fail("fp16", "has no loss scale");
      }
    }
    add("fp16", std::move(fp16));
    add("bf16", Json::Object{{"enabled", precision.compute == ElementType::bf16}});
    add("data_types", Json::Object{{"grad_accum_dtype", Json(zero::name(precision.sum))}});
  }
  static void add_dynamic_scale(Json::Object& fp16, DynamicScale::Config const& scale) {
    int power = 0;
    bool const is_power = std::frexp(scale.initial, &power) == 0.5F && power >= 1;
    bool const can_be_said = is_power && scale.factor == 2.0F && scale.minimum == std::floor(scale.minimum) &&
                             scale.at_minimum == AtMinimumScale::fail;
    if (!can_be_said) fail("fp16", "needs a scale that is a power of 2, a factor of 2 and AtMinimumScale::fail");
    fp16.emplace_back("loss_scale", 0.0);
    fp16.emplace_back("initial_scale_power", static_cast<std::uint64_t>(power - 1));
    fp16.emplace_back("loss_scale_window", std::uint64_t{scale.window});
    fp16.emplace_back("hysteresis", std::uint64_t{scale.hysteresis});
    fp16.emplace_back("consecutive_hysteresis", scale.consecutive_hysteresis);
    fp16.emplace_back("min_loss_scale", static_cast<std::uint64_t>(scale.minimum));
  }

  [[nodiscard]] Json sharding() const {
    auto const& sharding = *settings_.sharding;
    Json::Object zero{{"stage", static_cast<std::uint64_t>(sharding.stage)}};
    if (sharding.bucket_elements) zero.emplace_back("reduce_bucket_size", std::uint64_t{*sharding.bucket_elements});
    zero.emplace_back("ignore_unused_parameters", sharding.missing_gradient == MissingGradient::zero);
    if (sharding.stage == Stage::parameters) add_stage3(zero, sharding);
    if (sharding.offload) {
      zero.emplace_back("offload_optimizer", Json::Object{{"device", "cpu"},
                                                          {"ratio", 1.0 - sharding.offload->device_share},
                                                          {"delayed_update", sharding.offload->delayed_update}});
    }
    return zero;
  }
  static void add_stage3(Json::Object& zero, Sharding const& sharding) {
    // There it is the most elements; and fewer than 0 are as few as fewer than 1.
    auto const threshold = (std::max)(sharding.persistence_threshold, std::size_t{1});
    zero.emplace_back("stage3_param_persistence_threshold", std::uint64_t{threshold - 1});
    zero.emplace_back("stage3_prefetch_bucket_size", std::uint64_t{sharding.prefetch_units > 0 ? 50000000U : 0U});
    if (sharding.max_live_elements > 0) {
      zero.emplace_back("stage3_max_live_parameters", std::uint64_t{sharding.max_live_elements});
    }
  }

  static Json monitor(monitor::CurveFolder const& folder) {
    return Json::Object{{"enabled", true}, {"output_path", folder.output_path}, {"job_name", folder.job_name}};
  }

  [[nodiscard]] Json recomputation() const {
    auto const& recomputation = *settings_.recomputation;
    Json::Object section{{"cpu_checkpointing", recomputation.inputs_in_host_memory}};
    if (auto const inputs = recomputation.kept_inputs)
      section.emplace_back("number_checkpoints", std::uint64_t{*inputs});
    return section;
  }

  [[nodiscard]] Json communication_log() const {
    auto const& names = settings_.communication_log->operations;
    return Json::Object{
        {"enabled", true}, {"prof_all", names.empty()}, {"prof_ops", Json::Array(names.begin(), names.end())}};
  }

  [[noreturn]] static void fail(std::string key, std::string const& problem) {
    throw ConfigError({{}, 0, 0, std::move(key)}, "cannot be written: it " + problem, "write what a file can say");
  }

  Settings const& settings_;
  Json::Object root_;
};

}  // namespace zero::config::detail
