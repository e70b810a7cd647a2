// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What is JSON with comments, what is not, and where an error says it is.

#include "config/support.hpp"

#include <zero/config/read.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <sys/stat.h>
#include <unistd.h>

namespace config_text_test {

using config_test::error_of;
using config_test::message_of;
using config_test::read_text;
using config_test::with;

TEST_CASE("configuration: comments of three kinds and commas before brackets are read") {
  auto const settings = read_text(R"(// a comment
{
  # another
  "train_batch_size": 8, /* of
                            several lines */
  "optimizer": {"type": "AdamW", "params": {"betas": [0.9, 0.95,], "lr": 1e-4,},}, // here, too
  "steps_per_print": 5e1,
}
# at the end)");
  CHECK(settings.batch.sequences == 8);
  CHECK(settings.steps_per_print == 50);
  CHECK(std::get<zero::AdamW::Config>(*settings.rule).beta2 == 0.95);
  CHECK(read_text(with(R"("csv_monitor": {"enabled": true, "output_path": "a // b # c /* d */"})")).csv->output_path ==
        "a // b # c /* d */");
}

TEST_CASE("configuration: an error says file, line, column, key, what is wrong and what to do") {
  auto const error = error_of("{\n  \"train_batch_size\": 8,\n  \"zero_optimization\": {\"stage\": 7}\n}");
  REQUIRE(error);
  CHECK(error->where().file == "ds.json");
  CHECK(error->where().line == 3);
  CHECK(error->where().column == 34);
  CHECK(error->where().key == "zero_optimization.stage");
  CHECK(std::string(error->what()) == "ds.json:3:34: zero_optimization.stage: 7 is not from 0 to 3");
  auto const unknown = error_of("{\"train_batch_size\": 8,\n \"zero_optimisation\": {}}");
  REQUIRE(unknown);
  CHECK(unknown->where().line == 2);
  CHECK(unknown->where().column == 2);
  CHECK(unknown->cure() == "did you mean \"zero_optimization\"?");
}

TEST_CASE("configuration: what HJSON allows beyond that is refused by its name") {
  struct Case {
    std::string text, says;
  };
  for (auto const& the_case : {
           Case{"{train_batch_size: 8}",
                "1:2: HJSON's name without quotation marks is not read here: write "
                "\"train_batch_size\""},
           Case{"{'train_batch_size': 8}", "HJSON's name in single quotes"},
           Case{"{\"a\": 1\n \"b\": 2}", "2:2: a comma is missing before this"},
           Case{"{\"a\": [1 2]}", "a comma is missing before this"},
           Case{"{\"a\": cpu}", "HJSON's text without quotation marks is not read here: write \"cpu\""},
           Case{"{\"a\": 'cpu'}", "HJSON's text in single quotes"},
           Case{"train_batch_size: 8", "HJSON's text without outer braces"},
           Case{"\"train_batch_size\": 8", "HJSON's text without outer braces"},
           Case{"{\"a\": NaN}", "NaN is no number of JSON"},
           Case{"{\"a\": -Infinity}", "Infinity is no number of JSON"},
           Case{"{\"a\": True}", "True is Python's: write true"},
           Case{"{\"a\": None}", "None is Python's: write null"},
       }) {
    CAPTURE(the_case.text);
    auto const message = message_of(the_case.text);
    CAPTURE(message);
    CHECK(message.find(the_case.says) != std::string::npos);
  }
}

TEST_CASE("configuration: hostile texts cost one line") {
  CHECK(message_of(std::string(10000, '[')).find("nested") != std::string::npos);
  std::string objects;
  for (int i = 0; i < 10000; ++i) objects += "{\"a\":";
  CHECK(message_of(objects).find("nested more than 64 levels") != std::string::npos);
  CHECK(message_of("\xEF\xBB\xBF{}").find("byte order mark") != std::string::npos);
  CHECK(message_of(std::string("\xFF\xFE{\0}\0", 6)).find("UTF-16") != std::string::npos);
  CHECK(message_of(std::string("{\0}\0", 4)).find("UTF-16") != std::string::npos);
  CHECK(message_of("{\"a\": 1, \"a\": 2}").find("1:10: the name 'a' is there twice") != std::string::npos);
  CHECK(message_of("").find("it ends too early") != std::string::npos);
  CHECK(message_of("{\"a\": /* ").find("has no end") != std::string::npos);
  CHECK(message_of("[1]").find("a configuration is an object") != std::string::npos);
  CHECK(message_of("{\"train_batch_size\": 1e400}").find("out of range") != std::string::npos);
  CHECK(message_of("{\"train_batch_size\": 99999999999999999999}").find("out of range") != std::string::npos);
  for (auto const& text : {std::string(10000, '['), std::string("{\"a\": \"\x01\"}"), std::string("{")}) {
    CHECK(message_of(text).find('\n') == std::string::npos);
  }
}

TEST_CASE("configuration: a file that is missing, a folder, a pipe or huge is refused before it is read") {
  auto const folder = std::filesystem::temp_directory_path() / ("zero-config-" + std::to_string(::getpid()));
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  auto const says = [&](std::string const& name) {
    try {
      static_cast<void>(zero::config::read((folder / name).string()));
      return std::string();
    } catch (zero::config::ConfigError const& error) {
      return std::string(error.what());
    }
  };
  CHECK(says("missing.json").find("missing.json: there is no such file") != std::string::npos);
  CHECK(says("").find("is no regular file") != std::string::npos);
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(says("pipe").find("is no regular file") != std::string::npos);
  std::ofstream(folder / "huge.json") << "{}";
  std::filesystem::resize_file(folder / "huge.json", 100 << 20);
  CHECK(says("huge.json").find("larger than 16 MiB") != std::string::npos);
  std::ofstream const empty(folder / "empty.json");
  CHECK(says("empty.json").find("ends too early") != std::string::npos);
  std::ofstream(folder / "good.json") << "{\"train_batch_size\": 2}";
  CHECK(zero::config::read((folder / "good.json").string()).batch.sequences == 2);
  std::filesystem::remove_all(folder);
}

}  // namespace config_text_test
