// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <images/confusion.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace images_confusion_test {

using images::Confusion;

TEST_CASE("image confusion: rows are what is right, columns what was predicted") {
  Confusion confusion(3);
  confusion.add_to(0 * 3 + 0, 3);
  confusion.add_to(0 * 3 + 2, 1);
  confusion.add_to(2 * 3 + 2, 1);
  CHECK(confusion.pictures_of(0) == 4);
  CHECK(confusion.at(0, 2) == 1);
  CHECK(confusion.at(2, 0) == 0);
  CHECK(confusion.to_table({"cat", "dog", "bird"}) ==
        "  class  pictures  accuracy   taken for   cat  bird\n"
        "  cat           4   75.00 %                 3     1\n"
        "  bird          1  100.00 %                 .     1\n");
}

TEST_CASE("image confusion: of many classes it names the pairs that are confused most, and classes without a name") {
  Confusion confusion(30);
  std::vector<std::string> names;
  for (int c = 0; c < 29; ++c) names.push_back("kind" + std::to_string(c));
  for (std::size_t c = 0; c < 30; ++c) confusion.add_to(c * 30 + c, 1);
  confusion.add_to(4 * 30 + 29, 3);
  auto const table = confusion.to_table(names);
  CHECK(table.find("taken for  ") == std::string::npos);
  CHECK(table.find("kind4 was taken for class 29 3 times\n") != std::string::npos);
}

}  // namespace images_confusion_test
