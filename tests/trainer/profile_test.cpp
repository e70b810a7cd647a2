// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What a run says of its time and memory.
#include "trainer/program.hpp"

#include <zero/support/json_reader.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

namespace trainer_profile_test {

using namespace trainer_test;

namespace {

bool has(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

std::size_t count(std::string const& text, std::string const& part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

std::string with_data(Folder const& folder, std::string const& arguments) {
  return "--data " + folder.quote("text.txt") + tiny + arguments;
}

std::string hash_in(std::string const& output) {
  auto const at = output.find("parameter hash: ");
  REQUIRE(at != std::string::npos);
  return output.substr(at + 16, 16);
}

struct Trace {
  std::set<std::string> names;
  std::set<double> ranks;
};
Trace read_trace(fs::path const& path) {
  std::ifstream file(path);
  std::string const text{std::istreambuf_iterator<char>(file), {}};
  auto const json = zero::detail::parse_json(text);
  Trace trace;
  for (auto const& event : *json.find("traceEvents")->get<zero::Json::Array>()) {
    if (*event.find("ph")->get<std::string>() != "X") continue;
    trace.names.insert(*event.find("name")->get<std::string>());
    trace.ranks.insert(static_cast<double>(*event.find("pid")->get<std::uint64_t>()));
  }
  return trace;
}

}  // namespace

TEST_CASE("train_gpt2: breakdowns, logs and traces change no bit, and say what they were asked for") {
  Folder const folder;
  auto const plain = run(with_data(folder, "--ranks 2 --log-interval 2"));
  for (char const* never : {"time: ", "profile: ", "collectives of rank 0", "\nmemory "})
    CHECK(!has(plain.output, never));
  auto const told = run(with_data(folder,
                                  "--ranks 2 --log-interval 2 --wall-clock-breakdown --comms-log --memory-breakdown "
                                  "--profile 1:2 --profile-file " +
                                      folder.quote("trace.json")));
  CHECK(told.code == 0);
  CHECK(hash_in(told.output) == hash_in(plain.output));
  CHECK(count(told.output, "\ntime: ") == count(told.output, "\nstep "));
  CHECK(has(told.output, " ms per step: data "));
  for (char const* part : {"\ncollectives of rank 0\n", "\nreduce_scatter_add ", "\nall_gather ", "\nall_reduce ",
                           "\nmemory after the model was made: engine device ", "\nmemory after the first step: ",
                           "\nmemory at the end: ", "trace.json, for ui.perfetto.dev\n"}) {
    INFO(part);
    CHECK(has(told.output, part));
  }
  auto const trace = read_trace(folder / "trace.json");
  CHECK(trace.ranks == std::set<double>{0, 1});
  for (char const* name : {"data", "forward", "backward", "update", "all_reduce of gradient norm"}) {
    INFO(name);
    CHECK(trace.names.count(name) == 1);
  }
}

TEST_CASE("train_gpt2: a trace lies with the checkpoints where no file is named, also of a run that is resumed") {
  Folder const folder;
  auto const place = "--checkpoint-dir " + folder.quote("run") + " --resume auto --iterations ";
  CHECK(run(with_data(folder, place + "2 --profile 2")).code == 0);
  CHECK(read_trace(folder / "run" / "profile.json").names.count("forward") == 1);
  fs::remove(folder / "run" / "profile.json");
  auto const resumed = run(with_data(folder, place + "4 --profile 1:3 --stage 3 --offload cpu"));
  CHECK(resumed.code == 0);
  auto const trace = read_trace(folder / "run" / "profile.json");
  CHECK(trace.names.count("copy") == 1);
}

TEST_CASE("train_gpt2: what cannot be profiled is refused before anything is read") {
  Folder const folder;
  auto const refused = [&](std::string const& arguments, std::string const& why) {
    auto const outcome = run(with_data(folder, arguments));
    INFO(outcome.output);
    CHECK(outcome.code == 2);
    CHECK(has(outcome.output, why));
  };
  refused("--profile 0", "expected FROM:TO, two numbers of steps from 1 on");
  refused("--profile 2:", "expected FROM:TO");
  refused("--profile 3:2", "the last step comes before the first one");
  refused("--iterations 4 --profile 5:6", "the run has 4 steps");
  refused("--profile-file x", "needs --profile");
  refused("--profile 1 --profile-file " + folder.quote("no/such"), "name a file in a folder that exists");
  refused("--profile 1 --profile-file " + folder.quote(""), "name a file in a folder that exists");
  refused("--nvtx", "needs --device cuda");
}

}  // namespace trainer_profile_test
