// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/communicator.hpp>
#include <zero/error.hpp>
#include <zero/kernels/float_types.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <span>
#include <string_view>

namespace communicators_test {

/// Buffers of collectives that overlap where they must not are refused before this rank takes part, so that the ranks
/// stay together. \p memory: of three floats for each rank, which \p stream could use.
template <class Communicator, class Stream>
void check_overlaps(Communicator& c, Stream stream, float* memory) {
  constexpr zero::CollectivePurpose purpose{.what = "overlaps"};
  auto const refuses = [&](auto const& collective, std::string_view why = "are not this rank's slice") {
    try {
      collective();
      FAIL_CHECK("overlapping buffers were taken");
    } catch (zero::ConfigurationError const& error) {
      CHECK(std::string_view(error.what()).find(why) != std::string_view::npos);
    }
  };
  auto const refuses_at = [&](float* at) {
    refuses([&] { c.all_gather(at, memory, 2, purpose, stream); });
    refuses([&] { c.reduce_scatter_add(memory, at, 2, {}, purpose, stream); });
  };
  for (int q = 0; q < c.size(); ++q) {
    if (q != c.rank()) refuses_at(memory + std::ptrdiff_t{2} * q);
  }
  refuses_at(memory + 1);
  refuses_at(memory + std::ptrdiff_t{2} * c.size() - 1);
  auto* const half = reinterpret_cast<zero::float16*>(memory);
  auto* const wider =
      reinterpret_cast<float*>(half + std::ptrdiff_t{2} * c.rank());  // two sums are more than the slice
  refuses([&] { c.reduce_scatter_add(half, wider, 2, {}, purpose, stream); });
  auto const all = std::as_writable_bytes(std::span(memory, 3 * static_cast<std::size_t>(c.size())));
  refuses([&] { c.exchange(all.first(3), all); }, "overlap the room for those of all ranks");
  refuses([&] { c.exchange(all.last(1), all.last(2 * all.size() / 3)); }, "overlap the room for those of all ranks");
  auto const few = static_cast<std::size_t>(c.size()) - 1;
  refuses([&] { c.exchange(all.last(1), all.first(few)); }, "has room for");
}

}  // namespace communicators_test
