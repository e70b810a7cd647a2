// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/monitor/event.hpp>
#include <zero/support/message.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace zero::detail {

/// What a monitor says of what it could not write: the first time only, as a full disk would fill the screen too.
class OneWarning {
 public:
  OneWarning(std::string_view kind, std::string place, monitor::Warning warning)
      : kind_(kind), place_(std::move(place)), warning_(std::move(warning)) {}

  /// Says \p what went wrong; nothing where that is empty.
  void operator()(std::string_view what) {
    if (what.empty()) return;
    if (std::exchange(said_, true) || !warning_) return;
    warning_(concat({"zero: ", kind_, " in ", quote(place_), ": ", what,
                     "; the run goes on, and what cannot be written is missing there"}));
  }
  [[nodiscard]] std::string const& place() const noexcept { return place_; }

 private:
  std::string_view kind_;
  std::string place_;
  monitor::Warning warning_;
  bool said_ = false;
};

}  // namespace zero::detail
