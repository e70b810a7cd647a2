// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "profile/training.hpp"

#include <zero/profile/trace.hpp>
#include <zero/utility/json.hpp>
#include <zero/utility/trace.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <sstream>
#include <string>
#include <vector>

namespace profile_trace_test {

using profile_test::now;
using profile_test::Phase;
using profile_test::Profiler;
using zero::TraceUnit;

TEST_CASE("trace of real steps: a process per rank, a thread per stream, times in microseconds with nanoseconds") {
  zero::HostStream const stream;
  int const owner = 0;
  std::vector<std::string> parts;
  for (int rank = 0; rank < 2; ++rank) {
    Profiler profiler(profile_test::scripted());
    profiler.keep_spans(16);
    auto const origin = now;
    now += 1500;
    profiler.begin_micro_batch(&owner, stream);
    now += 2001;
    profiler.enter(Phase::gather, stream);
    now += 30;
    profiler.leave(stream);
    profiler.begin({.phase = Phase::gather, .name = "all_gather", .purpose = "gather", .bucket = 3}, stream);
    now += 500;
    profiler.end(stream);
    profiler.end_step(stream);
    auto const spans = profiler.take_spans();
    parts.push_back(trace_part(trace_of(spans, profiler, rank, origin), TraceUnit::nanosecond));
    CHECK(zero::profile::first_begin(spans) == origin + 1500);
  }
  parts.insert(parts.begin() + 1, "");
  std::ostringstream text;
  zero::write_trace(parts, text);
  auto const of_rank = [](std::string const& rank) {
    return "{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":" + rank + ",\"args\":{\"name\":\"rank " + rank +
           "\"}},\n{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":" + rank +
           ",\"tid\":0,\"args\":{\"name\":\"compute\"}},\n"
           "{\"ph\":\"X\",\"name\":\"forward\",\"pid\":" +
           rank +
           ",\"tid\":0,\"ts\":1.500,\"dur\":2.001},\n{\"ph\":\"X\",\"name\":\"wait for gather\",\"pid\":" + rank +
           ",\"tid\":0,\"ts\":3.501,\"dur\":0.030},\n{\"ph\":\"X\",\"name\":\"forward\",\"pid\":" + rank +
           ",\"tid\":0,\"ts\":3.531,\"dur\":0.000},\n{\"ph\":\"X\",\"name\":\"all_gather of gather, bucket "
           "3\",\"pid\":" +
           rank + ",\"tid\":0,\"ts\":3.531,\"dur\":0.500},\n{\"ph\":\"X\",\"name\":\"forward\",\"pid\":" + rank +
           ",\"tid\":0,\"ts\":4.031,\"dur\":0.000}";
  };
  CHECK(text.str() ==
        "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n" + of_rank("0") + ",\n" + of_rank("1") + "\n]}\n");
}

TEST_CASE("trace of real steps: only spans that begin while they are kept are in it") {
  zero::HostStream const stream;
  int const owner = 0;
  Profiler profiler(profile_test::scripted());
  for (int step = 1; step <= 4; ++step) {
    if (step == 2) profiler.keep_spans(100);
    profiler.begin_micro_batch(&owner, stream);
    now += 10;
    profiler.begin_step(&owner, Phase::update, stream);
    now += 10;
    profiler.end_step(stream);
    if (step == 3) profiler.stop_keeping();
  }
  profiler.drain();
  auto const spans = profiler.take_spans();
  REQUIRE(spans.size() == 4);
  CHECK(spans.front().step == 2);
  CHECK(spans.back().step == 3);
  CHECK(trace_of(spans, profiler, 0, spans[2].begin)[0].begin == 0);
  CHECK(zero::profile::first_begin({}) == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("trace of real steps: no events make an empty trace") {
  std::ostringstream text;
  zero::write_trace({}, text);
  CHECK(text.str() == "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n]}\n");
}

}  // namespace profile_trace_test
