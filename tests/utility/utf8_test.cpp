// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <zero/utility/utf8.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

namespace utility_utf8_test {

using namespace std::string_view_literals;

TEST_CASE("utf8: every code point comes back from its bytes, and its bytes are none without the last") {
  std::size_t wrong = 0;
  for (char32_t code = 0; code <= 0x10FFFF; ++code) {
    if (code >= 0xD800 && code < 0xE000) continue;
    std::string text;
    zero::append_utf8(text, code);
    auto const character = zero::first_utf8(text + "x");
    bool const back = character && character->code == code && character->bytes == text.size();
    bool const cut = !zero::first_utf8(std::string_view(text).substr(0, text.size() - 1));
    wrong += back && cut ? 0 : 1;
  }
  CHECK(wrong == 0);
  std::string euro;
  zero::append_utf8(euro, U'\u20AC');
  CHECK(euro == "\xE2\x82\xAC");
}

TEST_CASE("utf8: what the standard calls ill-formed is no character") {
  for (auto const text :
       {"\x80"sv, "\xBF"sv, "\xC0\x80"sv, "\xC1\xBF"sv, "\xC3("sv, "\xE0\x9F\xBF"sv, "\xED\xA0\x80"sv, "\xED\xBF\xBF"sv,
        "\xF0\x8F\xBF\xBF"sv, "\xF4\x90\x80\x80"sv, "\xF5\x80\x80\x80"sv, "\xFF"sv}) {
    CAPTURE(text.size());
    CAPTURE(static_cast<unsigned>(static_cast<unsigned char>(text[0])));
    CHECK_FALSE(zero::first_utf8(text));
    CHECK_FALSE(zero::is_utf8(std::string("good ") + std::string(text)));
  }
  CHECK(zero::is_utf8(""));
  CHECK(zero::is_utf8("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"));
}

}  // namespace utility_utf8_test
