// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Tensors go to numpy and torch and come from them, in both versions of DLPack: exchange.py.

#include "run_command.hpp"
#include "skip.hpp"

#include <doctest/doctest.h>

#include <string>

namespace dlpack_python_test {

namespace {

void run_with(std::string const& package) {
  auto const outcome = zero_test::run_command(
      zero_test::python() + " '" DLPACK_FOLDER "/exchange.py' '" DLPACK_LIBRARY "' " + package + " 2>&1");
  INFO(outcome.output);
  CHECK(outcome.code == 0);
  CHECK(outcome.output.find("all passed") != std::string::npos);
}

void exchange_with(std::string const& package) {
  using zero_test::python;
  if (zero_test::run_command(python() + " -c 'import " + package + "; " + package + ".from_dlpack' 2>&1").code != 0) {
    ZERO_SKIP(python() << " has no package " << package);
  }
  run_with(package);
}

}  // namespace

TEST_CASE("Python loads the library, which says what it refuses") { run_with("nothing"); }
TEST_CASE("tensors are exchanged with numpy" * doctest::test_suite("numpy_package")) { exchange_with("numpy"); }
TEST_CASE("tensors are exchanged with torch" * doctest::test_suite("torch_package")) { exchange_with("torch"); }

}  // namespace dlpack_python_test
