// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "run_options.hpp"

#include "support/json_file.hpp"
#include "support/settings.hpp"

#include <zero/utility/json.hpp>
#include <zero/utility/shortest_number.hpp>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace training {
namespace {

constexpr std::array kept_options{
    "--ranks",      "--stage",     "--precision",     "--offload",      "--delayed-update", "--reduce",
    "--iterations", "--batch",     "--accumulate",    "--lr",           "--min-lr",         "--warmup",
    "--schedule",   "--decay",     "--skipped-step",  "--weight-decay", "--beta2",          "--micro-batches",
    "--clip",       "--seed",      "--eval-interval", "--optimizer",    "--momentum",       "--loss-scale",
    "--patience",   "--min-delta", "--recompute"};

/// Of those that a run keeps, what another value of changes the bits.
constexpr std::array decisive{"--precision",    "--delayed-update", "--reduce",         "--iterations", "--batch",
                              "--lr",           "--min-lr",         "--warmup",         "--schedule",   "--decay",
                              "--skipped-step", "--weight-decay",   "--beta2",          "--clip",       "--optimizer",
                              "--momentum",     "--loss-scale",     "--dropout",        "--augment",    "--epochs",
                              "--threads",      "--val-share",      "--skip-unreadable"};

template <std::size_t N>
bool has(std::array<char const*, N> const& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::uint64_t number(NamedOptions const& options, char const* name) {
  auto const found = options.find(name);
  return found == options.end() ? 0 : std::strtoull(found->second.c_str(), nullptr, 10);
}

std::uint64_t micro_batches(NamedOptions const& options) {
  auto const of_all = number(options, "--micro-batches");
  return of_all > 0 ? of_all : number(options, "--ranks") * number(options, "--accumulate");
}

/// What else of a configuration changes the bits: no option says it, and no state of the engine's that a checkpoint
/// holds. Those of a scheduler besides.
constexpr std::array decisive_values{"optimizer.params.adam_w_mode",
                                     "optimizer.params.betas[0]",
                                     "optimizer.params.eps",
                                     "optimizer.params.dampening",
                                     "optimizer.params.nesterov",
                                     "optimizer.params.lr_decay",
                                     "fp16.loss_scale",
                                     "fp16.loss_scale_window",
                                     "fp16.hysteresis",
                                     "fp16.consecutive_hysteresis",
                                     "fp16.min_loss_scale"};

void take_values(zero::Json const& value, std::string const& key, NamedOptions& named) {
  if (auto const* const object = value.get<zero::Json::Object>()) {
    std::string const prefix = key.empty() ? key : key + ".";
    for (auto const& [name, member] : *object) take_values(member, prefix + name, named);
  } else if (auto const* const array = value.get<zero::Json::Array>(); array && key == "optimizer.params.betas") {
    take_values(array->front(), key + "[0]", named);
  } else if (key.starts_with("scheduler.") || has(decisive_values, key)) {
    auto const* const number = value.get<double>();
    named[key] = number != nullptr ? zero::shortest_number(*number) : zero::to_text(value);
  }
}

/// Whether \p name need not be compared, as something that comes before it differs or rules.
bool is_moot(std::string_view name, NamedOptions const& saved, NamedOptions const& now) {
  auto const differs = [&](char const* other) {
    auto const a = saved.find(other), b = now.find(other);
    return a != saved.end() && b != now.end() && a->second != b->second;
  };
  if (name.starts_with("optimizer.")) return differs("--optimizer");
  if (name.starts_with("fp16.")) return differs("--precision") || differs("--loss-scale");
  if (!name.starts_with("scheduler.")) return false;
  bool const by_options = saved.contains("--schedule") && now.contains("--schedule");
  return by_options || (name != "scheduler.type" && differs("scheduler.type"));
}

/// Whether the global sequence of micro-batches is summed in another order.
bool splits_otherwise(NamedOptions const& a, NamedOptions const& b) {
  bool const once = a.contains("--reduce") && a.at("--reduce") == "once_per_step";
  bool const same_parts = number(a, "--ranks") == number(b, "--ranks");
  bool const same_whole = micro_batches(a) == micro_batches(b);
  return !(same_whole && (same_parts || !once));
}

}  // namespace

bool is_kept(std::string_view name) { return has(kept_options, name); }

void say_defaults(CommonOptions const& options, NamedOptions& named) {
  if (!options.loss_scale) named.erase("--loss-scale");
  named.erase(options.micro_batches ? "--accumulate" : "--micro-batches");
  bool const each = options.stage >= zero::Stage::gradients || options.micro_batches;
  bool const local = options.reduce.value_or(each ? zero::Reduce::each_micro_batch : zero::Reduce::once_per_step) ==
                     zero::Reduce::once_per_step;
  named["--reduce"] = local ? "once_per_step" : "each_micro_batch";
  named["--min-lr"] = zero::shortest_number(lowest_learning_rate(options));
  named["--warmup"] = std::to_string(warmup_steps(options));
  named["--decay"] = std::to_string(decay_steps(options));
  if (options.shape != ScheduleChoice::wsd) named.erase("--decay");
  if (options.schedule) {  // a file's, which none of these says
    for (auto const* const name : {"--lr", "--min-lr", "--warmup", "--schedule", "--decay"}) named.erase(name);
  }
}

std::string to_text(NamedOptions const& options) {
  zero::Json::Object object;
  for (auto const& [name, value] : options) object.emplace_back(name, value);
  return zero::to_text(zero::Json(std::move(object)));
}

NamedOptions saved_options(zero::UserState const& state) {
  NamedOptions options;
  auto const found = state.find(saved_options_key);
  if (found == state.end()) return options;
  auto const json = command_line::parse_json(found->second);
  auto const* const object = json.get<zero::Json::Object>();
  if (object == nullptr) return options;
  for (auto const& [name, value] : *object) {
    if (auto const* const text = value.get<std::string>()) options[name] = *text;
  }
  if (!options.empty()) options.try_emplace("--dropout", "0");  // of versions that had none
  return options;
}

void take_configuration_values(std::string const& configuration, NamedOptions& named) {
  take_values(command_line::parse_json(configuration), "", named);
}

std::string differences(NamedOptions const& saved, NamedOptions const& now) {
  std::string all, changing;
  auto const schedule = now.find("--schedule");
  bool const has_end = schedule != now.end() && schedule->second != "constant";
  for (auto const& [name, value] : now) {
    auto const before = saved.find(name);
    if (before == saved.end() || before->second == value || name == "--seed" || is_moot(name, saved, now)) continue;
    all.append(all.empty() ? "" : ", ").append(name).append(" ").append(before->second).append(", now ").append(value);
    bool const is_value = !name.starts_with("--");
    if (is_value || (has(decisive, name) && !(name == "--iterations" && !has_end)))
      changing.append(changing.empty() ? "" : ", ").append(name);
  }
  std::string lines;
  if (!all.empty()) lines += "checkpoint: saved with " + all + "\n";
  if (!saved.empty() && splits_otherwise(saved, now)) {
    bool const of_all = !now.contains("--accumulate");
    changing += std::string(changing.empty() ? "" : ", ") + (of_all ? "--micro-batches" : "--ranks and --accumulate");
  }
  if (!changing.empty()) lines += "checkpoint: so the run goes on with other bits, because of " + changing + "\n";
  auto const seed = saved.find("--seed");
  if (seed != saved.end() && seed->second != now.at("--seed")) {
    lines += "checkpoint: the run keeps its seed, " + seed->second + ", for --seed " + now.at("--seed") + "\n";
  }
  return lines;
}

}  // namespace training
