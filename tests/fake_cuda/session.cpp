// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What tests ask of the machine, and where in the program events are recorded and waited for.

#include "fake_cuda/collective.hpp"
#include "fake_cuda/state.hpp"

#include <zero/error.hpp>

#include <cxxabi.h>
#include <dlfcn.h>
#include <execinfo.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <mutex>

namespace fake_cuda {
namespace {

std::string function_at(std::uintptr_t at) {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<void const*>(at), &info) == 0 || info.dli_sname == nullptr) return {};
  int status = 0;
  char* const plain = abi::__cxa_demangle(info.dli_sname, nullptr, nullptr, &status);
  std::string name = plain == nullptr ? info.dli_sname : plain;
  std::free(plain);
  return name.substr(0, name.find('('));
}

// Functions that record and wait for whoever calls them. Template arguments come after a name, and do not count.
bool asks(std::uintptr_t at) {
  static std::map<std::uintptr_t, bool> known;
  auto const found = known.find(at);
  if (found != known.end()) return found->second;
  auto const name = function_at(at);
  auto const of = [&](char const* type) {
    auto const position = name.find(type);
    return position != std::string::npos && position <= name.find('<');
  };
  bool const passes_on = name.rfind("cuda", 0) == 0 || of("fake_cuda::") || of("zero::CudaEvent::") ||
                         of("zero::CudaStream::") || of("zero::CudaBackend::") || of("zero::detail::CudaCapture::") ||
                         of("zero::detail::StreamFence");
  return known[at] = !name.empty() && !passes_on;
}

Site site_of_caller(bool records) {
  std::array<void*, 24> frames{};
  int const count = ::backtrace(frames.data(), static_cast<int>(frames.size()));
  for (int i = 1; i < count; ++i) {
    auto const at = reinterpret_cast<std::uintptr_t>(frames[static_cast<std::size_t>(i)]) - 1;
    if (asks(at)) return {at, records};
  }
  return {0, records};
}

}  // namespace

bool FakeMachine::orders(bool records) {
  if (!options_.keeps_sites && !options_.without) return true;
  auto const site = site_of_caller(records);
  if (std::find(sites.begin(), sites.end(), site) == sites.end()) sites.push_back(site);
  return !options_.without || !(*options_.without == site);
}

void finish() {
  auto& all = machine();
  std::lock_guard const lock(all.mutex);
  all.run_all();
  if (all.failure()) std::rethrow_exception(all.failure());
}

std::string violations() {
  auto& all = machine();
  std::lock_guard const lock(all.mutex);
  try {
    if (all.failure()) std::rethrow_exception(all.failure());
  } catch (std::exception const& error) {
    return error.what();
  }
  return {};
}

void enter_rank(int rank) {
  auto& all = machine();
  std::lock_guard const lock(all.mutex);
  all.host().entered = rank;
}
Counts counts() {
  auto& all = machine();
  std::lock_guard const lock(all.mutex);
  return all.counts;
}
Counts own_counts() {
  auto& all = machine();
  std::lock_guard const lock(all.mutex);
  return all.host().counts;
}
std::uint64_t calls_so_far() {
  auto& all = machine();
  std::lock_guard const lock(all.mutex);
  return all.host().entered ? all.host().counts.calls : all.counts.calls;
}
LiveHandles live_handles() {
  auto& all = machine();
  std::lock_guard const lock(all.mutex);
  std::size_t registrations = 0;
  for (auto const* communicator : all.communicators) registrations += communicator->registrations.size();
  auto const streams =
      std::count_if(all.streams.begin(), all.streams.end(), [](auto const& s) { return !s.destroyed; });
  return {all.memory.blocks(), static_cast<std::size_t>(streams), all.events.size(), all.graphs.size(),
          all.tasks,           all.communicators.size(),          registrations};
}
void fail_asynchronously(int rank) {
  auto& all = machine();
  std::lock_guard const lock(all.mutex);
  all.asynchronously_failed = rank;
}
bool fault_has_struck() { return machine().struck; }
std::string failed_call() { return machine().struck_call; }
std::vector<Site> sites() { return machine().sites; }
std::string describe(Site const& site) {
  return (site.records ? "record in " : "wait in ") + function_at(site.at) + " at " + std::to_string(site.at);
}

}  // namespace fake_cuda
