// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/backend.hpp>
#include <zero/engine/phase.hpp>
#include <zero/error.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>

#include <string_view>

namespace zero::detail {

[[noreturn, gnu::cold]] ZERO_OUT_OF_LINE inline void throw_inside_capture(std::string_view owner,
                                                                          std::string_view call) {
  fail<SequenceError>({owner, ": ", call,
                       " inside a capture: it needs the host, which cannot be recorded: call it before or after the "
                       "captured step"});
}
[[noreturn, gnu::cold]] ZERO_OUT_OF_LINE inline void throw_captured_by_another(std::string_view owner,
                                                                               std::string_view call) {
  fail<SequenceError>({owner, ": ", call,
                       " while another engine records a step on one of its streams, which would be replayed with that "
                       "step: end the recording first: make this call before or after the other engine's capture()"});
}

/// \throws SequenceError where another engine records a step on one of \p streams: \p call of \p owner, a class whose
/// backend is \p backend, would put its work there, where it does not run. A comparison for each stream where this
/// thread records nothing.
template <class Backend, class... Streams>
void require_own_streams(Backend const& backend, std::string_view owner, std::string_view call, Streams... streams) {
  if constexpr (backend_facts<Backend>().captures_graphs) {
    if ((backend.captured_by_another(streams) || ...)) throw_captured_by_another(owner, call);
  }
}

/// The same, and where this engine records itself, for a call that cannot be recorded.
template <class Backend, class... Streams>
void require_recordable(Backend const& backend, std::string_view owner, EngineCall call, Streams... streams) {
  if constexpr (backend_facts<Backend>().captures_graphs) {
    if (backend.capturing() && !EnginePhase::is_recordable(call)) {
      throw_inside_capture(owner, EnginePhase::name_of(call));
    }
    require_own_streams(backend, owner, EnginePhase::name_of(call), streams...);
  }
}

}  // namespace zero::detail
