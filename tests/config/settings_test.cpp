// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What sections mean: rules, types, defaults, "auto", and what a program does with them.

#include "config/support.hpp"

#include <zero/config/write.hpp>
#include <zero/engine_config.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <variant>

namespace config_settings_test {

using config_test::error_of;
using config_test::message_of;
using config_test::read_text;
using config_test::with;
using zero::ElementType;
using zero::config::ReadOptions;
using zero::config::Rules;
using zero::config::Types;

namespace {

template <class Config>
Config rule_of(std::string const& section) {
  auto const settings = read_text(with("\"optimizer\": " + section));
  REQUIRE(settings.rule);
  auto const* const config = std::get_if<Config>(&*settings.rule);
  REQUIRE(config != nullptr);
  return *config;
}

}  // namespace

TEST_CASE("configuration: Adam is AdamW, and missing members have DeepSpeed's defaults") {
  for (auto const* type : {"Adam", "adam", "ADAMW", "AdamW"}) {
    auto const config = rule_of<zero::AdamW::Config>(R"({"type": ")" + std::string(type) + "\"}");
    CHECK(config.lr == 1e-3);
    CHECK(config.beta1 == 0.9);
    CHECK(config.beta2 == 0.999);
    CHECK(config.eps == 1e-8);
    CHECK(config.weight_decay == 0.0);
  }
  CHECK(rule_of<zero::Adam::Config>(R"({"type": "Adam", "params": {"adam_w_mode": false, "weight_decay": 0.25}})")
            .weight_decay == 0.25);
  // As there, the type's name decides before adam_w_mode does.
  CHECK(rule_of<zero::AdamW::Config>(R"({"type": "AdamW", "params": {"torch_adam": true}})").weight_decay == 0.01);
  CHECK(rule_of<zero::Lion::Config>(R"({"type": "lion"})").beta2 == 0.999);
  CHECK(rule_of<zero::Adagrad::Config>(R"({"type": "Adagrad"})").lr == 1e-2);
  CHECK(rule_of<zero::Sgd::Config>(R"({"type": "SGD", "params": {"lr": 0.1, "momentum": 0.9, "nesterov": true}})")
            .nesterov);
  auto const notes = read_text(with(R"("optimizer": {"type": "Adam"})")).notes;
  REQUIRE(notes.size() == 1);
  CHECK(notes.front().text.find("\"Adam\" is AdamW, as in DeepSpeed") == 0);
}

TEST_CASE("configuration: settings of another rule, and rules that do not exist, are errors") {
  CHECK(message_of(with(R"("optimizer": {"type": "SGD", "params": {"betas": [0.9, 0.95]}})"))
            .find("optimizer.params.betas: SGD has no such setting") != std::string::npos);
  CHECK(message_of(with(R"("optimizer": {"type": "OneBitAdam", "params": {"freeze_step": 4}})"))
            .find("\"OneBitAdam\" cannot be had here: the rules are AdamW") != std::string::npos);
  CHECK(message_of(with(R"("optimizer": {"type": "Lamb"})")).find("\"Lamb\" cannot be had here: the rules are AdamW") !=
        std::string::npos);
  CHECK(message_of(with(R"("optimizer": {"type": "FusedAdam"})")).find("write \"Adam\": the update is fused") !=
        std::string::npos);
  CHECK(message_of(with(R"("optimizer": {"params": {"lr": 1}})")).find("optimizer: has no \"type\"") !=
        std::string::npos);
  CHECK(message_of(with(R"("optimizer": {"type": "Adam", "params": {"max_grad_norm": 1.0}})"))
            .find("write \"gradient_clipping\" at the top level") != std::string::npos);
  CHECK(message_of(with(R"("optimizer": {"type": "Adam", "params": {"betas": [0.9, 1.0]}})"))
            .find("betas[1]: 1.0 is not a number in [0, 1)") != std::string::npos);
  CHECK(message_of(with(R"("optimizer": {"type": "Adam", "params": {"betas": [0.9]}})"))
            .find("is a list of two numbers") != std::string::npos);
  CHECK(message_of(with(R"("optimizer": {"type": "Adam", "params": {"lr": -1}})")).find("lr: -1 is negative") !=
        std::string::npos);
  CHECK(message_of(with(R"("optimizer": {"type": "Adam", "params": {"lr": "1e-3"}})"))
            .find("\"1e-3\" is not a number: leave the quotation marks out") != std::string::npos);
}

TEST_CASE("configuration: numbers that nobody can mean are errors") {
  for (auto const* members : {R"("optimizer": {"type": "Adam", "params": {"lr": 1e300}})",
                              R"("optimizer": {"type": "Adam", "params": {"eps": 1e300}})",
                              R"("optimizer": {"type": "Adam", "params": {"weight_decay": 2e30}})",
                              R"("scheduler": {"type": "constant", "params": {"lr": 1e31}})"}) {
    CAPTURE(members);
    CHECK(message_of(with(members)).find("is not a number from 0 to 1e30") != std::string::npos);
  }
  CHECK(message_of(with(R"("gradient_clipping": 1e300)")).find("is not a number from 0 to 1e30") != std::string::npos);
  CHECK(message_of(with(R"("fp16": {"enabled": true, "loss_scale": 2e38})")).find("a scale from 1e-30 to 1e38") !=
        std::string::npos);
}

TEST_CASE("configuration: a learning rate beside the file wins over its smallest one, too") {
  zero::config::ReadOptions beside;
  beside.lr = 1e-5;
  for (auto const& scheduler :
       {std::pair{R"("scheduler": {"type": "OneCycle", "params": {"cycle_min_lr": 1e-4, "cycle_max_lr": 1e-3}})",
                  "scheduler.params.cycle_min_lr"},
        {R"("scheduler": {"type": "WarmupLR", "params": {"warmup_min_lr": 1e-4, "warmup_max_lr": 1e-3}})",
         "scheduler.params.warmup_min_lr"},
        {R"("scheduler": {"type": "linear", "params": {"lr": 1e-3, "min_lr": 1e-4, "total_num_steps": 9}})",
         "scheduler.params.min_lr"}}) {
    auto const& members = scheduler.first;  // Clang before 16 captures no structured binding
    CAPTURE(members);
    auto const settings = read_text(with(members), beside);
    CHECK(settings.schedule->at(0).lr == 1e-5);
    REQUIRE(settings.notes.size() == 1);
    CHECK(settings.notes.front().key == scheduler.second);
    CHECK(settings.notes.front().text.find("is above the learning rate that was given beside it") != std::string::npos);
  }
}

TEST_CASE("configuration: types and loss scales") {
  CHECK_FALSE(read_text(with("")).precision);
  CHECK(read_text(with(R"("fp16": {"enabled": false})")).precision->compute == ElementType::fp32);
  CHECK(read_text(with(R"("bf16": {})")).precision->compute == ElementType::fp32);
  auto const half =
      read_text(with(R"("fp16": {"enabled": true, "initial_scale_power": 12, "hysteresis": 3})")).precision;
  CHECK(half->compute == ElementType::fp16);
  CHECK(std::get<zero::DynamicScale::Config>(half->scale).initial == 4096.0F);
  CHECK(std::get<zero::DynamicScale::Config>(half->scale).hysteresis == 3);
  auto const fixed = read_text(with(R"("fp16": {"enabled": true, "loss_scale": 128})")).precision;
  CHECK(std::get<zero::StaticScale::Config>(fixed->scale).scale == 128.0F);
  CHECK(read_text(with(R"("bfloat16": {"enabled": true})")).precision->compute == ElementType::bf16);
  CHECK(
      message_of(with(R"("bf16": {"enabled": true}, "bfloat16": {"enabled": false})")).find("an older name of bf16") !=
      std::string::npos);
  CHECK(message_of(with(R"("fp16": {"enabled": true}, "bf16": {"enabled": true})")).find("fp16 is enabled, too") !=
        std::string::npos);
  CHECK(message_of(with(R"("fp16": {"enabled": true, "loss_scale": -1})")).find("fp16.loss_scale: -1 is not") !=
        std::string::npos);
  CHECK(message_of(with(R"("fp16": {"enabled": true, "loss_scale": true})")).find("true is not a number") !=
        std::string::npos);
  CHECK(message_of(with(R"("fp16": {"enabled": true, "loss_scale_window": 0})")).find("0 is not from 1") !=
        std::string::npos);
  CHECK(message_of(with(R"("fp16": {"enabled": true, "initial_scale_power": 2, "min_loss_scale": 8})"))
            .find("below min_loss_scale") != std::string::npos);
  CHECK(message_of(with(R"("data_types": {"grad_accum_dtype": "fp16"})")).find("overflow in fp16") !=
        std::string::npos);
  CHECK(message_of(with(R"("communication_data_type": "fp32", "fp16": {"enabled": true})"))
            .find("is not the type of the gradients, fp16") != std::string::npos);
  CHECK_FALSE(error_of(with(R"("communication_data_type": "fp16", "fp16": {"enabled": true})")));
}

TEST_CASE("configuration: sharding") {
  CHECK_FALSE(read_text(with("")).sharding);
  auto const empty = read_text(with(R"("zero_optimization": {})")).sharding;
  CHECK(empty->stage == zero::Stage::none);
  CHECK(empty->missing_gradient == zero::MissingGradient::zero);
  auto const three = read_text(with(R"("zero_optimization": {"stage": 3})")).sharding;
  CHECK(three->persistence_threshold == 100001);  // there: up to 1e5 elements; here: fewer than
  CHECK(three->max_live_elements == 0);
  CHECK_FALSE(three->bucket_elements);
  CHECK(read_text(with(R"("zero_optimization": {"stage": 2, "stage3_param_persistence_threshold": 5})"))
            .sharding->persistence_threshold == 0);
  auto const offload = read_text(with(R"("zero_optimization": {"stage": 2, "offload_optimizer": {"device": "cpu",
    "ratio": 0.25}})"))
                           .sharding->offload;
  REQUIRE(offload);
  CHECK(offload->device_share == 0.75);
  CHECK(message_of(with(R"("zero_optimization": {"offload_optimizer": {"device": "nvme"}})")).find("no NVMe tier") !=
        std::string::npos);
  CHECK(message_of(with(R"("zero_optimization": {"offload_optimizer": {"device": "tpu"}})"))
            .find("\"tpu\" is no device: write \"cpu\" or \"none\"") != std::string::npos);
  CHECK(message_of(with(R"("zero_optimization": {"cpu_offload": true})"))
            .find("write \"offload_optimizer\": {\"device\": \"cpu\"}") != std::string::npos);
  CHECK(message_of(with(R"("zero_optimization": {"stage": 2, "offload_param": {"device": "cpu"}})"))
            .find("parameters cannot be offloaded yet") != std::string::npos);
}

TEST_CASE("configuration: schedules take the optimizer's learning rate, and know their settings") {
  auto const lr = [](std::string const& members, std::uint64_t step) {
    return read_text(with(members)).schedule->at(step).lr;
  };
  std::string const adam = R"("optimizer": {"type": "Adam", "params": {"lr": 0.5}}, )";
  CHECK(lr(adam + R"("scheduler": {"type": "warmuplr", "params": {"warmup_num_steps": 4}})", 100) == 0.5);
  CHECK(lr(adam + R"("scheduler": {"type": "WarmupLR", "params": {"warmup_max_lr": 0.25}})", 5000) == 0.25);
  CHECK(lr(adam + R"("scheduler": {"type": "constant"})", 0) == 0.5);
  CHECK(read_text(with(R"("scheduler": {"type": "constant", "params": {"lr": "auto"}})"), {.automatic = {.lr = 0.125}})
            .schedule->at(0)
            .lr == 0.125);
  CHECK(message_of(with(R"("scheduler": {"type": "WarmupLR"})"))
            .find("the learning rate of the optimizer is not known: "
                  "write \"warmup_max_lr\"") != std::string::npos);
  CHECK(message_of(with(adam + R"("scheduler": {"type": "WarmupDecayLR"})")).find("has no \"total_num_steps\"") !=
        std::string::npos);
  CHECK(message_of(with(adam + R"("scheduler": {"type": "WarmupLR", "params": {"cycle_min_lr": 0}})"))
            .find("WarmupLR has no such setting") != std::string::npos);
  CHECK(message_of(with(adam + R"("scheduler": {"type": "Warmup"})"))
            .find("\"Warmup\" is no schedule: there are "
                  "WarmupLR") != std::string::npos);
  CHECK(message_of(with(adam + R"("scheduler": {"type": "WarmupLR", "params": {"warmup_min_lr": 2}})"))
            .find("scheduler.params.warmup_min_lr: WarmupLR: "
                  "warmup_min_lr is 2") != std::string::npos);
  CHECK(message_of(with(adam + R"("scheduler": {"type": "WarmupLR", "params": {"warmup_type": "cubic"}})"))
            .find("write \"log\" or \"linear\"") != std::string::npos);
}

TEST_CASE("configuration: OneCycle leaves the momentum of a rule without betas alone, and says so") {
  std::string const cycle =
      R"(, "scheduler": {"type": "OneCycle", "params": {"cycle_min_lr": 0.1, "cycle_max_lr": 0.2}})";
  auto const sgd = read_text(with(R"("optimizer": {"type": "SGD"})" + cycle));
  CHECK_FALSE(sgd.schedule->at(1).momentum);
  REQUIRE(sgd.notes.size() == 1);
  CHECK(sgd.notes.front().text == "SGD has no betas, and keeps its momentum, as in DeepSpeed");
  CHECK(read_text(with(R"("optimizer": {"type": "Adam"})" + cycle)).schedule->at(1).momentum);
}

TEST_CASE("configuration: \"auto\" takes the trainer's value, and is an error where it has none") {
  ReadOptions own{.world = 2};
  own.automatic = {.train_micro_batch_size_per_gpu = 3,
                   .gradient_accumulation_steps = 4,
                   .gradient_clipping = 0.5,
                   .lr = 1e-4,
                   .beta1 = 0.8,
                   .beta2 = 0.9,
                   .eps = 1e-6,
                   .weight_decay = 0.1,
                   .fp16 = false,
                   .bf16 = true,
                   .warmup_num_steps = 7,
                   .total_num_steps = 70};
  std::string const text = R"({"train_batch_size": "auto", "train_micro_batch_size_per_gpu": "auto",
    "gradient_accumulation_steps": "auto", "gradient_clipping": "auto", "fp16": {"enabled": "auto"},
    "bf16": {"enabled": "auto"}, "zero_optimization": {"stage": 3, "reduce_bucket_size": "auto",
    "stage3_prefetch_bucket_size": "auto", "stage3_param_persistence_threshold": "auto", "overlap_comm": "auto"},
    "optimizer": {"type": "AdamW", "params": {"lr": "auto", "betas": "auto", "eps": "auto", "weight_decay": "auto"}},
    "scheduler": {"type": "WarmupDecayLR", "params": {"warmup_min_lr": "auto", "warmup_max_lr": "auto",
    "warmup_num_steps": "auto", "total_num_steps": "auto"}}})";
  auto const settings = read_text(text, own);
  CHECK(settings.batch.sequences == 24);
  CHECK(settings.gradient_clipping == 0.5);
  CHECK(settings.precision->compute == ElementType::bf16);
  CHECK(std::get<zero::AdamW::Config>(*settings.rule).beta1 == 0.8);
  CHECK(settings.schedule->get_if<zero::schedule::WarmupDecayLR>()->config().max_lr == 1e-4);
  CHECK(settings.schedule->get_if<zero::schedule::WarmupDecayLR>()->config().total_steps == 70);
  CHECK(settings.schedule->get_if<zero::schedule::WarmupDecayLR>()->config().min_lr == 0.0);
  for (auto const* const setting :
       {R"("ExponentialLR", "params": {"gamma": "auto"})", R"("CosineAnnealingLR", "params": {"T_max": "auto"})"}) {
    CHECK(message_of(with("\"scheduler\": {\"type\": " + std::string(setting) + "}"), own)
              .find("no value of its own for \"auto\"") != std::string::npos);
  }
  CHECK(message_of(with(R"("gradient_clipping": "auto")")).find("this program has no value of its own for \"auto\"") !=
        std::string::npos);
}

TEST_CASE("configuration: a program's own numbers, given beside a file, replace the file's") {
  ReadOptions beside{.world = 2};
  beside.batch.train_micro_batch_size_per_gpu = 8;
  beside.lr = 0.25;
  auto const settings = read_text(R"({"train_micro_batch_size_per_gpu": 4, "gradient_accumulation_steps": 3,
    "optimizer": {"type": "Adam", "params": {"lr": 1}}, "scheduler": {"type": "WarmupLR",
    "params": {"warmup_max_lr": 1}}})",
                                  beside);
  CHECK(settings.batch.sequences == 48);
  CHECK(std::get<zero::AdamW::Config>(*settings.rule).lr == 0.25);
  CHECK(settings.schedule->at(5000).lr == 0.25);
  CHECK(message_of(R"({"train_batch_size": 8, "train_micro_batch_size_per_gpu": 4})", beside)
            .find("8 is no multiple of the step's") == std::string::npos);
  beside.batch.train_micro_batch_size_per_gpu = 3;
  CHECK(message_of(R"({"train_batch_size": 8})", beside).find("8 is no multiple of train_micro_batch_size_per_gpu 3") !=
        std::string::npos);
}

TEST_CASE("configuration: what was understood is a configuration that means the same") {
  ReadOptions const three{.world = 3};
  for (auto const* members : {
           "",
           R"("micro_batches_per_step": 7, "gradient_clipping": 0)",
           R"("optimizer": {"type": "Adam", "params": {"adam_w_mode": false, "lr": 0.1}}, "fp16": {"enabled": true})",
           R"("optimizer": {"type": "SGD", "params": {"momentum": 0.9, "nesterov": true, "weight_decay": 1e-4}},
              "fp16": {"enabled": true, "loss_scale": 4096})",
           R"("optimizer": {"type": "Lion"}, "bf16": {"enabled": true}, "data_types": {"grad_accum_dtype": "bf16"})",
           R"("optimizer": {"type": "Adagrad", "params": {"lr_decay": 0.5}},
              "scheduler": {"type": "MultiStepLR", "params": {"milestones": [4, 5]}})",
           R"("scheduler": {"type": "OneCycle", "params": {"cycle_min_lr": 0.1, "cycle_max_lr": 0.3,
              "cycle_second_step_size": 5}})",
           R"("scheduler": {"type": "warmup-stable-decay", "params": {"lr": 1, "total_num_steps": 9,
              "decay_num_steps": 3, "decay_type": "1-sqrt"}})",
           R"("zero_optimization": {"stage": 3, "stage3_max_live_parameters": 1e6, "stage3_prefetch_bucket_size": 0,
              "offload_optimizer": {"device": "cpu", "ratio": 0.5}})",
           R"("tensorboard": {"enabled": true, "output_path": "log/", "job_name": "2023年08月15日16:28:06"},
              "csv_monitor": {"enabled": true}, "steps_per_print": 10, "wall_clock_breakdown": true,
              "comms_logger": {"enabled": true, "prof_all": false, "prof_ops": ["all_gather"]})",
           R"("activation_checkpointing": {})",
           R"("activation_checkpointing": {"number_checkpoints": 3, "cpu_checkpointing": true, "profile": true})",
       }) {
    CAPTURE(members);
    auto const written = zero::config::to_json(read_text(with(members), three));
    CAPTURE(written);
    CHECK(zero::config::to_json(read_text(written, three)) == written);
  }
  auto settings = read_text(with(""));
  settings.schedule = zero::schedule::Schedule(
      zero::schedule::Custom{.name = "mine", .rates = [](std::uint64_t) { return zero::schedule::Rates{.lr = 1.0}; }});
  CHECK_THROWS_AS(static_cast<void>(zero::config::to_json(settings)), zero::config::ConfigError);
}

TEST_CASE("configuration: a section turns recomputation on, and asks for what can be had") {
  CHECK_FALSE(read_text(with("")).recomputation);
  CHECK_FALSE(read_text(with(R"("activation_checkpointing": null)")).recomputation);
  auto const settings = read_text(with(R"("activation_checkpointing": {"partition_activations": false,
    "number_checkpoints": null, "profile": false})"));
  REQUIRE(settings.recomputation);
  CHECK_FALSE(settings.recomputation->kept_inputs);
  CHECK_FALSE(settings.recomputation->inputs_in_host_memory);
  CHECK_FALSE(settings.wall_clock_breakdown);
  CHECK(read_text(with(R"("activation_checkpointing": {"profile": true}, "wall_clock_breakdown": false)"))
            .wall_clock_breakdown);
  CHECK(message_of(with(R"("activation_checkpointing": {"partition_activations": true})"))
            .find("activation_checkpointing.partition_activations: cannot be had: it needs tensor parallelism") !=
        std::string::npos);
  CHECK(message_of(with(R"("activation_checkpointing": {"number_checkpoints": 0})")).find("number_checkpoints") !=
        std::string::npos);
  CHECK(message_of(with(R"("activation_checkpointing": {"enabled": true})")).find("leave it out") != std::string::npos);
}

TEST_CASE("configuration: a visitor gets the rule and precision that were chosen, with their settings") {
  using AllRules = Rules<zero::Sgd, zero::AdamW>;
  using AllTypes = Types<zero::FP32, zero::FP16, zero::Precision<zero::BF16, zero::NoScale, zero::BF16>>;
  auto const name = [](std::string const& members) {
    return read_text(with(members)).visit<AllRules, AllTypes>([](auto rule, auto precision) -> std::string {
      using Rule = typename decltype(rule)::rule;
      using Prec = typename decltype(precision)::precision;
      zero::EngineConfig<Rule, typename Prec::scale, zero::NoOffload, zero::NoPolicy> config{.optimizer = rule.config,
                                                                                             .scale = precision.scale};
      return std::string(zero::rule_facts<Rule>().name) + " " + std::string(zero::name(Prec::compute::element)) + " " +
             std::string(zero::scaler_facts<typename Prec::scale>().name) + " " +
             std::string(zero::name(Prec::sum::element)) + " " + std::to_string(config.optimizer.lr).substr(0, 4);
    });
  };
  std::string const sgd = R"("optimizer": {"type": "SGD", "params": {"lr": 0.25}}, )";
  CHECK(name(sgd + R"("bf16": {"enabled": false})") == "SGD fp32 NoScale fp32 0.25");
  CHECK(name(sgd + R"("fp16": {"enabled": true})") == "SGD fp16 DynamicScale fp32 0.25");
  CHECK(name(sgd + R"("fp16": {"enabled": true, "loss_scale": 8})") == "SGD fp16 StaticScale fp32 0.25");
  CHECK(name(sgd + R"("bf16": {"enabled": true}, "data_types": {"grad_accum_dtype": "bf16"})") ==
        "SGD bf16 NoScale bf16 0.25");
  CHECK_THROWS_WITH_AS(
      name(sgd + R"("bf16": {"enabled": true})"),
      "data_types: bf16: this program was built without it: add it to the rules or types that it visits",
      zero::config::ConfigError);
  CHECK_THROWS_AS(name(R"("optimizer": {"type": "Lion"}, "fp16": {"enabled": false})"), zero::config::ConfigError);
  CHECK_THROWS_AS(name(R"("fp16": {"enabled": false})"), zero::config::ConfigError);
}

TEST_CASE("configuration: an engine's settings are taken over") {
  zero::EngineConfig<zero::AdamW, zero::NoScale, zero::NoOffload, zero::NoPolicy> config;
  read_text(R"({"train_micro_batch_size_per_gpu": 2, "gradient_accumulation_steps": 4, "gradient_clipping": 0.5,
    "zero_optimization": {"stage": 3, "reduce_bucket_size": 1000, "stage3_prefetch_bucket_size": 0,
    "stage3_max_live_parameters": 99, "ignore_unused_parameters": false}})")
      .apply_to(config);
  CHECK(config.gradient_accumulation_steps == 4);
  CHECK_FALSE(config.micro_batches_per_step);
  CHECK(config.gradient_clipping == 0.5);
  CHECK(config.bucket_elements == 1000);
  CHECK(config.prefetch_units == 0);
  CHECK(config.max_live_elements == 99);
  CHECK(config.persistence_threshold == 100001);
  CHECK(config.missing_gradient == zero::MissingGradient::error);
  read_text(R"({"train_micro_batch_size_per_gpu": 2, "micro_batches_per_step": 7})", {.world = 3}).apply_to(config);
  CHECK(config.micro_batches_per_step == 7);
}

TEST_CASE("configuration: settings that cannot go together are refused where they stand") {
  auto const refused = [](std::string const& members, std::string const& key, std::string const& problem) {
    CAPTURE(members);
    auto const error = error_of(with(members));
    REQUIRE(error);
    CAPTURE(std::string(error->what()));
    CHECK(error->where().key == key);
    CHECK(error->where().line == 2);
    CHECK(error->problem().find(problem) != std::string::npos);
    CHECK((problem.find(": write") != std::string::npos || !error->cure().empty()));
  };
  auto const sgd = [](std::string const& params) {
    return R"("optimizer": {"type": "SGD", "params": {"nesterov": true)" + params + "}}";
  };
  refused(sgd(""), "optimizer.params.nesterov", "the momentum, which is 0");
  refused(sgd(R"(, "momentum": 0.9, "dampening": 0.5)"), "optimizer.params.nesterov", "has no dampening");
  refused(R"("zero_optimization": {"offload_optimizer": {"device": "cpu", "ratio": 0.5, "delayed_update": true}})",
          "zero_optimization.offload_optimizer.delayed_update", "would not be updated late");
  auto const cycle = [](std::string const& params) {
    return R"("scheduler": {"type": "OneCycle", "params": {)" + params + "}}";
  };
  refused(cycle(R"("cycle_min_lr": 0.3, "cycle_max_lr": 0.2)"), "scheduler.params.cycle_min_lr",
          "OneCycle: cycle_min_lr is 0.3: write a number that is not above cycle_max_lr");
  refused(R"("scheduler": {"type": "CosineAnnealingLR", "params": {"lr": 1, "T_max": 0}})", "scheduler.params.T_max",
          "T_max is 0: write 1 or more");
  refused(R"("scheduler": {"type": "linear", "params": {"lr": 1, "total_num_steps": 5, "min_lr": 2}})",
          "scheduler.params.min_lr", "linear: min_lr is 2: write a number that is not above lr");
  for (auto const* monitor : {"tensorboard", "csv_monitor"}) {
    auto const section = [&](std::string const& more) {
      return "\"" + std::string(monitor) + R"(": {"enabled": true, )" + more + "}";
    };
    refused(section(R"("job_name": "")"), monitor + std::string(".job_name"), "is empty");
    refused(section(R"("job_name": "a/../b")"), monitor + std::string(".job_name"), "'..'");
    refused(section(R"("output_path": "a\u0000b")"), monitor + std::string(".output_path"), "NUL");
  }
}

TEST_CASE("configuration: DeepSpeed's schedules take 0 steps of warm-up as 2, as its earlier versions do") {
  auto const warmup = [](std::string const& steps) {
    return read_text(with(R"("scheduler": {"type": "WarmupLR", "params": {"warmup_max_lr": 1, "warmup_num_steps": )" +
                          steps + "}}"))
        .schedule->at(2)
        .lr;
  };
  CHECK(warmup("0") == warmup("2"));
}

TEST_CASE("configuration: an error is one line of a bounded length, whatever the key") {
  auto const message = message_of(with("\"" + std::string(5000, 'k') + R"(\n": 1)"));
  CHECK(message.size() < 400);
  CHECK(message.find('\n') == std::string::npos);
  CHECK(message_of(with(R"("a\nb": 1)")).find("a?b: is no key of a configuration") != std::string::npos);
  CHECK(message_of(with(R"("gradient_clipping": -0.3)")).find("-0.3 is negative") != std::string::npos);
}

TEST_CASE("configuration: what no file can say is refused, read or written") {
  CHECK(message_of(with(R"("fp16": {"enabled": true, "loss_scale": 5e-324})")).find("a scale from 1e-30") !=
        std::string::npos);
  auto settings = read_text(with(""));
  settings.gradient_clipping = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS((void)zero::config::to_json(settings), zero::config::ConfigError);
  CHECK(message_of(with(R"("tensorboard": {"output_path": 0})")).find("0 is not text in quotation marks") !=
        std::string::npos);  // off as it is
  for (auto const* const empty : {R"("zero_optimization": {"offload_optimizer": null, "offload_param": null})",
                                  R"("tensor_parallel": {"autotp_size": 0})", R"("fp16": null)"}) {
    CAPTURE(empty);
    CHECK(message_of(with(empty)).empty());
  }
}

}  // namespace config_settings_test
