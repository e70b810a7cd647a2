// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "checkpoints.hpp"

#include "support/data_error.hpp"
#include "support/json_file.hpp"
#include "training/console.hpp"
#include "training/output_folders.hpp"
#include "training/run_options.hpp"
#include "training/run_settings.hpp"

#include <zero/checkpoint/export.hpp>
#include <zero/checkpoint/folder.hpp>
#include <zero/checkpoint/locate.hpp>
#include <zero/config/write.hpp>
#include <zero/utility/json.hpp>

#include <cinttypes>
#include <cstring>
#include <exception>
#include <map>
#include <span>
#include <utility>

namespace images {
namespace {

using command_line::DataError;
using training::say;

// What a checkpoint calls them.
constexpr char const *model_key = "model", *classes_key = "classes", *data_key = "data identity",
                     *validation_key = "validation identity", *history_key = "history", *epoch_sums_key = "epoch sums",
                     *unreadable_key = "unreadable pictures", *accuracy_key = "accuracy", *top5_key = "accuracy top-5",
                     *loss_key = "validation loss";

std::optional<std::string> find(zero::UserState const& state, std::string const& key) {
  auto const found = state.find(key);
  return found == state.end() ? std::nullopt : std::optional(found->second);
}

std::string to_text(std::vector<std::string> const& names) {
  zero::Json::Array list;
  for (auto const& name : names) list.emplace_back(name);
  return zero::to_text(zero::Json(std::move(list)));
}

std::vector<std::string> parse_names(std::string const& text) {
  std::vector<std::string> names;
  auto const json = command_line::parse_json(text);
  auto const* const list = json.get<zero::Json::Array>();
  if (list == nullptr) return names;
  for (auto const& item : *list) {
    if (auto const* const name = item.get<std::string>()) names.push_back(*name);
  }
  return names;
}

/// How many pictures the run had that has saved \p state: its identities of data begin with their number.
PictureCounts counts_of(zero::UserState const& state) {
  auto const number = [&](char const* key) {
    return std::strtoull(find(state, key).value_or("").c_str(), nullptr, 10);
  };
  PictureCounts counts{.training = number(data_key), .validation = number(validation_key)};
  if (auto const unreadable = find(state, unreadable_key)) counts.unreadable = UnreadablePictures::parse(*unreadable);
  return counts;
}

/// The bytes of a tensor on the host, of 32 or 16 bits, as fp32.
std::vector<float> widened(zero::NamedTensor const& tensor) {
  std::size_t count = 1;
  for (auto const size : tensor.shape) count *= size;
  std::vector<float> values(count);
  auto const take = [&]<class T>(T const* from) {
    for (std::size_t i = 0; i < count; ++i) values[i] = zero::widen(from[i]);
  };
  if (tensor.type == zero::ElementType::fp32) take(static_cast<float const*>(tensor.data));
  if (tensor.type == zero::ElementType::bf16) take(static_cast<zero::bfloat16 const*>(tensor.data));
  if (tensor.type == zero::ElementType::fp16) take(static_cast<zero::float16 const*>(tensor.data));
  return values;
}

/// Parameters and buffers, with torchvision's names. Collective.
void save_model(Learner& learner, std::string const& path, bool writes) {
  std::vector<zero::ExportedTensor> tensors;
  std::map<std::string, zero::NamedTensor> buffers;
  for (auto const& parameter : learner.parameters()) tensors.push_back({parameter.name, parameter.shape});
  for (auto& buffer : learner.buffers()) {
    if (buffer.type == zero::ElementType::int64)
      continue;  // a count, which no value depends on, and readers begin anew
    tensors.push_back({buffer.name, {buffer.shape.begin(), buffer.shape.end()}});
    buffers.emplace(buffer.name, std::move(buffer));
  }
  zero::export_safetensors(
      zero::posix_file_system(), path, tensors, writes,
      [&](std::string const& name) {
        auto const buffer = buffers.find(name);
        return buffer == buffers.end() ? learner.read_parameter(name) : widened(buffer->second);
      },
      true);
}

}  // namespace

std::optional<SavedModel> saved_model(std::string const& path, bool may_lack) {
  std::optional<zero::CheckpointLocation> place;
  try {
    place = zero::locate_checkpoint(path);
  } catch (zero::CheckpointError const& error) {
    if (!may_lack || error.kind() != zero::CheckpointFailure::not_found) throw;
    return std::nullopt;
  }
  auto const manifest = zero::CheckpointFolder(zero::posix_file_system(), place->root).manifest(place->tag);
  auto const shape = find(manifest.user_state, model_key), classes = find(manifest.user_state, classes_key);
  if (!shape || !classes) {
    throw DataError(place->root + "/" + place->tag + ": was not saved by train_images: name one that was");
  }
  return SavedModel{parse_model_shape(*shape), parse_names(*classes)};
}

Checkpoints::Checkpoints(Trainer::Communicator& ranks, Options const& options, RunData const& data,
                         ModelShape const& shape, Trainer& trainer, training::RunState& state, History& history)
    : ranks_(ranks),
      options_(options),
      data_(data),
      shape_(shape),
      trainer_(trainer),
      state_(state),
      history_(history),
      keeper_(ranks, options) {}

std::uint64_t Checkpoints::start() {
  keeper_.lock();
  auto const place = keeper_.place_to_resume();
  bool const is_another = !option_of_another_run(options_).empty();
  if (!place || is_another) check_folders();  // what is refused is, before anything is loaded
  std::optional<zero::LoadReport> loaded;
  if (place) {
    loaded = keeper_.load(
        *place, [&](zero::LoadOptions how) { return trainer_.learner().load(place->root, std::move(how)); }, [] {});
  }
  std::uint64_t const done = loaded && !options_.parameters_only ? continue_run(*loaded) : 0;
  if (!options_.client_json.empty()) state_.client = options_.client_json;
  is_new_ = !loaded || is_another;
  if (is_new_) run_ = zero::CheckpointFolder::make_nonce();
  if (place && !is_another) check_folders();
  keeper_.begin(trainer_.learner(), run_, saves_to_come(done));
  return done;
}

bool Checkpoints::may_save_after(std::uint64_t step, bool is_validated) const {
  return keeper_.saves() && (is_validated || is_time_after(step));
}

bool Checkpoints::is_time_after(std::uint64_t step) const {
  if (step == options_.iterations) return true;
  if (options_.saves_best_only || !trainer_.epochs().ends(step)) return false;
  return trainer_.epochs().done(step) % options_.save_interval.value_or(options_.eval_interval) == 0;
}

std::uint64_t Checkpoints::saves_to_come(std::uint64_t step) const {
  if (step >= options_.iterations) return 0;
  auto const interval =
      options_.saves_best_only ? options_.eval_interval : options_.save_interval.value_or(options_.eval_interval);
  return (options_.epochs - trainer_.epochs().done(step)) / interval + 1;
}

void Checkpoints::check_folders() {
  keeper_.check_folders(run_, is_new_, [&] {
    if (!options_.save_model) return;
    training::expect_new_file("--save-model", *options_.save_model, options_.overwrite || !is_new_);
  });
}

std::uint64_t Checkpoints::continue_run(zero::LoadReport const& loaded) {
  auto const& saved = loaded.user_state;
  auto const text = [&](char const* key) {
    auto const value = find(saved, key);
    if (!value) throw DataError(loaded.tag + " was not saved by train_images: use --parameters-only");
    return *value;
  };
  auto const number = [&](char const* key) { return std::strtoull(text(key).c_str(), nullptr, 10); };
  auto before = training::saved_options(saved), now = run_options(options_);
  auto const counts = counts_of(saved);
  if (text(data_key) != data_.identity()) {
    throw DataError(data_.name() + ": has other pictures than the run of " + loaded.tag +
                    " has trained on: " + difference_of_pictures(counts, data_.counts(), before, now) +
                    ", or begin a run from its parameters by --parameters-only");
  }
  std::uint64_t const steps = number("step"), per_step = trainer_.epochs().per_step;
  if (steps * per_step != number(state_.items_key.c_str())) {
    throw UsageError("--resume: the run has taken " +
                     std::to_string(number(state_.items_key.c_str()) / std::max<std::uint64_t>(steps, 1)) +
                     " pictures a step, and this one would take " + std::to_string(per_step) +
                     ", so that epochs could not be counted: give --ranks, --batch and --accumulate that make as many");
  }
  trainer_.set_seed(number("seed"));
  if (auto const configuration = find(saved, training::saved_configuration_key)) {
    training::take_configuration_values(*configuration, before);
    training::take_configuration_values(zero::config::to_json(training::settings_of(options_)), now);
  }
  auto const changes = training::differences(before, now);
  if (speaks() && !changes.empty()) say("%s", changes.c_str());
  run_ = find(saved, std::string(zero::run_id_key)).value_or("");
  trainer_.set_schedule_step(find(saved, "schedule step") ? number("schedule step") : steps);
  state_.draw(steps * trainer_.epochs().per_step, data_.training_pictures());
  state_.read(saved);
  if (auto const validated = find(saved, validation_key); validated && validated != data_.validation_identity()) {
    state_.begin_validations();
    if (speaks()) {
      say("checkpoint: it was validated on other pictures, %s then and %s now: the best is looked for anew\n",
          training::with_separators(counts.validation).c_str(),
          training::with_separators(data_.validation_pictures()).c_str());
    }
  }
  history_ = History::parse(text(history_key));
  trainer_.set_epoch_tally(Tally::parse(text(epoch_sums_key)));
  if (options_.new_optimizer) state_.in_vain = 0;
  if (options_.new_schedule) {
    state_.begin_schedule(steps);
    trainer_.set_schedule_step(0);
  }
  trainer_.set_schedule_start(state_.schedule_start);
  return steps;
}

bool Checkpoints::after_step(training::StepRecord const& record, bool is_last, std::optional<Tally> const& evaluated) {
  return keeper_.after_step(record, is_last, is_time_after(record.step),
                            [&] { return how_to_save(record, is_last, evaluated); });
}

zero::SaveOptions Checkpoints::how_to_save(training::StepRecord const& record, bool is_last,
                                           std::optional<Tally> const& evaluated) {
  auto const& epochs = trainer_.epochs();
  bool const is_whole = epochs.ends(record.step);
  zero::SaveOptions how{
      .tag = is_whole ? "epoch-" + std::to_string(epochs.done(record.step)) : "step-" + std::to_string(record.step),
      .user_state = {{"step", std::to_string(record.step)},
                     {"seed", std::to_string(trainer_.seed())},
                     {model_key, to_text(shape_)},
                     {classes_key, to_text(data_.classes())},
                     {data_key, data_.identity()},
                     {validation_key, data_.validation_identity()},
                     {unreadable_key, data_.counts().unreadable->to_text()},
                     {history_key, history_.to_json()},
                     {epoch_sums_key, trainer_.epoch_tally().to_text()},
                     {training::saved_options_key, training::to_text(run_options(options_))},
                     {training::saved_configuration_key, zero::config::to_json(training::settings_of(options_))}},
      .replace = true,
      .keep = options_.keep};
  if (evaluated) {
    how.user_state[loss_key] = training::json_number(evaluated->loss());
    how.user_state[accuracy_key] = training::json_number(evaluated->accuracy());
    how.user_state[top5_key] = training::json_number(evaluated->accuracy_top5());
  }
  state_.write(how.user_state);
  if (!run_.empty()) how.user_state[std::string(zero::run_id_key)] = run_;
  if (trainer_.schedule_step() != record.step) {
    how.user_state["schedule step"] = std::to_string(trainer_.schedule_step());
  }
  if (record.is_best) how.aliases.push_back("best");
  if (is_last) how.aliases.push_back("final");
  how.tensors = trainer_.learner().buffers();
  return how;
}

void Checkpoints::finish() {
  if (!options_.save_model) return;
  keeper_.keep_failure(keeper_.save_for_others([&] {
    save_model(trainer_.learner(), *options_.save_model, speaks());
    if (speaks()) say("model: saved in %s\n", options_.save_model->c_str());
    models_.push_back(*options_.save_model);
  }));
}

void print_scores(Tally const& tally, Confusion const& confusion, RunData const& data) {
  say("validation loss %s, accuracy %s, top-5 %s, over %s\n", training::json_number(tally.loss()).c_str(),
      training::formatted("%.2f %%", 100.0 * tally.accuracy()).c_str(),
      training::formatted("%.2f %%", 100.0 * tally.accuracy_top5()).c_str(),
      (training::with_separators(tally.pictures()) + " pictures").c_str());
  say("%s", confusion.to_table(data.classes()).c_str());
}

void evaluate_checkpoint(Trainer::Communicator& ranks, Options const& options, RunData const& data, Trainer& trainer) {
  auto const place = zero::locate_checkpoint(ranks, *options.evaluate);
  auto const loaded = trainer.learner().load(place.root, {.tag = place.tag, .parameters_only = true});
  bool const speaks = ranks.rank() == 0;
  if (speaks) {
    say("checkpoint: parameters of %s/%s, %llu updates done\n", place.root.c_str(), loaded.tag.c_str(),
        static_cast<unsigned long long>(loaded.steps));
    if (find(loaded.user_state, data_key) != data.identity()) {
      say("checkpoint: saved while training on other pictures than %s\n", data.name().c_str());
    }
  }
  auto const tally = trainer.evaluate();
  auto const confusion = trainer.confusion();
  if (speaks) print_scores(tally, confusion, data);
}

}  // namespace images
