// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "monitor/support.hpp"

#include <zero/monitor/csv.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <limits>
#include <string>

#include <sys/resource.h>
#include <sys/stat.h>

namespace monitor_csv_test {

using monitor_test::append;
using monitor_test::content;
using monitor_test::Folder;
using monitor_test::names_in;
using monitor_test::Warnings;
using zero::monitor::Csv;

TEST_CASE("csv: the files are those of DeepSpeed's csv_monitor, one for each tag") {
  Folder const folder;
  {
    Csv csv({.output_path = folder.path(), .job_name = "job"});
    csv.scalar({"Train/Samples/lr", 1e-3, 12});
    csv.scalar({"Train/Samples/lr", 1e-5, 24});
    csv.scalar({"Train/Samples/loss_scale", 65536.0, 12});
    csv.scalar({"loss of all", 0.1, 12});
    csv.text({"settings", "{}", 0});
  }
  CHECK(names_in(folder / "job") ==
        std::vector<std::string>{"Train_Samples_loss_scale.csv", "Train_Samples_lr.csv", "loss_of_all.csv"});
  CHECK(content(folder / "job/Train_Samples_lr.csv") == "step,lr\r\n12,0.001\r\n24,1e-05\r\n");
  CHECK(content(folder / "job/Train_Samples_loss_scale.csv") == "step,loss_scale\r\n12,65536\r\n");
  CHECK(content(folder / "job/loss_of_all.csv") == "step,loss of all\r\n12,0.1\r\n");
}

TEST_CASE("csv: values that are not finite, and names that need quotes") {
  Folder const folder;
  constexpr double infinity = std::numeric_limits<double>::infinity();
  {
    Csv csv({.output_path = folder.path(), .job_name = "job"});
    csv.scalar({"a:b", -std::numeric_limits<double>::quiet_NaN(), 1});
    csv.scalar({"a:b", infinity, 2});
    csv.scalar({"a:b", -infinity, 3});
    csv.scalar({"x, \"y\"\n", 1.0, 1});
  }
  CHECK(content(folder / "job/a:b.csv") == "step,a:b\r\n1,nan\r\n2,inf\r\n3,-inf\r\n");
  CHECK(content(folder / "job/x,_\"y\"_.csv") == "step,\"x, \"\"y\"\" \"\r\n1,1\r\n");
}

TEST_CASE("csv: tags that have one file, and tags that are too long for one, are said and left out") {
  Folder const folder;
  Warnings first, second;
  {
    Csv csv({.output_path = folder.path(), .job_name = "job"}, first.warning());
    csv.scalar({"a/b", 1.0, 1});
    csv.scalar({"a_b", 2.0, 1});
    csv.scalar({"a_b", 2.0, 2});
    Csv other({.output_path = folder.path(), .job_name = "other"}, second.warning());
    other.scalar({std::string(252, 'a'), 1.0, 1});
    other.scalar({std::string(251, 'a'), 1.0, 1});
  }
  CHECK(content(folder / "job/a_b.csv") == "step,b\r\n1,1\r\n");
  CHECK(first.said.size() == 1);
  CHECK(first.says("the tags 'a/b' and 'a_b' have one file"));
  CHECK(second.said.size() == 1);
  CHECK(second.says("252 bytes"));
  CHECK(names_in(folder / "other").size() == 1);
}

TEST_CASE("csv: a resumed run's rows are cut back to its step, with a torn last one, and go on") {
  Folder const folder;
  Csv::Config const config{.output_path = folder.path(), .job_name = "job"};
  {
    Csv csv(config);
    for (std::uint64_t step = 1; step <= 5; ++step) csv.scalar({"Train/loss", 0.5, step});
    csv.scalar({"Train/val", 0.25, 4});
  }
  append(folder / "job/Train_loss.csv", "6,0.");
  append(folder / "job/notes.csv", "9,of somebody else");
  {
    Csv csv(config);
    CHECK(csv.holds_curves());
    csv.resume_at(3);
    CHECK(content(folder / "job/Train_loss.csv") == "step,loss\r\n1,0.5\r\n2,0.5\r\n3,0.5\r\n");
    CHECK(content(folder / "job/Train_val.csv") == "step,val\r\n");
    csv.scalar({"Train/loss", 0.125, 4});
  }
  CHECK(content(folder / "job/Train_loss.csv") == "step,loss\r\n1,0.5\r\n2,0.5\r\n3,0.5\r\n4,0.125\r\n");
  CHECK(content(folder / "job/notes.csv") == "9,of somebody else");
  append(folder / "job/Train_loss.csv", "5");
  {
    Csv csv(config);  // nobody says how it begins: it appends
    csv.scalar({"Train/loss", 1.0, 5});
  }
  CHECK(content(folder / "job/Train_loss.csv") == "step,loss\r\n1,0.5\r\n2,0.5\r\n3,0.5\r\n4,0.125\r\n5,1\r\n");
  {
    Csv csv(config);
    csv.replace();
    csv.scalar({"Train/loss", 2.0, 1});
  }
  CHECK(names_in(folder / "job") == std::vector<std::string>{"Train_loss.csv", "notes.csv"});
  CHECK(content(folder / "job/Train_loss.csv") == "step,loss\r\n1,2\r\n");
}

TEST_CASE("csv: on a full disk there is one warning") {
  Folder const folder;
  std::filesystem::create_directories(folder / "job");
  std::filesystem::create_symlink("/dev/full", folder / "job/a.csv");
  Warnings warnings;
  {
    Csv csv({.output_path = folder.path(), .job_name = "job"}, warnings.warning());
    for (std::uint64_t step = 1; step < 4; ++step) {
      csv.scalar({"a", 1.0, step});
      csv.scalar({"b", 1.0, step});
      csv.flush();
    }
  }
  CHECK(warnings.said.size() == 1);
  CHECK(warnings.says("No space left on device"));
  CHECK(warnings.says("the run goes on"));
  CHECK(content(folder / "job/b.csv") == "step,b\r\n1,1\r\n2,1\r\n3,1\r\n");
}

TEST_CASE("csv: what does not fit is left out whole, and what comes later is written when there is room again") {
  Folder const folder;
  Warnings warnings;
  {
    Csv csv({.output_path = folder.path(), .job_name = "job"}, warnings.warning());
    csv.scalar({"a", 1.0, 1});
    csv.flush();
    struct rlimit before {};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    auto small_files = before;
    small_files.rlim_cur = 14;  // "step,a\r\n1,1\r\n" has 13 bytes
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small_files) == 0);
    csv.scalar({"a", 2.0, 2});
    csv.flush();
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    CHECK(content(folder / "job/a.csv") == "step,a\r\n1,1\r\n");
    csv.scalar({"a", 3.0, 3});
  }
  CHECK(content(folder / "job/a.csv") == "step,a\r\n1,1\r\n3,3\r\n");
  CHECK(warnings.said.size() == 1);
  CHECK(warnings.says("File too large"));
}

TEST_CASE("csv: a pipe in the place of a file holds nobody up") {
  Folder const folder;
  std::filesystem::create_directories(folder / "job");
  REQUIRE(::mkfifo((folder / "job/a.csv").c_str(), 0600) == 0);
  Warnings warnings;
  {
    Csv csv({.output_path = folder.path(), .job_name = "job"}, warnings.warning());
    CHECK(!csv.holds_curves());
    csv.scalar({"a", 1.0, 1});
  }
  CHECK(warnings.said.size() == 1);
  CHECK(warnings.says("cannot open"));
}

TEST_CASE("csv: a folder that cannot be made is one warning; one that vanishes is made anew") {
  Folder const folder;
  append(folder / "file", "a file in the place of a folder");
  Warnings warnings;
  {
    Csv csv({.output_path = folder / "file", .job_name = "job"}, warnings.warning());
    csv.replace();
    csv.resume_at(3);
    csv.scalar({"a", 1.0, 1});
    csv.flush();
    csv.scalar({"b", 1.0, 1});
  }
  CHECK(warnings.said.size() == 1);
  CHECK(warnings.says("cannot be made: Not a directory"));
  Warnings of_vanished;
  {
    Csv csv({.output_path = folder.path(), .job_name = "job"}, of_vanished.warning());
    csv.scalar({"a", 1.0, 1});
    csv.flush();
    std::filesystem::remove_all(folder / "job");
    csv.scalar({"a", 2.0, 2});
  }
  CHECK(of_vanished.said.size() == 1);
  CHECK(of_vanished.says("was removed, and is begun anew"));
  CHECK(content(folder / "job/a.csv") == "step,a\r\n2,2\r\n");
}

TEST_CASE("csv: a job's name is a folder's name") {
  Folder const folder;
  std::string const by_date = "2023年08月15日16:28:06";
  {
    Csv csv({.output_path = folder.path() + "/", .job_name = by_date});
    CHECK(csv.place() == folder / by_date);
    csv.scalar({"a", 1.0, 1});
    Csv nested({.output_path = folder.path(), .job_name = "team/run 1"});
    nested.scalar({"a", 1.0, 1});
  }
  CHECK(content(folder / (by_date + "/a.csv")) == "step,a\r\n1,1\r\n");
  CHECK(content(folder / "team/run 1/a.csv") == "step,a\r\n1,1\r\n");
  CHECK(Csv({}).place() == "DeepSpeedJobName");
  auto const refused = [&](std::string name) {
    return monitor_test::refusal_of([&] { Csv const csv({.output_path = folder.path(), .job_name = name}); });
  };
  CHECK(refused("").find("is empty") != std::string::npos);
  CHECK(refused("/tmp/x").find("begins with a slash") != std::string::npos);
  CHECK(refused("a/../../b").find("'.' or '..'") != std::string::npos);
  CHECK(refused("..").find("'.' or '..'") != std::string::npos);
  CHECK(refused("a//b").find("empty part") != std::string::npos);
  CHECK(refused("a/").find("empty part") != std::string::npos);
  CHECK(refused(std::string("a\0b", 3)).find("control character") != std::string::npos);
  CHECK(refused(std::string(256, 'a')).find("255 bytes") != std::string::npos);
  CHECK(refused(std::string(255, 'a')).empty());
  CHECK(!monitor_test::refusal_of([] { Csv const csv({.output_path = std::string("a\0b", 3)}); }).empty());
}

}  // namespace monitor_csv_test
