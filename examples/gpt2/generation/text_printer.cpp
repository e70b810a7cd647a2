// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "text_printer.hpp"

#include "support/program.hpp"
#include "text/unicode.hpp"

#include <zero/utility/json.hpp>

#include <cstdint>
#include <utility>

namespace gpt2 {

TextPrinter::TextPrinter(TextSource const& source, std::vector<Prompt> const& prompts,
                         std::vector<std::string> const& stops, bool json)
    : source_(source), prompts_(prompts), json_(json) {
  texts_.reserve(prompts.size());
  for (std::size_t i = 0; i < prompts.size(); ++i) texts_.push_back(Text{.stream = TextStream(stops)});
}

bool TextPrinter::push(std::size_t text, Token token) {
  auto& of = texts_[text];
  of.tokens.push_back(token);
  of.shown += of.stream.push(source_.vocabulary ? text_of(*source_.vocabulary, token) : " " + std::to_string(token));
  if (text == current_) show();
  return !of.stream.stopped();
}

void TextPrinter::end(std::size_t text, bool was_ended) {
  auto& of = texts_[text];
  of.shown += of.stream.finish();
  of.has_ended = true;
  of.reason = of.stream.stopped() ? "stop" : was_ended ? "end of text" : "tokens";
  for (bool goes_on = text == current_; goes_on; goes_on = current_ < texts_.size() && texts_[current_].has_ended) {
    show();
    texts_[current_++] = Text{.stream = TextStream()};  // its memory is not needed any more
  }
  if (current_ < texts_.size()) show();
}

// Prints what there is of the current text.
void TextPrinter::show() {
  auto& text = texts_[current_];
  if (json_) {
    if (text.has_ended) command_line::print(json_of(current_) + "\n");
    return;
  }
  std::string out;
  if (!text.has_begun) out = (current_ == 0 ? "" : "---\n") + prompts_[current_].text;
  text.has_begun = true;
  out += text.shown.substr(text.printed);
  text.printed = text.shown.size();
  if (text.has_ended) out += '\n';
  if (!out.empty()) command_line::print(out);
}

std::string TextPrinter::json_of(std::size_t text) const {
  using zero::Json;
  Json::Array tokens;
  for (auto const token : texts_[text].tokens) tokens.emplace_back(std::uint64_t{token});
  return zero::to_text(Json(Json::Object{{"prompt", zero_text::replace_malformed(prompts_[text].text)},
                                         {"text", texts_[text].shown},
                                         {"tokens", std::move(tokens)},
                                         {"ended_by", texts_[text].reason}}));
}

}  // namespace gpt2
