// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "preparation.hpp"

#include "encoding.hpp"
#include "output_folder.hpp"
#include "pipeline.hpp"
#include "support/counted.hpp"
#include "text/text_file.hpp"
#include "vocabulary.hpp"

#include <zero/utility/fingerprint.hpp>

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <optional>
#include <thread>
#include <utility>

namespace zero_tokenize {
namespace {

namespace fs = std::filesystem;
using command_line::counted;
using zero::Json;
using zero_text::ShardEncoding;

constexpr std::size_t most_chunk = std::size_t{1} << 20U;  // bytes

std::size_t threads_of(Options const& options) {
  return options.threads != 0 ? options.threads : std::max(1U, std::thread::hardware_concurrency());
}

// All that the result depends on, but for what the vocabulary decides. `given` is the tokenizer that was named.
std::string request_of(Options const& o, std::vector<Input> const& inputs,
                       std::optional<zero_text::TokenizerText> const& given) {
  Json::Array files;
  for (auto const& input : inputs) {
    files.emplace_back(Json::Object{{"file", fs::path(input.path).filename().string()},
                                    {"bytes", input.bytes},
                                    {"fingerprint", input.fingerprint},
                                    {"json_lines", input.json_lines},
                                    {"validation", input.validation}});
  }
  Json::Object request{{"inputs", std::move(files)},
                       {"documents", name_of(o.documents)},
                       {"json_key", o.json_key.value_or("text")},
                       {"replace", o.replace},
                       {"special_tokens", o.recognize_special ? "tokens" : "text"},
                       {"separator", o.separator ? name_of(*o.separator) : ""},
                       {"separator_token", o.separator_token.value_or("")},
                       {"encoding", o.encoding ? std::string(name_of(*o.encoding)) : std::string()},
                       {"shard_tokens", o.shard_tokens},
                       {"validation", o.validation}};
  if (o.train_bpe) {
    request.emplace_back("train_bpe", std::uint64_t{*o.train_bpe});
    request.emplace_back("pattern", name_of(o.pattern));
  } else if (o.characters) {
    request.emplace_back("characters", true);
  } else if (given) {
    request.emplace_back("tokenizer", zero::fingerprint_of(given->text));
  }
  return zero::to_text(Json(std::move(request)));
}

std::uint64_t hash_of_file(std::string const& path) {
  std::ifstream file(path, std::ios::binary);
  zero::Fingerprint hash;
  std::string block(most_chunk, '\0');
  while (file.read(block.data(), static_cast<std::streamsize>(block.size())) || file.gcount() > 0) {
    hash.add_text(std::string_view(block).substr(0, static_cast<std::size_t>(file.gcount())));
  }
  if (file.bad()) throw DataError(path + ": cannot be read");
  return hash.value();
}

// A preparation whose folder and vocabulary are known.
class Preparation {
 public:
  Preparation(Options const& options, std::vector<Input> const& inputs, OutputFolder const& folder,
              zero_text::TokenizerText const& file, Progress progress)
      : options_(options),
        inputs_(inputs),
        folder_(folder),
        file_(file),
        tokenizer_(zero_text::Tokenizer::from_json(file.text,
                                                   options.tokenizer.value_or((folder.path() / file.name).string()))),
        progress_(std::move(progress)),
        has_saved_(progress_.has_begun()) {
    choose_encoding();
    choose_separator();
    for (auto const& input : inputs) {
      bool const whole = !input.json_lines && options.documents == Documents::file && options.validation > 0;
      target_.goes_to_validation.push_back(input.validation ||
                                           (whole && is_for_validation(hash_of_file(input.path), options.validation)));
    }
  }

  /// Whether a state is saved that has any text behind it.
  [[nodiscard]] bool has_saved() const noexcept { return has_saved_; }

  zero_text::Manifest run(std::size_t threads) {
    sinks_.emplace_back(folder_.path(), false, encoding_, options_.shard_tokens, progress_.sinks[0]);
    sinks_.emplace_back(folder_.path(), true, encoding_, options_.shard_tokens, progress_.sinks[1]);
    auto const chunk = static_cast<std::size_t>(std::min<std::uint64_t>(most_chunk, options_.save_every));
    ChunkReader reader(inputs_, options_.documents, cut_of(tokenizer_), chunk, progress_.position);
    Pipeline<Chunk, EncodedChunk>::run(
        threads, [&] { return reader.next(); }, [&] { return ChunkEncoder(tokenizer_, inputs_, options_, target_); },
        [&](EncodedChunk const& made) { take(made); });
    for (auto& sink : sinks_) sink.finish();
    require_tokens();
    return manifest();
  }

 private:
  void choose_encoding() {
    auto const tokens = tokenizer_.vocabulary();
    bool const is_small = tokens <= 65536;
    encoding_ = options_.encoding.value_or(is_small ? ShardEncoding::llm_c_uint16 : ShardEncoding::llm_c_uint32);
    if (is_small || token_bytes(encoding_) == 4) return;
    throw UsageError("--encoding " + std::string(name_of(encoding_)) + ": the vocabulary has " +
                     counted(tokens, "token") + ", but 16 bits hold 65536: use --encoding llm.c-uint32");
  }

  void choose_separator() {
    bool const is_bpe = tokenizer_.kind() == zero_text::TokenizerKind::bpe;
    target_.place = options_.separator.value_or(is_bpe ? Separator::before : Separator::none);
    if (target_.place == Separator::none) return;
    auto const& name = options_.separator_token;
    target_.separator = name ? tokenizer_.id_of(*name) : tokenizer_.end_of_text();
    if (target_.separator) return;
    throw UsageError(name ? "--separator-token " + *name + ": the vocabulary has no such token"
                          : "the vocabulary has no token that ends a text: name one with --separator-token, or give "
                            "--separator none");
  }

  void take(EncodedChunk const& made) {
    sinks_[0].append(made.train);
    sinks_[1].append(made.validation);
    progress_.position = made.end;
    unsaved_ += made.bytes;
    if (unsaved_ < options_.save_every) return;
    unsaved_ = 0;
    for (std::size_t i = 0; i < 2; ++i) {
      sinks_[i].sync();
      progress_.sinks[i] = sinks_[i].state();
    }
    save_progress(folder_.path(), progress_);
    has_saved_ = true;
    report();
  }

  void report() const {
    if (::isatty(STDERR_FILENO) == 0) return;
    std::uint64_t done = progress_.position.offset, all = 0;
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      all += inputs_[i].bytes;
      done += i < progress_.position.input ? inputs_[i].bytes : 0;
    }
    std::fprintf(stderr, "zero-tokenize: %llu of %llu MB\n", static_cast<unsigned long long>(done / 1000000),
                 static_cast<unsigned long long>(all / 1000000));
  }

  void require_tokens() const {
    if (sinks_[0].tokens() == 0)
      throw DataError("no document is for training; give more text, or a smaller --validation");
    bool const wanted = options_.validation > 0 || !options_.validation_inputs.empty();
    if (wanted && sinks_[1].tokens() == 0) {
      throw DataError("no document is for validation; give more text, or a larger --validation");
    }
  }

  [[nodiscard]] zero_text::Manifest manifest() const {
    zero_text::Manifest made{.encoding = encoding_,
                             .vocabulary = tokenizer_.vocabulary(),
                             .separator = target_.separator,
                             .tokenizer = zero_text::ManifestTokenizer{file_.name, tokenizer_.kind(), file_.text.size(),
                                                                       zero::fingerprint_of(file_.text)},
                             .shards = sinks_[0].state().shards,
                             .made_by = progress_.request};
    auto const& validation = sinks_[1].state().shards;
    made.shards.insert(made.shards.end(), validation.begin(), validation.end());
    return made;
  }

  Options const& options_;
  std::vector<Input> const& inputs_;
  OutputFolder const& folder_;
  zero_text::TokenizerText const& file_;
  zero_text::Tokenizer tokenizer_;
  Progress progress_;
  bool has_saved_;
  ShardEncoding encoding_{};
  Target target_;
  std::vector<ShardSink> sinks_;
  std::uint64_t unsaved_ = 0;
};

// The tokenizer that the folder has, where a preparation was begun.
zero_text::TokenizerText read_back(OutputFolder const& folder, Progress const& progress) {
  std::error_code error;
  bool const characters = !fs::exists(folder.path() / "tokenizer.json", error);
  zero_text::TokenizerText file{characters ? "characters.json" : "tokenizer.json", {}};
  file.text = zero_text::read_text_file(folder.path() / file.name, "the tokenizer that was written there");
  if (zero::fingerprint_of(file.text) != progress.tokenizer) {
    throw DataError((folder.path() / file.name).string() + ": was changed meanwhile; give --overwrite to begin anew");
  }
  return file;
}

}  // namespace

std::string describe(std::string const& folder, zero_text::Manifest const& manifest) {
  std::size_t validation_shards = 0;
  for (auto const& shard : manifest.shards) validation_shards += shard.validation ? 1U : 0U;
  std::string text = folder + ": " + counted(manifest.tokens(false), "token") + " for training in " +
                     counted(manifest.shards.size() - validation_shards, "shard");
  if (validation_shards != 0) {
    text +=
        ", " + counted(manifest.tokens(true), "token") + " for validation in " + counted(validation_shards, "shard");
  }
  return text + ", of a vocabulary of " + std::to_string(manifest.vocabulary) + "\n";
}

std::string prepare(Options const& options) {
  auto const inputs = look_at_inputs(options);
  std::optional<zero_text::TokenizerText> given;
  if (options.tokenizer) given = make_vocabulary(options, inputs, 1);
  auto const request = request_of(options, inputs, given);
  OutputFolder const folder(*options.output, options.overwrite);
  if (auto const manifest = folder.complete(request))
    return "already complete: " + describe(*options.output, *manifest);
  auto const begun = folder.begun(request);
  auto const file = begun   ? read_back(folder, *begun)
                    : given ? *std::move(given)
                            : make_vocabulary(options, inputs, threads_of(options));
  auto const progress = begun.value_or(Progress{request, zero::fingerprint_of(file.text), {}, {}});
  Preparation preparation(options, inputs, folder, file, progress);  // refuses before anything is written
  if (!begun) {
    folder.begin_anew(file);
    if (options.tokenizer_only)
      return *options.output + "/" + file.name + ": " + counted(*options.train_bpe, "token") + "\n";
    save_progress(folder.path(), progress);
  }
  try {
    auto const manifest = preparation.run(threads_of(options));
    folder.finish(manifest);
    return describe(*options.output, manifest);
  } catch (DataError const& error) {
    if (!preparation.has_saved()) throw;
    // Other bytes are another input than that which the saved tokens are from.
    throw DataError(std::string(error.what()) + " (" + *options.output +
                    " has the tokens before; once this is mended, --overwrite begins anew)");
  }
}

}  // namespace zero_tokenize
