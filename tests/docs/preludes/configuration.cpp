// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What the program of the page on configurations leaves to its reader.
#include <zero/any_engine.hpp>
#include <zero/config/read.hpp>
#include <zero/config/write.hpp>
#include <zero/runtime_engine.hpp>

#include <iostream>
#include <memory>

void train(zero::ThreadCommunicator& ranks, zero::ParameterList const& parameters, zero::HostStream stream) {
  // block
}
