// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "engine/runs.hpp"
#include "simulation/runs.hpp"
#include "support/trace_picture.hpp"

#include <zero/simulation/trace.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

namespace simulation_trace_test {

using zero::TraceEvent;

namespace {

std::vector<TraceEvent> trace_of(engine_test::Run run, zero::SimulationOrder order = zero::SimulationOrder::random) {
  zero::SimulationResult seen;
  run.types = engine_test::Types::fp16;
  (void)simulation_test::train(run, {.seed = 3, .order = order, .trace = true}, &seen);
  return seen.trace;
}

// Operations of one name that overlap one of another on the same rank.
std::ptrdiff_t overlaps(std::vector<TraceEvent> const& trace, std::string const& first, std::string const& second) {
  return std::count_if(trace.begin(), trace.end(), [&](TraceEvent const& a) {
    return a.name == first && std::any_of(trace.begin(), trace.end(), [&](TraceEvent const& b) {
             return b.name == second && a.rank == b.rank && zero::overlap(a, b);
           });
  });
}

}  // namespace

TEST_CASE("trace: operations of one stream follow one another, and those of a collective start together") {
  auto const trace = trace_of({.world = 2});
  REQUIRE(trace.size() > 100);
  for (std::size_t i = 0; i < trace.size(); ++i) {
    CHECK(trace[i].begin < trace[i].end);
    for (std::size_t k = i + 1; k < trace.size(); ++k) {
      if (trace[k].rank != trace[i].rank || trace[k].stream != trace[i].stream) continue;
      CHECK(trace[i].end <= trace[k].begin);
      break;
    }
  }
}

TEST_CASE("trace: logical times are a property of the graph, the same in every order") {
  engine_test::Run const run{.stage = zero::Stage::parameters, .world = 2, .accumulation = 2};
  auto const sorted = [&](zero::SimulationOrder order) {
    auto trace = trace_of(run, order);
    std::sort(trace.begin(), trace.end(), [](TraceEvent const& a, TraceEvent const& b) {
      return std::tie(a.rank, a.stream, a.begin) < std::tie(b.rank, b.stream, b.begin);
    });
    std::ostringstream text;
    zero::write_perfetto(trace, text);
    return text.str();
  };
  CHECK(sorted(zero::SimulationOrder::earliest) == sorted(zero::SimulationOrder::latest));
  CHECK(sorted(zero::SimulationOrder::earliest) == sorted(zero::SimulationOrder::random));
}

TEST_CASE("trace: communication overlaps backward, the update and the next gather, as the design says") {
  using zero::Stage;
  auto const sharded = trace_of({.stage = Stage::gradients, .world = 2, .accumulation = 2});
  CHECK(overlaps(sharded, "backward", "reduce_scatter_add of gradients") > 0);
  CHECK(overlaps(sharded, "update", "all_gather of parameters") > 0);
  auto const gathered = trace_of({.stage = Stage::parameters, .world = 2, .accumulation = 2});
  CHECK(overlaps(gathered, "backward", "all_gather of gather") > 0);
  auto const alone = trace_of({.stage = Stage::parameters, .world = 2, .accumulation = 2, .prefetch_units = 0});
  // A tied unit lies apart from the others, so that the next gather need not wait for its forward.
  CHECK(overlaps(alone, "all_gather of gather", "forward") < overlaps(gathered, "all_gather of gather", "forward"));
}

TEST_CASE("trace: with offload the host's update, the copies and the gathers overlap") {
  auto const trace = trace_of(
      {.stage = zero::Stage::gradients, .offload = true, .world = 2, .accumulation = 2, .chunk_elements = 256});
  CHECK(overlaps(trace, "update on host", "copy") > 0);
  CHECK(overlaps(trace, "update on host", "all_gather of parameters") > 0);
  CHECK(overlaps(trace, "copy on host", "backward") > 0);
}

TEST_CASE("trace: the picture has a row per stream, a bar per operation in proportion, and a legend") {
  auto const picture =
      svg::picture_of({{0, "compute", "a < b", 7, 0, 5}, {0, "nccl", "c", TraceEvent{}.bucket, 5, 10}});
  for (auto const* part : {"rank 0, compute</text>", "rank 0, nccl</text>", "<title>a &lt; b, bucket 7</title>",
                           "<rect x=\"160\" y=\"2\" width=\"418\"", "<rect x=\"578\" y=\"24\" width=\"418\"",
                           "logical time: 10 units", ">c</text>"}) {
    INFO(part);
    CHECK(picture.find(part) != std::string::npos);
  }
}

TEST_CASE("trace: Perfetto's format has a process per rank, a thread per stream, and escaped names") {
  std::ostringstream text;
  zero::write_perfetto({{0, "compute", "a \"b\"\n", 7, 2, 5}, {1, "nccl", "c", TraceEvent{}.bucket, 0, 1}}, text);
  CHECK(text.str() ==
        "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n"
        "{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":0,\"args\":{\"name\":\"rank 0\"}},\n"
        "{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":0,\"tid\":0,\"args\":{\"name\":\"compute\"}},\n"
        "{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":1,\"args\":{\"name\":\"rank 1\"}},\n"
        "{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":1,\"tid\":1,\"args\":{\"name\":\"nccl\"}},\n"
        "{\"ph\":\"X\",\"name\":\"a \\\"b\\\"\\n, bucket 7\",\"pid\":0,\"tid\":0,\"ts\":2,\"dur\":3},\n"
        "{\"ph\":\"X\",\"name\":\"c\",\"pid\":1,\"tid\":1,\"ts\":0,\"dur\":1}\n]}\n");
}

}  // namespace simulation_trace_test
