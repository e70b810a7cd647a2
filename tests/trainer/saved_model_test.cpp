// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Folders for Hugging Face, out of train_gpt2 and into it.

#include "program.hpp"
#include "skip.hpp"

#include <array>
#include <cstdlib>
#include <iterator>
#include <utility>
#include <vector>

namespace trainer_saved_model_test {

using namespace trainer_test;

namespace {

std::string text_of(fs::path const& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

bool says(Outcome const& outcome, std::string const& part) { return outcome.output.find(part) != std::string::npos; }

/// 16-bit tokens below \p vocabulary.
void write_tokens(fs::path const& path, int vocabulary) {
  std::ofstream file(path, std::ios::binary);
  for (int i = 0; i < 2000; ++i) file.put(static_cast<char>(i * i % vocabulary)).put('\0');
}

/// The file at \p path with \p now for each \p old.
void replace_in(fs::path const& path, std::string const& old, std::string const& now) {
  auto text = text_of(path);
  REQUIRE(text.find(old) != std::string::npos);
  for (std::size_t at = 0; (at = text.find(old, at)) != std::string::npos; at += now.size()) {
    text.replace(at, old.size(), now);
  }
  std::ofstream(path, std::ios::binary) << text;
}

}  // namespace

TEST_CASE("train_gpt2: a model that is saved in shards is what a run starts from") {
  Folder const folder;
  auto const saved = hash_of(folder, "--save-hf " + folder.quote("model") + " --max-shard-size 5K");
  CHECK(fs::exists(folder / "model" / "model.safetensors.index.json"));
  CHECK(fs::exists(folder / "model" / "model-00002-of-00007.safetensors"));
  CHECK_FALSE(fs::exists(folder / "model" / "model.safetensors"));
  CHECK(hash_of(folder, "--lr 0 --iterations 1 --init-from " + folder.quote("model")) == saved);
  CHECK(hash_of(folder, "--lr 0 --iterations 1 --stage 3 --ranks 3 --init-from " + folder.quote("model")) == saved);

  auto const again = run("--data " + folder.quote("text.txt") + tiny + "--save-hf " + folder.quote("model"));
  CHECK(again.code == 2);
  CHECK(says(again, "holds a model.safetensors.index.json already: use --overwrite"));
  CHECK(hash_of(folder, "--overwrite --save-hf " + folder.quote("model")) == saved);
  CHECK(fs::exists(folder / "model" / "model.safetensors"));
  CHECK_FALSE(fs::exists(folder / "model" / "model.safetensors.index.json"));
  CHECK(hash_of(folder, "--lr 0 --iterations 1 --init-from " + folder.quote("model")) == saved);
}

TEST_CASE("train_gpt2: --max-shard-size is a size, of a model that is saved") {
  Folder const folder;
  std::string const data = "--data " + folder.quote("text.txt") + tiny;
  for (auto const& [more, why] : std::vector<std::pair<std::string, std::string>>{
           {"--max-shard-size 5K", "--max-shard-size: needs --save-hf or --save-hf-best"},
           {"--save-hf x --max-shard-size 0", "--max-shard-size 0: expected at least one byte"},
           {"--save-hf x --max-shard-size 5Q", "--max-shard-size 5Q: expected bytes"}}) {
    auto const refused = run(data + more);
    CAPTURE(refused.output);
    CHECK(refused.code == 2);
    CHECK(says(refused, why));
  }
}

TEST_CASE("train_gpt2: --hf-precision is the type of a model that is saved, and of nothing else") {
  Folder const folder;
  auto const saved = hash_of(folder, "--save-hf " + folder.quote("fp32"));
  auto const bytes = fs::file_size(folder / "fp32" / "model.safetensors");
  for (auto const& [type, torch_type, file_type] : std::vector<std::array<std::string, 3>>{
           {"bf16", "bfloat16", "BF16"}, {"fp16", "float16", "F16"}, {"fp32", "float32", "F32"}}) {
    auto const model = folder / type.c_str();
    std::string const more = "--overwrite --max-shard-size 1G --save-hf '" + model.string() + "' ";
    CHECK(hash_of(folder, more + "--hf-precision " + type) == saved);
    CHECK(text_of(model / "config.json").find("\"torch_dtype\":\"" + torch_type + "\"") != std::string::npos);
    auto const file = text_of(model / "model.safetensors");
    CHECK(file.find("\"dtype\":\"" + file_type + "\"") != std::string::npos);
    if (type != "fp32") CHECK(file.size() < bytes * 6 / 10);
    // What is read back is what was written. A step, even of rate 0, makes 0 of -0, which small values are rounded to.
    auto const once = folder / (type + "-once").c_str(), again = folder / (type + "-again").c_str();
    for (auto const& [from, to] : {std::pair(model, once), std::pair(once, again)}) {
      (void)hash_of(folder, "--lr 0 --iterations 1 --init-from '" + from.string() + "' --hf-precision " + type +
                                " --save-hf '" + to.string() + "'");
    }
    CHECK(text_of(again / "model.safetensors") == text_of(once / "model.safetensors"));
    if (type != "fp16") CHECK(text_of(once / "model.safetensors") == file);
  }
  // Twice as many parameters fit a file, and the index counts the bytes that are there.
  (void)hash_of(folder, "--hf-precision bf16 --max-shard-size 5K --save-hf " + folder.quote("shards"));
  auto const index = text_of(folder / "shards" / "model.safetensors.index.json");
  CHECK(index.find("model-00004-of-00004.safetensors") != std::string::npos);

  auto const data = "--data " + folder.quote("text.txt") + tiny;
  auto const useless = run(data + "--hf-precision bf16");
  CHECK(useless.code == 2);
  CHECK(says(useless, "--hf-precision: needs --save-hf or --save-hf-best"));
  CHECK(run(data + "--hf-precision int8 --save-hf " + folder.quote("x")).code == 2);
}

TEST_CASE("train_gpt2: shards that are missing, damaged, or not what their index says are refused in a line") {
  Folder const folder;
  (void)hash_of(folder, "--save-hf " + folder.quote("model") + " --max-shard-size 5K");
  fs::path const model = folder / "model", index = model / "model.safetensors.index.json";
  auto const refused = [&](int code, std::string const& why) {
    auto const outcome =
        run("--data " + folder.quote("text.txt") + " --iterations 1 --sample 0 --init-from " + folder.quote("model"));
    CAPTURE(why);
    CAPTURE(outcome.output);
    CHECK(outcome.code == code);
    CHECK(says(outcome, why));
    CHECK(outcome.output.find("train_gpt2: ") == outcome.output.rfind('\n', outcome.output.size() - 2) + 1);
  };
  auto const good = text_of(index);
  auto const restore = [&] { std::ofstream(index, std::ios::binary) << good; };

  fs::rename(model / "model-00003-of-00007.safetensors", folder / "away");
  refused(4, "model-00003-of-00007.safetensors");
  auto const shard = text_of(folder / "away");
  std::ofstream(model / "model-00003-of-00007.safetensors", std::ios::binary) << shard.substr(0, shard.size() - 1);
  refused(5, "");  // cut off
  fs::rename(folder / "away", model / "model-00003-of-00007.safetensors");

  // The same tensor in two files.
  fs::copy_file(model / "model-00001-of-00007.safetensors", model / "extra.safetensors");
  replace_in(index, "\"weight_map\":{", R"("weight_map":{"x":"extra.safetensors",)");
  refused(5, "in both 'extra.safetensors' and 'model-00001-of-00007.safetensors'");
  restore();
  // A name twice.
  replace_in(index, "\"weight_map\":{",
             R"("weight_map":{"transformer.wpe.weight":"model-00001-of-00007.safetensors",)");
  refused(5, "twice");
  restore();
  // An index that lies.
  replace_in(index, R"("transformer.wte.weight":"model-00001)", R"("transformer.wte.weight":"model-00002)");
  refused(5, "which does not hold it");
  restore();
  replace_in(index, "\"weight_map\":{", R"("weight_map":{"x":"../model.safetensors",)");
  refused(5, "no safetensors file of its own folder");
  restore();
  replace_in(index, "weight_map", "weights");
  refused(5, "has no weight_map");
  std::ofstream(index) << "{";
  refused(5, "");
  restore();
  CHECK(run("--data " + folder.quote("text.txt") +
            " --batch 2 --iterations 1 --eval-batches 1 --sample 0 --init-from " + folder.quote("model"))
            .code == 0);

  // Elements that parameters are not read from: as many bytes, and another name.
  replace_in(model / "model-00001-of-00007.safetensors", "\"F32\"", "\"I32\"");
  refused(4, "has the type I32: parameters are read from F32, F16 and BF16");
}

TEST_CASE("train_gpt2: the characters of a text are saved beside the model, also in its place of an older one") {
  Folder const folder;
  (void)hash_of(folder, "--save-hf " + folder.quote("model"));
  auto const tokenizer = text_of(folder / "model" / "tokenizer.json");
  CHECK(tokenizer.find(R"("vocab":{"\n":0," ":1,"0":2)") != std::string::npos);
  CHECK(text_of(folder / "model" / "tokenizer_config.json").find(R"("model_max_length":8)") != std::string::npos);
  CHECK(text_of(folder / "model" / "generation_config.json") == "{\"_from_model_config\":true}\n");
  write_tokens(folder / "tokens.bin", 29);
  CHECK(run("--data " + folder.quote("tokens.bin") + tiny + "--vocab 29 --overwrite --save-hf " + folder.quote("model"))
            .code == 0);
  CHECK_FALSE(fs::exists(folder / "model" / "tokenizer.json"));
}

TEST_CASE("train_gpt2: a text goes by the characters of the model that the run starts from") {
  Folder const folder;
  (void)hash_of(folder, "--save-hf " + folder.quote("model"));
  std::string const more = " --batch 2 --iterations 1 --eval-batches 1 --sample 0 --init-from " + folder.quote("model");
  std::string text;
  for (int i = 0; i < 60; ++i) text += "the lazy dog jumps over the fox\n";  // without digits and some letters
  std::ofstream(folder / "fewer.txt") << text;
  auto const fewer = run("--data " + folder.quote("fewer.txt") + more + " --save-hf " + folder.quote("next"));
  CAPTURE(fewer.output);
  CHECK(fewer.code == 0);
  CHECK(text_of(folder / "next" / "tokenizer.json") == text_of(folder / "model" / "tokenizer.json"));
  std::ofstream(folder / "other.txt") << text << "!";
  auto const other = run("--data " + folder.quote("other.txt") + more);
  CAPTURE(other.output);
  CHECK(other.code == 4);
  CHECK(says(other, "'!'"));
}

TEST_CASE("train_gpt2: the tokenizer beside the tokens is saved beside the model, with its end of text") {
  Folder const folder;
  fs::create_directory(folder / "data");
  write_tokens(folder / "data" / "train.bin", 29);
  std::string const bpe =
      R"({"added_tokens":[{"id":28,"content":"<|endoftext|>"}],"model":{"type":"BPE","vocab":{"a":0},"merges":[]}})";
  std::ofstream(folder / "data" / "tokenizer.json") << bpe;
  std::string const data = "--data " + folder.quote("data/train.bin") + tiny + "--vocab 29 ";
  auto const saved = run(data + "--save-hf " + folder.quote("model"));
  INFO(saved.output);
  CHECK(saved.code == 0);
  CHECK(says(saved, "model: saved for transformers in "));
  CHECK(says(saved, "data/tokenizer.json"));
  CHECK(text_of(folder / "model" / "tokenizer.json") == bpe);
  CHECK(text_of(folder / "model" / "config.json").find(R"("bos_token_id":28,"eos_token_id":28)") != std::string::npos);
  CHECK(text_of(folder / "model" / "generation_config.json").find(R"("eos_token_id":28)") != std::string::npos);

  // From there on it goes with the model, to other tokens without one.
  write_tokens(folder / "bare.bin", 29);
  auto const on = run("--data " + folder.quote("bare.bin") + " --batch 2 --iterations 2 --eval-batches 1 --sample 0 " +
                      "--init-from " + folder.quote("model") + " --save-hf " + folder.quote("next"));
  CHECK(on.code == 0);
  CHECK(text_of(folder / "next" / "tokenizer.json") == bpe);
  CHECK(text_of(folder / "next" / "config.json").find(R"("eos_token_id":28)") != std::string::npos);

  // A run that cannot save it does not begin.
  std::ofstream(folder / "data" / "tokenizer.json") << bpe.substr(0, 20);
  auto const damaged = run(data + "--ranks 2 --save-hf " + folder.quote("third"));
  CAPTURE(damaged.output);
  CHECK(damaged.code == 4);
  CHECK(says(damaged, "data/tokenizer.json: is no JSON: it is damaged or cut off; copy it again"));
  CHECK_FALSE(says(damaged, "step 1"));
  std::ofstream(folder / "data" / "tokenizer.json") << bpe;
  replace_in(folder / "data" / "tokenizer.json", "28", "29");
  auto const larger = run(data + "--save-hf " + folder.quote("third"));
  CHECK(larger.code == 4);
  CHECK(says(larger, "has 30 tokens, but the model's vocabulary is 29"));
}

TEST_CASE("train_gpt2: transformers continues a text as the sample of the run that has saved the model" *
          doctest::test_suite("transformers")) {
  auto const python = zero_test::python();
  if (std::system((python + " -c 'import torch, transformers' 2>/dev/null").c_str()) != 0) {
    ZERO_SKIP(python << " has no torch or no transformers");
  }
  Folder const folder;
  auto const trained =
      run("--data " + folder.quote("text.txt") +
          " --layers 2 --heads 2 --width 32 --context 64 --batch 8 --iterations 300 --lr 3e-3 --eval-batches 2"
          " --sample 63 --temperature 0 --max-shard-size 30K --save-hf " +
          folder.quote("model"));
  REQUIRE(trained.code == 0);
  auto const begin = trained.output.find("sample:\n") + 8;
  auto const sample = trained.output.substr(begin, 64);
  std::ofstream(folder / "check.py") << R"(
import json, subprocess, sys
made = subprocess.run([sys.executable, sys.argv[1], "text", sys.argv[2], sys.argv[3][0], "63"], capture_output=True)
text = json.loads(made.stdout)["text"]
print(text)
sys.exit(text != sys.argv[3])
)";
  std::ofstream(folder / "run.sh") << "exec " << python << " \"$1/check.py\" '" TRANSFORMERS_SCRIPT
                                   << "' \"$1/model\" \"$(cat \"$1/sample\"; echo .)\"\n";
  INFO(trained.output);
  std::ofstream(folder / "sample") << sample;
  replace_in(folder / "check.py", "sys.argv[3]", "sys.argv[3][:-1]");
  CHECK(std::system(("bash " + folder.quote("run.sh") + " " + folder.quote(".")).c_str()) == 0);
}

}  // namespace trainer_saved_model_test
