// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "checkpoint/support.hpp"

#include <doctest/doctest.h>

#include <exception>
#include <filesystem>
#include <system_error>

#include <stdlib.h>

namespace checkpoint_test {

Thrown thrown_by(std::function<void()> const& f) {
  try {
    f();
  } catch (zero::CheckpointError const& error) {
    return {error.kind(), error.what()};
  } catch (std::exception const& error) {
    FAIL_CHECK("another error: " << error.what());
    return {};
  }
  FAIL_CHECK("nothing was thrown");
  return {};
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "zero-test-XXXXXX").string();
  path_ = ::mkdtemp(pattern.data());
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace checkpoint_test
