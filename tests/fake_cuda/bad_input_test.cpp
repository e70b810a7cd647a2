// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fake_cuda/fixtures.hpp"
#include "fake_cuda/machine.hpp"

#include <zero/cuda/error.hpp>
#include <zero/error.hpp>

#include <doctest/doctest.h>

#include <string>

namespace fake_cuda_bad_input_test {

using fake_cuda::Options;
using fake_cuda::Small;

namespace {

// What a training throws, as the type that is expected of it, with everything given back.
template <class Error>
std::string message_of(Options const& options, Small const& small) {
  fake_cuda::start(options);
  fake_cuda::Seen seen;
  std::string message;
  try {
    fake_cuda::train_small(small, seen);
    FAIL_CHECK("nothing was thrown");
  } catch (Error const& error) {
    message = error.what();
  } catch (std::exception const& error) {
    FAIL_CHECK("another error: " << std::string(error.what()));
  }
  CHECK(fake_cuda::live_handles() == fake_cuda::LiveHandles{});
  CHECK(fake_cuda::violations() == "");
  return message;
}

bool contains(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("bad input: a machine without a driver, with an old one, or without a GPU says what to do") {
  auto const no_driver = message_of<zero::CudaError>({.driver = cudaErrorInsufficientDriver}, {});
  CHECK(contains(no_driver, "cudaGetDeviceCount failed"));
  CHECK(contains(no_driver, "the driver is missing, or older than the CUDA toolkit"));
  CHECK(contains(message_of<zero::CudaError>({.devices = 0}, {}), "this machine shows no GPU"));
  CHECK(contains(message_of<zero::CudaError>({.driver = cudaErrorNoDevice}, {}), "this machine shows no GPU"));
}

TEST_CASE("bad input: a device that is not there is named") {
  auto const message = message_of<zero::ConfigurationError>({.devices = 2}, {.device = 2});
  CHECK(contains(message, "device 2 of 2: ordinals count from 0"));
}

TEST_CASE("bad input: an engine on another device than the current one leaves that as it was") {
  fake_cuda::start({.devices = 2});
  fake_cuda::Seen there, here;
  fake_cuda::train_small({.device = 1}, there);
  int device = -1;
  CHECK((cudaGetDevice(&device) == cudaSuccess && device == 0));
  fake_cuda::start({});
  fake_cuda::train_small({}, here);
  CHECK(there.values == here.values);
}

TEST_CASE("bad input: too little device or pinned memory, at every block, gives everything back on all ranks") {
  for (int world : {1, 2}) {
    for (bool offload : {false, true}) {
      std::size_t failures = 0;
      for (std::size_t bytes = 0; bytes < 24000; bytes += 640) {
        fake_cuda::start({.device_bytes = bytes});
        fake_cuda::Seen seen;
        try {
          fake_cuda::train_small({.offload = offload, .world = world}, seen);
        } catch (zero::CudaError const& error) {
          CHECK(error.code() == cudaErrorMemoryAllocation);
          CHECK(contains(error.what(), "choose a higher stage or zero::CpuOffload"));
          ++failures;
        } catch (zero::ConfigurationError const& error) {  // the other rank's was found first
          CHECK(contains(error.what(), "could not be set up"));
          ++failures;
        }
        CHECK(fake_cuda::live_handles() == fake_cuda::LiveHandles{});
        CHECK(fake_cuda::violations() == "");
      }
      CHECK(failures > 5);
    }
  }
  auto const pinned = message_of<zero::CudaError>({.pinned_bytes = 1024}, {.offload = true});
  CHECK(contains(pinned, "cudaHostAlloc failed"));
}

TEST_CASE("bad input: an adopted buffer in host memory names its parameter") {
  auto const message = message_of<zero::ConfigurationError>({}, {.adopted = true, .gradients_on_host = true});
  CHECK(contains(message, "parameter 'a' has adopted host memory: give buffers of device 0, from cudaMalloc"));
}

TEST_CASE("bad input: a capture with offload or with ranks that meet on the host is refused in a sentence") {
  CHECK(
      contains(message_of<zero::ConfigurationError>({}, {.offload = true, .captured_from = 1}), "use zero::NoOffload"));
  CHECK(contains(message_of<zero::ConfigurationError>({}, {.world = 2, .captured_from = 1}), "meet on the host"));
  CHECK(contains(message_of<zero::SequenceError>({}, {.captured_from = 0}), "capture before the first step"));
  CHECK(contains(message_of<zero::SequenceError>({}, {.captured_from = 1, .broadcasts_in_capture = true}),
                 "broadcast inside a capture"));
}

TEST_CASE("bad input: a step that was recorded before parameters got step counts of their own is not replayed") {
  CHECK(contains(message_of<zero::SequenceError>({}, {.world = 1, .steps = 4, .captured_from = 1, .loads_before = 2}),
                 "capture the step again"));
  fake_cuda::start();
  fake_cuda::Seen seen;
  fake_cuda::train_small({.world = 1, .steps = 4, .captured_from = 2, .loads_before = 1}, seen);  // and after it is
  CHECK(seen.reports.size() == 4);
}

}  // namespace fake_cuda_bad_input_test
