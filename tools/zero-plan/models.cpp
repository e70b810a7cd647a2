// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "models.hpp"

#include "options.hpp"
#include "support/gpt2_sizes.hpp"

#include <array>
#include <cstddef>
#include <vector>

namespace zero_plan {
namespace {

/// Blocks of GPT-2's shape, without heads.
struct PaperModel {
  std::string_view name;
  std::size_t layers, width;
};
// These are not the paper's own models, whose shapes it does not give for these sizes: they have the number of
// parameters of its table 1, to 0.03 %.
constexpr std::array paper_models{
    PaperModel{"zero-7.5b", 32, 4352},
    PaperModel{"zero-128b", 80, 11520},
    PaperModel{"zero-1t", 127, 25600},
};

struct Llama {
  std::string_view name;
  int layers;
  std::size_t width, inner, key_value_width, vocabulary;
  bool tied = false;
};
constexpr std::array llama_models{
    Llama{"llama-2-7b", 32, 4096, 11008, 4096, 32000},        Llama{"llama-2-13b", 40, 5120, 13824, 5120, 32000},
    Llama{"llama-2-70b", 80, 8192, 28672, 1024, 32000},       Llama{"llama-3-8b", 32, 4096, 14336, 1024, 128256},
    Llama{"llama-3-70b", 80, 8192, 28672, 1024, 128256},      Llama{"llama-3.1-405b", 126, 16384, 53248, 1024, 128256},
    Llama{"llama-3.2-1b", 16, 2048, 8192, 512, 128256, true}, Llama{"llama-3.2-3b", 28, 3072, 8192, 1024, 128256, true},
};

/// Adds the parameters of one unit after another.
class Builder {
 public:
  void begin_unit(std::string prefix) { prefix_ = std::move(prefix), ++unit_; }
  void add(char const* name, std::vector<std::size_t> shape, int contributions = 1) {
    (void)parameters.add(
        {.name = prefix_ + name, .shape = std::move(shape), .contributions = contributions, .unit = unit_});
  }
  zero::ParameterList parameters;

 private:
  std::string prefix_;
  int unit_ = -1;
};

void add_gpt2_block(Builder& builder, std::size_t width) {
  builder.add("ln_1.weight", {width});
  builder.add("ln_1.bias", {width});
  builder.add("attn.c_attn.weight", {width, 3 * width});
  builder.add("attn.c_attn.bias", {3 * width});
  builder.add("attn.c_proj.weight", {width, width});
  builder.add("attn.c_proj.bias", {width});
  builder.add("ln_2.weight", {width});
  builder.add("ln_2.bias", {width});
  builder.add("mlp.c_fc.weight", {width, 4 * width});
  builder.add("mlp.c_fc.bias", {4 * width});
  builder.add("mlp.c_proj.weight", {4 * width, width});
  builder.add("mlp.c_proj.bias", {width});
}

// The embedding is the head, too: one parameter with two gradients.
zero::ParameterList build(Gpt2Shape const& model) {
  Builder builder;
  builder.begin_unit("transformer.");
  builder.add("wte.weight", {model.vocabulary, model.width}, 2);
  builder.add("wpe.weight", {model.context, model.width});
  for (std::size_t layer = 0; layer < model.layers; ++layer) {
    builder.begin_unit(zero::detail::concat({"transformer.h.", layer, "."}));
    add_gpt2_block(builder, model.width);
  }
  builder.begin_unit("transformer.");
  builder.add("ln_f.weight", {model.width});
  builder.add("ln_f.bias", {model.width});
  return std::move(builder.parameters);
}

void add_llama_block(Builder& builder, Llama const& model) {
  builder.add("input_layernorm.weight", {model.width});
  builder.add("self_attn.q_proj.weight", {model.width, model.width});
  builder.add("self_attn.k_proj.weight", {model.key_value_width, model.width});
  builder.add("self_attn.v_proj.weight", {model.key_value_width, model.width});
  builder.add("self_attn.o_proj.weight", {model.width, model.width});
  builder.add("post_attention_layernorm.weight", {model.width});
  builder.add("mlp.gate_proj.weight", {model.inner, model.width});
  builder.add("mlp.up_proj.weight", {model.inner, model.width});
  builder.add("mlp.down_proj.weight", {model.width, model.inner});
}

zero::ParameterList build(Llama const& model) {
  Builder builder;
  builder.begin_unit("model.");
  builder.add("embed_tokens.weight", {model.vocabulary, model.width}, model.tied ? 2 : 1);
  for (int layer = 0; layer < model.layers; ++layer) {
    builder.begin_unit(zero::detail::concat({"model.layers.", layer, "."}));
    add_llama_block(builder, model);
  }
  builder.begin_unit("");
  builder.add("model.norm.weight", {model.width});
  if (!model.tied) builder.add("lm_head.weight", {model.vocabulary, model.width});
  return std::move(builder.parameters);
}

}  // namespace

Model gpt2_model(std::string name, Gpt2Shape const& shape) { return {std::move(name), build(shape), {}, shape}; }

Model named_model(std::string_view name) {
  if (auto const* const size = command_line::find_gpt2_size(name)) {
    return gpt2_model(std::string(size->name),
                      {size->layers, size->heads, size->width, size->context, size->vocabulary});
  }
  std::string known = command_line::gpt2_names();
  auto const matches = [&](std::string_view other) {
    known += ", " + std::string(other);
    return name == other;
  };
  for (auto const& model : paper_models) {
    if (matches(model.name)) return {std::string(name), build({model.layers, 1, model.width, 1024, 50257}), {}, {}};
  }
  for (auto const& model : llama_models) {
    if (matches(model.name)) return {std::string(name), build(model), {}, {}};
  }
  throw UsageError("--model " + std::string(name) + ": unknown; the models are " + known);
}

}  // namespace zero_plan
