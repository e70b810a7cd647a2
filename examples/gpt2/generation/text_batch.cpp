// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "text_batch.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace gpt2 {

TextBatch::TextBatch(Decoder& decoder, TextSettings const& settings, std::vector<std::vector<Token>> prompts,
                     OnToken on_token, OnEnd on_end)
    : decoder_(decoder),
      settings_(settings),
      prompts_(std::move(prompts)),
      on_token_(std::move(on_token)),
      on_end_(std::move(on_end)),
      texts_(decoder.sequences()) {
  for (auto const& prompt : prompts_) {
    bool const fits = !prompt.empty() && prompt.size() <= decoder.shape().context;
    if (!fits || capacity_for(decoder.shape(), prompt.size(), settings.tokens) > decoder.capacity()) {
      throw std::invalid_argument("gpt2::TextBatch: a prompt is empty, or longer than the context or the cache");
    }
  }
  call_.reserve(Decoder::most_tokens);
}

std::size_t TextBatch::capacity_for(ModelShape const& shape, std::size_t longest, std::size_t tokens) {
  // The last token that is drawn is not read.
  return std::min(shape.context, longest + std::max<std::size_t>(1, tokens) - 1);
}

bool TextBatch::step() {
  if (settings_.tokens == 0) return false;
  begin_texts();
  feed();
  bool const any = std::any_of(texts_.begin(), texts_.end(), [](auto const& text) { return text.has_value(); });
  return any || next_ < prompts_.size();
}

void TextBatch::begin_texts() {
  for (std::size_t s = 0; s < texts_.size() && next_ < prompts_.size(); ++s) {
    if (texts_[s]) continue;
    decoder_.clear(s);
    auto& prompt = prompts_[next_];
    auto const random = sampling_stream(settings_.seed, prompt);
    texts_[s].emplace(Text{next_++, TextWindow(std::move(prompt), decoder_.shape().context), random});
  }
}

// Gives the decoder what it has not read of each window, in as few calls as that takes, and each text its next token.
void TextBatch::feed() {
  for (std::size_t s = 0; s < texts_.size(); ++s) {
    if (!texts_[s]) continue;
    // A copy: a call on the way may end the text, but only once its last token has been read.
    auto const window = texts_[s]->window.window();
    std::vector<Token> const unread(window.begin() + static_cast<std::ptrdiff_t>(decoder_.length(s)), window.end());
    for (std::size_t i = 0; i < unread.size(); ++i) {
      if (call_.size() == Decoder::most_tokens) flush();
      call_.push_back({s, unread[i], i + 1 == unread.size()});
    }
  }
  flush();
}

void TextBatch::flush() {
  decoder_.append(call_);
  read_ += call_.size();
  std::size_t wanted = 0;
  for (auto const& next : call_) {
    if (next.wants_logits) take(next.sequence, decoder_.logits(wanted++));
  }
  call_.clear();
}

void TextBatch::take(std::size_t sequence, std::span<float const> logits) {
  auto& text = texts_[sequence];
  auto const token = sample(logits, settings_.sampling, text->random, text->count++);
  ++drawn_;
  bool const goes_on = on_token_(text->index, token) && text->count < settings_.tokens;
  if (goes_on) {
    if (text->window.push(token)) decoder_.clear(sequence);
    return;
  }
  auto const index = text->index;
  text.reset();
  if (on_end_) on_end_(index);
}

}  // namespace gpt2
