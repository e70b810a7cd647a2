// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "training/output_folders.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <string>

namespace gpt2_output_folders_test {

TEST_CASE("output folders: checkpoints that will not fit are told with what they need and what there is") {
  auto const here = std::filesystem::temp_directory_path().string();
  CHECK(training::space_warning(here, 1, {.to_come = 3}).empty());
  CHECK(training::space_warning(here, 0, {.to_come = 3}).empty());
  auto const warning = training::space_warning(here, std::uint64_t{1} << 50U, {.to_come = 3});
  CHECK(warning.find("3 checkpoints to come need 3,377,699,720,527,872 bytes") != std::string::npos);
  CHECK(warning.find(here + " has ") != std::string::npos);
  CHECK(warning.find("--keep") != std::string::npos);
  // Of many, only so many are there at once.
  CHECK(training::space_warning(here, std::uint64_t{1} << 50U, {.to_come = 100, .kept = 2}).find("5 checkpoints") == 0);
  CHECK(training::space_warning(here, 1, {.to_come = std::uint64_t{1} << 60U, .kept = 2}).empty());
  // A folder that is still to be made has what there is where it will be.
  auto const of_parent = training::space_warning(here + "/none yet/at all", std::uint64_t{1} << 50U, {.to_come = 3});
  CHECK(of_parent.find(here + "/none yet/at all has ") != std::string::npos);
}

}  // namespace gpt2_output_folders_test
