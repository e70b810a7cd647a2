// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "model_source.hpp"

#include "data/data_identity.hpp"
#include "support/data_error.hpp"
#include "support/json_file.hpp"
#include "text/manifest.hpp"
#include "training/run_options.hpp"

#include <zero/checkpoint/folder.hpp>
#include <zero/checkpoint/locate.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <set>
#include <utility>

namespace gpt2 {
namespace {

namespace fs = std::filesystem;
using command_line::refuse_data;
using command_line::TensorSource;

/// Files of a model below \p path, which is theirs or their folder's.
ModelSource find_files(std::string const& path) {
  fs::path const given(path);
  if (!fs::exists(given)) refuse_data(path, "no such file or folder: give a model's folder, or a safetensors file");
  bool const is_folder = fs::is_directory(given);
  fs::path const folder = is_folder ? given : given.parent_path();
  ModelSource source{.tensors = path, .config = {}};
  if (fs::path const config = folder / "config.json"; fs::exists(config)) source.config = config.string();
  if (!is_folder) return source;
  fs::path tensors;
  for (char const* name : {"model.safetensors.index.json", "model.safetensors"}) {
    if (tensors.empty() && fs::exists(folder / name)) tensors = folder / name;
  }
  if (tensors.empty()) {
    bool const old = fs::exists(folder / "pytorch_model.bin");
    refuse_data(path, std::string("is a folder without model.safetensors") +
                          (old ? ": save the model with transformers and safe_serialization=True" : ""));
  }
  source.tensors = tensors.string();
  return source;
}

/// config.json, as far as this model must agree with it.
class Config {
 public:
  explicit Config(std::string path) : path_(std::move(path)), json_(command_line::read_json(path_)) {}

  /// Refuses what the model here would not compute.
  void check() const {
    expect_text("model_type", "gpt2", "this is a GPT-2");
    expect_text("activation_function", "gelu_new", "this model computes the tanh form of GELU, gelu_new");
    expect_flag("tie_word_embeddings", true, "this model's head is its token embedding");
    expect_flag("scale_attn_weights", true, "this model's attention is scaled");
    expect_flag("scale_attn_by_inverse_layer_idx", false, "this model's attention is scaled alike in all layers");
    expect_flag("add_cross_attention", false, "this model has no cross-attention");
    auto const* const epsilon = json_.find("layer_norm_epsilon");
    auto const* const value = epsilon == nullptr ? nullptr : epsilon->get<double>();
    if (value != nullptr && std::abs(*value - 1e-5) > 1e-12) {
      refuse_data(path_, "layer_norm_epsilon is not 1e-5, which this model computes with");
    }
    auto const inner = number({"n_inner"}), width = number({"n_embd"});
    if (inner && width && *inner != 4 * *width)
      refuse_data(path_, "n_inner is not 4 times n_embd, as this model has it");
  }

  /// The first of several names that says a number.
  [[nodiscard]] std::optional<std::uint64_t> number(std::vector<char const*> const& names) const {
    for (auto const* name : names) {
      auto const* const member = json_.find(name);
      if (member == nullptr || member->is_null()) continue;
      if (auto const* const value = member->get<std::uint64_t>()) return *value;
      refuse_data(path_, std::string(name) + " is no number");
    }
    return std::nullopt;
  }

  /// Refuses a config that is not that of the tensors.
  void expect(std::vector<char const*> const& names, std::size_t of_tensors) const {
    auto const mine = number(names);
    if (!mine || *mine == of_tensors) return;
    refuse_data(path_, std::string(names.front()) + " is " + std::to_string(*mine) + ", but the tensors have " +
                           std::to_string(of_tensors));
  }

 private:
  void expect_text(char const* name, std::string_view wanted, char const* why) const {
    auto const* const member = json_.find(name);
    auto const* const value = member == nullptr ? nullptr : member->get<std::string>();
    if (value != nullptr && *value != wanted)
      refuse_data(path_, std::string(name) + " is '" + *value + "', but " + why);
  }
  void expect_flag(char const* name, bool wanted, char const* why) const {
    auto const* const member = json_.find(name);
    auto const* const value = member == nullptr ? nullptr : member->get<bool>();
    if (value != nullptr && *value != wanted) {
      refuse_data(path_, std::string(name) + " is " + (*value ? "true" : "false") + ", but " + why);
    }
  }

  std::string path_;
  zero::Json json_;
};

std::vector<std::uint64_t> shape_of(TensorSource const& source, std::string const& path, char const* parameter) {
  for (auto const& name : hugging_face_names(parameter)) {
    auto shape = source.shape(name);
    if (!shape) continue;
    if (shape->size() != 2) refuse_data(path, "'" + name + "' is no matrix");
    return *shape;
  }
  refuse_data(path, std::string("lacks '") + parameter + "': it is no GPT-2 with Hugging Face's names");
}

/// The number of blocks whose names are there: from 0 on, without a gap.
std::size_t blocks_of(TensorSource const& source) {
  std::size_t layers = 0;
  auto const has = [&](std::size_t layer) {
    auto const names = hugging_face_names("h." + std::to_string(layer) + ".ln_1.weight");
    return std::any_of(names.begin(), names.end(), [&](auto const& name) { return source.shape(name).has_value(); });
  };
  while (has(layers)) ++layers;
  return layers;
}

/// What older files keep beside the parameters, by the ends of their names: the mask of the attention.
constexpr std::array<std::string_view, 2> masks{"attn.bias", "attn.masked_bias"};
bool is_called(std::string_view name, std::string_view mask) { return name.ends_with("." + std::string(mask)); }
bool is_mask(std::string_view name) {
  return std::any_of(masks.begin(), masks.end(), [&](auto const mask) { return is_called(name, mask); });
}

/// Refuses tensors that no parameter would take, because a model without them is another model.
void expect_all_used(TensorSource& source, std::string const& path, ModelShape const& shape) {
  std::set<std::string> used;
  std::string embedding;
  for (auto const& parameter : parameter_shapes(shape)) {
    for (auto const& name : hugging_face_names(parameter.name)) {
      if (!source.shape(name)) continue;
      used.insert(name);
      if (parameter.name == "wte.weight") embedding = name;
      break;
    }
  }
  std::vector<std::string> unused;
  for (auto const& name : source.names()) {
    if (used.contains(name) || is_mask(name)) continue;
    if (name == "lm_head.weight") {
      if (source.are_equal(name, embedding)) continue;
      refuse_data(path, "'lm_head.weight' is not the token embedding: this model's head is tied to it");
    }
    unused.push_back(name);
  }
  if (unused.empty()) return;
  refuse_data(path, "has '" + unused.front() + "'" +
                        (unused.size() > 1 ? " and " + std::to_string(unused.size() - 1) + " more tensors" : "") +
                        ", which this model would leave out");
}

/// Gives one part of the shape to the options, unless they say another.
void take(Options& options, char const* name, std::size_t& mine, std::size_t theirs, std::string const& where) {
  bool const said = options.asked.has(name) || (options.model && std::string_view(name) != "--context");
  if (said && mine != theirs) {
    throw UsageError(std::string(name) + " " + std::to_string(mine) + ": the model of " + where + " has " +
                     std::to_string(theirs) + ": leave the option out, or give another model");
  }
  mine = theirs;
}

/// A run whose result depends on the number of micro-batches goes on with as many, unless it is asked for another.
void take_micro_batches(Options& options, std::optional<int> of_checkpoint, std::string const& where) {
  if (!of_checkpoint || options.micro_batches) return;
  if (options.asked.has("--accumulate")) {
    throw UsageError("--accumulate " + std::to_string(options.accumulate) + ": the run of " + where + " has " +
                     std::to_string(*of_checkpoint) +
                     " micro-batches per step of all ranks: leave it out, or give --micro-batches");
  }
  options.micro_batches = of_checkpoint;
}

/// What decides an evaluation's losses beside the parameters, as the run had it, unless it is asked for otherwise.
void take_evaluation(Options& options, zero::Manifest const& manifest) {
  auto const& asked = options.asked;
  if (!asked.has("--precision")) options.precision = manifest.compute;
  auto const seed = manifest.user_state.find("seed");
  if (seed != manifest.user_state.end() && !asked.has("--seed"))
    options.seed = std::strtoull(seed->second.c_str(), nullptr, 10);
  auto const said = saved_options(manifest.user_state);
  auto const number = [&](char const* name, auto& to) {
    auto const found = said.find(name);
    if (found != said.end() && !asked.has(name))
      to = static_cast<std::size_t>(std::strtoull(found->second.c_str(), nullptr, 10));
  };
  number("--batch", options.batch);
  number("--eval-batches", options.eval_batches);
  if (!asked.has("--eval-batches")) number("--eval-train-batches", options.eval_train_batches);
}

}  // namespace

ModelSource open_model(std::string const& path) {
  auto source = find_files(path);
  TensorSource tensors(source.tensors);
  auto const embedding = shape_of(tensors, source.tensors, "wte.weight");
  auto const positions = shape_of(tensors, source.tensors, "wpe.weight");
  source.shape = {.layers = blocks_of(tensors),
                  .heads = 0,
                  .width = static_cast<std::size_t>(embedding[1]),
                  .context = static_cast<std::size_t>(positions[0]),
                  .vocabulary = static_cast<std::size_t>(embedding[0])};
  if (source.shape.layers == 0) refuse_data(source.tensors, "lacks 'h.0.ln_1.weight': it has no block");
  if (source.config) {
    Config const config(*source.config);
    config.check();
    config.expect({"n_layer"}, source.shape.layers);
    config.expect({"n_embd"}, source.shape.width);
    config.expect({"n_positions", "n_ctx"}, source.shape.context);
    config.expect({"vocab_size"}, source.shape.vocabulary);
    auto const heads = config.number({"n_head"});
    if (!heads || *heads == 0 || source.shape.width % *heads != 0) {
      refuse_data(*source.config, "n_head does not say how many heads share the width");
    }
    source.shape.heads = static_cast<std::size_t>(*heads);
  }
  expect_all_used(tensors, source.tensors, source.shape);
  return source;
}

std::string left_out(TensorSource const& source) {
  auto const names = source.names();
  std::string text;
  for (auto const mask : masks) {
    auto const count =
        std::count_if(names.begin(), names.end(), [&](auto const& name) { return is_called(name, mask); });
    if (count > 0) text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + std::string(mask);
  }
  return text;
}

void take_shape(ModelSource const& source, Options& options) {
  auto const& where = source.tensors;
  take(options, "--layers", options.layers, source.shape.layers, where);
  take(options, "--width", options.width, source.shape.width, where);
  if (source.shape.heads > 0) {
    take(options, "--heads", options.heads, source.shape.heads, *source.config);
  } else if (!options.asked.has("--heads") && !options.model) {
    throw UsageError("--init-from " + where + ": no config.json beside it says how many heads it has: give --heads");
  }
  if (options.asked.has("--context") && options.context > source.shape.context) {
    throw UsageError("--context " + std::to_string(options.context) + ": the model of " + where + " has " +
                     std::to_string(source.shape.context) + " positions: give no more");
  }
  if (!options.asked.has("--context")) options.context = source.shape.context;
  check_heads(options);
}

std::optional<std::size_t> take_shape_of_checkpoint(std::string const& path, Options& options) {
  if (zero_text::is_folder_of_shards(path)) {
    refuse_data(path, "is a folder of tokens, which a model is trained on: give a checkpoint, or the folder of them");
  }
  std::optional<zero::CheckpointLocation> place;
  try {
    place = zero::locate_checkpoint(path);
  } catch (zero::CheckpointError const& error) {
    if (options.resume != "auto" || error.kind() != zero::CheckpointFailure::not_found) throw;
    return std::nullopt;
  }
  auto const manifest = zero::CheckpointFolder(zero::posix_file_system(), place->root).manifest(place->tag);
  std::string const where = place->root + "/" + place->tag;
  std::size_t layers = 0, vocabulary = 0;
  for (auto const& parameter : manifest.parameters) {
    if (parameter.name == "wte.weight" && parameter.shape.size() == 2) {
      take(options, "--width", options.width, static_cast<std::size_t>(parameter.shape[1]), where);
      vocabulary = static_cast<std::size_t>(parameter.shape[0]);
    } else if (parameter.name == "wpe.weight" && !parameter.shape.empty()) {
      take(options, "--context", options.context, static_cast<std::size_t>(parameter.shape[0]), where);
    } else if (parameter.name.ends_with(".ln_1.weight")) {
      ++layers;
    }
  }
  if (layers > 0) take(options, "--layers", options.layers, layers, where);
  if (auto const said = saved_options(manifest.user_state); said.contains("--heads")) {
    take(options, "--heads", options.heads, std::stoull(said.at("--heads")), where);
  }
  check_heads(options);
  // The run's own data are compared with what they were: those that take their place are to have their characters.
  auto const data = manifest.user_state.find(DataIdentity::key);
  bool const may_have_others = options.evaluate || options.parameters_only || options.continue_with;
  if (data != manifest.user_state.end() && may_have_others) {
    options.characters = DataIdentity::parse(data->second).characters;
  }
  if (options.evaluate) {
    take_evaluation(options, manifest);
    options.evaluate = where;
  } else if (!options.parameters_only) {
    take_micro_batches(options, manifest.micro_batches_per_step, where);
  }
  return vocabulary;
}

}  // namespace gpt2
