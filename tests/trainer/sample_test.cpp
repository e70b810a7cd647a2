// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "trainer/program.hpp"

#include <doctest/doctest.h>

#include <string>

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

}  // namespace

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
