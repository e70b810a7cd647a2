// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The trainer's --device cuda, as its users meet it.
#include "trainer/program.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace cuda_gpt2_train_test {

using namespace trainer_test;

namespace {

/// The losses of a run, step by step.
std::vector<double> losses_of(Folder const& folder, std::string const& arguments) {
  static_cast<void>(hash_of(folder, arguments));
  std::ifstream file(folder / "log");
  std::vector<double> losses;
  std::string const key = "\"loss\": ";
  for (std::string line; std::getline(file, line);) {
    if (auto const at = line.find(key); at != std::string::npos) losses.push_back(std::stod(line.substr(at + 8)));
  }
  return losses;
}

}  // namespace

TEST_CASE("train_gpt2 on a GPU: any split of the global sequence trains the same model to the bit") {
  Folder const folder;
  for (char const* const precision : {"fp32", "bf16", "fp16"}) {
    CAPTURE(precision);
    auto const hash = [&](char const* split) {
      std::string arguments = "--device cuda --reduce each_micro_batch --precision ";
      return hash_of(folder, arguments.append(precision).append(" ").append(split));
    };
    auto const one = hash("--stage 0 --ranks 1 --accumulate 4");
    CHECK(hash("--stage 2 --ranks 1 --accumulate 4") == one);
    CHECK(hash("--stage 2 --ranks 2 --accumulate 2") == one);
    CHECK(hash("--stage 3 --ranks 4 --accumulate 1") == one);
    CHECK(hash("--stage 1 --ranks 2 --accumulate 2 --offload cpu") == one);
  }
}

TEST_CASE("train_gpt2 on a GPU: it learns as on the host") {
  Folder const folder;
  auto const host = losses_of(folder, "--device cpu --iterations 20");
  REQUIRE(host.size() == 20);
  // From the same initial values; the paths part by rounding alone, slowly in fp32.
  for (auto const& expected : {std::pair{"fp32", 1e-3}, std::pair{"bf16", 0.02}, std::pair{"fp16", 0.02}}) {
    char const* const precision = expected.first;
    double const tolerance = expected.second;
    CAPTURE(precision);
    auto const device = losses_of(folder, std::string("--device cuda --iterations 20 --precision ") + precision);
    REQUIRE(device.size() == host.size());
    for (std::size_t i = 0; i < host.size(); ++i) CHECK(std::abs(device[i] - host[i]) < tolerance * host[i]);
  }
}

TEST_CASE("train_gpt2 on a GPU: a checkpoint goes on where it was saved, and a sample is made") {
  Folder const folder;
  std::string const run_dir = "--device cuda --precision bf16 --checkpoint-dir " + folder.quote("run");
  auto const whole = hash_of(folder, "--device cuda --precision bf16");
  CHECK(hash_of(folder, run_dir + " --save-interval 2") == whole);
  CHECK(hash_of(folder, "--device cuda --precision bf16 --ranks 1 --resume " + folder.quote("run/step-2")) == whole);
  auto const sampled = run("--data " + folder.quote("text.txt") + tiny + "--device cuda --sample 30");
  CAPTURE(sampled.output);
  CHECK(sampled.code == 0);
  CHECK(sampled.output.find("products: ") != std::string::npos);
  CHECK(sampled.output.find("cuBLAS") != std::string::npos);
  CHECK(sampled.output.find("sample:\n") != std::string::npos);
}

}  // namespace cuda_gpt2_train_test
