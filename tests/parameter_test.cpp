// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <zero/parameter.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

namespace parameter_test {

TEST_CASE("parameter list: every parameter is found by its name, and no other") {
  zero::ParameterList list;
  CHECK_FALSE(list.find("layer 0"));
  for (std::uint32_t i = 0; i < 1000; ++i) {
    auto const name = "layer " + std::to_string(i);
    CHECK_FALSE(list.find(name));
    auto const id = list.add({.name = name, .shape = {2}});
    CHECK(list.find(name) == id);
  }
  std::uint32_t wrong = 0;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    auto const found = list.find("layer " + std::to_string(i));
    wrong += found && found->index == i ? 0 : 1;
  }
  CHECK(wrong == 0);
  CHECK_FALSE(list.find("layer 1000"));
  CHECK_FALSE(list.find(""));
  auto const copy = list;
  CHECK(copy.find("layer 999") == zero::ParameterId{999});
}

}  // namespace parameter_test
