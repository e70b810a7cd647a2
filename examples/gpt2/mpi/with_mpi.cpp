// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "../run.hpp"
#include "report.hpp"
#include "run.hpp"
#include "support/program.hpp"
#include "support/settings.hpp"
#include "target.hpp"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

namespace gpt2 {
namespace {

using namespace std::chrono_literals;

void say_failure(std::string_view what) { (void)command_line::fail(command().name, what, {}); }

std::string with_rank(int rank, std::string_view what) {
  return "rank " + std::to_string(rank) + ": " + std::string(what);
}

void check(int code, char const* call) {
  if (code != MPI_SUCCESS) throw std::runtime_error(std::string("MPI: ") + call + " failed");
}

/// Waits for \p request up to \p deadline, and calls \p look meanwhile.
template <class Look>
void await(MPI_Request& request, char const* call, std::chrono::nanoseconds deadline, Look const& look) {
  int done = 0;
  bool const in_time = poll_for(deadline, [&] {
    check(MPI_Test(&request, &done, MPI_STATUS_IGNORE), call);
    if (done == 0) look();
    return done != 0;
  });
  if (in_time) return;
  auto const seconds = std::chrono::duration<double>(deadline).count();
  throw std::runtime_error(std::string("MPI: ") + call + ": not all ranks came within " +
                           zero::shortest_number(seconds) + " seconds (--deadline)");
}

std::vector<RankReport> gathered(RankReport const& mine, int size, std::chrono::nanoseconds deadline) {
  auto reports =
      std::make_unique<std::vector<RankReport>>(static_cast<std::size_t>(size) + 1, mine);  // the last is sent
  constexpr int bytes = static_cast<int>(sizeof(RankReport));
  MPI_Request request = MPI_REQUEST_NULL;
  try {
    check(MPI_Iallgather(&reports->back(), bytes, MPI_BYTE, reports->data(), bytes, MPI_BYTE, MPI_COMM_WORLD, &request),
          "MPI_Iallgather");
    await(request, "MPI_Iallgather", deadline, [] {});
  } catch (...) {
    (void)reports.release();  // MPI may write to it to the end of the process
    throw;
  }
  reports->pop_back();
  return std::move(*reports);
}

/// What is the same on all ranks once, and otherwise who says it.
void say_all(std::vector<RankReport> const& reports) {
  auto const is_first = [&](RankReport const& report) { return report.what() == reports.front().what(); };
  if (std::all_of(reports.begin(), reports.end(), is_first)) return say_failure(reports.front().what());
  for (std::size_t r = 0; r < reports.size(); ++r) {
    if (reports[r].has_failed()) say_failure(with_rank(static_cast<int>(r), reports[r].what()));
  }
}

/// Ends this process soon after the one that has started it: some launchers leave their ranks alive when they die.
void end_with_launcher() {
  auto const launcher = ::getppid();
  if (launcher == 1) return;  // one that starts processes and goes
  std::thread([launcher] {
    while (::getppid() == launcher) std::this_thread::sleep_for(500ms);
    ::_exit(static_cast<int>(command_line::ExitCode::failed));  // nobody is there to be told
  }).detach();
}

}  // namespace

std::string mpi_version() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING] = "";
  int length = 0;
  (void)MPI_Get_library_version(text, &length);
  // The name and its version: further on some say all that they were built with.
  std::string version;
  for (char const c : std::string_view(text).substr(0, std::string_view(text).find_first_of(",\n"))) {
    bool const is_blank = std::isspace(static_cast<unsigned char>(c)) != 0;
    if (!is_blank || (!version.empty() && version.back() != ' ')) version += is_blank ? ' ' : c;
  }
  return version.empty() ? "unknown" : version;
}

MpiProcess::MpiProcess(JudgeFailure judge, std::chrono::nanoseconds deadline)
    : judge_(std::move(judge)), deadline_(deadline) {
  end_with_launcher();
  int level = 0;  // which the communicator looks at
  (void)MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &level);
  (void)MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  (void)MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
  (void)MPI_Comm_size(MPI_COMM_WORLD, &size_);
  reports_ = std::make_unique<RankReports>(rank_, size_);
}

MpiProcess::~MpiProcess() = default;

void MpiProcess::expect(zero::LaunchEnvironment const& launch) const {
  if (size_ == launch.world && rank_ == launch.rank) return;
  auto const place = [](int rank, int size) { return "rank " + std::to_string(rank) + " of " + std::to_string(size); };
  throw UsageError(launch.source + " has started this process as " + place(launch.rank, launch.world) +
                   ", but for MPI (" + mpi_version() + ") it is " + place(rank_, size_) +
                   ": start the program with that MPI's own mpirun, or with srun --mpi=TYPE, where srun --mpi=list " +
                   "says the types");
}

void MpiProcess::prepare(std::function<void()> const& f) {
  RankReport mine;
  try {
    f();
  } catch (std::exception const& error) {
    mine = RankReport(judge_(error));
  }
  auto const reports = gathered(mine, size_, deadline_);
  if (std::none_of(reports.begin(), reports.end(), [](auto const& report) { return report.has_failed(); })) return;
  if (rank_ == 0) {
    say_all(reports);
  } else {
    std::this_thread::sleep_for(1s);  // rank 0 is faster, if it lives
  }
  end(code_of_run(reports));
}

bool MpiProcess::run(Options const& options, TrainingData const& data, RunOutput& output) {
  MpiTarget::process = this;
  return run_on<MpiTarget>(options, data, output);
}

std::size_t MpiProcess::bytes_of_host() const { return zero::MpiCommunicator::bytes_of_host(size_, size_); }

// What ends all ranks alike is rank 0's to say. Who has seen another one fail says so at once: the launcher may end
// this process next.
void MpiProcess::tell(std::exception const& error) {
  if (std::exchange(has_told_, true)) return;
  auto const failure = judge_(error);
  RankReport const mine(failure);
  bool is_told = false;
  if (rank_ != 0 && !failure.is_of_another) {
    (void)poll_for(500ms, [&] { return reports_->receive(), reports_->of(0).has_failed(); });
    is_told = reports_->of(0).what() == mine.what();
  }
  if (!is_told) say_failure(rank_ == 0 || failure.is_of_another ? failure.what : with_rank(rank_, failure.what));
  reports_->send(mine);
}

void MpiProcess::fail(std::exception const& error) {
  tell(error);
  end_after_others();
}

void MpiProcess::leave(std::chrono::nanoseconds deadline) {
  MPI_Request request = MPI_REQUEST_NULL;
  check(MPI_Ibarrier(MPI_COMM_WORLD, &request), "MPI_Ibarrier");
  await(request, "MPI_Ibarrier", deadline, [&] {
    if (reports_->receive()) end_after_others();
  });
  (void)MPI_Finalize();
}

void MpiProcess::end_after_others() {
  (void)poll_for(1s, [&] { return reports_->receive(), reports_->complete(); });
  if (reports_->first() != rank_) std::this_thread::sleep_for(1s);  // that one ends all
  end(code_of_run(reports_->all()));
}

void MpiProcess::end(command_line::ExitCode code) const {
  if (size_ > 1) (void)MPI_Abort(MPI_COMM_WORLD, static_cast<int>(code));
  (void)MPI_Finalize();  // of one that is alone
  std::exit(static_cast<int>(code));
}

}  // namespace gpt2
