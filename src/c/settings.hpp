// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "error.hpp"
#include "setting.hpp"

#include <zero/config/read.hpp>
#include <zero/config/settings.hpp>
#include <zero/offload.hpp>
#include <zero/optimizer.hpp>
#include <zero/partitioner.hpp>
#include <zero/precision.hpp>
#include <zero/runtime_config.hpp>
#include <zero/schedule/schedule.hpp>
#include <zero/utility/edit_distance.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace zero::c {

/// What an engine is to be, from settings by name.
struct EngineRequest {
  config::Settings chosen;                       ///< rule and precision
  RuntimeConfig engine;                          ///< stage, offload, and all that is no policy's
  int threads = 0;                               ///< of the host
  std::optional<schedule::Schedule> schedule{};  ///< of the learning rate, where a configuration has one
  std::uint64_t sequences = 0;                   ///< of a micro-batch, where a configuration says it
  std::uint64_t steps_per_print = 0;             ///< where a configuration says it
};

/// Reads a caller's settings. \throws ConfigurationError that names the setting.
class SettingsReader {
 public:
  /// All are borrowed. \p world: ranks.
  SettingsReader(std::span<zero_setting const> given, int world) : world_(world) {
    settings_.reserve(given.size());
    for (auto const& setting : given) add(setting);
  }

  [[nodiscard]] EngineRequest read() {
    read_configuration();
    choose_rule();
    choose_precision();
    for (auto const& setting : settings_) {
      if (!apply(setting)) fail_unknown(setting);
    }
    return std::move(request_);
  }

 private:
  void add(zero_setting const& given) {
    Setting const setting(given);
    for (auto const& other : settings_) {
      if (other.name() == setting.name()) setting.fail("is given twice", "leave one of the two out");
    }
    settings_.push_back(setting);
  }
  [[nodiscard]] Setting const* find(std::string_view name) const noexcept {
    for (auto const& setting : settings_) {
      if (setting.name() == name) return &setting;
    }
    return nullptr;
  }
  template <class Read>
  [[nodiscard]] auto optional(std::string_view name, Read const& read) const
      -> std::optional<decltype(read(std::declval<Setting const&>()))> {
    auto const* const setting = find(name);
    if (setting == nullptr) return std::nullopt;
    return read(*setting);
  }

  // ------------------------------------------------------------------------------------------------- DeepSpeed's JSON

  void read_configuration() {
    auto const *const text = find("json"), *const file = find("json_file");
    auto& chosen = request_.chosen;
    if (text == nullptr && file == nullptr) {
      chosen.rule = AdamW::Config{};
      chosen.precision = config::PrecisionChoice{};
      return;
    }
    if (text != nullptr && file != nullptr) file->fail("stands beside json", "leave one of the two out");
    try {
      chosen = text != nullptr ? config::parse(std::string(text->text()), read_options())
                               : config::read(std::string(file->text()), read_options());
    } catch (config::ConfigError const& error) {
      throw ConfigurationError(detail::concat(
          {"zero_engine_create: setting ", detail::quote(text != nullptr ? "json" : "json_file"), ": ", error.what()}));
    }
    refuse_what_is_not_here(text != nullptr ? *text : *file);
    if (!chosen.rule) chosen.rule = AdamW::Config{};
    if (!chosen.precision) chosen.precision = config::PrecisionChoice{};
    chosen.apply_to(request_.engine);
    if (chosen.sharding) {
      request_.engine.stage = chosen.sharding->stage;
      request_.engine.offload = chosen.sharding->offload;
    }
    request_.schedule = std::move(chosen.schedule);
    request_.sequences = chosen.batch.micro_batch;
    request_.steps_per_print = chosen.steps_per_print.value_or(0);
  }
  /// Settings beside a configuration stand for its "auto", and numbers of micro-batches take part in its equations.
  [[nodiscard]] config::ReadOptions read_options() const {
    auto const number = [](Setting const& setting) { return setting.number(); };
    auto const whole = [](Setting const& setting) { return static_cast<std::uint64_t>(setting.whole(1, most_int)); };
    config::ReadOptions options{.world = world_};
    options.automatic.lr = options.lr = optional("lr", number);
    options.automatic.beta1 = optional("beta1", number);
    options.automatic.beta2 = optional("beta2", number);
    options.automatic.eps = optional("eps", number);
    options.automatic.weight_decay = optional("weight_decay", number);
    options.automatic.gradient_clipping = optional("gradient_clipping", number);
    options.batch.gradient_accumulation_steps = optional("gradient_accumulation_steps", whole);
    options.batch.micro_batches_per_step = optional("micro_batches_per_step", whole);
    return options;
  }
  /// What a trainer does with a configuration, and this interface does not.
  void refuse_what_is_not_here(Setting const& setting) const {
    auto const& chosen = request_.chosen;
    auto const refuse = [&](bool asked, std::string_view key) {
      if (asked) setting.fail(detail::concat({"asks for ", key, ", which the C interface has not"}), "leave it out");
    };
    refuse(chosen.tensorboard.has_value(), "tensorboard");
    refuse(chosen.csv.has_value(), "csv_monitor");
    refuse(chosen.wall_clock_breakdown, "wall_clock_breakdown");
    refuse(chosen.memory_breakdown, "memory_breakdown");
    refuse(chosen.cuda_graph, "cuda_graph");
    refuse(chosen.recomputation.has_value(), "activation_checkpointing");
    refuse(chosen.communication_log.has_value(), "comms_logger");
  }

  // ------------------------------------------------------------------------------------------------- policies

  void choose_rule() {
    auto const* const setting = find("rule");
    if (setting == nullptr) return;
    static constexpr std::string_view names[] = {"AdamW", "Adam", "SGD", "Lion", "Adagrad"};
    config::RuleChoice const rules[] = {AdamW::Config{}, Adam::Config{}, Sgd::Config{}, Lion::Config{},
                                        Adagrad::Config{}};
    auto const& rule = rules[setting->choice(names)];
    if (rule.index() != request_.chosen.rule->index()) request_.chosen.rule = rule;
  }

  void choose_precision() {
    auto& precision = *request_.chosen.precision;
    auto const before = precision.compute;
    if (auto const* const setting = find("type")) {
      static constexpr std::string_view names[] = {"fp32", "fp16", "bf16"};
      precision.compute = static_cast<ElementType>(setting->choice(names));
    }
    if (precision.compute != before) precision.scale = NoScale::Config{};
    bool const is_half = precision.compute == ElementType::fp16;
    if (is_half && std::holds_alternative<NoScale::Config>(precision.scale)) precision.scale = DynamicScale::Config{};
    if (auto const* const setting = find("loss_scale")) choose_loss_scale(*setting, precision);
    if (is_half == std::holds_alternative<NoScale::Config>(precision.scale)) {
      throw ConfigurationError(
          is_half ? "zero_engine_create: setting 'loss_scale' is none, and gradients in fp16 underflow without: leave "
                    "it out, or write dynamic"
                  : "zero_engine_create: setting 'loss_scale' is for type fp16: leave it out, or write none");
    }
    if (precision.sum != ElementType::fp32) {
      throw ConfigurationError(
          "zero_engine_create: setting 'json': data_types.grad_accum_dtype: the C interface sums gradients in fp32: "
          "leave it out");
    }
  }
  static void choose_loss_scale(Setting const& setting, config::PrecisionChoice& precision) {
    if (setting.is_text("none")) {
      precision.scale = NoScale::Config{};
    } else if (!setting.is_text("dynamic")) {
      precision.scale = StaticScale::Config{static_cast<float>(setting.number())};
    } else if (!std::holds_alternative<DynamicScale::Config>(precision.scale)) {
      precision.scale = DynamicScale::Config{};
    }
  }

  // ------------------------------------------------------------------------------------------------- one setting

  /// Whether there is such a setting.
  [[nodiscard]] bool apply(Setting const& setting) {
    auto const is = [&](std::string_view name) { return setting.name() == name; };
    if (is("json") || is("json_file") || is("rule") || is("type") || is("loss_scale")) return true;  // done already
    if (is("stage")) {
      request_.engine.stage = static_cast<Stage>(setting.whole(0, 3));
      return true;
    }
    if (is("threads")) {
      request_.threads = static_cast<int>(setting.whole(0, 4096));
      return true;
    }
    return apply_to_rule(setting) || apply_to_scale(setting) || apply_to_offload(setting) || apply_to_engine(setting);
  }

  [[nodiscard]] bool apply_to_rule(Setting const& setting) {
    bool known = false, applied = false;
    auto const take = [&](std::string_view name, auto member) {
      if (setting.name() != name) return;
      known = true;
      std::visit(
          [&](auto& rule) {
            if constexpr (requires { member(rule); }) {
              setting.assign_to(member(rule));
              applied = true;
            }
          },
          *request_.chosen.rule);
    };
    take("lr", [](auto& rule) -> decltype((rule.lr)) { return rule.lr; });
    take("weight_decay", [](auto& rule) -> decltype((rule.weight_decay)) { return rule.weight_decay; });
    take("beta1", [](auto& rule) -> decltype((rule.beta1)) { return rule.beta1; });
    take("beta2", [](auto& rule) -> decltype((rule.beta2)) { return rule.beta2; });
    take("eps", [](auto& rule) -> decltype((rule.eps)) { return rule.eps; });
    take("momentum", [](auto& rule) -> decltype((rule.momentum)) { return rule.momentum; });
    take("dampening", [](auto& rule) -> decltype((rule.dampening)) { return rule.dampening; });
    take("nesterov", [](auto& rule) -> decltype((rule.nesterov)) { return rule.nesterov; });
    take("lr_decay", [](auto& rule) -> decltype((rule.lr_decay)) { return rule.lr_decay; });
    if (known && !applied) {
      setting.fail(detail::concat({"is none of the rule ", config::name(*request_.chosen.rule)}), "leave it out");
    }
    return known;
  }

  [[nodiscard]] bool apply_to_scale(Setting const& setting) {
    auto* const scale = std::get_if<DynamicScale::Config>(&request_.chosen.precision->scale);
    DynamicScale::Config unused;
    auto& config = scale != nullptr ? *scale : unused;
    bool known = true;
    if (setting.name() == "loss_scale_at_minimum") {
      static constexpr std::string_view names[] = {"fail", "skip"};
      config.at_minimum = static_cast<AtMinimumScale>(setting.choice(names));
    } else {
      known =
          take(setting, "loss_scale_initial", config.initial) || take(setting, "loss_scale_factor", config.factor) ||
          take(setting, "loss_scale_minimum", config.minimum) || take(setting, "loss_scale_window", config.window) ||
          take(setting, "loss_scale_hysteresis", config.hysteresis) ||
          take(setting, "loss_scale_consecutive_hysteresis", config.consecutive_hysteresis);
    }
    if (known && scale == nullptr) setting.fail("is of a dynamic loss scale", "leave it out, or set type to fp16");
    return known;
  }

  [[nodiscard]] bool apply_to_offload(Setting const& setting) {
    auto& offload = request_.engine.offload;
    if (setting.name() == "offload") {
      static constexpr std::string_view names[] = {"none", "cpu"};
      bool const wanted = setting.choice(names) == 1;
      if (!wanted) offload.reset();
      if (wanted && !offload) offload.emplace();
      return true;
    }
    auto const* const chosen = find("offload");  // whichever of the two comes first
    bool const offloads = chosen != nullptr ? chosen->is_text("cpu") : offload.has_value();
    CpuOffload::Config unused;
    if (offloads && !offload) offload.emplace();
    auto& config = offloads ? *offload : unused;
    bool const known = take(setting, "offload_chunk_elements", config.chunk_elements) ||
                       take(setting, "offload_staging_chunks", config.staging_chunks) ||
                       take(setting, "offload_device_share", config.device_share) ||
                       take(setting, "offload_delayed_update", config.delayed_update);
    if (known && !offloads) setting.fail("is of an offload", "leave it out, or set offload to cpu");
    return known;
  }

  [[nodiscard]] bool apply_to_engine(Setting const& setting) {
    bool known = false;
    for_each_setting([&](std::string_view name, auto& member) { known = take(setting, name, member) || known; },
                     request_.engine);
    // The one that is given replaces the other one of a configuration.
    if (setting.name() == "gradient_accumulation_steps" && find("micro_batches_per_step") == nullptr) {
      request_.engine.micro_batches_per_step.reset();
    }
    if (setting.name() == "micro_batches_per_step" && find("gradient_accumulation_steps") == nullptr) {
      request_.engine.gradient_accumulation_steps.reset();
    }
    return known;
  }

  template <class Member>
  static bool take(Setting const& setting, std::string_view name, Member& member) {
    if (setting.name() != name) return false;
    setting.assign_to(member);
    return true;
  }

  [[noreturn]] static void fail_unknown(Setting const& setting) {
    static constexpr std::string_view others[] = {"json",
                                                  "json_file",
                                                  "stage",
                                                  "rule",
                                                  "type",
                                                  "lr",
                                                  "weight_decay",
                                                  "beta1",
                                                  "beta2",
                                                  "eps",
                                                  "momentum",
                                                  "dampening",
                                                  "nesterov",
                                                  "lr_decay",
                                                  "loss_scale",
                                                  "loss_scale_initial",
                                                  "loss_scale_factor",
                                                  "loss_scale_minimum",
                                                  "loss_scale_window",
                                                  "loss_scale_hysteresis",
                                                  "loss_scale_consecutive_hysteresis",
                                                  "loss_scale_at_minimum",
                                                  "offload",
                                                  "offload_chunk_elements",
                                                  "offload_staging_chunks",
                                                  "offload_device_share",
                                                  "offload_delayed_update",
                                                  "threads"};
    std::string_view nearest = others[0];
    auto const consider = [&](std::string_view name, auto const&...) {
      if (edit_distance(name, setting.name()) < edit_distance(nearest, setting.name())) nearest = name;
    };
    for (auto const name : others) consider(name);
    RuntimeConfig const config;
    for_each_setting(consider, config);
    setting.fail("is no setting", detail::concat({"do you mean ", detail::quote(nearest), "?"}));
  }

  static constexpr std::int64_t most_int = Setting::most_int;

  int world_;
  std::vector<Setting> settings_;
  EngineRequest request_;
};

}  // namespace zero::c
