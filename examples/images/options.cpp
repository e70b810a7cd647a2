// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "options.hpp"

#include "models/model_shape.hpp"
#include "support/settings.hpp"
#include "training/ending.hpp"
#include "training/option_groups.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace images {
namespace {

using training::many;
using Group = command_line::Group<Options>;
using Groups = training::OptionGroups<Options>;
using Settings = command_line::Settings<Options>;
template <class Value, std::size_t N>
using Choices = command_line::Choices<Value, N>;

Group data_group() {
  return {
      "data",
      {{.name = "--data",
        .value = "FOLDER",
        .help = "a folder of JPEG and PNG files, with a folder for each class, or with train and val that have those; "
                "or cifar-10-batches-bin, cifar-100-binary or one of the same layout; or synthetic:N, N pictures of "
                "noise, which "
                "cost nothing to read",
        .setting = Settings::text(&Options::data),
        .usual = "none: it must be given",
        .alias = "--train_dir"},
       {.name = "--val-data",
        .value = "FOLDER",
        .help = "pictures to validate on, of the same classes; all of them, where FOLDER has no part val",
        .setting = Settings::text(&Options::validation_data),
        .usual = "part of --data",
        .alias = "--val_dir"},
       {"--val-share", "X",
        "of a folder without a part val: share of its pictures to validate on, chosen by a hash of their names",
        Settings::real(&Options::validation_share, 0.0, 0.9, "a number in [0, 0.9]")},
       {"--image-size", "N", "side of what the model sees of JPEG and PNG files",
        Settings::whole(&Options::image_size, 8, 4096), "224"},
       {"--augment", "none|crop",
        "how training changes pictures: not at all; a random crop, of up to 64 pixels of the picture with a border of "
        "an eighth, else of 8 to 100 % of its area, resized; and a flip",
        Settings::choice(&Options::augment,
                         Choices<AugmentChoice, 2>{{{"none", AugmentChoice::none}, {"crop", AugmentChoice::crop}}})},
       {.name = "--workers",
        .value = "N",
        .help = "threads of each rank that load pictures; 0: the rank does so itself",
        .setting = Settings::whole(&Options::workers, 0, 256),
        .alias = "--num_workers"},
       {"--prefetch", "N", "micro-batches that the workers of a rank load ahead",
        Settings::whole(&Options::prefetch, 0, 1 << 16)},
       {"--cache", "SIZE", "memory for decoded JPEG and PNG files: the first that are read stay, until it is full",
        Settings::size(&Options::cache)},
       {"--max-pixels", "N", "a picture that has more is refused",
        Settings::whole(&Options::most_pixels, 1, std::uint64_t{1} << 32)},
       {"--skip-unreadable", "[on|off]",
        "decode all JPEG and PNG files before the first step, and leave out those that cannot be, with their number",
        Settings::flag(&Options::skip_unreadable)},
       {"--show-batch", "FILE",
        "draw the micro-batch that the run takes first as the model sees it, as PNG, before its first step",
        Settings::text(&Options::show_batch)}}};
}

Group model_group() {
  return {
      "model",
      {{"--model",
        "resnet18|resnet34|resnet50|mlp",
        "a residual network, or one hidden layer",
        {[](Options& o, std::string_view name, std::string_view value) {
           auto const names = model_names();
           if (std::find(names.begin(), names.end(), value) == names.end()) {
             command_line::reject(name, value, "resnet18, resnet34, resnet50 or mlp");
           }
           o.model = std::string(value);
         },
         [](Options const& o) { return o.model; }}},
       {"--classes", "N", "of the model, where it is to have more than the data",
        Settings::whole(&Options::classes, 1, 1 << 20), "those of the data"},
       {"--small-stem", "[on|off]",
        "a first convolution of 3x3 without stride, and no max-pool, of a ResNet for small pictures",
        Settings::flag(&Options::small_stem)},
       {"--base-width", "N", "channels of a ResNet's first stage; 64 is the published network",
        Settings::whole(&Options::base_width, 1, 1 << 12)},
       {"--hidden", "N", "width of the hidden layer, of --model mlp", Settings::whole(&Options::hidden, 1, 1 << 20)}}};
}

Group place_group() {
  auto group = Groups::place();
  for (auto const* const name : {"--cuda-graph", "--recompute"}) leave_out(group, name);
  option_of(group, "--device").help = "where ranks compute; cuda: each on a GPU, in a process of its own";
  option_of(group, "--ranks").help = "ranks, as threads of this process; on GPUs: the launcher's processes";
  option_of(group, "--threads").help = "threads of torch, for each rank";
  return group;
}

Group training_group() {
  auto group = Groups::training();
  leave_out(group, "--iterations");
  group.options.insert(
      group.options.begin(),
      {"--epochs", "N", "passes over the data: the run ends with the first step that completes the last one",
       Settings::whole(&Options::epochs, 1, 1 << 20)});
  auto& batch = option_of(group, "--batch");
  batch.help = "pictures of a micro-batch, on each rank";
  batch.alias = "--batch_size";
  auto& optimizer = option_of(group, "--optimizer");
  optimizer.value = "adamw|sgd";
  optimizer.help = "the rule that updates parameters";
  using training::RuleName;
  optimizer.setting =
      Settings::choice(&Options::optimizer, Choices<RuleName, 2>{{{"adamw", RuleName::adamw}, {"sgd", RuleName::sgd}}});
  option_of(group, "--weight-decay").help = "weight decay, of weights of convolutions and layers only";
  option_of(group, "--beta2").help = "AdamW's decay of squared gradients";
  option_of(group, "--seed").help = "seed of initial values, data order and augmentation";
  return group;
}

Group validation_group() {
  return {"validation",
          {{"--eval-interval", "N", "epochs between validations", Settings::whole(&Options::eval_interval, 1, many)},
           {"--patience", "N", "end the run after N validations in a row whose loss is no improvement; 0: never",
            Settings::whole(&Options::patience, 0, many)},
           {"--min-delta", "X", "how much lower than the last improvement a validation must be to be one",
            Settings::real(&Options::min_delta, 0.0, training::largest, training::up_to_largest)},
           {"--evaluate", "CHECKPOINT",
            "say loss and accuracy of a checkpoint, of any number of ranks, and end: writes nothing",
            Settings::text(&Options::evaluate)}}};
}

Group output_group() {
  auto group = Groups::output("train_images");
  group.options.push_back({"--history", "FILE",
                           "losses, accuracies, learning rates and times of epochs, in JSON, for zero-plot",
                           Settings::text(&Options::history)});
  group.options.push_back({"--save-model", "FILE",
                           "at the end, parameters and buffers with torchvision's names, in safetensors",
                           Settings::text(&Options::save_model)});
  return group;
}

Group checkpoint_group() {
  auto group = Groups::checkpoint();
  leave_out(group, "--tag");
  option_of(group, "--checkpoint-dir").help =
      "saves to DIR/epoch-N, in the background, at the end and, as DIR/step-N, on SIGTERM, SIGINT or SIGUSR1";
  option_of(group, "--save-interval").help = "epochs between checkpoints";
  option_of(group, "--save").help =
      "interval: each --save-interval epochs, and when a validation is the best so far; best: then only, and at the "
      "end";
  option_of(group, "--overwrite").help =
      "take --checkpoint-dir and --save-model from what is there; curves of another run go at once";
  group.options.push_back({"--init-from", "FILE",
                           "initial parameters and buffers, a safetensors file with torchvision's names; a head of "
                           "another number of classes is drawn",
                           Settings::text(&Options::init_from)});
  return group;
}

/// What --evaluate leaves something to say to.
constexpr std::array evaluation_options{
    "--evaluate",        "--config", "--deepspeed", "--data",       "--val-data",  "--workers", "--prefetch",
    "--device",          "--ranks",  "--threads",   "--image-size", "--val-share", "--cache",   "--max-pixels",
    "--skip-unreadable", "--stage",  "--offload",   "--precision",  "--deadline",  "--batch"};

void check_model(Options const& o) {
  if (o.model == "mlp") {
    if (o.small_stem) throw UsageError("--small-stem: --model mlp has no stem: leave it out");
    if (o.asked.has("--base-width")) throw UsageError("--base-width: is of a ResNet: leave it out, or use --hidden");
  } else if (o.asked.has("--hidden")) {
    throw UsageError("--hidden: needs --model mlp");
  }
}

/// Files that a run writes are each its own: the last writer of a shared one would be all that is left.
void check_files(Options const& o) {
  std::array const files{std::pair("--history", &o.history), std::pair("--save-model", &o.save_model),
                         std::pair("--show-batch", &o.show_batch), std::pair("--log", &o.log)};
  for (std::size_t i = 0; i < files.size(); ++i) {
    for (std::size_t k = i + 1; k < files.size(); ++k) {
      auto const &a = *files[i].second, &b = *files[k].second;
      if (!a || !b || std::filesystem::path(*a).lexically_normal() != std::filesystem::path(*b).lexically_normal())
        continue;
      throw UsageError(files[k].first + (" " + *b) + ": is the file of " + files[i].first + ", too: give each its own");
    }
  }
}

}  // namespace

// Those of a small network from scratch; weight decay as torchvision's reference has it.
Options::Options() {
  batch = 64;
  weight_decay = 1e-4;
  beta2 = 0.999;
  clip = 0.0;
  eval_interval = 1;
  workers = 2;
  seed = 1337;
  tag = "epoch";
}

void check_options(Options& options) {
  training::take_job_name(options);
  if (!options.data) throw UsageError("--data: is needed: the folder of the pictures");
  training::check_loading(options);
  if (options.evaluate) return training::check_evaluation(options, evaluation_options);
  check_model(options);
  check_files(options);
  training::check_training(options);
  training::check_checkpoints(options, options.save_model.has_value(), "--save-model");
  training::check_saving(options);
}

Options parse_options(std::span<char const* const> arguments) {
  return command_line::parsed(command(), arguments, [](Options& options) {
    training::check_configuration(options);
    if (!options.config) check_options(options);  // else it says its part first
  });
}

command_line::Command<Options> const& command() {
  static command_line::Command<Options> const made{
      .name = "train_images",
      .synopsis = "--data FOLDER [OPTION...]",
      .what = "Trains an image classifier on pictures, with an optimizer that ZeRO shards over ranks.",
      .groups = {Groups::configuration(), data_group(), model_group(), place_group(), training_group(),
                 validation_group(), output_group(), checkpoint_group()},
      .exit_codes = training::exit_codes()};
  return made;
}

training::NamedOptions run_options(Options const& options) {
  constexpr std::array own{"--model",   "--classes", "--small-stem", "--base-width",      "--hidden", "--image-size",
                           "--augment", "--epochs",  "--val-share",  "--skip-unreadable", "--threads"};
  return training::named_options(command(), options, own);
}

}  // namespace images
