// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// bad_input CASE: uses MPI, or memory, as it cannot be used, on every rank. Each that is told why writes "refused: "
// and the error.
#include <zero/communicators/mpi.hpp>
#include <zero/error.hpp>

#include <cstddef>
#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace {

void initialize(int level) {
  int provided = 0;
  MPI_Init_thread(nullptr, nullptr, level, &provided);
}

struct Case {
  std::function<void()> use;
  std::string_view says;
};

// What becomes of MPI is a process's for good: one case for each run.
std::map<std::string_view, Case> const cases{
    {"uninitialized",
     {[] { zero::MpiCommunicator const ranks; }, "MPI is not initialized: call MPI_Init_thread first"}},
    {"single",
     {[] {
        initialize(MPI_THREAD_SINGLE);
        zero::MpiCommunicator const ranks;
      },
      "MPI was initialized for programs of one thread"}},
    {"finalized",
     {[] {
        initialize(MPI_THREAD_FUNNELED);
        MPI_Finalize();
        zero::MpiCommunicator const ranks;
      },
      "MPI is finalized: call MPI_Finalize after the last use of its ranks"}},
    {"finalized_early",
     {[] {
        initialize(MPI_THREAD_FUNNELED);
        zero::MpiCommunicator ranks;
        MPI_Finalize();
        (void)ranks.split(0, 0);
      },
      "MPI is finalized: call MPI_Finalize after the last use of its ranks"}},
    {"memory",
     {[] {
        initialize(MPI_THREAD_FUNNELED);
        zero::MpiCommunicator ranks;
        auto memory = ranks.collective_memory();
        (void)memory.allocate(std::size_t{1} << 42U);
        (void)ranks.register_buffers(memory.close());
      },
      " MB of shared memory on this host, but "}},
};

}  // namespace

int main(int argc, char** argv) {
  auto const found = argc == 2 ? cases.find(argv[1]) : cases.end();
  if (found == cases.end()) return 2;
  try {
    found->second.use();
  } catch (zero::ConfigurationError const& error) {
    if (std::string_view(error.what()).find(found->second.says) != std::string_view::npos) {
      std::string const line = "refused: " + std::string(error.what()) + "\n";
      (void)std::fputs(line.c_str(), stdout);
    } else {
      (void)std::fprintf(stderr, "another error: %s\n", error.what());
    }
  }
  int initialized = 0, finalized = 0;
  MPI_Initialized(&initialized);
  MPI_Finalized(&finalized);
  if (initialized != 0 && finalized == 0) MPI_Finalize();
}
