// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The three sizes of a batch: what each pair of them says of the rest, and what does not work out.

#include "config/support.hpp"

#include <zero/config/batch.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

namespace config_batch_test {

using config_test::message_of;
using zero::config::Batch;
using zero::config::BatchRequest;
using zero::config::resolve;

namespace {

std::string error_of(BatchRequest const& asked, int world) {
  try {
    static_cast<void>(resolve(asked, world));
    return {};
  } catch (zero::config::ConfigError const& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("batch: two of the sizes say the third, as in DeepSpeed") {
  Batch const whole{.sequences = 32, .micro_batch = 4, .micro_batches = 8, .accumulation = 4};
  CHECK(resolve({32, 4, 4, {}}, 2) == whole);
  CHECK(resolve({32, 4, {}, {}}, 2) == whole);
  CHECK(resolve({32, {}, 4, {}}, 2) == whole);
  CHECK(resolve({{}, 4, 4, {}}, 2) == whole);
  CHECK(resolve({32, {}, {}, {}}, 2) == Batch{32, 16, 2, 1});
  CHECK(resolve({{}, 4, {}, {}}, 2) == Batch{8, 4, 2, 1});
}

TEST_CASE("batch: a number of micro-batches of all ranks need not be divided by them") {
  CHECK(resolve({{}, 4, {}, 7}, 3) == Batch{28, 4, 7, 0});
  CHECK(resolve({28, {}, {}, 7}, 3) == Batch{28, 4, 7, 0});
  CHECK(resolve({32, 8, {}, {}}, 3) == Batch{32, 8, 4, 0});
  CHECK(resolve({{}, 4, 2, 6}, 3) == Batch{24, 4, 6, 0});
  CHECK(resolve({{}, 4, {}, 6}, 3) == Batch{24, 4, 6, 0});  // the order of sums is that of the whole step
}

TEST_CASE("batch: what does not work out says which numbers would") {
  struct Case {
    BatchRequest asked;
    int world;
    std::string says;
  };
  for (auto const& the_case : {
           Case{{33, 17, 2, {}}, 1, "train_batch_size: 33 is not train_micro_batch_size_per_gpu 17 x 2"},
           Case{{32, 18, 1, {}}, 2, "write 36, or leave one of them out"},
           Case{{33, 17, {}, {}}, 1, "33 is no multiple of train_micro_batch_size_per_gpu 17: write 17 or 34"},
           Case{{33, {}, 2, {}}, 2, "33 is no multiple of the step's 4 micro-batches (2 ranks): write 32 or 36"},
           Case{{3, {}, {}, {}}, 4, "3 is no multiple of the step's 4 micro-batches (4 ranks): write 4"},
           Case{{{}, {}, 4, {}}, 2, "train_batch_size or train_micro_batch_size_per_gpu is missing"},
           Case{{}, 1, "train_batch_size or train_micro_batch_size_per_gpu is missing"},
           Case{{{}, 4, 2, 7}, 3, "micro_batches_per_step: 7 is not gradient_accumulation_steps 2 x 3 ranks"},
           Case{{0, {}, {}, {}}, 1, "train_batch_size: 0 is not from 1"},
           Case{{{}, 2147483647, 2147483647, {}}, 1, "is more than 2147483647"},
       }) {
    auto const message = error_of(the_case.asked, the_case.world);
    CAPTURE(message);
    CAPTURE(the_case.says);
    CHECK(message.find(the_case.says) != std::string::npos);
  }
}

TEST_CASE("batch: a file's error says where the number stands") {
  CHECK(message_of("{\"train_batch_size\": 33,\n \"train_micro_batch_size_per_gpu\": 17}") ==
        "ds.json:1:22: train_batch_size: 33 is no multiple of train_micro_batch_size_per_gpu 17: write 17 or 34");
  CHECK(message_of("{}").find("ds.json: train_batch_size or train_micro_batch_size_per_gpu is missing") == 0);
  CHECK(message_of("{\"train_batch_size\": -4}").find("-4 is not from 1 to ") != std::string::npos);
  CHECK(
      message_of("{\"train_batch_size\": \"8\"}").find("\"8\" is not a whole number: leave the quotation marks out") !=
      std::string::npos);
  CHECK(message_of("{\"train_batch_size\": 8.5}").find("8.5 is not a whole number") != std::string::npos);
}

}  // namespace config_batch_test
