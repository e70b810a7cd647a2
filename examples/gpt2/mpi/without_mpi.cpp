// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "run.hpp"

#include <cstdlib>

namespace gpt2 {

std::string mpi_version() { return {}; }

// Nothing makes one where there is no version.
class RankReports {};
MpiProcess::MpiProcess(JudgeFailure, std::chrono::nanoseconds) {}
MpiProcess::~MpiProcess() = default;
void MpiProcess::expect(zero::LaunchEnvironment const&) const {}
void MpiProcess::prepare(std::function<void()> const&) {}
bool MpiProcess::run(Options const&, TrainingData const&, RunOutput&) { return false; }
std::size_t MpiProcess::bytes_of_host() const { return 0; }
void MpiProcess::tell(std::exception const&) {}
void MpiProcess::fail(std::exception const&) { std::abort(); }
void MpiProcess::leave(std::chrono::nanoseconds) {}

}  // namespace gpt2
