// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "hugging_face.hpp"

#include <zero/checkpoint/export.hpp>
#include <zero/utility/json.hpp>

namespace gpt2 {
namespace {

constexpr std::string_view prefix = "transformer.";

std::string config_of(ModelShape const& shape) {
  using zero::Json;
  auto const number = [](std::size_t n) { return Json(std::uint64_t{n}); };
  auto const before = zero::to_text(Json(Json::Object{{"architectures", Json::Array{"GPT2LMHeadModel"}},
                                                      {"model_type", "gpt2"},
                                                      {"activation_function", "gelu_new"},
                                                      {"vocab_size", number(shape.vocabulary)},
                                                      {"n_positions", number(shape.context)},
                                                      {"n_embd", number(shape.width)},
                                                      {"n_layer", number(shape.layers)},
                                                      {"n_head", number(shape.heads)}}));
  auto const behind = zero::to_text(Json(Json::Object{
      {"tie_word_embeddings", true}, {"bos_token_id", Json()}, {"eos_token_id", Json()}, {"torch_dtype", "float32"}}));
  // In between as people write it: to_text gives a number that is not whole all digits that a reader might need.
  return before.substr(0, before.size() - 1) + ",\"layer_norm_epsilon\":1e-05," + behind.substr(1) + "\n";
}

}  // namespace

std::vector<std::string> hugging_face_names(std::string_view parameter) {
  return {std::string(parameter), std::string(prefix) + std::string(parameter)};
}

void save_hugging_face(ModelShape const& shape, std::string const& path, bool writes,
                       std::function<std::vector<float>(std::string const&)> const& read) {
  std::vector<zero::ExportedTensor> tensors;
  for (auto const& parameter : parameter_shapes(shape)) {
    tensors.push_back({std::string(prefix) + parameter.name, {parameter.shape.begin(), parameter.shape.end()}});
  }
  auto& system = zero::posix_file_system();
  if (writes) (void)system.make_folder(path);  // may be there
  zero::export_safetensors(
      system, path + "/model.safetensors", tensors, writes,
      [&](std::string const& name) { return read(name.substr(prefix.size())); }, true);
  if (writes) zero::write_new_file(system, path + "/config.json", config_of(shape), true);
}

}  // namespace gpt2
