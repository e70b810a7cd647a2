// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/rank_agreement.hpp>
#include <zero/error.hpp>
#include <zero/parameter.hpp>
#include <zero/partitioner.hpp>
#include <zero/precision.hpp>
#include <zero/support/fixed_array.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>
#include <zero/utility/fingerprint.hpp>

#include <algorithm>
#include <condition_variable>  // clocks, too: <chrono> itself would bring calendars and <sstream>, at 0.1 s
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace zero::detail {

/// The bytes of one adopted buffer.
struct AdoptedRange {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  std::uint32_t parameter = 0;  ///< by registration
  bool gradient = false;        ///< of its gradient, not of its values

  [[nodiscard]] std::string_view kind() const noexcept { return gradient ? "gradient" : "values"; }
};

/// All adopted buffers of \p specs, values and gradients of one parameter after another.
[[nodiscard]] ZERO_OUT_OF_LINE inline std::vector<AdoptedRange> adopted_ranges(
    std::vector<ParameterSpec> const& specs) {
  std::vector<AdoptedRange> ranges;
  for (std::uint32_t i = 0; i < specs.size(); ++i) {
    for (bool gradient : {false, true}) {
      auto const& buffer = gradient ? specs[i].gradients : specs[i].values;
      if (!buffer) continue;
      auto const begin = reinterpret_cast<std::uintptr_t>(buffer->data);
      ranges.push_back({begin, begin + buffer->count * element_size(buffer->type), i, gradient});
    }
  }
  return ranges;
}

/// \throws ConfigurationError where an engine of \p stage that computes in \p compute cannot use the adopted buffers of
/// \p spec.
ZERO_OUT_OF_LINE inline void check_adopted(ParameterSpec const& spec, Stage stage, ElementType compute) {
  for (auto const* buffer : {&spec.values, &spec.gradients}) {
    if (!*buffer || (*buffer)->type == compute) continue;
    fail<ConfigurationError>({"zero::Engine: parameter ", quote(spec.name), " has adopted ", name((*buffer)->type),
                              " buffers, but this engine computes in ", name(compute),
                              ": adopt buffers of that type, or give the engine another zero::Precision. Parameters "
                              "of two types, such as norms in fp32 beside matrices in 16 bits, have an engine each: "
                              "zero::JointStep steps them as one"});
  }
  if (stage != Stage::parameters || !spec.values) return;
  fail<ConfigurationError>({"zero::Engine: parameter ", quote(spec.name),
                            " has adopted values, which stage 3 does not keep up to date: leave values out and read "
                            "the parameter through gather(), with ParameterSpec::initial for its initial values; or "
                            "use stages 0 to 2"});
}

/// \throws ConfigurationError where two adopted buffers of one rank share bytes.
ZERO_OUT_OF_LINE inline void check_no_overlap(std::vector<ParameterSpec> const& specs) {
  auto ranges = adopted_ranges(specs);
  std::sort(ranges.begin(), ranges.end(), [](auto const& a, auto const& b) { return a.begin < b.begin; });
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    auto const& one = ranges[i - 1];
    auto const& other = ranges[i];
    if (other.begin >= one.end) continue;
    bool const tied = one.parameter != other.parameter && one.gradient == other.gradient;
    fail<ConfigurationError>({"zero::Engine: the adopted ", one.kind(), " of parameter ",
                              quote(specs[one.parameter].name), " and the adopted ", other.kind(), " of parameter ",
                              quote(specs[other.parameter].name), " overlap: ",
                              tied ? "register a tied parameter once, with contributions = 2, or as many as it has uses"
                                   : "give the values and the gradient of each parameter memory of their own"});
  }
}

/// Tells the processes of a run apart, which a host's number of a process does not.
[[nodiscard]] ZERO_OUT_OF_LINE inline std::uint64_t process_nonce() {
  static char const here = 0;
  static std::uint64_t const nonce = [] {
    Fingerprint fingerprint;
    fingerprint.add(reinterpret_cast<std::uintptr_t>(&here));
    fingerprint.add(std::chrono::system_clock::now().time_since_epoch().count());
    fingerprint.add(std::chrono::steady_clock::now().time_since_epoch().count());
    return fingerprint.value();
  }();
  return nonce;
}

/// \throws ConfigurationError on every rank where two ranks of one process have adopted the same memory. All ranks have
/// adopted the same parameters. Collective, blocks.
template <class Communicator>
ZERO_OUT_OF_LINE void check_no_sharing(Communicator& communicator, std::vector<ParameterSpec> const& specs) {
  auto const mine = adopted_ranges(specs);
  if (mine.empty() || communicator.size() == 1) return;
  auto const processes = exchange_words(communicator, process_nonce());
  FixedArray<std::uint64_t> begins(mine.size()), all(mine.size() * processes.size());
  for (std::size_t i = 0; i < mine.size(); ++i) begins[i] = mine[i].begin;
  bool one_each = true;
  for (auto process : processes) one_each = one_each && std::count(processes.begin(), processes.end(), process) == 1;
  if (one_each) return;
  communicator.exchange({bytes_of(begins.begin()), begins.size() * sizeof begins[0]},
                        {bytes_of(all.begin()), all.size() * sizeof all[0]});
  struct Owned {
    std::uint64_t process;
    std::uint64_t begin;
    std::uint64_t end;
    std::size_t rank;
    std::uint32_t parameter;
  };
  std::vector<Owned> owned;
  for (std::size_t r = 0; r < processes.size(); ++r) {
    for (std::size_t i = 0; i < mine.size(); ++i) {
      auto const begin = all[r * mine.size() + i];
      owned.push_back({processes[r], begin, begin + (mine[i].end - mine[i].begin), r, mine[i].parameter});
    }
  }
  std::sort(owned.begin(), owned.end(), [](Owned const& a, Owned const& b) {
    return a.process != b.process ? a.process < b.process : a.begin != b.begin ? a.begin < b.begin : a.rank < b.rank;
  });
  for (std::size_t i = 1; i < owned.size(); ++i) {
    auto const& one = owned[i - 1];
    auto const& other = owned[i];
    if (one.process != other.process || other.begin >= one.end) continue;
    fail<ConfigurationError>({"zero::Engine: rank ", one.rank, " has adopted memory for parameter ",
                              quote(specs[one.parameter].name), " that rank ", other.rank, " has adopted for ",
                              quote(specs[other.parameter].name),
                              ": ranks that are threads need a model each, with buffers of its own"});
  }
}

}  // namespace zero::detail
