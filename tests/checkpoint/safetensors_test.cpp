// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "checkpoint/support.hpp"

#include <zero/checkpoint/detail/safetensors.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace checkpoint_safetensors_test {

using checkpoint_test::bytes_of;
using checkpoint_test::thrown_by;
using zero::CheckpointFailure;
using zero::detail::parse_safetensors_header;
using zero::detail::SafetensorsHeader;

namespace {

std::string entry(std::string_view type, std::string_view shape, std::string_view offsets) {
  return "{\"a\":{\"dtype\":\"" + std::string(type) + "\",\"shape\":" + std::string(shape) +
         ",\"data_offsets\":" + std::string(offsets) + "}}";
}

// The 8 bytes of a length, as a file begins.
std::string length(std::uint64_t n) {
  std::string text;
  for (int i = 0; i < 8; ++i) text += static_cast<char>(n >> (8 * i));
  return text;
}

}  // namespace

TEST_CASE("safetensors: a header is written as the reference does, and read back") {
  SafetensorsHeader header{.tensors = {{.name = "half", .type = "F16", .shape = {3}},
                                       {.name = "b", .type = "F32", .shape = {2, 2}},
                                       {.name = "a", .type = "F32", .shape = {}},
                                       {.name = "none", .type = "F32", .shape = {0, 7}}},
                           .metadata = {{"format", "pt"}}};
  zero::detail::lay_out(header);
  std::string const bytes = zero::detail::to_bytes(header);
  CHECK(bytes.size() % 8 == 0);
  CHECK(header.data_begin == bytes.size());
  CHECK(bytes.substr(8).starts_with(
      R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},)"
      R"("b":{"dtype":"F32","shape":[2,2],"data_offsets":[4,20]},)"
      R"("none":{"dtype":"F32","shape":[0,7],"data_offsets":[20,20]},)"
      R"("half":{"dtype":"F16","shape":[3],"data_offsets":[20,26]}})"));
  std::uint64_t const file = bytes.size() + 26;
  REQUIRE(zero::detail::safetensors_header_bytes(bytes_of(bytes), file) == bytes.size() - 8);
  auto const read = parse_safetensors_header(std::string_view(bytes).substr(8), 26);
  CHECK(read.tensors == header.tensors);
  CHECK(read.metadata == header.metadata);
  CHECK(read.data_begin == header.data_begin);
  CHECK(read.find("half")->begin == 20);
  CHECK(read.find("whole") == nullptr);
}

TEST_CASE("safetensors: a length that cannot be is refused before anything is read") {
  auto const thrown = [](std::string_view first, std::uint64_t file) {
    return thrown_by([&] { (void)zero::detail::safetensors_header_bytes(bytes_of(first), file); });
  };
  CHECK(thrown("", 0).says("shorter than the 8 bytes"));
  CHECK(thrown("1234567", 7).says("shorter than the 8 bytes"));
  CHECK(thrown(length(100'000'001), 200'000'000).says("not a safetensors file"));
  CHECK(thrown(length(std::uint64_t{1} << 63U), 100).says("not a safetensors file"));
  CHECK(thrown(length(UINT64_MAX), 100).says("not a safetensors file"));
  CHECK(thrown(length(93), 100).says("longer than the file"));
  CHECK(zero::detail::safetensors_header_bytes(bytes_of(length(92)), 100) == 92);
  CHECK(thrown_by([] { (void)parse_safetensors_header("", 0); }).kind == CheckpointFailure::damaged);
}

TEST_CASE("safetensors: lenient in white space and order, strict in everything else") {
  CHECK_NOTHROW((void)parse_safetensors_header("\n {} \r\t", 0));
  auto const two = parse_safetensors_header(
      R"({"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]},"a":{"data_offsets":[0,2],"shape":[2],"dtype":"U8"}})",
      3);
  CHECK(two.tensors.front().name == "a");
  CHECK_NOTHROW((void)parse_safetensors_header(entry("F4", "[4]", "[0,2]"), 2));

  std::vector<std::pair<std::string, std::uint64_t>> const wrong = {
      {"[]", 0},
      {"1", 0},
      {"{", 0},
      {"{}", 1},
      {R"({"a":1})", 0},
      {R"({"a":{}})", 0},
      {entry("F33", "[1]", "[0,4]"), 4},    // unknown type
      {entry("F32", "[1]", "[0,4]"), 5},    // trailing bytes
      {entry("F32", "[1]", "[0,4]"), 3},    // truncated
      {entry("F32", "[1]", "[4,0]"), 4},    // reversed
      {entry("F32", "[1]", "[1,5]"), 5},    // a hole at the start
      {entry("F32", "[2]", "[0,4]"), 4},    // size and shape differ
      {entry("F32", "[-1]", "[0,4]"), 4},   // negative
      {entry("F32", "[1.0]", "[0,4]"), 4},  // not whole
      {entry("F32", "[1e0]", "[0,4]"), 4},  // not whole by notation
      {entry("F32", "[18446744073709551616]", "[0,4]"), 4},
      {entry("F32", "[4294967296,4294967296]", "[0,0]"), 0},  // the product overflows to 0
      {entry("F4", "[1]", "[0,1]"), 1},                       // half a byte
      {entry("F32", "1", "[0,4]"), 4},
      {entry("F32", "[1]", "[0]"), 4},
      {entry("F32", "[1]", "[0,4,4]"), 4},
      {R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":1}})", 1},
      {R"({"a":{"dtype":1,"shape":[1],"data_offsets":[0,1]}})", 1},
      {R"({"__metadata__":{"a":1}})", 0},
      {R"({"__metadata__":[]})", 0},
      {R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
       3},
      {R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
       3},
      {R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})",
       0},
      {entry("F32", std::string(100'000, '[') + std::string(100'000, ']'), "[0,4]"), 4},
      {R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,18446744073709551616]}})", 1},
      {"{\"\xFF\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1}};
  for (auto const& header : wrong) {
    auto const& json = header.first;  // Clang before 16 captures no structured binding
    CAPTURE(json.substr(0, 200));
    CHECK(thrown_by([&] { (void)parse_safetensors_header(json, header.second); }).kind == CheckpointFailure::damaged);
  }
}

TEST_CASE("safetensors: names of any kind survive, names given twice and names that are not UTF-8 are refused") {
  std::string const odd("a\0\"\\\n\x1f", 6);
  SafetensorsHeader header{.tensors = {{.name = odd, .type = "F32", .shape = {1}}}};
  zero::detail::lay_out(header);
  std::string const bytes = zero::detail::to_bytes(header);
  CHECK(parse_safetensors_header(std::string_view(bytes).substr(8), 4).tensors.front().name == odd);

  header.tensors.push_back({.name = odd, .type = "F16", .shape = {1}});
  zero::detail::lay_out(header);
  CHECK(thrown_by([&] { (void)zero::detail::to_bytes(header); }).kind == CheckpointFailure::bad_request);
  header.tensors.back().name = "\xFF";
  CHECK(thrown_by([&] { (void)zero::detail::to_bytes(header); }).says("UTF-8"));
  header.tensors.back() = {.name = "huge", .type = "F32", .shape = {UINT64_MAX / 4, 2}};
  CHECK(thrown_by([&] { zero::detail::lay_out(header); }).says("overflows"));
}

TEST_CASE("safetensors: a text is bounded by the header only, and a tensor has no name that the format keeps") {
  SafetensorsHeader header{.tensors = {{.name = "a", .type = "F32", .shape = {1}}},
                           .metadata = {{"notes", std::string(3'000'000, 'x')}}};
  zero::detail::lay_out(header);
  std::string const bytes = zero::detail::to_bytes(header);
  CHECK(parse_safetensors_header(std::string_view(bytes).substr(8), 4).metadata == header.metadata);
  header.tensors.front().name = "__metadata__";
  auto const thrown = thrown_by([&] { (void)zero::detail::to_bytes(header); });
  CHECK(thrown.kind == CheckpointFailure::bad_request);
  CHECK(thrown.says("'__metadata__'"));
}

}  // namespace checkpoint_safetensors_test
