// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The fuzz targets without a fuzzer: their corpus, and some thousand ways to damage each file of it.

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

namespace checkpoint_fuzz_corpus_test {

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);

namespace {

std::string damaged(std::string text, std::mt19937& random) {
  static std::string const spice = "{}[]\",:0919e-.\\u \x80\xFF";
  auto const pick = [&](std::size_t below) { return random() % std::max<std::size_t>(below, 1); };
  for (std::size_t changes = 1 + pick(3); changes > 0; --changes) {
    std::size_t const at = pick(text.size() + 1), length = std::min(pick(16), text.size() - at);
    switch (pick(5)) {
      case 0:
        text.erase(at, length);
        break;
      case 1:
        text.insert(at, 1, spice[pick(spice.size())]);
        break;
      case 2:
        text.insert(at, text.substr(pick(text.size()), length));
        break;
      case 3:
        text.resize(at);
        break;
      default:
        if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << pick(8)));
    }
  }
  return text;
}

int run(std::string const& text) {
  return LLVMFuzzerTestOneInput(reinterpret_cast<std::uint8_t const*>(text.data()), text.size());
}

}  // namespace

TEST_CASE("corpus: every file, and every way tried to damage it, is refused with an error or read as itself") {
  std::size_t files = 0;
  for (auto const& entry : std::filesystem::directory_iterator(FUZZ_CORPUS)) {
    std::ifstream stream(entry.path(), std::ios::binary);
    std::string const text{std::istreambuf_iterator<char>(stream), {}};
    CAPTURE(entry.path().string());
    REQUIRE(run(text) == 0);
    std::mt19937 random(static_cast<unsigned>(++files));
    for (int i = 0; i < 3000; ++i) REQUIRE(run(damaged(text, random)) == 0);
  }
  CHECK(files >= 5);
}

}  // namespace checkpoint_fuzz_corpus_test
