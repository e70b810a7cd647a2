// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// That README.md lists what is tested here, and nothing else.

#include "misuse/misuse.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace misuse_list_test {

namespace {

struct Case {
  std::string number;
  std::string text;  // up to the next test case
};

std::string text_of(std::filesystem::path const& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<Case> cases_of_sources() {
  std::string const opening = "\nTEST_CASE(\"misuse ";
  std::vector<Case> cases;
  for (auto const& entry : std::filesystem::directory_iterator(MISUSE_FOLDER)) {
    if (entry.path().extension() != ".cpp") continue;
    auto const text = text_of(entry.path());
    for (auto at = text.find(opening); at != std::string::npos;) {
      auto const begin = at + opening.size();
      at = text.find("\nTEST_CASE(", begin);
      auto const body = text.substr(begin, at == std::string::npos ? at : at - begin);
      if (std::isdigit(static_cast<unsigned char>(body.front())) == 0) continue;
      cases.push_back({body.substr(0, body.find(':')), body});
    }
  }
  return cases;
}

bool contains(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("misuse list: README.md and the tests have the same numbers, each once and in order") {
  std::vector<int> tested, listed;
  for (auto const& one : cases_of_sources()) tested.push_back(std::stoi(one.number));
  std::sort(tested.begin(), tested.end());
  for (auto const& row : misuse::rows()) listed.push_back(std::stoi(row.number));
  CHECK(listed.size() >= 40);
  CHECK(std::is_sorted(listed.begin(), listed.end()));
  CHECK(std::adjacent_find(listed.begin(), listed.end()) == listed.end());
  CHECK(tested == listed);
  CHECK(contains(text_of(MISUSE_FOLDER "/README.md"), " " + std::to_string(listed.size()) + " mistakes"));
}

TEST_CASE("misuse list: every test compares what it gets with its row") {
  for (auto const& one : cases_of_sources()) {
    CAPTURE(one.number);
    CHECK(contains(one.text, "expect(") != contains(one.text, "allowed();"));
  }
}

TEST_CASE("misuse list: three dots in a row stand for any text, and all else for itself") {
  CHECK(misuse::fits("a b", "a b"));
  CHECK(!misuse::fits("a b", "a bc"));
  CHECK(!misuse::fits("", "a"));
  CHECK(misuse::fits("a...c", "abbc"));
  CHECK(misuse::fits("a...c...", "abcd"));
  CHECK(!misuse::fits("a...c", "aab"));
  CHECK(!misuse::fits("a...c", "bac"));
  CHECK(!misuse::fits("a...bc", "ab"));
  CHECK(!misuse::fits("a...ab", "ab"));
}

}  // namespace misuse_list_test
