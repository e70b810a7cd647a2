// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "hugging_face.hpp"

#include <zero/checkpoint/export.hpp>
#include <zero/utility/json.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

namespace gpt2 {
namespace {

using zero::Json;

constexpr std::string_view body_prefix = "transformer.";
constexpr char const* one_file = "model.safetensors";
constexpr char const* index_file = "model.safetensors.index.json";

Json id(std::optional<std::uint64_t> token) { return token ? Json(*token) : Json(); }

/// A type as torch names it.
char const* torch_name(zero::ElementType type) {
  switch (type) {
    case zero::ElementType::bf16:
      return "bfloat16";
    case zero::ElementType::fp16:
      return "float16";
    default:
      return "float32";
  }
}

std::string config_of(ModelShape const& shape, HuggingFaceOptions const& options) {
  auto const& tokenizer = options.tokenizer;
  auto const number = [](std::size_t n) { return Json(std::uint64_t{n}); };
  auto const before = zero::to_text(Json(Json::Object{{"architectures", Json::Array{"GPT2LMHeadModel"}},
                                                      {"model_type", "gpt2"},
                                                      {"activation_function", "gelu_new"},
                                                      {"vocab_size", number(shape.vocabulary)},
                                                      {"n_positions", number(shape.context)},
                                                      {"n_embd", number(shape.width)},
                                                      {"n_layer", number(shape.layers)},
                                                      {"n_head", number(shape.heads)}}));
  auto const behind = zero::to_text(Json(Json::Object{{"tie_word_embeddings", true},
                                                      {"bos_token_id", id(tokenizer.begin)},
                                                      {"eos_token_id", id(tokenizer.end)},
                                                      {"torch_dtype", torch_name(options.type)}}));
  // In between as people write it: to_text gives a number that is not whole all digits that a reader might need.
  return before.substr(0, before.size() - 1) + ",\"layer_norm_epsilon\":1e-05," + behind.substr(1) + "\n";
}

/// As `transformers` makes it of a model's config.
std::string generation_config_of(SavedTokenizer const& tokenizer) {
  Json::Object config{{"_from_model_config", true}};
  if (tokenizer.begin) config.emplace_back("bos_token_id", *tokenizer.begin);
  if (tokenizer.end) config.emplace_back("eos_token_id", *tokenizer.end);
  return zero::to_text(Json(std::move(config))) + "\n";
}

using Tensors = std::vector<zero::ExportedTensor>;

std::uint64_t bytes_of(zero::ExportedTensor const& tensor) {
  std::uint64_t bytes = zero::element_size(tensor.type);
  for (auto const size : tensor.shape) bytes *= size;
  return bytes;
}

/// The tensors of each file.
std::vector<Tensors> plan_files(ModelShape const& shape, HuggingFaceOptions const& options) {
  auto const max_bytes = options.max_shard_bytes;
  std::vector<Tensors> files(1);
  std::uint64_t bytes = 0;
  for (auto const& parameter : parameter_shapes(shape)) {
    zero::ExportedTensor tensor{
        std::string(body_prefix) + parameter.name, {parameter.shape.begin(), parameter.shape.end()}, options.type};
    auto const more = bytes_of(tensor);
    if (max_bytes > 0 && bytes > 0 && bytes + more > max_bytes) {
      files.emplace_back();
      bytes = 0;
    }
    bytes += more;
    files.back().push_back(std::move(tensor));
  }
  return files;
}

std::string name_of(std::size_t file, std::size_t files) {
  if (files == 1) return one_file;
  std::array<char, 64> name{};
  std::snprintf(name.data(), name.size(), "model-%05zu-of-%05zu.safetensors", file + 1, files);
  return name.data();
}

std::string index_of(std::vector<Tensors> const& files) {
  Json::Object map;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    for (auto const& tensor : files[i]) {
      total += bytes_of(tensor);
      map.emplace_back(tensor.name, name_of(i, files.size()));
    }
  }
  return zero::to_text(
             Json(Json::Object{{"metadata", Json::Object{{"total_size", total}}}, {"weight_map", std::move(map)}})) +
         "\n";
}

/// One model in the place of another.
class Folder {
 public:
  explicit Folder(std::string path) : path_(std::move(path)) {}

  [[nodiscard]] std::string place(std::string const& name) const { return path_ + "/" + name; }
  /// Where a file is while it is not known whether all of them will be complete.
  [[nodiscard]] std::string waiting(std::string const& name) const { return path_ + "/.new-" + name; }

  /// Removes what a process that was killed has left of a model that was to come.
  void remove_waiting() const {
    remove([](std::string_view name) {
      if (!name.starts_with('.')) return false;
      name.remove_prefix(std::min(name.find_first_not_of('.'), name.size()));
      if (name.ends_with(".tmp")) name.remove_suffix(4);
      return name.starts_with("new-") && is_model_file(name.substr(4));
    });
  }
  /// Removes the files of a model, but for those of these names.
  void remove_model(std::vector<std::string> const& kept) const {
    remove([&](std::string_view name) {
      return is_model_file(name) && std::find(kept.begin(), kept.end(), name) == kept.end();
    });
  }

  /// Gives the files their names. An index goes first and comes last, so that it never speaks of files of two models.
  void publish(std::vector<std::string> const& names, std::optional<std::string> const& index) const {
    (void)system_.remove_file(place(index_file));
    if (names.size() > 1) remove_model({one_file});  // shards of the same names
    for (auto const& name : names) {
      if (system_.rename_over(waiting(name), place(name)) < 0) {
        throw zero::CheckpointError(zero::CheckpointFailure::input_output,
                                    place(name) + ": the new file, " + waiting(name) + ", cannot take this name");
      }
    }
    if (index) zero::write_new_file(system_, place(index_file), *index, true);
    auto kept = names;
    if (index) kept.emplace_back(index_file);
    remove_model(kept);
    (void)system_.sync_folder(path_);
  }

 private:
  template <class Predicate>
  void remove(Predicate&& is_meant) const {
    std::vector<std::string> names;
    if (system_.list(path_, names) < 0) return;
    for (auto const& name : names) {
      if (is_meant(std::string_view(name))) (void)system_.remove_file(place(name));
    }
  }

  std::string path_;
  zero::FileSystem& system_ = zero::posix_file_system();
};

}  // namespace

std::vector<std::string> hugging_face_names(std::string_view parameter) {
  return {std::string(parameter), std::string(body_prefix) + std::string(parameter)};
}

bool is_model_file(std::string_view name) {
  if (name == one_file || name == index_file) return true;
  constexpr std::string_view pattern = "model-#####-of-#####.safetensors";
  if (name.size() != pattern.size()) return false;
  return std::equal(name.begin(), name.end(), pattern.begin(),
                    [](char c, char wanted) { return wanted == '#' ? c >= '0' && c <= '9' : c == wanted; });
}

void save_hugging_face(ModelShape const& shape, std::string const& path, bool writes,
                       std::function<std::vector<float>(std::string const&)> const& read,
                       HuggingFaceOptions const& options) {
  auto& system = zero::posix_file_system();
  Folder const folder(path);
  auto const files = plan_files(shape, options);
  if (writes) {
    (void)system.make_folder(path);  // may be there
    folder.remove_waiting();
  }
  std::vector<std::string> names;
  std::exception_ptr failure;
  for (std::size_t i = 0; i < files.size(); ++i) {
    names.push_back(name_of(i, files.size()));
    try {  // all parameters are asked for, also where a file before has failed: the other ranks do so
      zero::export_safetensors(
          system, folder.waiting(names.back()), files[i], writes && !failure,
          [&](std::string const& name) { return read(name.substr(body_prefix.size())); }, true);
    } catch (zero::CheckpointError const&) {
      failure = std::current_exception();
    }
  }
  if (!writes) return;
  if (failure) {
    folder.remove_waiting();
    std::rethrow_exception(failure);
  }
  try {
    // Config and tokenizer first: the model that they belong to is what makes the folder one.
    auto texts = options.tokenizer.files;
    texts["config.json"] = config_of(shape, options);
    texts["generation_config.json"] = generation_config_of(options.tokenizer);
    for (auto const& [name, text] : texts) zero::write_new_file(system, folder.place(name), text, true);
    for (auto const* const name : tokenizer_files) {
      if (options.removes_other_tokenizer && !texts.contains(name)) (void)system.remove_file(folder.place(name));
    }
    folder.publish(names, files.size() > 1 ? std::optional(index_of(files)) : std::nullopt);
  } catch (zero::CheckpointError const&) {
    folder.remove_waiting();
    throw;
  }
}

}  // namespace gpt2
