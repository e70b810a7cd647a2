// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Folders for Hugging Face's transformers as a whole: shards, tokenizers, and what replaces what.

#include "checkpoint/support.hpp"
#include "run_command.hpp"
#include "skip.hpp"

#include <gpt2/hugging_face.hpp>
#include <gpt2/model.hpp>
#include <gpt2/parameters.hpp>
#include <support/json_file.hpp>
#include <support/tensor_source.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace gpt2_saved_model_test {

namespace {

namespace fs = std::filesystem;
using checkpoint_test::TemporaryFolder;
using gpt2::Token;
using zero_test::python;
using Parameters = std::map<std::string, std::vector<float>>;

constexpr gpt2::ModelShape shape{.layers = 2, .heads = 2, .width = 32, .context = 64, .vocabulary = 12};
std::string const characters = "\n !\"\\abcq\xC3\xA9\xE6\xBC\xA2\xF0\x9F\x98\x80";  // twelve

/// Parameters that are the same to the bit on every machine: multiples of 1/2048. Positions are large, so that the
/// likeliest token changes from one to the next.
Parameters parameters_of(std::uint64_t seed) {
  Parameters parameters;
  std::uint64_t state = seed * 0x9E3779B97F4A7C15U + 1;
  for (auto const& parameter : gpt2::parameter_shapes(shape)) {
    bool const is_scale = parameter.name.ends_with("ln_1.weight") || parameter.name.ends_with("ln_2.weight") ||
                          parameter.name == "ln_f.weight";
    float const factor = parameter.name == "wpe.weight" ? 4.0F : 1.0F;
    auto& values = parameters[parameter.name];
    values.resize(parameter.size());
    for (auto& value : values) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      value = (is_scale ? 1.0F : 0.0F) + factor * (static_cast<float>(state >> 53U) - 1024.0F) / 2048.0F;
    }
  }
  return parameters;
}

void save(std::string const& folder, Parameters const& parameters, gpt2::HuggingFaceOptions const& options = {}) {
  gpt2::save_hugging_face(
      shape, folder, true, [&](std::string const& name) { return parameters.at(name); }, options);
}

gpt2::HuggingFaceOptions in_shards() {
  return {.max_shard_bytes = 20'000, .tokenizer = gpt2::tokenizer_of_characters(characters, shape.context)};
}

/// What a folder or an index holds, under our names.
Parameters read(std::string const& path) {
  command_line::TensorSource source(path);
  Parameters parameters;
  for (auto const& parameter : gpt2::parameter_shapes(shape)) {
    parameters[parameter.name] = source.read("transformer." + parameter.name, parameter.size());
  }
  CHECK(source.names().size() == parameters.size());
  return parameters;
}

std::string text_of(std::string const& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file.is_open());
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::set<std::string> names_in(std::string const& folder) {
  std::set<std::string> names;
  for (auto const& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename().string());
  return names;
}

std::set<std::string> operator+(std::set<std::string> all, std::set<std::string> const& more) {
  all.insert(more.begin(), more.end());
  return all;
}

std::set<std::string> const configs{"config.json", "generation_config.json"};
std::set<std::string> const tokenizer{"tokenizer.json", "tokenizer_config.json"};
std::set<std::string> const shards{"model-00001-of-00007.safetensors", "model-00002-of-00007.safetensors",
                                   "model-00003-of-00007.safetensors", "model-00004-of-00007.safetensors",
                                   "model-00005-of-00007.safetensors", "model-00006-of-00007.safetensors",
                                   "model-00007-of-00007.safetensors", "model.safetensors.index.json"};

zero_test::Outcome run(std::string const& command) { return zero_test::run_command(command + " 2>/dev/null"); }

bool python_has(std::string const& packages) { return run(python() + " -c 'import " + packages + "'").code == 0; }

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

/// The likeliest continuation of a text, to the model's context. No two logits may be so close that the order of sums
/// decides.
std::vector<Token> greedy(Parameters const& parameters, std::vector<Token> tokens) {
  while (tokens.size() < shape.context) {
    auto logits = logits_of(parameters, tokens);
    auto const best = std::max_element(logits.begin(), logits.end());
    tokens.push_back(static_cast<Token>(best - logits.begin()));
    std::nth_element(logits.begin(), logits.begin() + 1, logits.end(), std::greater<>());
    REQUIRE(logits[0] - logits[1] > 1e-4F);
  }
  return tokens;
}

std::vector<Token> tokens_of(zero::Json const& json) {
  std::vector<Token> tokens;
  for (auto const& token : *json.find("tokens")->get<zero::Json::Array>()) {
    tokens.push_back(static_cast<Token>(*token.get<std::uint64_t>()));
  }
  return tokens;
}

}  // namespace

TEST_CASE("saved model: shards hold every parameter once, none above the size, and the index says where") {
  TemporaryFolder const folder;
  auto const parameters = parameters_of(1);
  save(folder.path(), parameters, in_shards());
  CHECK(names_in(folder.path()) == configs + tokenizer + shards);
  CHECK(read(folder / "model.safetensors.index.json") == parameters);
  auto const index = command_line::read_json(folder / "model.safetensors.index.json");
  std::size_t elements = 0;
  for (auto const& [name, values] : parameters) elements += values.size();
  CHECK(*index.find("metadata")->find("total_size")->get<std::uint64_t>() == 4 * elements);
  CHECK(index.find("weight_map")->get<zero::Json::Object>()->size() == parameters.size());
  for (auto const& name : shards) {
    CAPTURE(name);
    if (name.ends_with(".safetensors")) CHECK(fs::file_size(folder / name) < 20'000 + 4'000);
  }
}

TEST_CASE("saved model: a parameter that is larger than a shard may be has one of its own") {
  TemporaryFolder const folder;
  auto const parameters = parameters_of(1);
  save(folder.path(), parameters, {.max_shard_bytes = 1});
  CHECK(read(folder / "model.safetensors.index.json") == parameters);
  CHECK(fs::exists(folder / "model-00028-of-00028.safetensors"));
}

TEST_CASE("saved model: what replaces a model leaves nothing of it, and nothing else's") {
  TemporaryFolder const folder;
  std::ofstream(folder / "notes.txt") << "mine";
  std::ofstream(folder / "model-1-of-2.safetensors") << "mine";
  std::set<std::string> const mine{"notes.txt", "model-1-of-2.safetensors"};
  auto const first = parameters_of(1), second = parameters_of(2), third = parameters_of(3), last = parameters_of(4);
  save(folder.path(), first);
  CHECK(names_in(folder.path()) == mine + configs + std::set<std::string>{"model.safetensors"});
  // What kills have left: of a model that was to come, and of a file that was being written.
  std::ofstream(folder / ".new-model-00001-of-00002.safetensors") << "x";
  std::ofstream(folder / "..new-model.safetensors.tmp") << "x";
  save(folder.path(), second, in_shards());
  CHECK(names_in(folder.path()) == mine + configs + tokenizer + shards);
  CHECK(read(folder / "model.safetensors.index.json") == second);
  save(folder.path(), third, {.max_shard_bytes = 30'000});
  CHECK_FALSE(fs::exists(folder / "model-00007-of-00007.safetensors"));
  CHECK(read(folder / "model.safetensors.index.json") == third);
  CHECK(fs::exists(folder / "tokenizer.json"));  // perhaps somebody's own
  save(folder.path(), last, {.removes_other_tokenizer = true});
  CHECK(names_in(folder.path()) == mine + configs + std::set<std::string>{"model.safetensors"});
  CHECK(read(folder / "model.safetensors") == last);
}

TEST_CASE("saved model: a failure on the way leaves the model that was there, and all parameters are asked for") {
  TemporaryFolder const folder;
  auto const old = parameters_of(1), young = parameters_of(2);
  save(folder.path(), old, in_shards());
  auto const before = names_in(folder.path());
  // A folder stands where the third file is to be written.
  fs::create_directories(folder / "..new-model-00003-of-00007.safetensors.tmp" / fs::path("x"));
  std::size_t asked = 0;
  CHECK_THROWS_AS(
      gpt2::save_hugging_face(
          shape, folder.path(), true, [&](std::string const& name) { return ++asked, young.at(name); }, in_shards()),
      zero::CheckpointError);
  fs::remove_all(folder / "..new-model-00003-of-00007.safetensors.tmp");
  CHECK(asked == young.size());
  CHECK(names_in(folder.path()) == before);
  CHECK(read(folder / "model.safetensors.index.json") == old);
}

TEST_CASE("saved model: what ends while it replaces leaves no index, which would speak of files of two models") {
  TemporaryFolder const folder;
  save(folder.path(), parameters_of(1), in_shards());
  // It takes no other's name, so that the second file is in its place, and the third is not.
  fs::remove(folder / "model-00003-of-00007.safetensors");
  fs::create_directories(folder / "model-00003-of-00007.safetensors" / fs::path("x"));
  CHECK_THROWS_WITH_AS(save(folder.path(), parameters_of(2), in_shards()),
                       doctest::Contains("model-00003-of-00007.safetensors: the new file, "), zero::CheckpointError);
  CHECK(fs::exists(folder / "model-00002-of-00007.safetensors"));
  CHECK_FALSE(fs::exists(folder / "model.safetensors.index.json"));
}

TEST_CASE("saved model: a rank that does not write asks for the same parameters and touches nothing") {
  TemporaryFolder const folder;
  std::vector<std::string> asked, of_writer;
  auto const parameters = parameters_of(1);
  auto const ask = [&](std::vector<std::string>& names) {
    return [&](std::string const& name) { return names.push_back(name), parameters.at(name); };
  };
  gpt2::save_hugging_face(shape, folder / "none", false, ask(asked), in_shards());
  CHECK_FALSE(fs::exists(folder / "none"));
  gpt2::save_hugging_face(shape, folder / "model", true, ask(of_writer), in_shards());
  CHECK(asked == of_writer);
}

// Renewed by tests/gpt2/saved_model/record.sh.
TEST_CASE("saved model: the texts beside it are those that transformers has read, and the tokens those it made") {
  TemporaryFolder const folder;
  if (char const* const place = std::getenv("ZERO_RECORD_SAVED_MODEL")) {
    save(place, parameters_of(1), in_shards());
    return;
  }
  save(folder.path(), parameters_of(1), in_shards());
  for (std::string const name : {"config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"}) {
    CAPTURE(name);
    CHECK(text_of(folder / name) == text_of(SAVED_MODEL_FOLDER "/" + name));
  }
  auto const recorded = command_line::read_json(SAVED_MODEL_FOLDER "/greedy.json");
  auto const tokens = tokens_of(recorded);
  CHECK(greedy(parameters_of(1), {tokens[0], tokens[1]}) == tokens);
  CHECK(std::set<Token>(tokens.begin(), tokens.end()).size() >= 8);
}

TEST_CASE("saved model: transformers loads shards and characters, and continues a text as we do" *
          doctest::test_suite("transformers")) {
  if (!python_has("torch, transformers")) ZERO_SKIP(python() << " has no torch or no transformers");
  TemporaryFolder const folder;
  auto const parameters = parameters_of(1);
  save(folder.path(), parameters, in_shards());
  auto const theirs = run(python() + " '" HUGGING_FACE_FOLDER "/transformers_logits.py' text '" + folder.path() +
                          "' 'qa' " + std::to_string(shape.context - 2));
  REQUIRE(theirs.code == 0);
  auto const json = command_line::parse_json(theirs.output);
  CHECK(tokens_of(json) == greedy(parameters, {8, 5}));
  CHECK(*json.find("tokenizer")->get<std::uint64_t>() == 12);
  auto const& text = *json.find("text")->get<std::string>();
  CHECK(text.starts_with("qa"));
  INFO(theirs.output);
  CHECK(text == *command_line::read_json(SAVED_MODEL_FOLDER "/greedy.json").find("text")->get<std::string>());
}

TEST_CASE("saved model: transformers takes the type of 16 bits that a model is saved in, and torch rounds alike" *
          doctest::test_suite("transformers")) {
  if (!python_has("torch, transformers")) ZERO_SKIP(python() << " has no torch or no transformers");
  TemporaryFolder const folder;
  auto parameters = parameters_of(1);
  for (auto& [name, values] : parameters) {
    for (auto& value : values) value /= 3.0F;  // of more digits than 16 bits hold
  }
  auto options = in_shards();
  save(folder / "fp32", parameters, options);
  options.type = zero::ElementType::bf16;
  save(folder / "bfloat16", parameters, options);
  options.type = zero::ElementType::fp16;
  save(folder / "float16", parameters, options);
  std::ofstream(folder / "check.py") << R"(
import sys, torch, transformers
def load(name, dtype):
    return transformers.AutoModelForCausalLM.from_pretrained(sys.argv[1] + "/" + name, torch_dtype=dtype).state_dict()
whole = load("fp32", torch.float32)
for name in "bfloat16", "float16":
    dtype = getattr(torch, name)
    narrow = load(name, "auto")
    assert {t.dtype for t in narrow.values()} == {dtype}, name
    assert all(torch.equal(narrow[key], tensor.to(dtype)) for key, tensor in whole.items()), name
)";
  CHECK(run(python() + " '" + (folder / "check.py") + "' '" + folder.path() + "'").code == 0);
}

TEST_CASE("saved model: the tokenizers package reads characters, each of them and nothing else" *
          doctest::test_suite("tokenizers")) {
  if (!python_has("tokenizers")) ZERO_SKIP(python() << " has no package tokenizers");
  TemporaryFolder const folder;
  save(folder.path(), parameters_of(1), in_shards());
  std::ofstream(folder / "check.py") << R"(
import sys, tokenizers
t = tokenizers.Tokenizer.from_file(sys.argv[1] + "/tokenizer.json")
alphabet = "\n !\"\\abcq\u00e9\u6f22\U0001f600"
text = alphabet + "  \n\n" + alphabet[::-1] + " a !b" * 3
encoded = t.encode(text)
assert encoded.ids == [alphabet.index(c) for c in text], encoded.ids
assert t.decode(encoded.ids) == text
assert t.get_vocab_size() == len(alphabet)
for other in ("x", "a\u0301", "\t"):
    try:
        t.encode("a" + other)
    except Exception as error:
        assert "UNK" in str(error), error
    else:
        raise AssertionError(other + " has a token")
)";
  CHECK(run(python() + " '" + (folder / "check.py") + "' '" + folder.path() + "'").code == 0);
}

}  // namespace gpt2_saved_model_test
