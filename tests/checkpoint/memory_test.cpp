// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// How much memory saving, loading and consolidating take at most, by counting what this program allocates.

#include "checkpoint/calls.hpp"
#include "checkpoint/plain_state.hpp"
#include "checkpoint/support.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> in_use{0}, peak{0};
constexpr std::size_t head = 64;  // before each block, which keeps its size

void* allocate(std::size_t bytes) {
  auto* const block = static_cast<std::byte*>(std::malloc(bytes + head));
  if (block == nullptr) throw std::bad_alloc();
  new (block) std::size_t(bytes);
  std::size_t const now = in_use += bytes;
  for (std::size_t seen = peak; now > seen && !peak.compare_exchange_weak(seen, now);) {
  }
  return block + head;
}

void release(void* data) noexcept {
  if (data == nullptr) return;
  auto* const block = static_cast<std::byte*>(data) - head;
  in_use -= *reinterpret_cast<std::size_t*>(block);
  std::free(block);
}

}  // namespace

void* operator new(std::size_t bytes) { return allocate(bytes); }
void operator delete(void* data) noexcept { release(data); }
void operator delete(void* data, std::size_t) noexcept { release(data); }

using checkpoint_test::PlainState;

namespace {

/// What \p f takes beyond what is there when it begins.
template <class F>
std::size_t taken_by(F&& f) {
  std::size_t const before = in_use;
  peak = before;
  f();
  return peak - before;
}

}  // namespace

TEST_CASE(
    "memory: a save takes a piece, a load one chunk, consolidating one per rank, whatever the size of the state") {
  constexpr std::size_t rows = 700'000;  // 8.4 MB of each kind
  constexpr std::uint64_t chunk = 4U << 20U;
  constexpr std::size_t piece = 1U << 20U;  // of a chunk that is written
  constexpr std::size_t few = 100'000;      // names, headers, lists
  zero::SelfCommunicator self;
  checkpoint_test::TemporaryFolder const place;
  zero::CheckpointFolder const folder(zero::posix_file_system(), place / "run");
  PlainState saved(self, 7, rows), loaded(self, 0, rows);
  auto const save =
      taken_by([&] { (void)checkpoint_test::save_checkpoint(saved, folder, {.tag = "alone", .chunk = chunk}); });
  CHECK(save >= piece);
  CHECK(save <= piece + few);
  auto const load = taken_by([&] { (void)checkpoint_test::load_checkpoint(loaded, folder); });
  CHECK(load >= chunk);
  CHECK(load <= chunk + few);
  CHECK(loaded.same(saved));

  zero::run_ranks(3, [&](zero::ThreadCommunicator& ranks) {
    PlainState state(ranks, 7, rows);
    (void)checkpoint_test::save_checkpoint(state, folder, {.tag = "three", .chunk = chunk});
  });
  auto const manifest = checkpoint_test::read_manifest(folder, "three");
  CHECK(taken_by([&] { (void)checkpoint_test::consolidate(folder, manifest, place / "model.safetensors"); }) <=
        3 * chunk + piece + few);
  CHECK(taken_by([&] {
          (void)checkpoint_test::import_parameters(loaded, place / "model.safetensors", {}, folder.system());
        }) <= piece + few);
  CHECK(taken_by([&] { checkpoint_test::verify_checkpoint(folder.system(), folder.path("three"), manifest); }) <=
        chunk + few);
}
