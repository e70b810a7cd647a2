// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// encode_texts TOKENIZER TEXTS OUTPUT [special] [ordinary] [replace] [cached] [ids]: encodes and decodes each text, for
// compare.py. Numbers of files have 32 bits, little-endian: TEXTS holds, for each text, its bytes' number and them;
// OUTPUT its tokens' number, them, and the decoded text as in TEXTS, without and with special tokens left out, and once
// more as it is decoded token by token. With `ids` a text is tokens, of 32 bits, which are only decoded.
#include "text/tokenizer.hpp"

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

void put(std::string& out, std::uint32_t value) {
  char bytes[4];
  std::memcpy(bytes, &value, 4);
  out.append(bytes, 4);
}

void put(std::string& out, std::string const& text) {
  put(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}

std::string read(char const* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void run(int argc, char** argv) {
  auto const tokenizer = zero_text::Tokenizer::load(argv[1]);
  zero_text::EncodeOptions options;
  bool cached = false, ids = false;
  for (int i = 4; i < argc; ++i) {
    std::string_view const word = argv[i];
    options.add_special_tokens |= word == "special";
    if (word == "ordinary") options.recognize_special = false;
    if (word == "replace") options.malformed = zero_text::Malformed::replace;
    cached |= word == "cached";
    ids |= word == "ids";
  }
  zero_text::Encoder encoder(tokenizer);
  std::string const texts = read(argv[2]);
  std::string out;
  for (std::size_t at = 0; at < texts.size();) {
    std::uint32_t size = 0;
    std::memcpy(&size, texts.data() + at, 4);
    std::string_view const text(texts.data() + at + 4, size);
    at += 4 + size;
    std::vector<zero_text::TokenId> tokens;
    if (ids) {
      tokens.resize(size / 4);
      std::memcpy(tokens.data(), text.data(), size);
    } else if (cached) {
      encoder.encode(text, options, tokens);
    } else {
      tokens = tokenizer.encode(text, options);
    }
    put(out, static_cast<std::uint32_t>(tokens.size()));
    for (auto const token : tokens) put(out, token);
    put(out, tokenizer.decode(tokens));
    put(out, tokenizer.decode(tokens, true));
    zero_text::StreamDecoder stream(tokenizer);
    std::string streamed;
    for (auto const token : tokens) streamed += stream.push(token);
    put(out, streamed + stream.finish());
  }
  std::ofstream file(argv[3], std::ios::binary);
  file << out;
  if (!file.flush()) throw std::runtime_error("cannot write");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  try {
    run(argc, argv);
  } catch (std::exception const& error) {
    std::fprintf(stderr, "encode_texts: %s\n", error.what());
    return 1;
  }
}
