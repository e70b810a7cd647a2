// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>
#include <zero/flat_layout.hpp>
#include <zero/parameter.hpp>
#include <zero/partitioner.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>

#include <cstdint>
#include <string_view>
#include <vector>

namespace zero::detail {

/// The gradients of one micro-batch that lie in the caller's own buffers, all of them, and the order in which they are
/// handed over.
class AdoptedGradients {
 public:
  /// Both are borrowed.
  AdoptedGradients(std::vector<ParameterSpec> const& specs, FlatLayout const& layout) noexcept
      : specs_(specs), layout_(layout) {}

  /// \throws ConfigurationError where \p call cannot hand over all gradients: at stage 3, or where one is in no buffer
  /// of the caller's.
  ZERO_OUT_OF_LINE void require_all(std::string_view call) const {
    if (layout_.settings().stage == Stage::parameters) {
      fail<ConfigurationError>({"zero::Engine: ", call,
                                " at stage 3, where parameters are gathered unit by unit in between: write "
                                "begin_micro_batch, gather, gradients, finish and step; or use stages 0 to 2"});
    }
    for (auto const& spec : specs_) {
      if (spec.frozen || spec.gradients) continue;
      fail<ConfigurationError>({"zero::Engine: ", call, " hands over adopted gradients, and parameter ",
                                quote(spec.name),
                                " has none: register it with gradients = zero::adopt(...), or hand gradients over "
                                "between begin_micro_batch and finish"});
    }
  }

  /// Calls `hand_over(ids)` for each lease that is to be taken and said to be ready: by block, in the order in which
  /// buckets are reduced, so that the ring suffices whatever its length. What arrives several times is complete in its
  /// buffer: it is handed over as often as it was registered to arrive.
  template <class HandOver>
  ZERO_OUT_OF_LINE void for_each_lease(HandOver const& hand_over) const {
    std::vector<ParameterId> ids;
    int arrivals = 0;
    auto const end_block = [&] {
      for (int k = 0; k < arrivals; ++k) {
        std::erase_if(ids, [&](ParameterId id) { return specs_[id.index].contributions <= k; });
        hand_over(ids);
      }
      ids.clear();
      arrivals = 0;
    };
    for (auto i = static_cast<std::uint32_t>(specs_.size()); i-- > 0;) {
      if (specs_[i].frozen) continue;
      if (!ids.empty() && layout_.extents()[ids[0].index].block != layout_.extents()[i].block) end_block();
      ids.push_back({i});
      arrivals = specs_[i].contributions > arrivals ? specs_[i].contributions : arrivals;
    }
    end_block();
  }

 private:
  std::vector<ParameterSpec> const& specs_;
  FlatLayout const& layout_;
};

}  // namespace zero::detail
