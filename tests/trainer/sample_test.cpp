// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "trainer/program.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <map>
#include <sstream>
#include <string>

namespace trainer_sample_test {

using namespace trainer_test;

namespace {

/// The sample of a run with \p arguments.
std::string sample_of(Folder const& folder, std::string const& arguments) {
  auto const outcome = run("--data " + folder.quote("text.txt") + tiny + arguments);
  INFO(outcome.output);
  REQUIRE(outcome.code == 0);
  auto const begin = outcome.output.find("\nsample:\n"), end = outcome.output.find("\n\nwhere memory went");
  REQUIRE(begin != std::string::npos);
  REQUIRE(end != std::string::npos);
  return outcome.output.substr(begin + 9, end - begin - 9);
}

/// The bytes of each row of the table of memory that is of rank \p rank, by what it is for.
std::map<std::string, std::size_t> memory_of(std::string const& output, int rank) {
  std::map<std::string, std::size_t> rows;
  std::istringstream lines(output.substr(output.find("\nwhere memory went")));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    int of = -1;
    if (!(words >> of) || of != rank || line.size() < 35) continue;
    auto bytes = line.substr(33);
    std::erase_if(bytes, [](char c) { return c == ' ' || c == ','; });
    auto purpose = line.substr(18, 15);
    rows[purpose.substr(0, purpose.find_last_not_of(' ') + 1)] += std::stoul(bytes);
  }
  return rows;
}

}  // namespace

TEST_CASE("train_gpt2: the table of memory has what a sample took, of the rank that drew it") {
  Folder const folder;
  auto const ran = run("--data " + folder.quote("text.txt") + tiny + "--stage 3 --ranks 2 --sample 20");
  CAPTURE(ran.output);
  REQUIRE(ran.code == 0);
  for (int const rank : {0, 1}) {
    auto rows = memory_of(ran.output, rank);
    CHECK(rows.contains("sample") == (rank == 0));
    auto const in_all = rows["in all"];
    rows.erase("in all");
    std::size_t sum = 0;
    for (auto const& [purpose, bytes] : rows) sum += bytes;
    CHECK(in_all == sum);
    // Two layers of width 16: 12 * 16 * 16 weights each, of four bytes.
    if (rank == 0) CHECK(rows["sample"] > 2 * 12 * 16 * 16 * 4);
  }
  auto const none = run("--data " + folder.quote("text.txt") + tiny + "--stage 3 --ranks 2");
  CHECK_FALSE(memory_of(none.output, 0).contains("sample"));
  CHECK(memory_of(none.output, 0)["in all"] > 0);
}

TEST_CASE("train_gpt2: a sample is the same on any number of ranks and threads, and grows by its end only") {
  Folder const folder;
  for (std::string const precision : {" --precision fp32", " --precision bf16", " --precision fp16"}) {
    auto const one = sample_of(folder, "--stage 0 --micro-batches 4 --sample 40" + precision);
    CHECK(one.size() == 41);  // five contexts, behind the first character
    CHECK(sample_of(folder, "--stage 3 --micro-batches 4 --ranks 3 --threads 2 --sample 40" + precision) == one);
    CHECK(one.starts_with(sample_of(folder, "--stage 0 --micro-batches 4 --sample 11" + precision)));
  }
  CHECK(sample_of(folder, "--sample 40 --temperature 0") != sample_of(folder, "--sample 40 --temperature 3"));
}

}  // namespace trainer_sample_test
