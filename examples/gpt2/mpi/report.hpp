// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "run.hpp"

#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <vector>

namespace gpt2 {

/// Calls \p look every millisecond until it is true, or until \p patience has passed. Whether it was.
template <class Look>
bool poll_for(std::chrono::nanoseconds patience, Look const& look) {
  auto const end = std::chrono::steady_clock::now() + patience;
  while (!look()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

/// Why a rank ends, as it travels to the others.
struct RankReport {
  std::int32_t code = 0;  ///< 0: none has come, or it goes on
  std::int32_t is_of_another = 0;
  char text[1000] = "";  ///< cut where it is longer

  RankReport() = default;
  explicit RankReport(RankFailure const& failure)
      : code(static_cast<std::int32_t>(failure.code)), is_of_another(failure.is_of_another ? 1 : 0) {
    auto* const end = std::copy_n(failure.what.data(), std::min(failure.what.size(), sizeof text - 1), text);
    *end = '\0';
  }
  [[nodiscard]] bool has_failed() const noexcept { return code != 0; }
  [[nodiscard]] std::string_view what() const noexcept { return text; }
};
static_assert(std::is_trivially_copyable_v<RankReport>);

/// The exit code of the run whose ranks have made \p reports: that of the first one that no other rank has ended.
[[nodiscard]] inline command_line::ExitCode code_of_run(std::vector<RankReport> const& reports) {
  auto const is_cause = [](RankReport const& report) { return report.has_failed() && report.is_of_another == 0; };
  auto const cause = std::find_if(reports.begin(), reports.end(), is_cause);
  return cause == reports.end() ? command_line::ExitCode::failed : static_cast<command_line::ExitCode>(cause->code);
}

/// Reports of ranks that end, by messages that are short enough to go without the receiver's help. What MPI refuses is
/// not reported: somebody has died of it, and the launcher ends the rest.
class RankReports {
 public:
  RankReports(int rank, int size) : rank_(rank), all_(static_cast<std::size_t>(size)) {}

  /// To all other ranks. Does not wait.
  void send(RankReport const& mine) {
    static RankReport sent;  // MPI may read it to the end of the process
    sent = all_[static_cast<std::size_t>(rank_)] = mine;
    for (int r = 0; r < static_cast<int>(all_.size()); ++r) {
      MPI_Request request = MPI_REQUEST_NULL;
      if (r != rank_) (void)MPI_Isend(&sent, sizeof sent, MPI_BYTE, r, tag, MPI_COMM_WORLD, &request);
    }
  }
  /// Takes what has come; whether anything had.
  bool receive() {
    for (bool any = false;; any = true) {
      int found = 0;
      MPI_Status status;
      if (MPI_Iprobe(MPI_ANY_SOURCE, tag, MPI_COMM_WORLD, &found, &status) != MPI_SUCCESS || found == 0) return any;
      auto& report = all_[static_cast<std::size_t>(status.MPI_SOURCE)];
      (void)MPI_Recv(&report, sizeof report, MPI_BYTE, status.MPI_SOURCE, tag, MPI_COMM_WORLD, &status);
    }
  }

  /// By rank, this one's included.
  [[nodiscard]] std::vector<RankReport> const& all() const noexcept { return all_; }
  [[nodiscard]] RankReport const& of(int rank) const { return all_[static_cast<std::size_t>(rank)]; }
  [[nodiscard]] bool complete() const {
    return std::all_of(all_.begin(), all_.end(), [](RankReport const& report) { return report.has_failed(); });
  }
  /// The first rank that has reported.
  [[nodiscard]] int first() const {
    auto const found = std::find_if(all_.begin(), all_.end(), [](auto const& report) { return report.has_failed(); });
    return static_cast<int>(found - all_.begin());
  }

 private:
  static constexpr int tag = 7301;  // of MPI_COMM_WORLD, which nothing else here uses

  int rank_;
  std::vector<RankReport> all_;
};

}  // namespace gpt2
