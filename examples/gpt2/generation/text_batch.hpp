// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "../sampling.hpp"
#include "decoder.hpp"
#include "text_window.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace gpt2 {

/// What a text is generated with.
struct TextSettings {
  std::size_t tokens = 256;  ///< of each text, behind its prompt, at most
  SamplingConfig sampling{};
  std::uint64_t seed = 1337;
};

/// Texts that go on from prompts of any lengths, as many at a time as the decoder has sequences; one that has ended
/// makes place for the next. Each is the same to the bit as if it were alone.
class TextBatch {
 public:
  /// Hears each token of text \p text, a prompt's place; says whether the text goes on.
  using OnToken = std::function<bool(std::size_t text, Token token)>;
  /// Hears that a text has ended.
  using OnEnd = std::function<void(std::size_t text)>;

  /// Each prompt has at least one token and at most the context's, and the decoder's capacity is at least
  /// `capacity_for`. \p decoder is borrowed. \throws std::invalid_argument
  TextBatch(Decoder& decoder, TextSettings const& settings, std::vector<std::vector<Token>> prompts, OnToken on_token,
            OnEnd on_end = {});

  /// The tokens that a cache must hold for prompts of up to \p longest tokens.
  [[nodiscard]] static std::size_t capacity_for(ModelShape const& shape, std::size_t longest, std::size_t tokens);

  /// Generates one token of each text under way. Whether there is any left. \throws std::invalid_argument for logits
  /// that are not finite.
  bool step();

  /// Tokens that the model was given, and that it has drawn.
  [[nodiscard]] std::size_t read() const noexcept { return read_; }
  [[nodiscard]] std::size_t drawn() const noexcept { return drawn_; }

 private:
  /// A text under way, in a sequence of the decoder.
  struct Text {
    std::size_t index;
    TextWindow window;
    CounterRandom random;
    std::uint64_t count = 0;  // of tokens drawn
  };

  void begin_texts();
  void feed();
  void flush();
  void take(std::size_t sequence, std::span<float const> logits);

  Decoder& decoder_;
  TextSettings settings_;
  std::vector<std::vector<Token>> prompts_;
  OnToken on_token_;
  OnEnd on_end_;
  std::size_t next_ = 0, read_ = 0, drawn_ = 0;
  std::vector<std::optional<Text>> texts_;  // by the decoder's sequences
  std::vector<NextToken> call_;
};

}  // namespace gpt2
