// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <gpt2/generation/text_stream.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace gpt2_generation_text_stream_test {

namespace {

/// What is shown of \p text when it comes in pieces of \p size bytes, with a bar behind each piece.
std::string shown(std::string_view text, std::size_t size, std::vector<std::string> stops = {}, bool bars = false) {
  gpt2::TextStream stream(std::move(stops));
  std::string out;
  for (std::size_t at = 0; at < text.size() && !stream.stopped(); at += size) {
    out += stream.push(text.substr(at, size));
    if (bars) out += '|';
  }
  return out + stream.finish();
}

}  // namespace

TEST_CASE("gpt2 text stream: a character is shown once it is whole") {
  CHECK(shown("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z", 1, {}, true) ==
        "a||\xC3\xA9|||\xE2\x82\xAC||||\xF0\x9F\x98\x80|z|");
}

TEST_CASE("gpt2 text stream: bytes that are not UTF-8 become U+FFFD as Python's errors=replace has it") {
  std::string const r = "\xEF\xBF\xBD";
  // Each was decoded by Python.
  std::vector<std::pair<std::string, std::string>> const cases{{"\xFF", r},
                                                               {"a\x80z", "a" + r + "z"},
                                                               {"\xC3", r},
                                                               {"\xC3(", r + "("},
                                                               {"\xE2\x82", r},
                                                               {"\xE2\x82z", r + "z"},
                                                               {"\xE0\x80\x80", r + r + r},
                                                               {"\xED\xA0\x80", r + r + r},
                                                               {"\xF0\x9F\x98", r},
                                                               {"\xF0\x9F\x98\xF0\x9F\x98\x80", r + "\xF0\x9F\x98\x80"},
                                                               {"\xF4\x90\x80\x80", r + r + r + r},
                                                               {"\xF0\x80\x80\x80", r + r + r + r},
                                                               {"\xC0\xAF", r + r},
                                                               {"\xC3\xC3\xA9", r + "\xC3\xA9"}};
  for (auto const& [bytes, text] : cases) {
    auto const& expected = text;  // Clang before 16 captures no structured binding
    CAPTURE(expected);
    for (std::size_t const size : {1U, 2U, 9U}) CHECK(shown(bytes, size) == expected);
  }
}

TEST_CASE("gpt2 text stream: a text ends before the first stop text, of which nothing is shown") {
  for (std::size_t const size : {1U, 2U, 3U, 50U}) {
    CHECK(shown("one\n\ntwo", size, {"\n\n"}) == "one");
    CHECK(shown("one\ntwo", size, {"\n\n"}) == "one\ntwo");
    CHECK(shown("one\n", size, {"\n\n"}) == "one\n");
    CHECK(shown("aab aaab", size, {"aaab", "zz"}) == "aab ");
    CHECK(shown("end", size, {"end"}).empty());
    CHECK(shown("x\xC3\xA9y", size, {"\xC3\xA9"}) == "x");
  }
  CHECK(shown("abcabd", 1, {"abd"}, true) == "||abc||||");  // held back as long as it may be one
}

}  // namespace gpt2_generation_text_stream_test
