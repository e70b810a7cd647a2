// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What is called while an engine records a step on the stream that all engines of its world share.

#include "fake_cuda/nccl_recording.hpp"
#include "fake_cuda/machine.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <vector>

namespace fake_cuda_nccl_recording_test {

using fake_cuda::Recorded;
using fake_cuda::RecordingRun;
using fake_cuda::When;
using zero::Stage;

namespace {

template <class F>
auto on_machine(int devices, F const& f) {
  fake_cuda::start({.seed = 1, .order = zero::SimulationOrder::random, .devices = devices});
  auto seen = f();
  fake_cuda::finish();
  CHECK(fake_cuda::violations() == "");
  CHECK(fake_cuda::live_handles() == fake_cuda::LiveHandles{});
  return seen;
}
std::vector<Recorded> record(RecordingRun const& run) {
  return on_machine(run.world, [&] { return fake_cuda::record_among_others(run); });
}

void check_same_states(std::vector<Recorded> const& seen, std::vector<Recorded> const& expected) {
  REQUIRE(seen.size() == expected.size());
  for (std::size_t r = 0; r < seen.size(); ++r) {
    CHECK(seen[r].values == expected[r].values);
    CHECK(seen[r].moments == expected[r].moments);
  }
}

// Each with the class that refuses and the name of the call, and what to do.
void check_refused(std::vector<fake_cuda::Intrusion> const& intrusions) {
  for (auto const& intrusion : intrusions) {
    auto const &call = intrusion.call, &refused = intrusion.refused;
    CAPTURE(call);
    CAPTURE(refused);
    auto const name = call.substr(0, call.find(' ', call.find(": ") + 2));
    CHECK(refused.compare(0, name.size(), name) == 0);
    bool const by_another = refused.find(": end the recording first: make this call before or after") != refused.npos;
    bool const by_itself = refused.find(" inside a capture: ") != refused.npos;
    CHECK((by_another || by_itself));
  }
}

}  // namespace

TEST_CASE("nccl recording: what others call meanwhile is refused, and changes neither the recording nor the others") {
  for (auto stage : {Stage::gradients, Stage::parameters}) {
    auto const expected = record({.stage = stage});
    for (auto when : {When::before, When::inside_micro_batch, When::after_step}) {
      for (bool only_rank_0 : {false, true}) {
        auto const seen = record({.stage = stage, .intrudes = when, .only_rank_0 = only_rank_0});
        check_same_states(seen, expected);
        for (std::size_t r = 0; r < seen.size(); ++r) {
          CHECK((seen[r].intrusions.size() > 35) == (r == 0 || !only_rank_0));
          check_refused(seen[r].intrusions);
        }
      }
    }
  }
}

TEST_CASE("nccl recording: members of a joint step record together, and what others call meanwhile is refused") {
  for (auto stage : {Stage::gradients, Stage::parameters}) {
    auto const expected = record({.stage = stage, .records_jointly = true});
    for (auto when : {When::before, When::inside_micro_batch, When::after_step}) {
      auto const seen = record({.stage = stage, .intrudes = when, .records_jointly = true});
      check_same_states(seen, expected);
      for (auto const& rank : seen) {
        CHECK(rank.intrusions.size() > 35);
        check_refused(rank.intrusions);
      }
    }
  }
}

TEST_CASE("nccl recording: a refusal that leaves the recorded function ends the capture, and all engines go on") {
  for (bool jointly : {false, true}) {
    auto const expected = record({.records_jointly = jointly});
    for (auto when : {When::before, When::inside_micro_batch, When::after_step}) {
      for (bool only_rank_0 : {false, true}) {
        auto const seen =
            record({.intrudes = when, .only_rank_0 = only_rank_0, .lets_through = true, .records_jointly = jointly});
        check_same_states(seen, expected);
        CHECK(seen[0].capture_refused.find("zero::Engine: read_parameter while another engine records") == 0);
        CHECK(seen[1].capture_refused.empty() == only_rank_0);
      }
    }
  }
}

TEST_CASE("nccl recording: an engine that ends meanwhile ends the capture, which says so, and which can be repeated") {
  for (auto stage : {Stage::gradients, Stage::parameters}) {
    for (bool jointly : {false, true}) {
      auto const expected = record({.stage = stage, .records_jointly = jointly});
      for (auto when : {When::before, When::inside_micro_batch, When::after_step}) {
        auto const seen = record({.stage = stage, .intrudes = when, .destroys = true, .records_jointly = jointly});
        REQUIRE(seen.size() == 2);
        for (std::size_t r = 0; r < 2; ++r) {
          CHECK(seen[r].capture_refused.find("an engine on one of its streams was destroyed") != std::string::npos);
          CHECK(seen[r].values[0] == expected[r].values[0]);
          CHECK(seen[r].moments[1] == expected[r].moments[1]);
        }
      }
    }
  }
}

TEST_CASE(
    "nccl recording: a micro-batch that another engine has begun before is not finished meanwhile, and can be "
    "discarded") {
  for (auto stage : {Stage::gradients, Stage::parameters}) {
    auto const expected = record({.stage = stage});
    auto const seen = record({.stage = stage, .intrudes = When::inside_micro_batch, .opens = true});
    check_same_states(seen, expected);
    for (auto const& rank : seen) {
      CHECK(rank.intrusions.size() == 3);
      check_refused(rank.intrusions);
    }
  }
}

TEST_CASE("nccl recording: a capture that fails at its end, on one rank alone, leaves the engine as it was") {
  for (bool jointly : {false, true}) {
    auto const expected = record({.records_jointly = jointly});
    auto const seen =
        record({.intrudes = When::after_step, .only_rank_0 = true, .leaves_open = true, .records_jointly = jointly});
    check_same_states(seen, expected);
    CHECK(seen[0].capture_refused.find("cudaStreamEndCapture failed") != std::string::npos);
    CHECK(seen[1].capture_refused == "");
  }
}

TEST_CASE("nccl recording: ranks that are threads fail where they meet on a stream that is recorded") {
  for (bool all_record : {false, true}) {
    auto const thrown = on_machine(1, [&] { return fake_cuda::meet_inside_captures(all_record); });
    // One of them by CUDA's refusal; the other has its own, hears of that, or has left already.
    auto const is_cudas = [](auto const& message) {
      return message.find("cudaStreamWaitEvent failed") != message.npos;
    };
    CHECK((is_cudas(thrown[0]) || is_cudas(thrown[1])));
  }
}

TEST_CASE("nccl recording: a collective that the program puts on the stream that is recorded is part of the step") {
  for (auto const& rank : record({.world = 2, .sums = true})) CHECK(rank.sums == std::vector<std::uint64_t>{8});
}

TEST_CASE(
    "nccl recording: an engine with streams of its own is refused where it is to work on the one that is recorded") {
  auto const apart = on_machine(1, [] { return fake_cuda::record_beside_another(false); });
  for (auto const& intrusion : apart.intrusions) {
    if (intrusion.call != "zero::Engine: capture") CHECK(intrusion.refused == "");
  }
  auto const shared = on_machine(1, [] { return fake_cuda::record_beside_another(true); });
  CHECK(shared.intrusions.size() == 3);
  check_refused(shared.intrusions);
  CHECK(shared.values == apart.values);
  CHECK(shared.moments == apart.moments);
}

TEST_CASE(
    "nccl steps: engines of one communicator in different orders over the ranks are a mismatch, and change nothing") {
  for (auto stage : {Stage::gradients, Stage::parameters}) {
    for (auto swapped : {fake_cuda::Swapped::micro_batches, fake_cuda::Swapped::replays}) {
      CAPTURE(static_cast<int>(swapped));
      for (auto const& thrown : on_machine(2, [&] { return fake_cuda::train_two_engines(stage, swapped); })) {
        CHECK(thrown.find("collectives") != std::string::npos);
      }
    }
  }
}

TEST_CASE("nccl steps: engines of one communicator in one order agree, also where one rank alone replays their steps") {
  for (auto stage : {Stage::gradients, Stage::parameters}) {
    for (bool const replays_alone : {false, true}) {
      auto const run = [&] { return fake_cuda::train_two_engines(stage, fake_cuda::Swapped::nothing, replays_alone); };
      for (auto const& thrown : on_machine(2, run)) CHECK(thrown == "");
    }
  }
}

}  // namespace fake_cuda_nccl_recording_test
