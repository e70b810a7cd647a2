// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "files.hpp"

#include <gpt2/data/data_paths.hpp>
#include <support/usage_error.hpp>

#include <algorithm>

namespace gpt2_data_data_paths_test {

using namespace data_test;
using gpt2::DataPath;
using gpt2::parse_data_paths;

namespace {

std::string refused(std::string const& text) {
  auto said = complaint<command_line::UsageError>([&] { (void)parse_data_paths("--data", text); });
  CHECK(says(said, "--data"));
  return said;
}

}  // namespace

TEST_CASE("gpt2 data paths: a path alone has no weight, and several have shares of 1") {
  CHECK(parse_data_paths("--data", "a.bin") == std::vector<DataPath>{{"a.bin", {}}});
  CHECK(parse_data_paths("--data", "a.bin=3") == std::vector<DataPath>{{"a.bin", {}}});
  CHECK(parse_data_paths("--data", "a=0.25,b=0.75") == std::vector<DataPath>{{"a", 0.25}, {"b", 0.75}});
  CHECK(parse_data_paths("--data", "a=1,b=3") == std::vector<DataPath>{{"a", 0.25}, {"b", 0.75}});
  CHECK(parse_data_paths("--data", "a=1,b=0,c=1e0") == std::vector<DataPath>{{"a", 0.5}, {"b", 0.0}, {"c", 0.5}});
  CHECK(parse_data_paths("--data", "x/*.bin=1,y/[ab].bin=1") ==
        std::vector<DataPath>{{"x/*.bin", 0.5}, {"y/[ab].bin", 0.5}});
}

TEST_CASE("gpt2 data paths: commas and equals signs of a path") {
  Folder const folder;
  auto const odd = folder.write("a=1,b=2", "text"), equals = folder.write("c=0.5", "text");
  CHECK(parse_data_paths("--data", odd) == std::vector<DataPath>{{odd, {}}});
  CHECK(parse_data_paths("--data", equals + "=1,d=1") == std::vector<DataPath>{{equals, 0.5}, {"d", 0.5}});
  CHECK(parse_data_paths("--data", "a\\,b=1,c\\=d=1,e=f=2") ==
        std::vector<DataPath>{{"a,b", 0.25}, {"c=d", 0.25}, {"e=f", 0.5}});
  CHECK(parse_data_paths("--data", "a\\=1") == std::vector<DataPath>{{"a=1", {}}});
  CHECK(parse_data_paths("--data", "a\\\\b") == std::vector<DataPath>{{"a\\b", {}}});
  CHECK(gpt2::parse_plain_paths("--val-data", "a=1,b\\,c") == std::vector<std::string>{"a=1", "b,c"});
  CHECK(gpt2::parse_plain_paths("--val-data", odd) == std::vector<std::string>{odd});
}

TEST_CASE("gpt2 data paths: weights that are absent, negative, no number or 0 in all are refused") {
  CHECK(says(refused("a,b"), "a has no weight"));
  CHECK(says(refused("a=0.5,b"), "b has no weight"));
  CHECK(says(refused("a=-1,b=2"), "a=-1: what follows the last = is no weight"));
  CHECK(says(refused("a=x"), "a=x: what follows the last = is no weight"));
  CHECK(says(refused("a=,b=1"), "is no weight"));
  CHECK(says(refused("a=nan,b=1"), "is no weight"));
  CHECK(says(refused("a=inf,b=1"), "is no weight"));
  CHECK(says(refused("a=0,b=0"), "the weights sum to 0"));
  CHECK(says(refused("a=0"), "the weights sum to 0"));
  CHECK(says(refused("a=1e308,b=1e308"), "the weights sum to infinity: give smaller ones"));
  CHECK(says(refused("a=1,,b=1"), "has no weight") == false);
  CHECK(says(refused("a=1,,b=1"), "a path is empty"));
  CHECK(says(refused("=1"), "a path is empty"));
  CHECK(says(refused("a=1,a=2"), "a is given twice"));
}

TEST_CASE("gpt2 data paths: a pattern's files come in the order of their bytes") {
  Folder const folder;
  for (auto const* name : {"b.bin", "a.bin", "Z.bin", "10.bin", "9.bin", "note.txt"}) folder.write(name, "ab");
  auto const found = gpt2::files_of_pattern(folder / "*.bin");
  std::vector<std::string> names;
  names.reserve(found.size());
  for (auto const& file : found) names.push_back(fs::path(file).filename().string());
  CHECK(names == std::vector<std::string>{"10.bin", "9.bin", "Z.bin", "a.bin", "b.bin"});
  CHECK(gpt2::files_of_pattern(folder / "*.none").empty());
}

}  // namespace gpt2_data_data_paths_test
