// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fake_cuda/fixtures.hpp"
#include "fake_cuda/machine.hpp"

#include <zero/cuda/device_memory.hpp>

#include <doctest/doctest.h>

#include <nvtx3/nvToolsExt.h>

#include <cstddef>
#include <string>
#include <vector>

namespace fake_cuda_profile_test {

using fake_cuda::Seen;
using fake_cuda::Small;

namespace {

// The ranges so far, in the order of their calls: a name, or "end".
std::vector<std::string> ranges;

int push(char const* name) {
  ranges.emplace_back(name);
  return 0;
}
int pop() {
  ranges.emplace_back("end");
  return 0;
}

// What a tool does that listens to ranges.
int listen(NvtxGetExportTableFunc_t table_of) {
  auto const* const callbacks = static_cast<NvtxExportTableCallbacks const*>(table_of(NVTX_ETID_CALLBACKS));
  NvtxFunctionTable functions = nullptr;
  unsigned size = 0;
  if (callbacks->GetModuleFunctionTable(NVTX_CB_MODULE_CORE, &functions, &size) != 1) return 0;
  *functions[NVTX_CBID_CORE_RangePushA] = reinterpret_cast<NvtxFunctionPointer>(push);
  *functions[NVTX_CBID_CORE_RangePop] = reinterpret_cast<NvtxFunctionPointer>(pop);
  return 1;
}

// Where the tools extension looks for a tool, at the first range, that is linked into the program.
[[maybe_unused]] auto const listener = InitializeInjectionNvtx2_fnptr = listen;

std::vector<std::string> ranges_of(Small const& small) {
  ranges.clear();
  fake_cuda::start();
  Seen seen;
  fake_cuda::train_small(small, seen);
  fake_cuda::finish();
  return ranges;
}

}  // namespace

TEST_CASE("nvtx: ranges are opened and closed in pairs, and name the parts of a step") {
  auto const calls = ranges_of({.steps = 2, .profiles = true, .marks_ranges = true});
  int open = 0;
  std::string parts;
  for (auto const& call : calls) {
    open += call == "end" ? -1 : 1;
    CHECK(open >= 0);
    if (open == 1 && call != "end") parts += call + " ";
  }
  CHECK(open == 0);
  CHECK(parts.find("forward backward update forward backward update ") != std::string::npos);
  for (auto const* name : {"gather", "reduce", "reduce_scatter_add", "squares", "all_reduce", "decide", "update"}) {
    INFO(name);
    bool found = false;
    for (auto const& call : calls) found = found || call == name;
    CHECK(found);
  }
}

TEST_CASE("nvtx: without being asked for there are no ranges") {
  CHECK(ranges_of({.steps = 2, .profiles = true}).empty());
  CHECK(ranges_of({.steps = 2}).empty());
}

TEST_CASE("device memory: what is left is what nobody has taken") {
  fake_cuda::start({.device_bytes = 1 << 20});
  auto const before = zero::device_memory(0);
  CHECK(before.total == 1 << 20);
  CHECK(before.free == 1 << 20);
  void* block = nullptr;
  REQUIRE(cudaMalloc(&block, 4096) == cudaSuccess);
  CHECK(zero::device_memory(0).free == (1 << 20) - 4096);
  CHECK(cudaFree(block) == cudaSuccess);
  CHECK_THROWS_AS((void)zero::device_memory(7), zero::CudaError);
}

}  // namespace fake_cuda_profile_test
