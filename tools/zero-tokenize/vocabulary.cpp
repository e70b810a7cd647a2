// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "vocabulary.hpp"

#include "encoding.hpp"
#include "pipeline.hpp"
#include "text/bpe_trainer.hpp"
#include "text/characters.hpp"

#include <utility>

namespace zero_tokenize {
namespace {

constexpr std::size_t chunk_bytes = std::size_t{1} << 20U;

// The text of a document as it is encoded. \throws DataError where it is not UTF-8.
std::string checked(std::string_view text, Chunk const& chunk, Input const& input, std::size_t at, bool replaces) {
  auto const malformed = zero_text::first_malformed(text);
  if (malformed == text.size()) return std::string(text);
  if (replaces) return zero_text::replace_malformed(text);
  throw DataError(input.path + ": is not UTF-8: byte " + std::to_string(chunk.begin.offset + at + malformed) +
                  " begins no character; --replace puts U+FFFD there");
}

// Makes a result of all texts: `add(result, text, place)` takes a document or a part of one in, and `merge(result)`
// each chunk's.
template <class Result, class Make, class Add, class Merge>
void over_texts(Options const& options, std::vector<Input> const& inputs, std::size_t threads, Cut cut, Make&& make,
                Add&& add, Merge&& merge) {
  ChunkReader reader(inputs, options.documents, cut, chunk_bytes, {});
  auto const worker = [&] {
    return [&](Chunk const& chunk) {
      Result result = make();
      auto const& input = inputs[chunk.begin.input];
      each_text(chunk, input, options, [&](std::string_view text, std::size_t at) {
        add(result, checked(text, chunk, input, at, options.replace), chunk.begin.offset + at, input);
      });
      return result;
    };
  };
  Pipeline<Chunk, Result>::run(
      threads, [&] { return reader.next(); }, worker, merge);
}

std::string train(Options const& options, std::vector<Input> const& inputs, std::size_t threads) {
  using zero_text::WordCounts;
  WordCounts counts(options.pattern);
  over_texts<WordCounts>(
      options, inputs, threads, Cut::at_words, [&] { return WordCounts(options.pattern); },
      [](WordCounts& mine, std::string const& text, std::uint64_t, Input const&) { mine.add(text); },
      [&](WordCounts const& others) { counts.add(others); });
  std::vector<std::string> const special{options.separator_token.value_or("<|endoftext|>")};
  auto const trained = zero_text::train_bpe(counts, *options.train_bpe, special);
  if (trained.tokens.size() + special.size() < *options.train_bpe) {
    throw DataError("--train-bpe " + std::to_string(*options.train_bpe) + ": the text has no more than " +
                    std::to_string(trained.tokens.size() + special.size()) +
                    " tokens; ask for that many, or give more text");
  }
  return to_json(trained, options.pattern);
}

std::string find_characters(Options const& options, std::vector<Input> const& inputs, std::size_t threads) {
  using Seen = std::vector<bool>;
  Seen seen(0x110000);
  over_texts<Seen>(
      options, inputs, threads, Cut::at_characters, [] { return Seen(0x110000); },
      [](Seen& mine, std::string const& text, std::uint64_t place, Input const& input) {
        for (std::size_t at = 0; at < text.size();) {
          auto const [code, bytes] = zero_text::code_point_at(text, at);
          if (code == 0) throw DataError(input.path + ": is no text: byte " + std::to_string(place + at) + " is 0");
          mine[code] = true;
          at += bytes;
        }
      },
      [&](Seen const& others) {
        for (std::size_t code = 0; code < others.size(); ++code) {
          if (others[code]) seen[code] = true;
        }
      });
  std::u32string characters;
  for (std::size_t code = 0; code < seen.size(); ++code) {
    if (seen[code]) characters += static_cast<char32_t>(code);
  }
  return zero_text::characters_to_json(characters);
}

}  // namespace

zero_text::TokenizerText make_vocabulary(Options const& options, std::vector<Input> const& inputs,
                                         std::size_t threads) {
  if (options.train_bpe) return {"tokenizer.json", train(options, inputs, threads)};
  if (options.characters) return {std::string(zero_text::characters_file), find_characters(options, inputs, threads)};
  return zero_text::read_tokenizer_text(*options.tokenizer);
}

}  // namespace zero_tokenize
