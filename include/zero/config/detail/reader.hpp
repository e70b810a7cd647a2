// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/config/batch.hpp>
#include <zero/config/detail/document.hpp>
#include <zero/config/detail/entry.hpp>
#include <zero/config/detail/key_table.hpp>
#include <zero/config/detail/raw_settings.hpp>
#include <zero/config/detail/rule_reader.hpp>
#include <zero/config/detail/schedule_reader.hpp>
#include <zero/config/read_options.hpp>
#include <zero/config/settings.hpp>
#include <zero/monitor/detail/place.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace zero::config::detail {

/// Reads one document into Settings: value by value, by the table of keys, then section by section.
class Reader {
 public:
  /// Both are borrowed.
  Reader(Document const& document, ReadOptions const& options)
      : document_(document), options_(options), raw_(options.automatic) {}

  [[nodiscard]] Settings read() {
    read_object(document_.root(), {});
    if (options_.batch.gradient_accumulation_steps) raw_.batch.micro_batches_per_step.reset();
    if (options_.batch.micro_batches_per_step) raw_.batch.gradient_accumulation_steps.reset();
    replace(options_.batch.train_batch_size, raw_.batch.train_batch_size);
    replace(options_.batch.train_micro_batch_size_per_gpu, raw_.batch.train_micro_batch_size_per_gpu);
    replace(options_.batch.gradient_accumulation_steps, raw_.batch.gradient_accumulation_steps);
    replace(options_.batch.micro_batches_per_step, raw_.batch.micro_batches_per_step);
    Settings settings;
    settings.batch = batch();
    settings.gradient_clipping = raw_.gradient_clipping;
    settings.rule = RuleReader(raw_).read();
    if (options_.lr && settings.rule) {
      std::visit([&](auto& config) { config.lr = *options_.lr; }, *settings.rule);
    }
    settings.precision = precision();
    settings.sharding = sharding();
    settings.schedule = ScheduleReader(raw_, learning_rate(settings), options_.lr).read();
    leave_momentum_alone(settings);
    if (raw_.tensorboard.enabled) settings.tensorboard = curve_folder(raw_.tensorboard);
    if (raw_.csv.enabled) settings.csv = curve_folder(raw_.csv);
    settings.steps_per_print = raw_.steps_per_print;
    settings.wall_clock_breakdown = raw_.wall_clock_breakdown || raw_.profiles_recomputation;
    settings.recomputation = raw_.recomputation;
    settings.memory_breakdown = raw_.memory_breakdown;
    settings.cuda_graph = raw_.captures_steps;
    settings.communication_log = communication_log();
    check_types(settings);
    settings.notes = std::move(raw_.notes);
    return settings;
  }

 private:
  // ------------------------------------------------------------------------------------------ value by value

  void read_object(Json const& object, std::string const& path) {
    auto const& members = *object.get<Json::Object>();
    // What a section's other members mean depends on it.
    for (auto const& [name, value] : members) {
      if (name == "type") read_member(path, name, value);
    }
    for (auto const& [name, value] : members) {
      if (name != "type") read_member(path, name, value);
    }
  }

  void read_member(std::string const& path, std::string const& name, Json const& value) {
    Entry const entry(document_, value, path.empty() ? name : path + "." + name);
    // Paths of the table have dots between names: a name with one would pass for what is nested.
    if (name.find('.') != std::string::npos) {
      entry.fail_name("a name with a dot is no key",
                      "write sections inside each other, such as {\"bf16\": {\"enabled\": "
                      "true}}");
    }
    auto const* row = find_row(entry.key());
    if (entry.key() == "bfloat16") {
      if (document_.root().find("bf16") != nullptr)
        entry.fail_name("is an older name of bf16, which is there", "keep one");
      return read_section(*find_row("bf16"), Entry(document_, value, "bf16"));
    }
    if (row == nullptr) fail_unknown(entry, path);
    if (row->treatment == Treatment::refused) return refuse(*row, entry);
    if (row->treatment == Treatment::always) return read_always(*row, entry);
    if (row->shape == Shape::section) return read_section(*row, entry);
    if (!row->accepted.empty() && is_one_of(value, row->accepted)) return;
    row->apply(raw_, entry);
  }

  void read_section(KeyRow const& row, Entry const& entry) {
    if (entry.json().is_null()) return;  // as if it were not there
    if (entry.json().get<Json::Object>() == nullptr) {
      bool const is_old = row.path == "zero_optimization" && entry.json().get<bool>() != nullptr;
      entry.fail(entry.text() + " is not an object",
                 is_old ? "write {\"stage\": 1}, or 2 or 3" : std::string("write {...}"));
    }
    if (row.apply != nullptr) row.apply(raw_, entry);
    read_object(entry.json(), std::string(row.path));
  }

  void read_always(KeyRow const& row, Entry const& entry) {
    expect_members(row, entry);
    if (!row.accepted.empty()) {
      if (!is_one_of(entry.json(), row.accepted)) entry.fail(entry.text() + " cannot be had", std::string(row.says));
    } else if (!entry.is_auto() && !entry.json().is_null()) {
      expect_shape(row.shape, entry);
    }
    raw_.notes.push_back({entry.key(), std::string(row.says)});
  }

  static void expect_shape(Shape shape, Entry const& entry) {
    if (shape == Shape::boolean) static_cast<void>(entry.flag());
    if (shape == Shape::whole) static_cast<void>(entry.whole(0, std::uint64_t{1} << 63U));
    if (shape == Shape::integer) static_cast<void>(entry.integer());
    if (shape == Shape::number) static_cast<void>(entry.not_negative());
    if (shape == Shape::text) static_cast<void>(entry.string());
    if (shape == Shape::list) static_cast<void>(entry.list());
  }

  void refuse(KeyRow const& row, Entry const& entry) const {
    expect_members(row, entry);
    if (is_one_of(entry.json(), row.accepted) || asks_for_nothing(entry.json())) return;
    entry.fail_name("cannot be had", std::string(row.says));
  }

  /// A section that is not read as such is still looked through: a key that does not exist is an error in it, too, and
  /// so is a value that its key cannot hold.
  void expect_members(KeyRow const& row, Entry const& entry) const {
    auto const* const object = entry.json().get<Json::Object>();
    if (object == nullptr || !has_members(row)) return;
    for (auto const& [name, value] : *object) {
      Entry const member(document_, value, zero::detail::concat({row.path, ".", name}));
      auto const* const found = find_row(member.key());
      if (found == nullptr) fail_unknown(member, row.path);
      if (!member.is_auto() && !value.is_null()) expect_shape(found->shape, member);
    }
  }
  [[nodiscard]] static bool has_members(KeyRow const& section) {
    bool found = false;
    for_each_row([&](KeyRow const& row) { found = found || folder(row.path) == section.path; });
    return found;
  }

  /// Whether a section is off: by its own word, or because every member is.
  [[nodiscard]] static bool asks_for_nothing(Json const& value) {
    if (auto const* const list = value.get<Json::Array>()) return list->empty();
    auto const* const object = value.get<Json::Object>();
    if (object == nullptr) return false;
    if (auto const* const enabled = value.find("enabled")) return enabled->get<bool>() && !*enabled->get<bool>();
    for (auto const& member : *object) {
      auto const* const flag = member.second.get<bool>();
      bool const is_off = flag != nullptr ? !*flag : member.second.is_null() || asks_for_nothing(member.second);
      if (!is_off) return false;
    }
    return true;
  }

  /// Whether \p value is one of the JSON texts in \p list.
  [[nodiscard]] static bool is_one_of(Json const& value, std::string_view list) {
    auto const text = to_text(value);
    while (!list.empty()) {
      auto const end = (std::min)(list.find('|'), list.size());
      if (list.substr(0, end) == text) return true;
      list.remove_prefix((std::min)(end + 1, list.size()));
    }
    return false;
  }

  [[noreturn]] void fail_unknown(Entry const& entry, std::string_view path) const {
    if (entry.key() == "checkpoint.activation_checkpointing") fail_nested_activations(entry);
    if (entry.key() == "activation_checkpointing.enabled") entry.fail_name("is no key", "leave it out");
    entry.fail_name(
        path.empty() ? "is no key of a configuration" : zero::detail::concat({"is no key of \"", path, "\""}),
        cure_of_unknown(entry.key()));
  }
  /// Guides put this section into `checkpoint`: the cure is the user's own block, moved.
  [[noreturn]] void fail_nested_activations(Entry const& entry) const {
    Json::Object rest = *document_.root().find("checkpoint")->get<Json::Object>();
    std::erase_if(rest, [](auto const& member) { return member.first == "activation_checkpointing"; });
    entry.fail_name("does not belong into \"checkpoint\"",
                    zero::detail::concat({"write it beside: \"checkpoint\": ", to_text(Json(std::move(rest))),
                                          ", \"activation_checkpointing\": ", to_text(entry.json())}));
  }

  // ------------------------------------------------------------------------------------------ section by section

  static void replace(std::optional<std::uint64_t> const& given, std::optional<std::uint64_t>& value) {
    if (given) value = given;
  }

  [[nodiscard]] Batch batch() const {
    try {
      return resolve(raw_.batch, options_.world);
    } catch (ConfigError const& error) {
      auto const* const value = document_.root().find(error.where().key);
      if (value != nullptr) document_.fail_value(*value, error.where().key, error.problem(), error.cure());
      throw ConfigError({document_.file(), 0, 0, error.where().key}, error.problem(), error.cure());
    }
  }

  [[nodiscard]] std::optional<double> learning_rate(Settings const& settings) const {
    if (!settings.rule) return options_.lr ? options_.lr : options_.automatic.lr;
    return std::visit([](auto const& config) { return config.lr; }, *settings.rule);
  }

  /// OneCycle moves β₁, and in DeepSpeed nothing of rules that have none.
  void leave_momentum_alone(Settings& settings) {
    if (!settings.rule || !settings.schedule) return;
    bool const has_betas = std::visit(
        [](auto const& rule) {
          return requires { rule.beta1; };
        },
        *settings.rule);
    auto const* const cycle = settings.schedule->get_if<schedule::OneCycle>();
    if (has_betas || cycle == nullptr || !cycle->config().cycles_momentum) return;
    auto config = cycle->config();
    config.cycles_momentum = false;
    settings.schedule = schedule::OneCycle(config);
    raw_.notes.push_back(
        {"scheduler.params.cycle_momentum",
         std::string(name(*settings.rule)) + " has no betas, and keeps its momentum, as in DeepSpeed"});
  }

  [[nodiscard]] std::optional<PrecisionChoice> precision() const {
    if (raw_.fp16.is_enabled && raw_.bf16.is_enabled) {
      raw_.bf16.enabled->fail("fp16 is enabled, too", "enable one of them");
    }
    if (!raw_.fp16.section && !raw_.bf16.section && !raw_.gradient_sum_type) return std::nullopt;
    PrecisionChoice choice;
    if (raw_.bf16.is_enabled) choice.compute = ElementType::bf16;
    if (raw_.fp16.is_enabled) {
      choice.compute = ElementType::fp16;
      choice.scale = scale();
    }
    if (raw_.gradient_sum_type) choice.sum = sum_type();
    return choice;
  }

  [[nodiscard]] ScaleChoice scale() const {
    auto const& fp16 = raw_.fp16;
    if (fp16.loss_scale > 0.0) return StaticScale::Config{.scale = static_cast<float>(fp16.loss_scale)};
    float initial = 1.0F;
    for (std::uint64_t k = 0; k < fp16.initial_scale_power; ++k) initial *= 2.0F;
    auto const minimum = static_cast<float>(fp16.min_loss_scale);
    if (initial < minimum) {
      fp16.enabled->fail_name("2 to the power of initial_scale_power is below min_loss_scale",
                              "raise initial_scale_power, or lower min_loss_scale");
    }
    return DynamicScale::Config{.initial = initial,
                                .minimum = minimum,
                                .window = static_cast<std::uint32_t>(fp16.loss_scale_window),
                                .hysteresis = static_cast<std::uint32_t>(fp16.hysteresis),
                                .consecutive_hysteresis = fp16.consecutive_hysteresis};
  }

  /// The type that \p entry names, as DeepSpeed and PyTorch spell it.
  [[nodiscard]] static ElementType type_of(Entry const& entry) {
    auto name = lower_case(entry.string());
    if (name.starts_with("torch.")) name.erase(0, 6);
    if (name == "fp32" || name == "float32" || name == "float") return ElementType::fp32;
    if (name == "bf16" || name == "bfloat16") return ElementType::bf16;
    if (name == "fp16" || name == "float16" || name == "half") return ElementType::fp16;
    entry.fail(entry.text() + " is no type", "write \"fp32\", \"bf16\" or \"fp16\"");
  }
  [[nodiscard]] ElementType sum_type() const {
    auto const type = type_of(*raw_.gradient_sum_type);
    if (type == ElementType::fp16) {
      raw_.gradient_sum_type->fail("sums of gradients overflow in fp16", "write \"fp32\" or \"bf16\"");
    }
    return type;
  }

  /// What must be the type of the gradients, which the trainer may have to say.
  void check_types(Settings const& settings) {
    for (auto const& entry : {raw_.communication_data_type, raw_.parameter_type}) {
      if (!entry) continue;
      auto const type = type_of(*entry);
      if (!settings.precision) {
        entry->fail("the type of the gradients is not said here", "enable fp16 or bf16, or leave it out");
      }
      if (type == settings.precision->compute) continue;
      entry->fail(
          entry->text() + " is not the type of the gradients, " + std::string(name(settings.precision->compute)),
          "leave it out: they travel in that type, and are added in fp32");
    }
  }

  [[nodiscard]] std::optional<Sharding> sharding() {
    auto const& zero = raw_.zero;
    if (!zero.section) return std::nullopt;
    Sharding sharding{.stage = static_cast<Stage>(zero.stage)};
    if (!zero.offloads) {
      for (auto const& without_device : {zero.ratio_entry, zero.delayed_update}) {
        if (!without_device) continue;
        raw_.notes.push_back({without_device->key(), "nothing is offloaded: write \"device\": \"cpu\" beside it"});
      }
    } else {
      if (zero.delays_update && zero.ratio < 1.0) {
        zero.delayed_update->fail("what stays on the device would not be updated late",
                                  "leave \"ratio\" out, or \"delayed_update\"");
      }
      sharding.offload = CpuOffload::Config{.device_share = 1.0 - zero.ratio, .delayed_update = zero.delays_update};
    }
    sharding.bucket_elements = zero.reduce_bucket_size;
    sharding.missing_gradient = zero.ignores_unused_parameters ? MissingGradient::zero : MissingGradient::error;
    if (sharding.stage == Stage::parameters) {
      sharding.max_live_elements = zero.max_live_parameters.value_or(0);
      sharding.prefetch_units = zero.prefetches ? 1 : 0;
      sharding.persistence_threshold = zero.param_persistence_threshold + 1;  // ours: fewer elements; there: no more
    }
    return sharding;
  }

  [[nodiscard]] static monitor::CurveFolder curve_folder(RawSettings::Monitor const& raw) {
    monitor::CurveFolder config;
    if (raw.output_path) config.output_path = raw.output_path->string();
    if (raw.job_name) config.job_name = raw.job_name->string();
    if (auto const fault = zero::detail::fault_of_output_path(config.output_path); !fault.empty()) {
      raw.output_path->fail("the path " + std::string(fault), "write a folder");
    }
    if (auto const fault = zero::detail::fault_of_job_name(config.job_name); !fault.empty()) {
      raw.job_name->fail(raw.job_name->text() + " " + std::string(fault),
                         "it is a folder's name, such as \"my-run\" or \"team/my-run\"");
    }
    return config;
  }

  [[nodiscard]] std::optional<CommunicationLog> communication_log() const {
    if (!raw_.logs_communication) return std::nullopt;
    return CommunicationLog{raw_.logs_all_operations ? std::vector<std::string>() : raw_.logged_operations};
  }

  Document const& document_;
  ReadOptions const& options_;
  RawSettings raw_;
};

}  // namespace zero::config::detail
