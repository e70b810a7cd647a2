// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The trainer as one of several processes on the host, under mpiexec.
#include "trainer/program.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace trainer_mpi_test {

using namespace trainer_test;

namespace {

std::string const six = " --micro-batches 6 ";

std::size_t times(std::string_view text, std::string_view what) {
  std::size_t count = 0;
  for (auto at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

std::string mpiexec(int processes) { return "'" MPIEXEC "' -n " + std::to_string(processes); }
std::string const terminal = "TERM=xterm ";  // of which a status line would show

Outcome run_over(int processes, std::string const& arguments) {
  return run_in(terminal + mpiexec(processes), last_of_each(arguments));
}

/// As `hash_of`.
std::string hash_over(int processes, Folder const& folder, std::string const& arguments) {
  auto const outcome = run_over(
      processes, joined({"--data ", folder.quote("text.txt"), tiny, arguments, " --log ", folder.quote("log")}));
  INFO(arguments << "\n" << outcome.output);
  REQUIRE(outcome.code == 0);
  return last_line(folder / "log");
}

/// A run of \p processes that does not end by itself: `script` is what a shell does meanwhile, with the
/// process of rank r in the file r, and the launcher's in the file launcher. Afterwards the launcher's exit code is the
/// outcome's; 124: it had to be ended.
Outcome disturb(int processes, Folder const& folder, std::string const& arguments, std::string const& script) {
  for (int r = 0; r < processes; ++r) fs::remove(folder / std::to_string(r).c_str());
  fs::create_directories(folder / "tmp");
  std::ofstream(folder / "rank.sh") << "rank=${OMPI_COMM_WORLD_RANK-$PMI_RANK}\n"
                                       "echo $$ >\"$1/$rank\"\nshift\nexec \"$@\"\n";
  std::ofstream(folder / "launch.sh") << "echo $$ >launcher\nexec \"$@\"\n";
  std::string const command =
      joined({"cd ", folder.quote("."), "; TMPDIR=", folder.quote("tmp"), " timeout 120 sh launch.sh ",
              mpiexec(processes), " sh rank.sh . '" TRAIN_GPT2 "' --data text.txt", last_of_each(tiny + arguments),
              " --log log >output 2>&1 & ", "run=$!; while kill -0 $run && ! [ -s log ]; do sleep 0.05; done; ", script,
              "; wait $run; code=$?; cat output; exit $code; :"});
  return run_in(command, "");
}

}  // namespace

TEST_CASE("train_gpt2 over MPI: processes train the model that threads and one rank train, to the bit") {
  Folder const folder;
  for (std::string const precision : {" --precision fp32", " --precision bf16", " --precision fp16"}) {
    auto const one = hash_of(folder, six + precision);
    CHECK(hash_of(folder, six + precision + " --ranks 4 --stage 3") == one);
    for (int n = 1; n <= 4; ++n) {
      auto const offload = n % 2 == 0 ? " --offload cpu" : " --offload none";
      CHECK(hash_over(n, folder, joined({six, precision, offload, " --stage ", std::to_string(n - 1)})) == one);
    }
    CHECK(hash_over(3, folder, six + precision + " --stage 3 --offload cpu --ranks 3 --threads 2") == one);
  }
}

TEST_CASE(
    "train_gpt2 over MPI: processes are one run, with one log and one set of checkpoints, of which rank 0 tells") {
  Folder const folder;
  std::string const saves = "--data " + folder.quote("text.txt") + tiny + six + "--checkpoint-dir " +
                            folder.quote("run") + " --save-hf " + folder.quote("model") + " --log " +
                            folder.quote("log");
  std::string const curves = " --csv " + folder.quote("curves") + " ";
  auto const outcome = run_over(4, saves + curves + " --save-interval 1 --sample 8");
  CAPTURE(outcome.output);
  CHECK(outcome.code == 0);
  CHECK(times(outcome.output, "run: 4 ranks, ZeRO-2") == 1);
  CHECK(times(outcome.output, "step 4/4") == 1);
  CHECK(times(outcome.output, "saved " + (folder / "run" / "step-4").string()) == 1);
  CHECK(times(outcome.output, "sample:") == 1);
  CHECK(times(outcome.output, "parameter hash: ") == 1);
  CHECK(outcome.output.find('\033') == std::string::npos);  // mpirun gives ranks a terminal, which nobody looks at
  std::ifstream log(folder / "log");
  CHECK(std::count(std::istreambuf_iterator<char>(log), {}, '\n') == 4 + 1);
  auto const hash = last_line(folder / "log");
  auto const rows = [&] {
    std::ifstream file(folder / "curves/train_gpt2/Train_Samples_train_loss.csv");
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  auto const curve = rows();
  CHECK(times(curve, "\n") == 4 + 1);
  // From its middle it goes on over other processes, and over threads.
  std::string const rest = "--data " + folder.quote("text.txt") + tiny + six + "--resume " +
                           folder.quote("run/step-2") + " --log " + folder.quote("rest");
  CHECK(run_over(2, rest + curves + " --stage 3").code == 0);
  CHECK(last_line(folder / "rest") == hash);
  CHECK(rows() == curve);
  fs::remove(folder / "rest");
  CHECK(run(rest + " --ranks 3 --offload cpu").code == 0);
  CHECK(last_line(folder / "rest") == hash);
}

TEST_CASE("train_gpt2 over MPI: a signal to any rank, or SIGUSR1 to the launcher, stops all of them, saved") {
  Folder const folder;
  std::string const saves = six + "--iterations 1000000 --eval-interval 1000000 --checkpoint-dir run --resume auto";
  for (std::string const kill :
       {"kill -TERM $(cat 2)", "kill -INT $(cat 1)", "kill -USR1 $(cat 0)", "kill -USR1 $(cat launcher)"}) {
    auto const outcome = disturb(3, folder, saves, kill);
    CAPTURE(kill);
    CAPTURE(outcome.output);
    CHECK(outcome.code == 3);
    CHECK(times(outcome.output, "stopped by a signal; --resume auto goes on from here") == 1);
    CHECK(times(outcome.output, "checkpoint: saved run/step-") == 1);
    fs::remove(folder / "log");
  }
}

TEST_CASE("train_gpt2 over MPI: when a process is killed the others name it and end, and the run goes on from there") {
  Folder const folder;
  std::string const whole = six + "--iterations 3000 --eval-interval 1500 ";
  auto const hash = hash_of(folder, whole);
  // MPICH's launcher kills the others before they can say anything.
  bool const leaves_time = run("--version").output.find("\nMPI: Open MPI") != std::string::npos;
  std::string const saves = whole + "--save-interval 20 --keep 2 --checkpoint-dir run --resume auto --stage 3";
  for (std::string const rank : {"1", "0"}) {
    fs::remove(folder / "log");
    // Not before there is something to resume.
    auto const outcome =
        disturb(4, folder, saves,
                "while kill -0 $run && ! [ -e run/latest ]; do sleep 0.05; done; kill -KILL $(cat " + rank + ")");
    CAPTURE(outcome.output);
    CHECK(outcome.code != 0);
    CHECK(outcome.code != 124);  // they did not end
    if (leaves_time) CHECK(outcome.output.find("rank " + rank + " has died") != std::string::npos);
    CHECK(outcome.output.find("parameter hash") == std::string::npos);
    CHECK(outcome.output.find("stopped by a signal") == std::string::npos);  // the launcher's, which begins no save
    for (auto const& left : fs::directory_iterator(folder / "tmp")) {
      CHECK(left.path().filename().string().find("zero") == std::string::npos);
    }
    for (auto const& left : fs::directory_iterator("/dev/shm")) {
      CHECK(left.path().filename().string().find("zero") == std::string::npos);
    }
  }
  auto const rest = run_over(3, joined({"--data ", folder.quote("text.txt"), tiny, whole, "--resume auto --log ",
                                        folder.quote("log"), " --checkpoint-dir ", folder.quote("run")}));
  CAPTURE(rest.output);
  CHECK(rest.code == 0);
  CHECK(rest.output.find("checkpoint: resumed from") != std::string::npos);
  CHECK(last_line(folder / "log") == hash);
}

TEST_CASE("train_gpt2 over MPI: a process that does not come in time ends the others, which name it") {
  Folder const folder;
  auto const outcome =
      disturb(3, folder, six + "--iterations 1000000 --eval-interval 1000000 --deadline 2", "kill -STOP $(cat 2)");
  CAPTURE(outcome.output);
  CHECK(outcome.code != 0);
  CHECK(outcome.code != 124);
  CHECK(outcome.output.find("rank 2") != std::string::npos);
  CHECK(outcome.output.find("deadline") != std::string::npos);
}

TEST_CASE("train_gpt2 over MPI: processes stop early after one step, and evaluate alike") {
  Folder const folder;
  std::string const each = six + "--iterations 40 --lr 0 --patience 2 --checkpoint-dir " + folder.quote("run");
  std::string const data = "--data " + folder.quote("text.txt");
  auto const outcome = run_over(3, data + tiny + each);
  CAPTURE(outcome.output);
  CHECK(outcome.code == 0);
  CHECK(times(outcome.output, "run: stops early after step 6: no improvement in 2 validations") == 1);
  CHECK(times(outcome.output, "run/step-6, ") == 1);  // saved, and by rank 0 alone
  auto const evaluate = data + " --evaluate " + folder.quote("run/final");
  auto const losses = [](std::string const& text) {
    return text.substr(text.find("training   loss"), text.find("evaluated in") - text.find("training   loss"));
  };
  auto const over = run_over(2, evaluate);
  CAPTURE(over.output);
  CHECK(over.code == 0);
  CHECK(losses(over.output) == losses(run(evaluate).output));
}

TEST_CASE("train_gpt2 over MPI: when the launcher is killed its ranks end") {
  Folder const folder;
  auto const outcome = disturb(
      3, folder, six + "--iterations 1000000 --eval-interval 1000000",
      "kill -KILL $(cat launcher); for r in 0 1 2; do n=0; while kill -0 $(cat $r) 2>/dev/null && [ $n -lt 600 ]; do "
      "n=$((n + 1)); sleep 0.1; done; kill -KILL $(cat $r) 2>/dev/null && echo rank $r lives on >>lives; done; true");
  CAPTURE(outcome.output);
  CHECK(!fs::exists(folder / "lives"));
}

TEST_CASE("train_gpt2 over MPI: a dry run of several processes says once what the run would, and writes nothing") {
  Folder const folder;
  std::string const data = "--data " + folder.quote("text.txt") + tiny + six + " --checkpoint-dir ";
  auto const dry = [&](std::string const& arguments) { return run_over(2, data + arguments + " --dry-run"); };
  auto const fresh = dry(folder.quote("run"));
  CAPTURE(fresh.output);
  CHECK(fresh.code == 0);
  CHECK(times(fresh.output, "run: 2 ranks, ZeRO-2") == 1);
  CHECK(times(fresh.output, "dry run: nothing was trained, and nothing was written\n") == 1);
  CHECK(times(fresh.output, "mpi: ranks of one host share up to 8,") == 1);  // two bounce areas of 4 MB, and control
  CHECK(!fs::exists(folder / "run"));
  REQUIRE(run_over(2, data + folder.quote("run")).code == 0);
  auto const resumed = dry(folder.quote("run") + " --iterations 6 --resume auto");
  CAPTURE(resumed.output);
  CHECK(resumed.code == 0);
  CHECK(times(resumed.output, "would be resumed from " + (folder / "run").string() + "/step-4, 4 updates done") == 1);
  for (std::string const wrong : {"", " --resume auto --width 32", " --resume auto --optimizer lion",
                                  " --resume auto --iterations 6 --new-schedule --warmup 3"}) {
    auto const run = folder.quote("run") + wrong;
    auto const refused = dry(run), real = run_over(2, data + run);
    CAPTURE(wrong);
    CAPTURE(refused.output);
    CAPTURE(real.output);
    CHECK(refused.code != 0);
    CHECK(refused.code == real.code);
    CHECK(times(refused.output, "train_gpt2: ") == 1);
    auto const why = [](std::string const& text) {
      auto const at = text.find("train_gpt2: ");
      auto line = text.substr(at, text.find('\n', at) - at);
      if (auto const rank = line.find("rank 0: "); rank != std::string::npos) line.erase(rank, 8);
      return line;
    };
    CHECK(why(refused.output) == why(real.output));
  }
}

TEST_CASE("train_gpt2 over MPI: a dry run of several processes finds that a run has the folder of checkpoints") {
  Folder const folder;
  std::string const arguments = six + "--iterations 1000000 --eval-interval 1000000 --checkpoint-dir run --resume auto";
  auto const outcome = disturb(2, folder, arguments,
                               joined({mpiexec(2), " '" TRAIN_GPT2 "' --data text.txt", last_of_each(tiny + arguments),
                                       " --dry-run >dry 2>&1; echo code $? >>dry; kill -USR1 $(cat 0)"}));
  CAPTURE(outcome.output);
  CHECK(outcome.code == 3);
  std::ifstream file(folder / "dry");
  std::string const dry(std::istreambuf_iterator<char>(file), {});
  CAPTURE(dry);
  CHECK(times(dry, "'run' belongs to process ") == 1);
  CHECK(times(dry, "train_gpt2: ") == 1);
  CHECK(times(dry, "\ncode 2\n") == 1);
}

TEST_CASE("train_gpt2 over MPI: what all ranks find is told once, and what one of them finds, by its number") {
  Folder const folder;
  auto const missing = run_over(4, "--data /nonexistent");
  CAPTURE(missing.output);
  CHECK(missing.code == 4);
  CHECK(times(missing.output, "train_gpt2: /nonexistent: no such file") == 1);
  auto const ranks = run_over(4, "--ranks 3");
  CAPTURE(ranks.output);
  CHECK(ranks.code == 2);
  CHECK(times(ranks.output, "train_gpt2: --ranks 3: a launcher has started 4 processes") == 1);
  auto const unknown = run_over(4, "--no-such-option");
  CAPTURE(unknown.output);
  CHECK(unknown.code == 2);
  CHECK(times(unknown.output, "train_gpt2: --no-such-option") == 1);
  // Rank 2 does not have the text.
  std::ofstream(folder / "rank.sh") << "[ ${OMPI_COMM_WORLD_RANK-$PMI_RANK} = 2 ] && cd /\nexec \"$@\"\n";
  auto const one = run_in(joined({"cd ", folder.quote("."), "; ", mpiexec(4), " sh rank.sh"}),
                          "--data text.txt" + last_of_each(tiny));
  CAPTURE(one.output);
  CHECK(one.code == 4);
  CHECK(times(one.output, "train_gpt2: rank 2: text.txt: no such file") == 1);
  CHECK(times(one.output, "train_gpt2: ") == 1);
  // Later, what ends all of them comes from a collective.
  auto const diverged = run_over(3, joined({"--data ", folder.quote("text.txt"), tiny, "--lr 1e30"}));
  CAPTURE(diverged.output);
  CHECK(diverged.code == 6);
  CHECK(diverged.output.find("training has diverged at step 2") != std::string::npos);
}

TEST_CASE("train_gpt2 over MPI: a launcher whose processes MPI does not see is refused") {
  for (std::string const variables :
       {"OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=2", "MV2_COMM_WORLD_RANK=1 MV2_COMM_WORLD_SIZE=2",
        "SLURM_PROCID=1 SLURM_NTASKS=2 SLURM_STEP_ID=0"}) {
    auto const outcome = run_in(variables, "--data /nonexistent");
    CAPTURE(variables);
    CAPTURE(outcome.output);
    CHECK(outcome.code == 2);
    CHECK(outcome.output.find("has started this process as rank 1 of 2, but for MPI (") != std::string::npos);
    CHECK(outcome.output.find(") it is rank 0 of 1: start the program with") != std::string::npos);
    CHECK(times(outcome.output, "\n") == 1);
  }
  auto const version = run("--version");
  CHECK(version.output.find("\nMPI: ") != std::string::npos);
  CHECK(version.output.find("\nMPI: built without") == std::string::npos);
}

}  // namespace trainer_mpi_test
