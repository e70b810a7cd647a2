// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "text_source.hpp"

#include "../data/data_identity.hpp"
#include "../hugging_face.hpp"
#include "../model_source.hpp"
#include "../saved_tokenizer.hpp"
#include "../tokens.hpp"
#include "support/data_error.hpp"
#include "support/json_file.hpp"
#include "support/tensor_source.hpp"
#include "support/usage_error.hpp"
#include "text/manifest.hpp"
#include "text_file.hpp"
#include "training/run_options.hpp"

#include <zero/checkpoint/consolidate.hpp>
#include <zero/checkpoint/locate.hpp>
#include <zero/kernels/float_types.hpp>
#include <zero/utility/fingerprint.hpp>
#include <zero/utility/utf8.hpp>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <utility>
#include <vector>

namespace gpt2 {
namespace {

using command_line::refuse_data;

namespace fs = std::filesystem;

/// Whether \p path is a model as `transformers` saves it, or a part of one.
bool is_hugging_face(fs::path const& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) {
    for (auto const* name : {"config.json", "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin"}) {
      if (fs::exists(path / name, error)) return true;
    }
    return false;
  }
  return path.extension() == ".safetensors" || path.extension() == ".json";
}

std::size_t heads_of(std::string const& name, std::size_t said, std::size_t width, TextSourceHints const& hints) {
  if (said > 0 && hints.heads && *hints.heads != said) {
    throw UsageError("--heads " + std::to_string(*hints.heads) + ": the model of " + name + " has " +
                     std::to_string(said) + ": leave the option out");
  }
  std::size_t const heads = said > 0 ? said : hints.heads.value_or(0);
  if (heads == 0) throw UsageError("--model " + name + ": nothing there says how many heads it has: give --heads");
  if (width % heads != 0) {
    throw UsageError("--heads " + std::to_string(heads) + ": must divide the width, " + std::to_string(width));
  }
  return heads;
}

// -------------------------------------------------------------------------------------------------------- vocabulary

std::u32string code_points(std::string_view text, std::string const& name) {
  std::u32string codes;
  for (std::size_t at = 0; at < text.size();) {
    auto const character = zero::first_utf8(text.substr(at));
    if (!character) refuse_data(name, "is not UTF-8 text (byte " + std::to_string(at) + ")");
    codes += character->code;
    at += character->bytes;
  }
  return codes;
}

/// The characters of a text, as train_gpt2 numbers them.
zero_text::Tokenizer characters_of_text(std::string const& path) {
  auto const text = code_points(read_text_file(path), path);
  std::set<char32_t> const codes(text.begin(), text.end());
  return zero_text::Tokenizer::of_characters(std::u32string(codes.begin(), codes.end()));
}

/// What a model's files say of its tokens.
struct KnownTokens {
  std::optional<zero_text::Tokenizer> vocabulary{};  ///< nothing where it is not there, or nobody says it
  std::uint64_t hash = 0;                            ///< of the tokenizer's file; 0: not known
};

bool mean_the_same(zero_text::Tokenizer const& a, zero_text::Tokenizer const& b) {
  if (a.vocabulary() != b.vocabulary()) return false;
  for (zero_text::TokenId token = 0; token < a.vocabulary(); ++token) {
    if (a.bytes_of(token) != b.bytes_of(token)) return false;
  }
  return true;
}

/// The vocabulary that a user has named, or else the one that \p read finds, a KnownTokens. \throws DataError where the
/// first contradicts the second, unless that is meant.
template <class Read>
std::optional<zero_text::Tokenizer> choose_vocabulary(std::string const& model, TextSourceHints const& hints,
                                                      Read&& read) {
  if (!hints.characters && !hints.tokenizer) return read().vocabulary;
  std::string const option = hints.characters ? "--data " + *hints.characters : "--tokenizer " + *hints.tokenizer;
  std::uint64_t hash = 0;
  std::optional<zero_text::Tokenizer> named;
  if (hints.characters) {
    named = characters_of_text(*hints.characters);
  } else {
    named = zero_text::Tokenizer::load(*hints.tokenizer);
    hash = zero::fingerprint_of(zero_text::read_tokenizer_text(*hints.tokenizer).text);
  }
  if (hints.allows_other_tokenizer) return named;
  KnownTokens known;
  try {
    known = read();
  } catch (DataError const&) {  // what is not used need not be whole
  }
  if (known.hash != 0 && known.hash == hash) return named;
  bool const fits = known.vocabulary ? mean_the_same(*known.vocabulary, *named) : known.hash == 0;
  if (fits) return named;
  throw DataError(option + ": is not what the tokens of " + model +
                  " stand for, as that says: leave the option out, or give --allow-other-tokenizer, too");
}

// ----------------------------------------------------------------------------------------------------- transformers

/// The token that a model's configuration ends texts with, where it says one.
std::optional<Token> end_of(std::string const& config, ModelShape const& shape) {
  auto const json = command_line::read_json(config);
  auto const* member = json.find("eos_token_id");
  if (member == nullptr || member->is_null()) return std::nullopt;
  if (auto const* const list = member->get<zero::Json::Array>()) {
    if (list->size() != 1)
      refuse_data(config, "eos_token_id lists several tokens, but one is read: name the one that ends texts");
    member = &list->front();
  }
  auto const* const id = member->get<std::uint64_t>();
  if (id == nullptr) refuse_data(config, "eos_token_id is no token's number: name the token that ends texts, or null");
  if (*id < shape.vocabulary) return static_cast<Token>(*id);
  constexpr std::uint64_t usual =
      50256;  // transformers writes it for a vocabulary of any size, of which nobody says more
  if (*id == usual) return std::nullopt;
  refuse_data(config, "eos_token_id is " + std::to_string(*id) + ", but the vocabulary is " +
                          std::to_string(shape.vocabulary) + ": name a token of it, or null");
}

/// What the tokenizer says that lies beside a model.
KnownTokens tokens_beside(fs::path const& tensors) {
  auto const folder = tensors.has_parent_path() ? tensors.parent_path() : fs::path(".");
  std::error_code error;
  for (auto const* const name : {"tokenizer.json", "vocab.json"}) {
    if (fs::exists(folder / name, error)) return {zero_text::Tokenizer::load(folder), 0};
  }
  return {};
}

TextSource of_hugging_face(std::string const& path, TextSourceHints const& hints) {
  auto const found = open_model(path);
  TextSource source{.name = path, .shape = found.shape, .read = {}};
  source.shape.heads = heads_of(path, found.shape.heads, found.shape.width, hints);
  if (found.config) source.end_of_text = end_of(*found.config, source.shape);
  source.vocabulary = choose_vocabulary(path, hints, [&] { return tokens_beside(found.tensors); });
  auto const tensors = std::make_shared<command_line::TensorSource>(found.tensors);
  std::map<std::string, std::string> names;
  for (auto const& parameter : parameter_shapes(source.shape)) {
    for (auto const& other : hugging_face_names(parameter.name)) {
      auto const shape = tensors->shape(other);
      if (!shape) continue;
      if (!std::equal(shape->begin(), shape->end(), parameter.shape.begin(), parameter.shape.end())) {
        refuse_data(found.tensors, "'" + other + "' has another shape than the rest of the model");
      }
      names[parameter.name] = other;
    }
    if (!names.contains(parameter.name)) refuse_data(found.tensors, "lacks '" + parameter.name + "'");
  }
  source.read = [tensors, names](std::string const& name) {
    auto const& other = names.at(name);
    auto const shape = tensors->shape(other).value();
    std::size_t count = 1;
    for (auto const extent : shape) count *= static_cast<std::size_t>(extent);
    return tensors->read(other, count);
  };
  return source;
}

// ----------------------------------------------------------------------------------------------------- checkpoints

template <class T>
void append_as(std::vector<float>& to, std::span<std::byte const> bytes) {
  for (std::size_t at = 0; at + sizeof(T) <= bytes.size(); at += sizeof(T)) {
    T value;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    to.push_back(zero::widen(value));
  }
}

void append(std::vector<float>& to, zero::ElementType type, std::span<std::byte const> bytes) {
  switch (type) {
    case zero::ElementType::fp32:
      return append_as<float>(to, bytes);
    case zero::ElementType::bf16:
      return append_as<zero::bfloat16>(to, bytes);
    case zero::ElementType::fp16:
      return append_as<zero::float16>(to, bytes);
    default:  // no parameter has another one
      return;
  }
}

/// The whole parameters of a checkpoint, whatever ranks have their parts.
class CheckpointParameters {
 public:
  explicit CheckpointParameters(zero::CheckpointLocation const& place)
      : folder_(zero::posix_file_system(), place.root),
        manifest_(folder_.manifest(place.tag)),
        path_(folder_.path(place.tag)),
        reader_(folder_.system(), path_, manifest_) {
    for (std::uint32_t p = 0; p < manifest_.parameters.size(); ++p) places_[manifest_.parameters[p].name] = p;
  }

  [[nodiscard]] zero::Manifest const& manifest() const { return manifest_; }
  [[nodiscard]] zero::ManifestParameter const* find(std::string const& name) const {
    auto const found = places_.find(name);
    return found == places_.end() ? nullptr : &manifest_.parameters[found->second];
  }
  [[nodiscard]] std::vector<float> read(std::string const& name) {
    auto const place = places_.at(name);
    auto const& parameter = manifest_.parameters[place];
    std::vector<float> values;
    values.reserve(static_cast<std::size_t>(parameter.count()));
    reader_.read(place, [&](std::span<std::byte const> bytes) { append(values, parameter.type, bytes); });
    return values;
  }

 private:
  zero::CheckpointFolder folder_;
  zero::Manifest manifest_;
  std::string path_;
  zero::ParameterReader reader_;
  std::map<std::string, std::uint32_t, std::less<>> places_;
};

/// The shape that the parameters of a checkpoint have. \throws DataError for those of another model.
ModelShape shape_of(CheckpointParameters const& parameters, std::string const& name) {
  auto const expect = [&](char const* which) -> zero::ManifestParameter const& {
    auto const* const found = parameters.find(which);
    if (found == nullptr || found->shape.size() != 2) {
      refuse_data(name,
                  "is the checkpoint of another model: it has no matrix '" + std::string(which) + "', as a GPT-2 has");
    }
    return *found;
  };
  auto const &embedding = expect("wte.weight"), &positions = expect("wpe.weight");
  std::size_t layers = 0;
  for (auto const& parameter : parameters.manifest().parameters) {
    layers += parameter.name.ends_with(".ln_1.weight") ? 1U : 0U;
  }
  return {.layers = layers,
          .heads = 0,
          .width = static_cast<std::size_t>(embedding.shape[1]),
          .context = static_cast<std::size_t>(positions.shape[0]),
          .vocabulary = static_cast<std::size_t>(embedding.shape[0])};
}

/// All parameters of \p shape are there, and no others.
void expect_all(CheckpointParameters const& parameters, ModelShape const& shape, std::string const& name) {
  auto const all = parameter_shapes(shape);
  for (auto const& parameter : all) {
    auto const* const found = parameters.find(parameter.name);
    if (found == nullptr) {
      refuse_data(name, "is the checkpoint of another model: it lacks '" + parameter.name + "', which a GPT-2 has");
    }
    if (!std::equal(found->shape.begin(), found->shape.end(), parameter.shape.begin(), parameter.shape.end())) {
      refuse_data(name,
                  "is the checkpoint of another model: '" + parameter.name + "' has another shape than in a GPT-2");
    }
  }
  if (parameters.manifest().parameters.size() == all.size()) return;
  std::set<std::string> known;
  for (auto const& parameter : all) known.insert(parameter.name);
  for (auto const& parameter : parameters.manifest().parameters) {
    if (!known.contains(parameter.name)) {
      refuse_data(name, "is the checkpoint of another model: a GPT-2 has no '" + parameter.name + "'");
    }
  }
}

std::size_t saved_heads(zero::UserState const& state) {
  auto const said = saved_options(state);
  auto const found = said.find("--heads");
  return found == said.end() ? 0 : static_cast<std::size_t>(std::strtoull(found->second.c_str(), nullptr, 10));
}

/// What the tokens of a run stand for: the characters of its text, which its checkpoints hold, or what the tokenizer
/// says that lies beside its data, as long as that is where it was. \throws DataError where there is another now.
KnownTokens tokens_of_run(zero::UserState const& state, ModelShape const& shape, bool is_used) {
  auto const found = state.find(DataIdentity::key);
  if (found == state.end()) return {};
  auto const data = DataIdentity::parse(found->second);
  if (!data.characters.empty()) {
    return {zero_text::Tokenizer::of_characters(code_points(data.characters, "the checkpoint's characters")), 0};
  }
  KnownTokens known{{}, data.tokenizer};
  for (auto const& set : data.train) {
    std::error_code error;
    if (!fs::exists(set.name, error)) continue;
    auto const saved = find_tokenizer("", {set.name}, std::nullopt, shape.vocabulary, shape.context);
    auto const json = saved.files.find("tokenizer.json");
    if (json == saved.files.end()) continue;
    if (known.hash != 0 && zero::fingerprint_of(json->second) != known.hash) {
      // With a tokenizer that is named, what is left of the run's own is the hash.
      if (!is_used) return known;
      refuse_data(saved.origin, "is not the tokenizer that the run was trained with: name that one with --tokenizer");
    }
    known.vocabulary = zero_text::Tokenizer::from_json(json->second, saved.origin);
    return known;
  }
  return known;
}

TextSource of_checkpoint(std::string const& path, TextSourceHints const& hints) {
  auto const place = zero::locate_checkpoint(path);
  auto const parameters = std::make_shared<CheckpointParameters>(place);
  TextSource source{.name = place.root + "/" + place.tag, .read = {}};
  source.shape = shape_of(*parameters, source.name);
  expect_all(*parameters, source.shape, source.name);
  auto const& state = parameters->manifest().user_state;
  source.shape.heads = heads_of(source.name, saved_heads(state), source.shape.width, hints);
  source.read = [parameters](std::string const& name) { return parameters->read(name); };
  bool const is_used = !hints.characters && !hints.tokenizer;
  source.vocabulary =
      choose_vocabulary(source.name, hints, [&] { return tokens_of_run(state, source.shape, is_used); });
  return source;
}

}  // namespace

std::string text_of(zero_text::Tokenizer const& vocabulary, Token token) {
  return token < vocabulary.vocabulary() ? std::string(vocabulary.bytes_of(token)) : "\xEF\xBF\xBD";
}

TextSource open_text_source(std::string const& path, TextSourceHints const& hints) {
  if (zero_text::is_folder_of_shards(path)) {
    refuse_data(path,
                "is a folder of tokens, which a model is trained on: give the checkpoint or the folder of a model");
  }
  auto source = is_hugging_face(path) ? of_hugging_face(path, hints) : of_checkpoint(path, hints);
  if (source.vocabulary && source.vocabulary->vocabulary() > source.shape.vocabulary) {
    refuse_data(source.name, "has a vocabulary of " + std::to_string(source.shape.vocabulary) +
                                 ", which is less than the " + std::to_string(source.vocabulary->vocabulary()) +
                                 " tokens that are to be used with it");
  }
  if (source.vocabulary && !source.end_of_text) source.end_of_text = source.vocabulary->end_of_text();
  return source;
}

}  // namespace gpt2
