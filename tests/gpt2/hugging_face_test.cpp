// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "checkpoint/support.hpp"
#include "run_command.hpp"
#include "skip.hpp"

#include <gpt2/hugging_face.hpp>
#include <gpt2/model.hpp>
#include <gpt2/parameters.hpp>

#include <zero/checkpoint/detail/file.hpp>
#include <zero/checkpoint/detail/safetensors.hpp>
#include <zero/support/json_reader.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstring>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace gpt2_hugging_face_test {

namespace {

using Parameters = std::map<std::string, std::vector<float>>;
using gpt2::Token;

constexpr gpt2::ModelShape shape{.layers = 2, .heads = 2, .width = 16, .context = 8, .vocabulary = 29};

/// All parameters of a file, under our names.
Parameters read_model(std::string const& path) {
  auto const file = zero::detail::read_text(zero::posix_file_system(), path, 1U << 24U);
  auto const n =
      static_cast<std::size_t>(zero::detail::safetensors_header_bytes(checkpoint_test::bytes_of(file), file.size()));
  auto const header = zero::detail::parse_safetensors_header(std::string_view(file).substr(8, n), file.size() - 8 - n);
  Parameters parameters;
  for (auto const& parameter : gpt2::parameter_shapes(shape)) {
    for (auto const& name : gpt2::hugging_face_names(parameter.name)) {
      auto const* const tensor = header.find(name);
      if (tensor == nullptr) continue;
      REQUIRE(tensor->bytes() == parameter.size() * sizeof(float));
      auto& values = parameters[parameter.name];
      values.resize(parameter.size());
      std::memcpy(values.data(), file.data() + header.data_begin + tensor->begin, tensor->bytes());
    }
    REQUIRE(parameters.contains(parameter.name));
  }
  return parameters;
}

std::vector<float> logits_of(Parameters const& parameters, std::vector<Token> const& tokens) {
  zero::ThreadPool pool(1);
  gpt2::Model<float> model(shape, 1, pool);
  auto const at = [&](std::string const& name) { return parameters.at(name).data(); };
  model.embed_forward(tokens, tokens.size(), at("wte.weight"), at("wpe.weight"));
  auto const all = gpt2::parameter_shapes(shape);
  for (std::size_t layer = 0; layer < shape.layers; ++layer) {
    gpt2::BlockWeights<float> weights;
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = at(all[2 + layer * weights.size() + i].name);
    model.block_forward(layer, weights);
  }
  auto const logits = model.last_logits({at("ln_f.weight"), at("ln_f.bias"), at("wte.weight")});
  return {logits.begin(), logits.end()};
}

/// Within the rounding of fp32 sums of some hundred terms around 1.
void check_equal(std::vector<float> const& ours, std::vector<double> const& theirs) {
  REQUIRE(ours.size() == theirs.size());
  for (std::size_t i = 0; i < ours.size(); ++i) CHECK(std::abs(static_cast<double>(ours[i]) - theirs[i]) < 1e-5);
}

zero_test::Outcome run(std::string const& command) { return zero_test::run_command(command + " 2>/dev/null"); }

}  // namespace

TEST_CASE("hugging face: a model that transformers has saved gives the logits that transformers has recorded") {
  auto const parameters = read_model(HUGGING_FACE_FOLDER "/model.safetensors");
  for (std::string const& prompt : {std::string("0"), std::string("1"), std::string("2")}) {
    CAPTURE(prompt);
    auto const text = zero::detail::read_text(zero::posix_file_system(),
                                              HUGGING_FACE_FOLDER "/logits-" + prompt + ".json", 1U << 20U);
    auto const recorded = zero::detail::parse_json(text);
    std::vector<Token> tokens;
    for (auto const& token : *recorded.find("tokens")->get<zero::Json::Array>()) {
      tokens.push_back(static_cast<Token>(*token.get<std::uint64_t>()));
    }
    std::vector<double> logits;
    for (auto const& logit : *recorded.find("logits")->get<zero::Json::Array>()) logits.push_back(*logit.get<double>());
    check_equal(logits_of(parameters, tokens), logits);
  }
}

namespace {

/// Some parameters of every size, saved as transformers would have.
Parameters save_model(std::string const& folder) {
  Parameters parameters;
  for (auto const& parameter : gpt2::parameter_shapes(shape)) {
    auto& values = parameters[parameter.name];
    values.resize(parameter.size());
    gpt2::initialize(shape, parameter.name, values, 5);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] += 0.1F * std::sin(static_cast<float>(i + values.size()));
  }
  gpt2::save_hugging_face(shape, folder, true, [&](std::string const& name) { return parameters.at(name); });
  return parameters;
}

}  // namespace

TEST_CASE("hugging face: a model that we have saved is read back whole, and replaced by a later one") {
  checkpoint_test::TemporaryFolder const folder;
  auto const parameters = save_model(folder.path());
  CHECK(read_model(folder / "model.safetensors") == parameters);
  auto later = parameters;
  for (auto& [name, values] : later) values.front() += 1.0F;
  gpt2::save_hugging_face(shape, folder.path(), true, [&](std::string const& name) { return later.at(name); });
  CHECK(read_model(folder / "model.safetensors") == later);
}

TEST_CASE("hugging face: transformers loads a model that we have saved, and computes our logits" *
          doctest::test_suite("transformers")) {
  auto const python = zero_test::python();
  if (run(python + " -c 'import torch, transformers'").code != 0) {
    ZERO_SKIP(python << " has no torch or no transformers");
  }
  checkpoint_test::TemporaryFolder const folder;
  auto const parameters = save_model(folder.path());
  auto const theirs =
      run(python + " '" HUGGING_FACE_FOLDER "/transformers_logits.py' logits '" + folder.path() + "' 7 0 28 3");
  REQUIRE(theirs.code == 0);
  std::istringstream lines(theirs.output);
  std::vector<double> logits;
  for (double logit; lines >> logit;) logits.push_back(logit);
  check_equal(logits_of(parameters, {7, 0, 28, 3}), logits);
}

TEST_CASE("hugging face: all four sizes of GPT-2 have the names, shapes and elements of the published models") {
  struct Size {
    std::size_t layers, heads, width, tensors, elements;
  };
  for (auto const& size : {Size{12, 12, 768, 148, 124'439'808}, Size{24, 16, 1024, 292, 354'823'168},
                           Size{36, 20, 1280, 436, 774'030'080}, Size{48, 25, 1600, 580, 1'557'611'200}}) {
    auto const all = gpt2::parameter_shapes(
        {.layers = size.layers, .heads = size.heads, .width = size.width, .context = 1024, .vocabulary = 50257});
    std::map<std::string, std::vector<std::size_t>> shapes;
    std::size_t elements = 0;
    for (auto const& parameter : all) {
      shapes[parameter.name] = {parameter.shape.begin(), parameter.shape.end()};
      elements += parameter.size();
    }
    CHECK(all.size() == size.tensors);
    CHECK(elements == size.elements);
    auto const last = "h." + std::to_string(size.layers - 1) + ".";
    auto const w = size.width;
    using Shape = std::vector<std::size_t>;
    CHECK(shapes["wte.weight"] == Shape{50257, w});
    CHECK(shapes["wpe.weight"] == Shape{1024, w});
    CHECK(shapes[last + "attn.c_attn.weight"] == Shape{w, 3 * w});  // Conv1D: inputs first
    CHECK(shapes[last + "attn.c_proj.weight"] == Shape{w, w});
    CHECK(shapes[last + "mlp.c_fc.weight"] == Shape{w, 4 * w});
    CHECK(shapes[last + "mlp.c_proj.weight"] == Shape{4 * w, w});
    CHECK(shapes[last + "ln_2.bias"] == Shape{w});
    CHECK(shapes["ln_f.weight"] == Shape{w});
  }
}

}  // namespace gpt2_hugging_face_test
