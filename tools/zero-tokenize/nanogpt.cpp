// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "chunk.hpp"
#include "output_folder.hpp"
#include "preparation.hpp"
#include "shard_sink.hpp"
#include "text/characters.hpp"
#include "text/nanogpt_meta.hpp"
#include "text/text_file.hpp"
#include "vocabulary.hpp"

#include <zero/utility/fingerprint.hpp>
#include <zero/utility/json.hpp>

#include <fstream>
#include <optional>
#include <utility>

namespace zero_tokenize {
namespace {

namespace fs = std::filesystem;
using zero::Json;

constexpr std::size_t gpt2_vocabulary = 50257;
constexpr std::size_t block_bytes = std::size_t{1} << 20U;

// What nanoGPT's folder says of its tokens; empty: they are GPT-2's.
zero_text::TokenizerText vocabulary_of(fs::path const& folder, Options const& options) {
  std::error_code error;
  auto const meta = folder / "meta.pkl";
  bool const has_meta = fs::exists(meta, error);
  if (options.tokenizer) {
    if (has_meta) throw UsageError("--tokenizer: the characters are in " + meta.string() + "; leave it out");
    return make_vocabulary(options, {}, 1);
  }
  if (!has_meta) return {};
  auto const characters = zero_text::read_nanogpt_meta(zero_text::read_text_file(meta, ""), meta.string());
  return {std::string(zero_text::characters_file), zero_text::characters_to_json(characters)};
}

// Copies the tokens of one file, all of which must be below `vocabulary`.
void copy(fs::path const& path, std::size_t vocabulary, ShardSink& sink) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw DataError(path.string() + ": cannot be read");
  std::string block(block_bytes, '\0');
  std::uint64_t at = 0;
  while (file.read(block.data(), static_cast<std::streamsize>(block.size())) || file.gcount() > 0) {
    auto const bytes = static_cast<std::size_t>(file.gcount());
    if (bytes % 2 != 0)
      throw DataError(path.string() + ": has an odd number of bytes, but tokens take two; it is cut off");
    std::vector<zero_text::TokenId> tokens;
    tokens.reserve(bytes / 2);
    for (std::size_t i = 0; i < bytes; i += 2, ++at) {
      auto const token = static_cast<unsigned>(static_cast<unsigned char>(block[i])) |
                         static_cast<unsigned>(static_cast<unsigned char>(block[i + 1])) << 8U;
      if (token >= vocabulary) {
        throw DataError(path.string() + ": token " + std::to_string(at) + " is " + std::to_string(token) +
                        ", beyond the vocabulary of " + std::to_string(vocabulary) +
                        "; is it of this vocabulary, and of 16 bits, little-endian?");
      }
      tokens.push_back(token);
    }
    sink.append(tokens);
  }
  if (file.bad()) throw DataError(path.string() + ": cannot be read to its end");
}

void require_tokens(fs::path const& path) {
  std::error_code error;
  auto const size = fs::file_size(path, error);
  if (error || !fs::is_regular_file(path, error)) {
    throw DataError(path.string() + ": no such file; --nanogpt needs a folder with train.bin and val.bin");
  }
  if (size == 0) throw DataError(path.string() + ": is empty");
}

}  // namespace

std::string take_nanogpt(Options const& options) {
  fs::path const from = *options.nanogpt;
  Options looked_at;
  for (auto const* const name : {"train.bin", "val.bin"}) {
    require_tokens(from / name);
    looked_at.inputs.push_back((from / name).string());
  }
  Json::Array files;
  for (auto const& input : look_at_inputs(looked_at)) {
    files.emplace_back(Json::Object{{"bytes", input.bytes}, {"fingerprint", input.fingerprint}});
  }
  auto const vocabulary = vocabulary_of(from, options);
  auto const encoding = options.encoding.value_or(zero_text::ShardEncoding::uint16);
  std::string const request = zero::to_text(Json(Json::Object{{"nanogpt", std::move(files)},
                                                              {"tokenizer", zero::fingerprint_of(vocabulary.text)},
                                                              {"encoding", std::string(name_of(encoding))},
                                                              {"shard_tokens", options.shard_tokens}}));
  OutputFolder const folder(*options.output, options.overwrite);
  if (auto const manifest = folder.complete(request))
    return "already complete: " + describe(*options.output, *manifest);
  static_cast<void>(folder.begun(request));  // refuses another's
  zero_text::Manifest manifest{.encoding = encoding, .vocabulary = gpt2_vocabulary, .made_by = request};
  if (!vocabulary.text.empty()) {
    auto const tokenizer = zero_text::Tokenizer::from_json(vocabulary.text, vocabulary.name);
    manifest.vocabulary = tokenizer.vocabulary();
    manifest.tokenizer = zero_text::ManifestTokenizer{vocabulary.name, tokenizer.kind(), vocabulary.text.size(),
                                                      zero::fingerprint_of(vocabulary.text)};
  }
  folder.begin_anew(vocabulary);  // also of a copy that was killed
  save_progress(folder.path(), {request, 0, {}, {}});
  for (bool const validation : {false, true}) {
    ShardSink sink(folder.path(), validation, encoding, options.shard_tokens);
    copy(from / (validation ? "val.bin" : "train.bin"), static_cast<std::size_t>(manifest.vocabulary), sink);
    sink.finish();
    auto const& shards = sink.state().shards;
    manifest.shards.insert(manifest.shards.end(), shards.begin(), shards.end());
  }
  folder.finish(manifest);
  return describe(*options.output, manifest);
}

}  // namespace zero_tokenize
