// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// examples/images/digits.py, with a module of three pictures in the place of scikit-learn.
#include "images/pictures/decode.hpp"
#include "images/pictures/folder.hpp"
#include "images/pictures/picture_files.hpp"
#include "images/pictures/picture_folder.hpp"
#include "run_command.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace images_pictures_digits_test {

namespace {

using namespace images;         // NOLINT(google-build-using-namespace)
using namespace pictures_test;  // NOLINT(google-build-using-namespace)

/// Runs the script with \p module in the place of sklearn.datasets.
zero_test::Outcome run_script(Folder const& folder, std::string const& module, std::string const& arguments) {
  std::filesystem::create_directory(folder.path("sklearn"));
  std::ofstream(folder.path("sklearn/__init__.py")) << "";
  std::ofstream(folder.path("sklearn/datasets.py")) << module;
  return zero_test::run_command("PYTHONDONTWRITEBYTECODE=1 PYTHONPATH='" + folder.path() + "' " + zero_test::python() +
                                " '" ZERO_DIGITS_SCRIPT "' " + arguments + " 2>&1");
}

constexpr auto six_pictures = R"(
class Data:
    images = [[[0.0, 16.0, 8.0], [1.0, 2.0, 3.0 + n]] for n in range(6)]
    target = [7, 3, 7, 3, 7, 3]

def load_digits():
    return Data
)";

}  // namespace

TEST_CASE("digits are written as folders of PNG that can be read") {
  Folder const folder;
  auto const target = folder.path("digits");
  auto const outcome = run_script(folder, six_pictures, "'" + target + "'");
  CHECK(outcome.output == "6 pictures in " + target + "/train and " + target + "/val\n");
  REQUIRE(outcome.code == 0);
  auto const train = open_folder(target, {.size = 8}).pictures;
  auto const validation = open_folder(target, {.split = PictureSplit::validation, .size = 8}).pictures;
  CHECK(train->size() == 4);
  CHECK(validation->size() == 2);
  CHECK(train->classes() == std::vector<std::string>{"3", "7"});
  CHECK(validation->classes() == train->classes());
  auto const first = decode(read_file(target + "/val/7/0000.png"), usual_most_pixels);
  CHECK(first.width == 3);
  CHECK(first.height == 2);
  CHECK(first.values ==
        std::vector<std::uint8_t>{0, 0, 0, 255, 255, 255, 128, 128, 128, 16, 16, 16, 32, 32, 32, 48, 48, 48});
}

TEST_CASE("digits.py refuses in one line") {
  Folder const folder;
  auto const taken = run_script(folder, six_pictures, "'" + folder.path() + "'");
  CHECK(taken.code == 4);
  CHECK(taken.output == "digits.py: " + folder.path() + ": is there already: name another folder, or empty it\n");
  auto const none = run_script(folder, six_pictures, "");
  CHECK(none.code == 2);
  CHECK(none.output == "digits.py: digits.py FOLDER: one folder is to be named\n");
  auto const missing = run_script(folder, "raise ImportError", "'" + folder.path("new") + "'");
  CHECK(missing.code == 1);
  CHECK(missing.output == "digits.py: scikit-learn is not installed: pip install scikit-learn\n");
  auto const nowhere = run_script(folder, six_pictures, "'" + folder.path("sklearn/__init__.py/x") + "'");
  CHECK(nowhere.code == 4);
  CHECK(nowhere.output.find("Not a directory") != std::string::npos);
}

}  // namespace images_pictures_digits_test
