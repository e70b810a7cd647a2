// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "monitor/support.hpp"
#include "run_command.hpp"
#include "skip.hpp"

#include <zero/monitor/tensorboard.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

namespace monitor_tensorboard_test {

using monitor_test::append;
using monitor_test::Folder;
using monitor_test::names_in;
using monitor_test::Warnings;
using zero::monitor::TensorBoard;
using zero_test::python;

namespace {

std::string read_by_tensorboard(std::string const& arguments) {
  return zero_test::run_command(python() + " '" READ_EVENTS "' " + arguments + " 2>&1").output;
}

#define ZERO_SKIP_WITHOUT_TENSORBOARD()                                             \
  if (zero_test::run_command(python() + " -c 'import tensorboard' 2>&1").code != 0) \
  ZERO_SKIP(python() << " has no package tensorboard")

/// Events of a file, read by the library's own reader: their steps, of those that hold something.
std::vector<std::uint64_t> steps_in(std::string const& path) {
  std::vector<std::uint64_t> steps;
  std::ifstream file(path, std::ios::binary);
  std::uint64_t left = std::filesystem::file_size(path);
  while (auto const data = zero::detail::read_record(file, left)) {
    left -= data->size() + 16;
    auto const event = zero::detail::read_event(*data);
    REQUIRE(event);
    if (event->has_summary) steps.push_back(event->step);
  }
  CHECK(left == 0);
  return steps;
}

std::string only_file_of(std::string const& folder) {
  auto const names = names_in(folder);
  REQUIRE(names.size() == 1);
  return folder + "/" + names.front();
}

/// Three values and a text, then what a kill has left of a record.
void write_torn_run(TensorBoard::Config const& config) {
  {
    TensorBoard board(config);
    board.text({"settings", "`a` = 1", 0});
    for (std::uint64_t step = 10; step <= 50; step += 10) {
      board.scalar({"loss", 1.0 / static_cast<double>(step), step});
      board.scalar({"norm", 0.5, step});
    }
  }
  std::string record;
  zero::detail::append_record(record, "torn");
  append(only_file_of(config.output_path + "/" + config.job_name), record.substr(0, record.size() - 3));
}

}  // namespace

TEST_CASE("tensorboard: records are TFRecords of protocol buffers, byte by byte") {
  using zero::detail::ProtobufMessage;
  ProtobufMessage message;
  message.real(1, 1.0);
  message.whole(2, 300);
  message.bytes(3, "brain.Event:2");
  message.real(2, 0.5F);
  std::string const expected(
      "\x09\0\0\0\0\0\0\xF0\x3F\x10\xAC\x02\x1A\x0D"
      "brain.Event:2\x15\0\0\0\x3F",
      32);
  CHECK(message.str() == expected);
  // CRC-32C of 32 zero bytes is 8A9136AA (RFC 3720, appendix B.4); masked it is that, rotated by 15, plus A282EAD8.
  std::string const zeros(32, '\0');
  std::uint32_t const crc = 0x8A9136AAU;
  CHECK(zero::detail::masked_crc32c(zeros) == ((crc >> 15U) | (crc << 17U)) + 0xA282EAD8U);
  std::string record;
  zero::detail::append_record(record, zeros);
  CHECK(record.size() == 48);
  CHECK(record.substr(0, 8) == std::string("\x20\0\0\0\0\0\0\0", 8));
  CHECK(record.substr(12, 32) == zeros);
}

TEST_CASE("tensorboard: a reader of events takes no bytes for what they are not") {
  CHECK(zero::detail::read_event("")->has_summary == false);
  CHECK(!zero::detail::read_event("\x10"));  // a step without its number
  CHECK(
      !zero::detail::read_event("\x2A\x7F"
                                "abc"));                               // a summary longer than what follows
  CHECK(!zero::detail::read_event("\x0B"));                            // a group, which events do not have
  CHECK(!zero::detail::read_event(std::string("\x09\0\0\0", 4)));      // half a number
  CHECK(!zero::detail::read_event("\x10" + std::string(10, '\x80')));  // a number without an end
  CHECK(zero::detail::read_event(std::string("\x10\x07\x2A\0", 4))->step == 7);
}

TEST_CASE("tensorboard: a file's name says when, where and by whom, and follows those that are there") {
  Folder const folder;
  std::filesystem::create_directories(folder / "job");
  append(folder / "job/events.out.tfevents.4102444800.host.1.0", "of the year 2100, as of a clock that was set back");
  {
    TensorBoard board({.output_path = folder.path(), .job_name = "job"});
    CHECK(board.holds_curves());
    board.scalar({"a", 1.0, 1});
  }
  auto const names = names_in(folder / "job");
  REQUIRE(names.size() == 2);
  CHECK(names[1].starts_with("events.out.tfevents.4102444801."));
  CHECK(names[1].find("." + std::to_string(::getpid()) + ".") != std::string::npos);
}

TEST_CASE("tensorboard: a resumed run's files are cut back to its step, with a torn last record") {
  Folder const folder;
  TensorBoard::Config const config{.output_path = folder.path(), .job_name = "job"};
  write_torn_run(config);
  auto const first = only_file_of(folder / "job");
  {
    TensorBoard board(config);
    board.resume_at(30);
    CHECK(steps_in(first) == std::vector<std::uint64_t>{0, 10, 10, 20, 20, 30, 30});
    board.scalar({"loss", 2.0, 40});
  }
  auto const names = names_in(folder / "job");
  REQUIRE(names.size() == 2);
  CHECK(steps_in(folder / ("job/" + names[1])) == std::vector<std::uint64_t>{40});
  TensorBoard board(config);
  board.replace();
  CHECK(names_in(folder / "job").empty());
}

TEST_CASE("tensorboard: a record that does not fit is left out whole, and the file stays one of records") {
  Folder const folder;
  Warnings warnings;
  {
    TensorBoard board({.output_path = folder.path(), .job_name = "job"}, warnings.warning());
    board.scalar({"a", 1.0, 1});
    board.flush();
    auto const bytes = std::filesystem::file_size(only_file_of(folder / "job"));
    struct rlimit before {};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    auto small_files = before;
    small_files.rlim_cur = bytes + 20;
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small_files) == 0);
    board.scalar({"a", 2.0, 2});
    board.flush();
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    board.scalar({"a", 3.0, 3});
  }
  CHECK(steps_in(only_file_of(folder / "job")) == std::vector<std::uint64_t>{1, 3});
  CHECK(warnings.said.size() == 1);
}

TEST_CASE("tensorboard: a folder that cannot be made is one warning; one that vanishes is made anew") {
  Folder const folder;
  append(folder / "file", "a file in the place of a folder");
  Warnings warnings;
  {
    TensorBoard board({.output_path = folder / "file", .job_name = "job"}, warnings.warning());
    board.resume_at(3);
    board.scalar({"a", 1.0, 1});
    board.flush();
    board.scalar({"a", 1.0, 2});
  }
  CHECK(warnings.said.size() == 1);
  CHECK(warnings.says("cannot be made: Not a directory"));
  Warnings of_vanished;
  {
    TensorBoard board({.output_path = folder.path(), .job_name = "job"}, of_vanished.warning());
    board.scalar({"a", 1.0, 1});
    board.flush();
    std::filesystem::remove_all(folder / "job");
    board.scalar({"a", 2.0, 2});
  }
  CHECK(of_vanished.said.size() == 1);
  CHECK(steps_in(only_file_of(folder / "job")) == std::vector<std::uint64_t>{2});
}

TEST_CASE("tensorboard: its package reads scalars, texts, and what is not finite" *
          doctest::test_suite("tensorboard_package")) {
  ZERO_SKIP_WITHOUT_TENSORBOARD();
  Folder const folder;
  constexpr double infinity = std::numeric_limits<double>::infinity();
  {
    TensorBoard board({.output_path = folder.path(), .job_name = "2023年08月15日16:28:06"});
    board.text({"settings", "# two\nlines, ü", 0});
    board.scalar({"Train/Samples/lr", 0.5, 12});
    board.scalar({"Train/Samples/lr", 0.25, 3'000'000'000});
    board.scalar({"name: ä b", std::numeric_limits<double>::quiet_NaN(), 1});
    board.scalar({"name: ä b", infinity, 2});
    board.scalar({"name: ä b", -infinity, 3});
    board.scalar({"no UTF-8 \xFF", 1e300, 3});  // beyond 32 bits
  }
  CHECK(read_by_tensorboard("'" + folder.path() + "/2023年08月15日16:28:06'") ==
        "Train/Samples/lr [(12, 0.5), (3000000000, 0.25)]\n"
        "name: ä b [(1, nan), (2, inf), (3, -inf)]\n"
        "no UTF-8 \xEF\xBF\xBD [(3, inf)]\n"
        "settings (text, 0): # two\nlines, ü\n"
        "1 files, 7 values\n");
}

TEST_CASE("tensorboard: its package sees a resumed run's curves as those of one run" *
          doctest::test_suite("tensorboard_package")) {
  ZERO_SKIP_WITHOUT_TENSORBOARD();
  Folder const folder;
  TensorBoard::Config const config{.output_path = folder.path(), .job_name = "job"};
  write_torn_run(config);
  std::filesystem::copy(folder / "job", folder / "as seen");
  {
    TensorBoard board(config);
    board.resume_at(20);
    board.scalar({"loss", 2.0, 30});
  }
  std::string const curves =
      "loss [(10, 0.10000000149011612), (20, 0.05000000074505806), (30, 2.0)]\n"
      "norm [(10, 0.5), (20, 0.5)]\n"
      "settings (text, 0): `a` = 1\n";
  CHECK(read_by_tensorboard("'" + (folder / "job") + "'") == curves + "2 files, 6 values\n");
  // One that has read the first file before it was cut: the record at the start of the second one is for it.
  CHECK(read_by_tensorboard("--live '" + (folder / "as seen") + "' '" + (folder / "job") + "'") ==
        "5 values of loss were seen before\n" + curves);
}

}  // namespace monitor_tensorboard_test
