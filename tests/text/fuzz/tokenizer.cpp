// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Any text as a tokenizer.json or characters.json: refused with an error that names it, or a tokenizer whose ways of
// encoding and of decoding agree.
#include "text/tokenizer.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

void use(zero_text::Tokenizer const& tokenizer, std::string const& text) {
  for (bool const special : {false, true}) {
    zero_text::EncodeOptions const options{
        .add_special_tokens = special, .recognize_special = !special, .malformed = zero_text::Malformed::replace};
    std::vector<zero_text::TokenId> tokens, again;
    try {
      tokens = tokenizer.encode(text, options);
      zero_text::Encoder encoder(tokenizer);
      encoder.encode(text, options, again);
      again.clear();
      encoder.encode(text, options, again);  // from its memory of words
    } catch (zero_text::DataError const&) {  // a character or byte without a token
      continue;
    }
    if (tokens != again) std::abort();
    zero_text::StreamDecoder stream(tokenizer);
    std::string streamed;
    for (auto const token : tokens) {
      if (token >= tokenizer.vocabulary()) std::abort();
      streamed += stream.push(token);
    }
    if (streamed + stream.finish() != tokenizer.decode(tokens)) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string const text(reinterpret_cast<char const*>(data), size);
  try {
    auto const tokenizer = zero_text::Tokenizer::from_json(text, "file");
    use(tokenizer, "ab ab's 12\n\n e\xCC\x81<|endoftext|>\xFF");
    use(tokenizer, text.substr(0, 64));
  } catch (zero_text::DataError const& error) {
    if (!std::string(error.what()).starts_with("file: ") &&
        !std::string(error.what()).starts_with("a vocabulary of characters")) {
      std::abort();
    }
  }
  return 0;
}
