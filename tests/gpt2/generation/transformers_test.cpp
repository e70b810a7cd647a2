// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "run_command.hpp"
#include "skip.hpp"
#include "support/json_file.hpp"
#include "support/tensor_source.hpp"

#include <gpt2/generation/decoder.hpp>
#include <gpt2/hugging_face.hpp>
#include <gpt2/sampling.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

namespace gpt2_generation_transformers_test {

using gpt2::Token;
using zero::Json;

namespace {

constexpr gpt2::ModelShape shape{.layers = 3, .heads = 3, .width = 24, .context = 112, .vocabulary = 101};

gpt2::DecoderWeights read_weights() {
  command_line::TensorSource source(TRANSFORMERS_FOLDER "/model.safetensors");
  auto const read = [&](std::string const& name) {
    for (auto const& other : gpt2::hugging_face_names(name)) {
      auto const extents = source.shape(other);
      if (!extents) continue;
      std::size_t count = 1;
      for (auto const extent : *extents) count *= static_cast<std::size_t>(extent);
      return source.read(other, count);
    }
    FAIL("the model has no " << name);
    return std::vector<float>();
  };
  zero::ThreadPool pool(1);
  return {shape, gpt2::WeightType::fp32, read, pool};
}

Token token_of(Json const& json) { return static_cast<Token>(*json.get<std::uint64_t>()); }
double number_of(Json const& json) {
  auto const* const whole = json.get<std::uint64_t>();
  auto const* const negative = json.get<std::int64_t>();
  return whole != nullptr      ? static_cast<double>(*whole)
         : negative != nullptr ? static_cast<double>(*negative)
                               : *json.get<double>();
}
Json::Array const& list(Json const& json, char const* name) { return *json.find(name)->get<Json::Array>(); }

}  // namespace

TEST_CASE("gpt2 decoder: at each of 100 steps the logits that transformers has recorded, and its likeliest token") {
  auto const weights = read_weights();
  auto const recorded = command_line::read_json(TRANSFORMERS_FOLDER "/steps.json");
  zero::ThreadPool pool(2);
  for (auto const& text : list(recorded, "texts")) {
    gpt2::Decoder decoder(weights, 1, shape.context, pool);
    std::vector<gpt2::NextToken> call;
    for (auto const& token : list(text, "prompt")) call.push_back({0, token_of(token), true});
    std::set<Token> distinct;
    std::size_t count = 0;
    for (auto const& step : list(text, "steps")) {
      CAPTURE(count);
      decoder.append(call);
      auto const logits = decoder.logits(call.size() - 1);
      auto const& theirs = list(step, "logits");
      double most = 0.0;
      for (std::size_t i = 0; i < theirs.size(); ++i) {
        most = std::max(most, std::abs(static_cast<double>(logits[5 * i]) - number_of(theirs[i])));
      }
      CHECK(most < 1e-4);
      auto const best = gpt2::sample(logits, {.temperature = 0.0}, gpt2::CounterRandom(0), 0);
      if (number_of(*step.find("margin")) > 1e-4) CHECK(best == token_of(list(step, "best").front()));
      auto const token = token_of(*step.find("token"));
      distinct.insert(token);
      call = {{0, token, true}};
      ++count;
    }
    CHECK(count == 100);
    CHECK(distinct.size() >= 30);
  }
}

TEST_CASE("gpt2 decoder: transformers still makes of the model what it has recorded" *
          doctest::test_suite("transformers")) {
  auto const python = zero_test::python();
  if (std::system((python + " -c 'import torch, transformers' 2>/dev/null").c_str()) != 0) {
    ZERO_SKIP(python << " has no torch or no transformers");
  }
  auto const command =
      python + " '" TRANSFORMERS_FOLDER "/record_steps.py' compare '" TRANSFORMERS_FOLDER "' 2>/dev/null";
  CHECK(std::system(command.c_str()) == 0);
}

}  // namespace gpt2_generation_transformers_test
