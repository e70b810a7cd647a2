// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "hugging_face.hpp"

#include <zero/checkpoint/detail/file.hpp>
#include <zero/checkpoint/detail/json.hpp>
#include <zero/checkpoint/detail/safetensors.hpp>

#include <optional>
#include <utility>

namespace gpt2 {
namespace {

constexpr std::string_view prefix = "transformer.";

std::string config_of(ModelShape const& shape) {
  using zero::detail::Json;
  auto const number = [](std::size_t n) { return Json(std::uint64_t{n}); };
  return zero::detail::to_text(Json(Json::Object{{"architectures", Json::Array{"GPT2LMHeadModel"}},
                                                 {"model_type", "gpt2"},
                                                 {"activation_function", "gelu_new"},
                                                 {"vocab_size", number(shape.vocabulary)},
                                                 {"n_positions", number(shape.context)},
                                                 {"n_embd", number(shape.width)},
                                                 {"n_layer", number(shape.layers)},
                                                 {"n_head", number(shape.heads)},
                                                 {"layer_norm_epsilon", 1e-5},
                                                 {"tie_word_embeddings", true},
                                                 {"bos_token_id", Json()},
                                                 {"eos_token_id", Json()},
                                                 {"torch_dtype", "float32"}})) +
         "\n";
}

}  // namespace

std::vector<std::string> hugging_face_names(std::string_view parameter) {
  return {std::string(parameter), std::string(prefix) + std::string(parameter)};
}

void save_hugging_face(ModelShape const& shape, std::string const& path, bool writes,
                       std::function<std::vector<float>(std::string const&)> const& read) {
  zero::detail::SafetensorsHeader header{.metadata = {{"format", "pt"}}};
  for (auto const& parameter : parameter_shapes(shape)) {
    header.tensors.push_back({.name = std::string(prefix) + parameter.name,
                              .type = "F32",
                              .shape = {parameter.shape.begin(), parameter.shape.end()}});
  }
  zero::detail::lay_out(header);
  auto& system = zero::posix_file_system();
  std::string const hidden = path + "/.model.safetensors.tmp", model = path + "/model.safetensors";
  std::optional<zero::detail::File> file;
  if (writes) {
    (void)system.make_folder(path);    // may be there
    (void)system.remove_file(hidden);  // what a killed process has left
    file = zero::detail::File::create(system, hidden);
    file->write(zero::detail::to_bytes(header));
  }
  for (auto const& tensor : header.tensors) {
    auto const values = read(tensor.name.substr(prefix.size()));
    if (writes) file->write(std::as_bytes(std::span(values)));
  }
  if (!writes) return;
  file->sync();
  file->close();
  zero::detail::check_file("rename to its name", model, system.rename_new(hidden, model));
  zero::detail::write_new(system, path + "/config.json", config_of(shape));
}

}  // namespace gpt2
