// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "checkpoint/support.hpp"

#include <zero/support/json_reader.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace checkpoint_json_test {

using checkpoint_test::thrown_by;
using zero::CheckpointFailure;
using zero::Json;
using zero::detail::parse_json;

TEST_CASE("json: whole numbers keep all 64 bits, and what is written is read back") {
  std::string const text = R"({"a":[18446744073709551615,-9223372036854775808,0,-1],"b":{"t":true,"f":false,"n":null},)"
                           R"("c":0.10000000000000001,"d":1.0,"e":{},"f":[],"g":"\"\\\n\r\t\u0001é"})";
  CHECK(zero::to_text(parse_json(text)) == text);
  Json const value = parse_json(text);
  CHECK(*value.find("a")->get<Json::Array>()->front().get<std::uint64_t>() == UINT64_MAX);
  CHECK(*value.find("a")->get<Json::Array>()->at(1).get<std::int64_t>() == INT64_MIN);
  CHECK(*value.find("d")->get<double>() == 1.0);
  CHECK(value.find("a")->get<double>() == nullptr);
  CHECK(value.find("z") == nullptr);
  CHECK(value.find("n") == nullptr);
  CHECK(value.find("b")->find("n")->is_null());
}

TEST_CASE("json: white space, escapes and surrogate pairs are understood") {
  Json const value = parse_json(" \t\r\n{ \"\\u0041\\uD83D\\uDE00\\/\\b\\f\" : [ 1 , 2 ] } \n");
  CHECK(value.get<Json::Object>()->front().first == "A\xF0\x9F\x98\x80/\b\f");
  CHECK(parse_json("\"\\u20ac\\u00e9\"").get<std::string>()->size() == 5);
  CHECK(parse_json("1e3").get<double>() != nullptr);
  CHECK(*parse_json("-2.5E-1").get<double>() == -0.25);
}

TEST_CASE("json: what is not exactly JSON is refused with its place") {
  std::vector<std::string> const wrong = {"",
                                          " ",
                                          "{",
                                          "[",
                                          "\"",
                                          "[1",
                                          "[1,",
                                          "[1,]",
                                          "[,1]",
                                          "{\"a\"}",
                                          "{\"a\":}",
                                          "{\"a\":1,}",
                                          "{a:1}",
                                          "{1:1}",
                                          "01",
                                          "-",
                                          "+1",
                                          "1.",
                                          ".5",
                                          "1e",
                                          "1e+",
                                          "0x1",
                                          "NaN",
                                          "Infinity",
                                          "nul",
                                          "True",
                                          "1 2",
                                          "{} {}",
                                          "'a'",
                                          "\"\\x\"",
                                          "\"\\u12\"",
                                          "\"\\uD800\"",
                                          "\"\\uD800\\u0041\"",
                                          "\"\\uDC00\"",
                                          "\"\\u+123\"",
                                          "\"a\nb\"",
                                          "\"\x80\"",
                                          "\"\xC0\x80\"",
                                          "\"\xED\xA0\x80\"",
                                          "\"\xF5\x80\x80\x80\"",
                                          "\"\xE2\x82\"",
                                          "// c\n1",
                                          "{\"a\":1,\"a\":2}",
                                          "{\"a\":1,\"\\u0061\":2}",
                                          std::string("\"a\0b\"", 5),
                                          "\xEF\xBB\xBF{}",
                                          "18446744073709551616",
                                          "-9223372036854775809",
                                          "1e999"};
  for (auto const& text : wrong) {
    CAPTURE(text);
    auto const thrown = thrown_by([&] { (void)parse_json(text); });
    CHECK(thrown.kind == CheckpointFailure::damaged);
    CHECK(thrown.says("invalid JSON at byte "));
  }
}

TEST_CASE("json: depth is bounded, and strings are not") {
  for (std::string const brackets : {"[]", "{}"}) {
    std::string const opening = brackets == "[]" ? "[" : "{\"a\":";
    auto const nested = [&](std::size_t depth) {
      std::string text;
      for (std::size_t i = 1; i < depth; ++i) text += opening;
      text += brackets;
      return text + std::string(depth - 1, brackets[1]);
    };
    CHECK_NOTHROW((void)parse_json(nested(4), 4));
    CHECK(thrown_by([&] { (void)parse_json(nested(5), 4); }).says("more than 4 levels"));
    CHECK(thrown_by([&] { (void)parse_json(nested(100'000)); }).says("levels deep"));
  }
  std::string const text(3U << 20U, 'a');
  auto const read = parse_json("{\"" + text + "\":\"" + text + "\"}");
  REQUIRE(read.find(text) != nullptr);
  CHECK(*read.find(text)->get<std::string>() == text);
}

}  // namespace checkpoint_json_test
