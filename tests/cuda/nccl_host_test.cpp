// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/communicators/nccl.hpp>

#include <doctest/doctest.h>

#include <cuda_runtime_api.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace cuda_nccl_host_test {

using zero::detail::GpuIdentity;

namespace {

GpuIdentity identity(std::string_view machine, std::string_view gpu) {
  GpuIdentity made;
  std::copy_n(machine.data(), machine.size(), made.machine.data());
  std::copy_n(gpu.data(), gpu.size(), made.gpu.data());
  return made;
}

}  // namespace

TEST_CASE("nccl: a library that is older than the program is refused, with both versions and what to do") {
  CHECK(zero::detail::nccl_version_text(22809) == "2.28.9");
  CHECK(zero::detail::nccl_version_text(2708) == "2.7.8");
  CHECK_NOTHROW(zero::detail::check_nccl_version(zero::detail::needed_nccl));
  CHECK_THROWS_WITH_AS(zero::detail::check_nccl_version(21705, 21800), doctest::Contains("NCCL 2.17.5 was loaded"),
                       zero::ConfigurationError);
  CHECK_THROWS_WITH_AS(zero::detail::check_nccl_version(21705, 21800), doctest::Contains("LD_LIBRARY_PATH"),
                       zero::ConfigurationError);
  CHECK_NOTHROW(zero::detail::check_nccl_version(21800, 21800));
}

TEST_CASE("nccl: two ranks on one GPU are named") {
  std::vector<GpuIdentity> all{identity("a", "0000:01:00.0"), identity("a", "0000:02:00.0"),
                               identity("b", "0000:01:00.0"), identity("b", "0000:02:00.0")};
  CHECK_NOTHROW(zero::detail::expect_distinct(all));
  CHECK(zero::detail::ranks_on_machine(all, 0) == 2);
  all[3] = all[1];
  CHECK(zero::detail::ranks_on_machine(all, 0) == 3);
  CHECK(zero::detail::ranks_on_machine(all, 2) == 1);
  CHECK_THROWS_WITH_AS(zero::detail::expect_distinct(all), doctest::Contains("ranks 1 and 3 both use the GPU 0000:02"),
                       zero::ConfigurationError);
}

TEST_CASE("nccl: an error of the library says what to do") {
  auto const text = zero::detail::nccl_reason(ncclRemoteError, "ncclAllGather", nullptr);
  CHECK(text.find("ncclAllGather failed: ") == 0);
  CHECK(text.find("another rank has died") != std::string::npos);
}

TEST_CASE("nccl: a collective's error names it") {
  zero::detail::CollectiveLabel const label(7, "all_gather", {"parameters", 3});
  CHECK(label.describe() == "all_gather #7 of parameters, bucket 3");
  auto const where = label.where(2);
  CHECK(where.rank == 2);
  CHECK(where.sequence == 7);
  CHECK(where.operation == "all_gather of parameters");
  CHECK(where.bucket == 3);
  std::string const endless(200, 'x');
  CHECK(zero::detail::CollectiveLabel(0, "x", {endless}).where(0).operation.size() == 47 + 5);
}

TEST_CASE("nccl: settings that cannot work, before anything is opened") {
  using namespace std::chrono_literals;
  zero::LaunchEnvironment const alone;
  CHECK_THROWS_AS(zero::NcclCommunicator(alone, {.deadline = 0s}), zero::ConfigurationError);
  CHECK_THROWS_AS(zero::NcclCommunicator(alone, {.meeting_deadline = 0s}), zero::ConfigurationError);
  CHECK_THROWS_AS(zero::NcclCommunicator(ncclUniqueId{}, 2, 2, 1, {}), zero::ConfigurationError);
  CHECK_THROWS_AS(zero::NcclCommunicator(ncclUniqueId{}, 0, 2, 3, {}), zero::ConfigurationError);
  CHECK_THROWS_AS(zero::NcclCommunicator({.rank = 2, .world = 2, .host = "127.0.0.1", .port = 1}),
                  zero::ConfigurationError);
}

TEST_CASE("nccl: without a driver or a GPU the error is CUDA's, and says so") {
  int devices = 0;  // ctest hides them
  if (cudaGetDeviceCount(&devices) == cudaSuccess && devices > 0)
    FAIL("there is a GPU: run this with CUDA_VISIBLE_DEVICES=-1");
  (void)cudaGetLastError();
  try {
    zero::NcclCommunicator const communicator{zero::LaunchEnvironment{}};
    FAIL("there is no GPU");
  } catch (zero::CudaError const& error) {
    CHECK((error.code() == cudaErrorInsufficientDriver || error.code() == cudaErrorNoDevice));
  }
}

}  // namespace cuda_nccl_host_test
