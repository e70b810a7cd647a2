// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The curves of a run, as files: what is in them, and what becomes of them when the run is stopped.
#include "skip.hpp"
#include "trainer/log.hpp"
#include "trainer/program.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace trainer_curves_test {

using namespace trainer_test;

namespace {

std::string text_of(fs::path const& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Curves whose values are times.
bool is_timed(std::string const& name) {
  return name.find("seconds") != std::string::npos || name.find("second") != std::string::npos ||
         name.find("ms_per_step") != std::string::npos;
}

/// The CSV files of a folder by their names; of times, the column of steps only.
std::map<std::string, std::string> curves_in(fs::path const& folder) {
  std::map<std::string, std::string> curves;
  for (auto const& entry : fs::directory_iterator(folder)) {
    auto const name = entry.path().filename().string();
    if (entry.path().extension() != ".csv") continue;
    std::istringstream file(text_of(entry.path()));
    for (std::string line; std::getline(file, line);) {
      curves[name] += is_timed(name) ? line.substr(0, line.find(',')) : line;
      curves[name] += '\n';
    }
  }
  return curves;
}

std::string all_of(Folder const& folder, std::string const& job) {
  auto const place = folder.quote("curves");
  return joined({" --tensorboard ", place, " --csv ", place, " --json-lines ", place, " --job-name ", job, " "});
}

/// The exit code of Python with \p arguments, and what it prints.
Outcome run_python(std::string const& arguments) {
  return zero_test::run_command(joined({zero_test::python(), " ", arguments, " 2>&1"}));
}

/// Eight steps with a checkpoint after the fourth, and the same run gone on with from there, in folders `whole` and
/// `parts` of curves. What was written in vain between is there before it goes on, with a torn last row.
void train_whole_and_in_parts(Folder const& folder) {
  std::string const data = "--data " + folder.quote("text.txt") + tiny + "--iterations 8 --precision fp16 ";
  std::string const saves = "--save-interval 4 --checkpoint-dir " + folder.quote("run");
  REQUIRE(run(data + all_of(folder, "whole") + "--eval-at-start").code == 0);
  REQUIRE(run(data + all_of(folder, "parts") + saves + " --eval-at-start").code == 0);
  std::ofstream(folder / "curves/parts/Train_Samples_lr.csv", std::ios::app) << "17";
  std::ofstream(folder / "curves/parts/metrics.jsonl", std::ios::app) << "{\"step\":17";
  auto const resumed = run(data + all_of(folder, "parts") + "--eval-at-start --resume " + folder.quote("run/step-4"));
  INFO(resumed.output);
  REQUIRE(resumed.code == 0);
  REQUIRE(resumed.output.find("step 5/8") != std::string::npos);
}

}  // namespace

TEST_CASE("train_gpt2: the curves of a run that is resumed are those of one that was never stopped") {
  Folder const folder;
  train_whole_and_in_parts(folder);
  auto const whole = curves_in(folder / "curves/whole");
  CHECK(curves_in(folder / "curves/parts") == whole);
  CHECK(whole.size() == 16);
  // x is the number of sequences: two for each of eight steps.
  auto const lr = whole.at("Train_Samples_lr.csv");
  CHECK(lr.starts_with("step,lr\r\n2,"));
  CHECK(std::count(lr.begin(), lr.end(), '\n') == 9);
  CHECK(lr.find("\n16,") != std::string::npos);
  // JSON Lines hold the same, with the settings, which the run that went on has written, too.
  auto const lines = text_of(folder / "curves/parts/metrics.jsonl");
  auto const count = [&](std::string const& part) {
    std::size_t found = 0;
    for (auto at = lines.find(part); at != std::string::npos; at = lines.find(part, at + 1)) ++found;
    return found;
  };
  CHECK(count("\n") == count("{\"step\":"));
  CHECK(count(R"("tag":"Train/Samples/lr")") == 8);
  CHECK(count(R"("tag":"configuration")") == 2);
  CHECK(count(R"("tag":"settings")") == 2);
  CHECK(count("| --iterations | 8 |") == 2);
}

TEST_CASE("train_gpt2: TensorBoard reads the curves of a resumed run as those of one" *
          doctest::test_suite("tensorboard_package")) {
  if (run_python("-c 'import tensorboard'").code != 0) ZERO_SKIP(zero_test::python() << " has no package tensorboard");
  Folder const folder;
  train_whole_and_in_parts(folder);
  auto const read = [&](char const* job) {
    auto const outcome = run_python("'" READ_EVENTS "' " + folder.quote(job));
    INFO(outcome.output);
    REQUIRE(outcome.code == 0);
    std::map<std::string, std::string> curves;
    std::istringstream lines(outcome.output);
    for (std::string line; std::getline(lines, line);) {
      auto const name = line.substr(0, line.find(' '));
      bool const is_curve = name.find('/') != std::string::npos && !is_timed(name);
      if (is_curve) curves[name] = line.substr(name.size());
    }
    return curves;
  };
  auto const whole = read("curves/whole");
  CHECK(read("curves/parts") == whole);
  CHECK(whole.size() == 13);
  CHECK(whole.at("Train/Samples/lr").starts_with(" [(2, "));
}

TEST_CASE("train_gpt2: the values of curves are those of the log") {
  Folder const folder;
  REQUIRE(run(joined({"--data ", folder.quote("text.txt"), tiny,
                      "--precision fp16 --iterations 6 --warmup 2 --job-name a --csv ", folder.quote("curves"),
                      " --log ", folder.quote("log")}))
              .code == 0);
  for (auto const& named : std::map<std::string, std::string>{{"loss", "Train_Samples_train_loss"},
                                                              {"lr", "Train_Samples_lr"},
                                                              {"grad_norm", "Train_Samples_grad_norm"},
                                                              {"loss_scale", "Train_Samples_loss_scale"},
                                                              {"ms", "Train_Samples_ms_per_step"},
                                                              {"tokens_per_second", "Train_Samples_tokens_per_second"},
                                                              {"val_loss", "Evaluation_Samples_val_loss"},
                                                              {"train_loss", "Evaluation_Samples_train_loss"}}) {
    std::string const &member = named.first, &curve = named.second;
    CAPTURE(curve);
    std::string expected;
    for (auto const& line : log_of(folder / "log")) {
      auto const value = field(line, member);
      auto const samples = 2 * std::stoul(field(line, "step"));
      if (value != "null") expected.append(std::to_string(samples)).append(",").append(value).append("\r\n");
    }
    auto const rows = text_of(folder / ("curves/a/" + curve + ".csv").c_str());
    CHECK(rows.substr(rows.find('\n') + 1) == expected);
  }
}

TEST_CASE("train_gpt2: with a breakdown, the times of every step are curves by DeepSpeed's names") {
  Folder const folder;
  std::string const begin = joined({"--data ", folder.quote("text.txt"), tiny, "--iterations 5 --warmup 2 --csv ",
                                    folder.quote("curves"), " --job-name "});
  REQUIRE(run(begin + "with --wall-clock-breakdown").code == 0);
  auto const values = [&](std::string const& curve) {
    std::istringstream rows(text_of(folder / ("curves/with/Train_Samples_" + curve + ".csv").c_str()));
    std::vector<double> found;
    std::string row;
    for (std::getline(rows, row); std::getline(rows, row);) found.push_back(std::stod(row.substr(row.find(',') + 1)));
    return found;
  };
  auto const step = values("ms_per_step"), forward = values("elapsed_time_ms_forward"),
             backward = values("elapsed_time_ms_backward"), inner = values("elapsed_time_ms_backward_inner"),
             reduce = values("elapsed_time_ms_backward_allreduce"), update = values("elapsed_time_ms_step");
  REQUIRE(step.size() == 5);
  for (auto const* curve : {&forward, &backward, &inner, &reduce, &update}) REQUIRE(curve->size() == 5);
  for (std::size_t k = 0; k < 5; ++k) {
    CHECK(forward[k] > 0.0);
    CHECK(inner[k] > 0.0);
    CHECK(backward[k] == doctest::Approx(inner[k] + reduce[k]));
  }
  REQUIRE(run(begin + "without").code == 0);
  CHECK_FALSE(fs::exists(folder / "curves/without/Train_Samples_elapsed_time_ms_forward.csv"));
}

TEST_CASE("train_gpt2: every curve is in the table of the documentation, and no other") {
  Folder const folder;
  std::ofstream(folder / "other.txt") << text_of(folder / "text.txt");
  auto const mixture = joined({"--data '", (folder / "text.txt").string(), "=0.5,", (folder / "other.txt").string(),
                               "=0.5' ", tiny, "--peak-flops 1e12 --wall-clock-breakdown ", all_of(folder, "run")});
  REQUIRE(run(mixture).code == 0);
  std::set<std::string> written, documented;
  std::istringstream lines(text_of(folder / "curves/run/metrics.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    auto const from = line.find(R"("tag":")") + 7;
    auto tag = line.substr(from, line.find('"', from) - from);
    std::string const of_set = "Evaluation/Samples/val_loss/";
    if (tag.starts_with(of_set)) tag = of_set + "NAME";
    if (tag.find("/Samples/") != std::string::npos) written.insert(tag);
  }
  std::ifstream page(MONITORING_PAGE);
  REQUIRE(page);
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| `") || line.find("/Samples/") == std::string::npos) continue;
    if (line.find("of `train_images --device cuda`") != std::string::npos) continue;
    documented.insert(line.substr(3, line.find('`', 3) - 3));
  }
  CHECK(written == documented);
}

TEST_CASE("train_gpt2: matplotlib draws the curves as the documentation says" * doctest::test_suite("matplotlib")) {
  if (run_python("-c 'import matplotlib'").code != 0) ZERO_SKIP(zero_test::python() << " has no package matplotlib");
  Folder const folder;
  REQUIRE(
      run(joined({"--data ", folder.quote("text.txt"), tiny, "--job-name first --csv ", folder.quote("runs")})).code ==
      0);
  auto const page = text_of(MONITORING_PAGE);
  auto const begin = page.find("```python\n");
  REQUIRE(begin != std::string::npos);
  auto const code = page.substr(begin + 10, page.find("```", begin + 10) - begin - 10);
  std::ofstream(folder / "draw.py") << "import os\nos.chdir(" << folder.quote(".") << ")\n" << code;
  auto const outcome = run_python(folder.quote("draw.py"));
  INFO(outcome.output);
  CHECK(outcome.code == 0);
  CHECK(text_of(folder / "curves.svg").find("</svg>") != std::string::npos);
}

TEST_CASE("train_gpt2: a signal ends a run that has curves after its step, with all of it in them") {
  Folder const folder;
  for (std::string const signal : {"TERM", "INT", "USR1"}) {
    auto const outcome = run(joined({"--data ", folder.quote("text.txt"), tiny, "--ranks 2 --iterations 1000000 --csv ",
                                     folder.quote("curves"), " --job-name ", signal, " --log ", folder.quote("log"),
                                     " & pid=$!; while ! [ -s ", folder.quote("log"), " ]; do sleep 0.05; done; kill -",
                                     signal, " $pid; wait $pid; exit $?"}));
    INFO(outcome.output);
    CHECK(outcome.code == 3);
    CHECK(outcome.output.find("stopped by a signal; its curves are written") != std::string::npos);
    // As many rows as the log has lines: the last step is there, too.
    auto const log = text_of(folder / "log");
    auto const curve = text_of(folder / ("curves/" + signal + "/Train_Samples_lr.csv").c_str());
    CHECK(std::count(curve.begin(), curve.end(), '\n') == std::count(log.begin(), log.end(), '\n') + 1);
    fs::remove(folder / "log");
  }
}

TEST_CASE("train_gpt2: a new run is refused in the curves of another, unless it is told to take their place") {
  Folder const folder;
  std::string const data = "--data " + folder.quote("text.txt") + tiny;
  REQUIRE(run(data + all_of(folder, "run")).code == 0);
  auto const before = curves_in(folder / "curves/run");
  auto const refused = run(data + all_of(folder, "run") + "--iterations 3");
  INFO(refused.output);
  CHECK(refused.code == 2);
  for (auto const* const way : {"another name", "--resume", "--overwrite"}) {
    CHECK(refused.output.find(way) != std::string::npos);
  }
  CHECK(curves_in(folder / "curves/run") == before);
  REQUIRE(run(data + all_of(folder, "run") + "--iterations 3 --overwrite").code == 0);
  auto const lr = curves_in(folder / "curves/run").at("Train_Samples_lr.csv");
  CHECK(std::count(lr.begin(), lr.end(), '\n') == 4);
  // Where nothing was saved to go on from, a run that would have gone on begins anew, and so do its curves.
  REQUIRE(run(data + all_of(folder, "run") + "--resume auto --checkpoint-dir " + folder.quote("run")).code == 0);
  auto const anew = curves_in(folder / "curves/run").at("Train_Samples_lr.csv");
  CHECK(std::count(anew.begin(), anew.end(), '\n') == 5);
}

TEST_CASE("train_gpt2: a job's name that is none for a folder is refused, whatever other letters it has") {
  Folder const folder;
  std::string const data = "--data " + folder.quote("text.txt") + tiny + "--csv " + folder.quote("curves");
  REQUIRE(run(data + " --job-name 2023年08月15日16:28:06").code == 0);
  CHECK(fs::exists(folder / "curves/2023年08月15日16:28:06/Train_Samples_lr.csv"));
  REQUIRE(run(data).code == 0);
  CHECK(fs::exists(folder / "curves/train_gpt2/Train_Samples_lr.csv"));
  check_rejected(data + " --job-name ../other", "'.' or '..'");
  check_rejected(data + " --job-name /other", "begins with a slash");
  check_rejected(data + " --job-name " + std::string(256, 'a'), "255 bytes");
  check_rejected("--data " + folder.quote("text.txt") + tiny + "--job-name other", "needs --tensorboard, --csv");
  check_rejected(data + " --evaluate " + folder.quote("run"), "--csv");
}

TEST_CASE("train_gpt2: curves that cannot be written are one warning each, and the run is the same") {
  Folder const folder;
  auto const hash = hash_of(folder, "");
  std::ofstream(folder / "file") << "in the place of a folder";
  fs::create_directories(folder / "full/run");
  fs::create_symlink("/dev/full", folder / "full/run/Train_Samples_lr.csv");
  auto const outcome =
      run(joined({"--data ", folder.quote("text.txt"), tiny, " --job-name run --tensorboard ", folder.quote("file"),
                  " --csv ", folder.quote("full"), " --log ", folder.quote("log")}));
  INFO(outcome.output);
  CHECK(outcome.code == 0);
  CHECK(last_line(folder / "log") == hash);
  auto const count = [&](std::string const& part) {
    std::size_t found = 0;
    for (auto at = outcome.output.find(part); at != std::string::npos; at = outcome.output.find(part, at + 1)) ++found;
    return found;
  };
  CHECK(count("train_gpt2: warning: ") == 2);
  CHECK(count("cannot be made: Not a directory") == 1);
  CHECK(count("No space left on device") == 1);
  CHECK(fs::exists(folder / "full/run/Train_Samples_train_loss.csv"));
}

TEST_CASE("train_gpt2: two runs that are alive have neither one folder of curves nor one log") {
  Folder const folder;
  std::string const data = joined({"--data ", folder.quote("text.txt"), tiny});
  fs::create_directories(folder / "curves/run");
  for (auto const* name : {"curves/run/.csv.lock", "log"}) {
    CAPTURE(name);
    int const file = ::open((folder / name).c_str(), O_RDWR | O_CREAT, 0666);
    REQUIRE(::flock(file, LOCK_EX | LOCK_NB) == 0);  // as a run that has not written yet
    bool const is_log = name == std::string("log");
    auto const arguments = is_log ? " --log " + folder.quote("log") : " --job-name run --csv " + folder.quote("curves");
    check_rejected(data + arguments, is_log ? "another run is writing it" : "another run is writing curves to");
    CHECK(fs::file_size(folder / name) == 0);
    ::close(file);
    CHECK(run(data + arguments).code == 0);
  }
  auto const anew = run(joined({data, " --job-name run --csv ", folder.quote("curves"),
                                " --resume auto --checkpoint-dir ", folder.quote("elsewhere")}));
  CHECK(anew.code == 0);
  CHECK(anew.output.find("curves: the run starts anew, and replaces those in ") != std::string::npos);
}

}  // namespace trainer_curves_test
