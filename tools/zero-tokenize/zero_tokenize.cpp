// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// zero-tokenize: from text to a folder of shards of tokens.
#include "options.hpp"
#include "preparation.hpp"
#include "support/program.hpp"

namespace {

command_line::ExitCode run(zero_tokenize::Options const& options) {
  command_line::print(options.nanogpt ? zero_tokenize::take_nanogpt(options) : zero_tokenize::prepare(options));
  return command_line::ExitCode::done;
}

}  // namespace

int main(int argc, char** argv) {
  return command_line::run_program(zero_tokenize::command(), command_line::words_of(argc, argv),
                                   zero_tokenize::parse_options, run);
}
