// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Every key of the table does what the table says: what is applied changes the settings, what is always so is noted,
// what cannot be had is refused, and the page lists all of them.

#include "config/support.hpp"

#include <zero/config/keys.hpp>
#include <zero/config/write.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace config_keys_test {

using config_test::error_of;
using config_test::read_text;
using config_test::with;
using zero::config::Treatment;

namespace {

/// Members without and with a key that is applied. Where the second is an error, the key is a check.
struct Sample {
  std::string key, without, given;
};

std::string rule(std::string const& type, std::string const& params) {
  return R"("optimizer": {"type": ")" + type + R"(", "params": {)" + params + "}}";
}
std::string schedule(std::string const& type, std::string const& params) {
  return R"("scheduler": {"type": ")" + type + R"(", "params": {)" + params + "}}";
}
std::string member(std::string_view name, std::string const& value) {
  return "\"" + std::string(name) + "\": " + value;
}

std::vector<Sample> samples() {
  std::vector<Sample> all{
      {"gradient_accumulation_steps", "", R"("gradient_accumulation_steps": 3)"},
      {"micro_batches_per_step", "", R"("micro_batches_per_step": 3)"},
      {"gradient_clipping", "", R"("gradient_clipping": 0.5)"},
      {"steps_per_print", "", R"("steps_per_print": 7)"},
      {"wall_clock_breakdown", "", R"("wall_clock_breakdown": true)"},
      {"memory_breakdown", "", R"("memory_breakdown": true)"},
      {"cuda_graph.enabled", "", R"("cuda_graph": {"enabled": true})"},
      {"activation_checkpointing.number_checkpoints", R"("activation_checkpointing": {})",
       R"("activation_checkpointing": {"number_checkpoints": 3})"},
      {"activation_checkpointing.cpu_checkpointing", R"("activation_checkpointing": {})",
       R"("activation_checkpointing": {"cpu_checkpointing": true})"},
      {"activation_checkpointing.profile", R"("activation_checkpointing": {})",
       R"("activation_checkpointing": {"profile": true})"},
      {"comms_logger.enabled", "", R"("comms_logger": {"enabled": true})"},
      {"comms_logger.prof_all", R"("comms_logger": {"enabled": true, "prof_ops": ["all_gather"]})",
       R"("comms_logger": {"enabled": true, "prof_ops": ["all_gather"], "prof_all": false})"},
      {"comms_logger.prof_ops", R"("comms_logger": {"enabled": true, "prof_all": false, "prof_ops": ["all_gather"]})",
       R"("comms_logger": {"enabled": true, "prof_all": false, "prof_ops": ["reduce_scatter_add"]})"},
      {"optimizer.type", rule("AdamW", ""), rule("Lion", "")},
      {"scheduler.type", schedule("WarmupDecayLR", R"("total_num_steps": 9)"),
       schedule("WarmupCosineLR", R"("total_num_steps": 9)")},
      {"fp16.enabled", R"("fp16": {"enabled": false})", R"("fp16": {"enabled": true})"},
      {"bf16.enabled", R"("bf16": {"enabled": false})", R"("bf16": {"enabled": true})"},
      {"data_types.grad_accum_dtype", "", R"("data_types": {"grad_accum_dtype": "bf16"})"},
      {"data_types.param_dtype", R"("bf16": {"enabled": true}, "data_types": {"param_dtype": "bf16"})",
       R"("bf16": {"enabled": true}, "data_types": {"param_dtype": "fp16"})"},
      {"communication_data_type", R"("bf16": {"enabled": true}, "communication_data_type": "bf16")",
       R"("bf16": {"enabled": true}, "communication_data_type": "fp16")"},
  };
  for (auto const* monitor : {"tensorboard", "csv_monitor"}) {
    auto const section = [&](std::string const& more) { return member(monitor, "{" + more + "}"); };
    all.push_back({std::string(monitor) + ".enabled", section(R"("enabled": false)"), section(R"("enabled": true)")});
    for (auto const* name : {"output_path", "job_name"}) {
      all.push_back({std::string(monitor) + "." + name, section(R"("enabled": true)"),
                     section(R"("enabled": true, )" + member(name, "\"x\""))});
    }
  }
  for (auto const& [name, value] : {std::pair{"loss_scale", "128"},
                                    {"initial_scale_power", "8"},
                                    {"loss_scale_window", "17"},
                                    {"hysteresis", "3"},
                                    {"consecutive_hysteresis", "true"},
                                    {"min_loss_scale", "2"}}) {
    all.push_back({std::string("fp16.") + name, R"("fp16": {"enabled": true})",
                   R"("fp16": {"enabled": true, )" + member(name, value) + "}"});
  }
  for (auto const& [type, name, value] : {std::tuple{"AdamW", "lr", "0.5"},
                                          {"AdamW", "betas", "[0.5, 0.6]"},
                                          {"AdamW", "eps", "1e-3"},
                                          {"AdamW", "weight_decay", "0.5"},
                                          {"Adam", "adam_w_mode", "false"},
                                          {"AdamW", "torch_adam", "true"},
                                          {"SGD", "momentum", "0.5"},
                                          {"SGD", "dampening", "0.5"},
                                          {"SGD", "nesterov", "true"},
                                          {"Adagrad", "lr_decay", "0.5"}}) {
    all.push_back({std::string("optimizer.params.") + name, rule(type, ""), rule(type, member(name, value))});
  }
  std::string const cycle = R"("cycle_min_lr": 0.1, "cycle_max_lr": 0.2)";
  for (auto const& [type, required, name, value] :
       {std::tuple<std::string, std::string, std::string, std::string>{"WarmupLR", R"("warmup_max_lr": 0.5)",
                                                                       "warmup_min_lr", "0.1"},
        {"WarmupLR", "", "warmup_max_lr", "0.25"},
        {"WarmupLR", "", "warmup_num_steps", "17"},
        {"WarmupLR", "", "warmup_type", "\"linear\""},
        {"WarmupCosineLR", R"("total_num_steps": 9)", "warmup_min_ratio", "0.1"},
        {"WarmupCosineLR", R"("total_num_steps": 9)", "cos_min_ratio", "0.1"},
        {"OneCycle", cycle, "decay_lr_rate", "0.1"},
        {"OneCycle", cycle, "cycle_first_step_size", "17"},
        {"OneCycle", cycle, "cycle_second_step_size", "17"},
        {"OneCycle", cycle, "cycle_first_stair_count", "17"},
        {"OneCycle", cycle, "cycle_second_stair_count", "17"},
        {"OneCycle", cycle, "decay_step_size", "17"},
        {"OneCycle", cycle, "cycle_momentum", "false"},
        {"OneCycle", cycle, "cycle_min_mom", "0.5"},
        {"OneCycle", cycle, "cycle_max_mom", "0.95"},
        {"OneCycle", cycle, "decay_mom_rate", "0.1"},
        {"LRRangeTest", "", "lr_range_test_min_lr", "0.1"},
        {"LRRangeTest", "", "lr_range_test_step_size", "17"},
        {"LRRangeTest", "", "lr_range_test_step_rate", "0.5"},
        {"LRRangeTest", "", "lr_range_test_staircase", "true"},
        {"constant", "", "lr", "0.5"},
        {"linear", R"("total_num_steps": 9)", "min_lr", "1e-5"},
        {"warmup-stable-decay", R"("total_num_steps": 9, "decay_num_steps": 3)", "decay_type", "\"1-sqrt\""},
        {"ConstantLR", "", "factor", "0.5"},
        {"LinearLR", "", "start_factor", "0.5"},
        {"LinearLR", "", "end_factor", "0.5"},
        {"LinearLR", "", "total_iters", "17"},
        {"StepLR", R"("step_size": 3)", "gamma", "0.5"},
        {"CosineAnnealingLR", R"("T_max": 3)", "eta_min", "1e-5"}}) {
    auto const separator = required.empty() ? "" : ", ";
    all.push_back({"scheduler.params." + name, rule("AdamW", "") + ", " + schedule(type, required),
                   rule("AdamW", "") + ", " + schedule(type, required + separator + member(name, value))});
  }
  for (auto const& [type, more, name, a, b] :
       {std::tuple<std::string, std::string, std::string, std::string, std::string>{"WarmupDecayLR", "",
                                                                                    "total_num_steps", "5", "6"},
        {"OneCycle", R"(, "cycle_max_lr": 0.2)", "cycle_min_lr", "0.1", "0.15"},
        {"OneCycle", R"(, "cycle_min_lr": 0.1)", "cycle_max_lr", "0.2", "0.3"},
        {"warmup-stable-decay", R"(, "total_num_steps": 9)", "decay_num_steps", "3", "4"},
        {"StepLR", "", "step_size", "3", "4"},
        {"MultiStepLR", "", "milestones", "[3]", "[3, 4]"},
        {"CosineAnnealingLR", "", "T_max", "3", "4"}}) {
    all.push_back({"scheduler.params." + name, rule("AdamW", "") + ", " + schedule(type, member(name, a) + more),
                   rule("AdamW", "") + ", " + schedule(type, member(name, b) + more)});
  }
  auto const zero = [](std::string const& more) { return R"("zero_optimization": {)" + more + "}"; };
  all.push_back({"zero_optimization.stage", zero(R"("stage": 1)"), zero(R"("stage": 2)")});
  for (auto const& [name, value] : {std::pair{"reduce_bucket_size", "5e8"},
                                    {"ignore_unused_parameters", "false"},
                                    {"stage3_prefetch_bucket_size", "0"},
                                    {"stage3_param_persistence_threshold", "10"},
                                    {"stage3_max_live_parameters", "1e9"}}) {
    all.push_back({std::string("zero_optimization.") + name, zero(R"("stage": 3)"),
                   zero(R"("stage": 3, )" + member(name, value))});
  }
  auto const offload = [&](std::string const& more) { return zero(R"("offload_optimizer": {)" + more + "}"); };
  std::string const folder = "zero_optimization.offload_optimizer.";
  all.push_back({folder + "device", offload(R"("device": "none")"), offload(R"("device": "cpu")")});
  all.push_back({folder + "ratio", offload(R"("device": "cpu")"), offload(R"("device": "cpu", "ratio": 0.5)")});
  all.push_back({folder + "delayed_update", offload(R"("device": "cpu")"),
                 offload(R"("device": "cpu", "delayed_update": true)")});
  return all;
}

/// What \p members mean, or the error that they are.
std::string meaning(std::string const& members) {
  zero::config::ReadOptions options;
  options.automatic.lr = 1e-3;
  try {
    return zero::config::to_json(read_text(with(members), options));
  } catch (zero::config::ConfigError const& error) {
    return error.what();
  }
}

/// The key \p path with \p value, in its sections.
std::string nested(std::string_view path, std::string const& value) {
  auto const dot = path.find('.');
  if (dot == std::string_view::npos) return member(path, value);
  return member(path.substr(0, dot), "{" + nested(path.substr(dot + 1), value) + "}");
}

/// \p text with a type of its optimizer, where it has one.
std::string typed(std::string text) {
  std::string const begin = R"("optimizer": {)";
  auto const at = text.find(begin);
  if (at == std::string::npos) return text;
  auto const more = text[at + begin.size()] == '}' ? "" : ", ";
  return text.insert(at + begin.size(), std::string(R"("type": "AdamW")") + more);
}

std::string cell(std::string_view text) {
  std::string out;
  for (char const c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

std::string row_of(zero::config::Key const& key) {
  std::string_view const what = key.is_section                        ? "section"
                                : key.treatment == Treatment::applied ? "applied"
                                : key.treatment == Treatment::always  ? "always so"
                                : key.treatment == Treatment::refused ? "refused"
                                                                      : "as its section";
  std::string row = "| `" + std::string(key.path) + "` | ";
  row += std::string(what) + " | " + cell(key.says) + " | " + cell(key.other_names) + " |";
  return row;
}

}  // namespace

TEST_CASE("configuration keys: what is applied changes the settings, or is a check") {
  std::set<std::string> tried{"train_batch_size", "train_micro_batch_size_per_gpu"};  // batch_test.cpp
  for (auto const& sample : samples()) {
    CAPTURE(sample.key);
    CAPTURE(sample.given);
    auto const without = meaning(sample.without), given = meaning(sample.given);
    CAPTURE(without);
    CAPTURE(given);
    CHECK(without.front() == '{');
    CHECK(without != given);
    tried.insert(sample.key);
  }
  for (auto const& key : zero::config::keys()) {
    CAPTURE(key.path);
    if (key.treatment == Treatment::applied && !key.is_section) CHECK(tried.contains(std::string(key.path)));
  }
}

TEST_CASE("configuration keys: what is always so is noted, and changes nothing") {
  for (auto const& key : zero::config::keys()) {
    if (key.treatment != Treatment::always) continue;
    CAPTURE(key.path);
    auto const dot = key.path.rfind('.');
    auto const without =
        typed(with(dot == std::string_view::npos ? std::string() : nested(key.path.substr(0, dot), "{}")));
    int noted = 0;
    for (auto const* value : {"true", "false", "1", "\"mean\"", "\"Warn\""}) {
      auto const text = typed(with(nested(key.path, value)));
      if (error_of(text)) continue;
      auto const settings = read_text(text);
      bool found = false;
      for (auto const& note : settings.notes) found = found || (note.key == key.path && note.text == key.says);
      CHECK(found);
      CHECK(zero::config::to_json(settings) == zero::config::to_json(read_text(without)));
      ++noted;
    }
    CHECK(noted > 0);
  }
}

TEST_CASE("configuration keys: what cannot be had is refused with what to do, and may be off") {
  for (auto const& key : zero::config::keys()) {
    if (key.treatment != Treatment::refused) continue;
    CAPTURE(key.path);
    auto const before = key.path.starts_with("optimizer.") ? R"("optimizer": {"type": "SGD", "params": {)"
                        : key.path.starts_with("scheduler.")
                            ? R"("scheduler": {"type": "constant", "params": {"lr": 1, )"
                            : "";
    auto const leaf = std::string(key.path.substr(key.path.rfind('.') + 1));
    bool const in_params = *before != '\0';
    auto const text = in_params ? with(before + member(leaf, "\"nvme\"") + "}}") : with(nested(key.path, "\"nvme\""));
    auto const error = error_of(text);
    REQUIRE(error);
    CAPTURE(std::string(error->what()));
    CHECK(error->where().key == key.path);
    CHECK(error->cure() == key.says);
    bool has_members = false, may_be_off = false;
    for (auto const& other : zero::config::keys()) {
      has_members = has_members || other.path.starts_with(std::string(key.path) + ".");
      may_be_off = may_be_off || other.path == std::string(key.path) + ".enabled";
    }
    if (!in_params && key.path.find('.') == std::string_view::npos && (may_be_off || !has_members)) {
      CHECK_FALSE(error_of(with(member(key.path, R"({"enabled": false})"))));
    }
  }
}

TEST_CASE("configuration keys: members of a section that cannot be had, or is always so, are looked up") {
  int members = 0;
  for (auto const& key : zero::config::keys()) {
    if (key.treatment != Treatment::of_its_section) continue;
    CAPTURE(key.path);
    ++members;
    auto const section = key.path.substr(0, key.path.rfind('.'));
    auto const error = error_of(with(nested(std::string(section) + ".nonsense", "1")));
    REQUIRE(error);
    CHECK(error->problem() == "is no key of \"" + std::string(section) + "\"");
    // An object is no value of any of them, and null is DeepSpeed's "not said".
    auto const leaf = key.path.substr(key.path.rfind('.') + 1);
    if (leaf != "select_interval" && leaf != "update_interval") {
      auto const typed_error = error_of(with(nested(key.path, "{}")));
      REQUIRE(typed_error);
      CHECK(typed_error->where().key == key.path);
    }
    if (leaf != "enabled") CHECK_FALSE(error_of(with(nested(key.path, "null"))));
  }
  CHECK(members == 51);
  for (auto const* off : {R"("wandb": {"enabled": false, "project": "x"})",
                          R"("zero_optimization": {"leaf_module": {"classes": [], "names": []}})",
                          R"("flops_profiler": {"enabled": false, "module_depth": -1})"}) {
    CAPTURE(off);
    CHECK_FALSE(error_of(with(off)));
  }
}

TEST_CASE("configuration keys: what offloading would do without a device is said to do nothing") {
  for (auto const* name : {"ratio", "delayed_update"}) {
    CAPTURE(name);
    auto const value = std::string(name) == "ratio" ? "0.5" : "true";
    auto const settings = read_text(with(nested(std::string("zero_optimization.offload_optimizer.") + name, value)));
    REQUIRE(settings.notes.size() == 1);
    CHECK(settings.notes.front().key == std::string("zero_optimization.offload_optimizer.") + name);
    CHECK(settings.notes.front().text == "nothing is offloaded: write \"device\": \"cpu\" beside it");
  }
}

TEST_CASE("configuration keys: every one that DeepSpeed 0.7.0 to 0.19.8 reads at the top level is known") {
  // Read in the sources of 0.7.0, 0.10.3, 0.14.4, 0.17.0 and 0.19.8, removed ones too.
  for (auto const* name : {"activation_checkpointing",
                           "aio",
                           "allgather_size",
                           "amp",
                           "autotuning",
                           "bf16",
                           "bfloat16",
                           "checkpoint",
                           "comet",
                           "comms_logger",
                           "communication_data_type",
                           "compile",
                           "compression_training",
                           "csv_monitor",
                           "curriculum_learning",
                           "data_efficiency",
                           "data_types",
                           "dataloader_drop_last",
                           "datastates_ckpt",
                           "disable_allgather",
                           "disable_python_gc",
                           "dump_state",
                           "eigenvalue",
                           "elasticity",
                           "expert_parallel",
                           "flops_profiler",
                           "fp16",
                           "fp32_allreduce",
                           "gradient_accumulation_steps",
                           "gradient_allreduce_op",
                           "gradient_clipping",
                           "gradient_predivide_factor",
                           "graph_harvesting",
                           "hybrid_engine",
                           "log_level",
                           "managed_gradient_accumulation",
                           "memory_breakdown",
                           "nebula",
                           "optimizer",
                           "pipeline",
                           "prescale_gradients",
                           "progressive_layer_drop",
                           "quantize_training",
                           "scheduler",
                           "seq_parallel_communication_data_type",
                           "sequence_parallel_size",
                           "sparse_attention",
                           "sparse_gradients",
                           "steps_per_print",
                           "tensor_parallel",
                           "tensorboard",
                           "timers",
                           "torch_autocast",
                           "train_batch_size",
                           "train_micro_batch_size_per_gpu",
                           "use_data_before_expert_parallelism",
                           "vocabulary_size",
                           "wall_clock_breakdown",
                           "wandb",
                           "weight_quantization",
                           "zero_allow_untested_optimizer",
                           "zero_force_ds_cpu_optimizer",
                           "zero_optimization"}) {
    CAPTURE(name);
    auto const message = config_test::message_of(with(member(name, "{}")));
    CHECK(message.find("is no key") == std::string::npos);
  }
}

TEST_CASE("configuration keys: unknown ones are errors at every level, with what was meant") {
  for (auto const& the_case : std::map<std::string, std::string>{
           {R"("gradient_cliping": 1.0)", "did you mean \"gradient_clipping\"?"},
           {R"("micro_batch_size": 2)", "did you mean \"train_micro_batch_size_per_gpu\"?"},
           {R"("lr": 0.1)", "it belongs into \"optimizer.params\""},
           {R"("zero_optimization": {"prefetch_bucket_size": 2})", "did you mean \"stage3_prefetch_bucket_size\"?"},
           {R"("scheduler": {"type": "WarmupLR", "params": {"warmup_steps": 2}})",
            "did you mean \"warmup_num_steps\"?"},
           {R"("timers": {"throughput": {"enabld": true}})", "did you mean \"enabled\"?"},
           {R"("zero_optimization": {"stge": 2})", "did you mean \"stage\"?"},
           {R"("zero_optimization": {"offload_optimizer": {"divice": "cpu"}})", "did you mean \"device\"?"},
           {R"("reduce_bucket_size": 5e8)", "it belongs into \"zero_optimization\""},
           {R"("overlap_comm": true)", "it belongs into \"zero_optimization\""},
           {R"("loss_scale": 0)", "it belongs into \"fp16\""},
           {R"("zero_optimization": {"gradient_clipping": 1.0})", "it belongs at the top level"},
           {R"("communication_data_size": "fp32")", "write \"communication_data_type\": it is a type"},
           {R"("xyzzy": 1)", "see docs/configuration.md for all keys"},
       }) {
    CAPTURE(the_case.first);
    auto const error = error_of(with(the_case.first));
    REQUIRE(error);
    CHECK(error->cure() == the_case.second);
  }
  CHECK(config_test::message_of(
            with(R"("checkpoint": {"activation_checkpointing": {"number_checkpoints": 3}, "tag_validation": "Warn"})"))
            .find("write it beside: \"checkpoint\": {\"tag_validation\":\"Warn\"}, \"activation_checkpointing\": "
                  "{\"number_checkpoints\":3}") != std::string::npos);
  CHECK(config_test::message_of(with(R"("zero_optimization": true)")).find("write {\"stage\": 1}") !=
        std::string::npos);
}

TEST_CASE("configuration keys: a name with a dot is not what is nested") {
  for (auto const* members : {R"("zero_optimization.stage": 1)", R"("bf16.enabled": true)",
                              R"("tensorboard.enabled": true)", R"("optimizer": {"type": "AdamW", "params.lr": 5})",
                              R"("zero_optimization": {"offload_optimizer.device": "cpu"})"}) {
    CAPTURE(members);
    CHECK(config_test::message_of(with(members)).find("a name with a dot is no key") != std::string::npos);
  }
}

TEST_CASE("configuration keys: docs/configuration.md lists each of them as the reader has it") {
  std::ifstream file(CONFIGURATION_PAGE);
  std::string page{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  std::string const begin = "| key | what becomes of it | what it does here | elsewhere |\n| --- | --- | --- | --- |\n";
  auto const at = page.find(begin);
  REQUIRE(at != std::string::npos);
  std::string table;
  for (auto const& key : zero::config::keys()) table += row_of(key) + "\n";
  auto const first = at + begin.size();
  auto const end = page.find("\n\n", first);
  REQUIRE(end != std::string::npos);
  if (std::getenv("ZERO_UPDATE_CONFIGURATION_PAGE") != nullptr) {
    page.replace(first, end + 1 - first, table);
    std::ofstream(CONFIGURATION_PAGE) << page;
    return;
  }
  // Written anew with: ZERO_UPDATE_CONFIGURATION_PAGE=1 <this program>
  CHECK(page.substr(first, end + 1 - first) == table);
}

}  // namespace config_keys_test
