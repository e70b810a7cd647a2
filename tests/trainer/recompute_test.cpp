// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Runs whose backward pass computes activations again, and runs that drop elements.
#include "trainer/log.hpp"
#include "trainer/program.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace trainer_recompute_test {

using namespace trainer_test;

namespace {

// More blocks than `tiny` has, so that some are computed again and some are not.
std::string const five = " --layers 5 ";

std::string output_of(Folder const& folder, std::string const& arguments, int code = 0) {
  auto const done = run("--data " + folder.quote("text.txt") + tiny + arguments);
  CAPTURE(arguments);
  INFO(done.output);
  CHECK(done.code == code);
  return done.output;
}

/// The bytes of \p kind in the table at the end of a run, of rank 0.
std::string bytes_of(std::string const& output, std::string const& kind) {
  auto const at = output.find(kind);
  REQUIRE(at != std::string::npos);
  auto const first = output.find_first_not_of(' ', at + kind.size());
  return output.substr(first, output.find('\n', first) - first);
}

}  // namespace

TEST_CASE("train_gpt2: what is computed again changes no bits, in any stage and type, with dropout or without") {
  Folder const folder;
  // A third of the runs, in which each choice meets every other; all of them with ZERO_TEST_FULL.
  bool const takes_all = std::getenv("ZERO_TEST_FULL") != nullptr;
  int types = 0;
  for (std::string const precision : {"fp32", "bf16", "fp16"}) {
    ++types;
    int dropouts = 0;
    for (std::string const dropout : {"0", "0.2"}) {
      ++dropouts;
      int recomputes = 0;
      auto const each = joined({five, " --micro-batches 3 --precision ", precision, " --dropout ", dropout});
      auto const kept = hash_of(folder, each + " --stage 0");
      for (std::string const recompute : {"selective", "block"}) {
        ++recomputes;
        auto const again = joined({each, " --recompute ", recompute});
        int layouts = 0;
        // Three micro-batches on two ranks: one of them has none in the last round.
        for (std::string const layout : {"0 --ranks 1", "1 --ranks 2", "2 --ranks 2", "3 --ranks 2",
                                         "3 --ranks 3 --offload cpu --threads 3", "3 --ranks 4 --allow-idle-ranks"}) {
          ++layouts;
          if (!takes_all && (types + dropouts + recomputes + layouts) % 3 != 0) continue;
          CHECK(hash_of(folder, joined({again, " --stage ", layout})) == kept);
        }
      }
    }
  }
}

TEST_CASE("train_gpt2: gradients that are accumulated have the same bits where activations are computed again") {
  Folder const folder;
  for (std::string const reduce : {"each_micro_batch --stage 3", "once_per_step --stage 1"}) {
    auto const each = joined({five, " --accumulate 3 --ranks 2 --dropout 0.1 --reduce ", reduce});
    auto const kept = hash_of(folder, each);
    CHECK(hash_of(folder, each + " --recompute selective") == kept);
    CHECK(hash_of(folder, each + " --recompute block") == kept);
  }
}

TEST_CASE("train_gpt2: dropout changes what is learnt, and not what is evaluated") {
  Folder const folder;
  auto const first_losses = [&](std::string const& dropout) {
    auto const output = output_of(folder, "--eval-at-start --dropout " + dropout);
    auto const at = output.find("evaluation: after 0 steps");
    REQUIRE(at != std::string::npos);
    return output.substr(at, output.find('\n', at) - at);
  };
  CHECK(first_losses("0.5") == first_losses("0"));
  CHECK(hash_of(folder, "--dropout 0.5") != hash_of(folder, "--dropout 0"));
  CHECK(hash_of(folder, "--dropout 0.5") != hash_of(folder, "--dropout 0.4"));
  CHECK(hash_of(folder, "--dropout 0.5") != hash_of(folder, "--dropout 0.5 --seed 2"));
  CHECK(hash_of(folder, "--dropout 0.5 --eval-interval 1") == hash_of(folder, "--dropout 0.5 --eval-interval 4"));
}

TEST_CASE("train_gpt2: a run with dropout is resumed with its bits, and says what has changed") {
  Folder const folder;
  std::string const each = five + " --iterations 6 --dropout 0.3 --recompute block ";
  auto const saves = each + "--save-interval 2 --checkpoint-dir " + folder.quote("run");
  auto const whole = hash_of(folder, each);
  CHECK(hash_of(folder, saves) == whole);
  auto const resumes = each + "--resume " + folder.quote("run/step-2");
  CHECK(hash_of(folder, resumes) == whole);
  CHECK(hash_of(folder, resumes + " --recompute none") == whole);

  auto const says = [&](std::string const& more) { return output_of(folder, resumes + more); };
  CHECK(says("").find("checkpoint: saved with") == std::string::npos);
  auto const kept = says(" --recompute none");
  CHECK(kept.find("checkpoint: saved with --recompute block, now none\n") != std::string::npos);
  CHECK(kept.find("other bits") == std::string::npos);
  CHECK(says(" --dropout 0")
            .find("checkpoint: saved with --dropout 0.3, now 0\n"
                  "checkpoint: so the run goes on with other bits, because of --dropout\n") != std::string::npos);
  CHECK(hash_of(folder, resumes + " --dropout 0") != whole);
}

TEST_CASE("train_gpt2: a run says what it computes again, what it drops, and the memory that is left") {
  Folder const folder;
  auto const kept = output_of(folder, five);
  CHECK(kept.find("activations: ") == std::string::npos);
  CHECK(kept.find("dropout: ") == std::string::npos);
  auto const selective = output_of(folder, five + "--recompute selective --dropout 0.25");
  CHECK(selective.find("activations: the backward pass computes attention again\n") != std::string::npos);
  CHECK(selective.find("dropout: 0.25 of the elements, in training only\n") != std::string::npos);
  auto const block = output_of(folder, five + "--recompute block");
  CHECK(block.find("activations: the backward pass computes blocks again, from 4 kept inputs\n") != std::string::npos);
  CHECK(output_of(folder, "--layers 1 --recompute block").find("activations: nothing is computed again") !=
        std::string::npos);
  // Of 16 tokens: 5 blocks of 2 (16 + 1) + 64 + 48 + 2 + 16 floats, and 17 and one logit for each character.
  auto const logits = 4 * 16 * (17 + 38);
  auto const with_separators = [](int bytes) {
    auto text = std::to_string(bytes);
    if (text.size() > 3) text.insert(text.size() - 3, ",");
    return text;
  };
  auto const activations = [&](int rest, int attention, int inputs) {
    return with_separators(4 * 16 * (rest * (2 * 17 + 64) + attention * (48 + 2 + 16) + inputs * 16) + logits);
  };
  CHECK(bytes_of(kept, "model     activations") == activations(5, 5, 0));
  CHECK(bytes_of(selective, "model     activations") == activations(5, 1, 0));
  CHECK(bytes_of(block, "model     activations") == activations(1, 1, 4));
}

namespace {

// A file of DeepSpeed's users, as it stands.
constexpr char const* file_of_users = R"({
  "train_batch_size": 16,
  "zero_optimization": {"stage": 1},
  "bf16": {"enabled": true},
  "activation_checkpointing": {
    "partition_activations": false,
    "cpu_checkpointing": true,
    "contiguous_memory_optimization": true,
    "number_checkpoints": 4
  },
  "csv_monitor": {"enabled": true, "output_path": "log/", "job_name": "activations"},
  "wall_clock_breakdown": true
})";

struct Configured {
  std::string output, hash;
};

/// A run of 8 blocks with two ranks by a file that is \p text, in the test's own folder.
Configured run_by(Folder const& folder, std::string const& text, std::string const& more) {
  std::ofstream(folder / "ds.json") << text;
  auto const done =
      run_in("cd " + folder.quote("") + " &&",
             "--data text.txt --layers 8 --heads 2 --width 16 --context 8 --iterations 3 --sample 0 --eval-batches 3 "
             "--ranks 2 --config ds.json " +
                 more);
  INFO(done.output);
  REQUIRE(done.code == 0);
  auto const at = done.output.find("parameter hash: ");
  REQUIRE(at != std::string::npos);
  return {done.output, done.output.substr(at + 16, 16)};
}

}  // namespace

TEST_CASE("train_gpt2: a file of DeepSpeed's that asks for recomputation trains as it stands") {
  Folder const folder;
  auto const [output, hash] = run_by(folder, file_of_users, "--overwrite");
  for (std::string const line :
       {"configuration: activation_checkpointing: the backward pass computes blocks again from their inputs, with the "
        "same bits\n",
        "configuration: activation_checkpointing.contiguous_memory_optimization: all buffers of activations are "
        "allocated once, before the first step\n",
        "activations: the backward pass computes blocks again, from 4 kept inputs in host memory, as all is on the "
        "CPU\n",
        "\"cpu_checkpointing\": true,", "\"number_checkpoints\": 4"}) {
    CAPTURE(line);
    CHECK(output.find(line) != std::string::npos);
  }
  // An option beside it wins; no kind changes the bits.
  for (std::string const recompute : {"none", "selective", "block"}) {
    auto const other = run_by(folder, file_of_users, "--overwrite --recompute " + recompute);
    CHECK(other.hash == hash);
    CHECK(other.output.find("configuration: --recompute " + recompute + " is given beside the file, and wins\n") !=
          std::string::npos);
    CHECK((other.output.find("activations: the backward pass computes blocks again") != std::string::npos) ==
          (recompute == "block"));
  }
}

TEST_CASE("train_gpt2: a file says how many inputs are kept, in any stage, with the same bits") {
  Folder const folder;
  auto const file = [](std::string const& stage, std::string const& section) {
    return R"({"train_batch_size": 12, "train_micro_batch_size_per_gpu": 2, "micro_batches_per_step": 6,
               "zero_optimization": {"stage": )" +
           stage + "}" + section + "}";
  };
  auto const kept = run_by(folder, file("0", ""), "--dropout 0.1").hash;
  for (std::string const stage : {"0", "1", "2", "3"}) {
    for (std::string const inputs : {"1", "2", "3", "50"}) {
      auto const section = R"(, "activation_checkpointing": {"number_checkpoints": )" + inputs + "}";
      auto const [output, hash] = run_by(folder, file(stage, section), "--dropout 0.1");
      CHECK(hash == kept);
      auto const counted = inputs == "1" ? "1 kept input\n" : (inputs == "50" ? "7" : inputs) + " kept inputs\n";
      CHECK(output.find("computes blocks again, from " + counted) != std::string::npos);
    }
  }
}

TEST_CASE("train_gpt2: an evaluation may compute with fewer buffers, and drops nothing") {
  Folder const folder;
  REQUIRE(run("--data " + folder.quote("text.txt") + tiny + "--checkpoint-dir " + folder.quote("run")).code == 0);
  auto const losses = [&](std::string const& more) {
    auto const done =
        run(joined({"--data ", folder.quote("text.txt"), " --eval-batches 3 --evaluate ", folder.quote("run"), more}));
    INFO(done.output);
    CHECK(done.code == 0);
    auto const at = done.output.find("training   loss ");
    REQUIRE(at != std::string::npos);
    return done.output.substr(at, done.output.find("evaluated in") - at);
  };
  CHECK(losses(" --recompute block") == losses(""));
  auto const dropping = "--dropout 0.5 --overwrite --checkpoint-dir " + folder.quote("run");
  static_cast<void>(hash_of(folder, dropping));
  auto const validation = field(log_of(folder / "log")[3], "val_loss");
  CHECK(losses("").find("validation loss " + validation + ",") != std::string::npos);
  check_rejected("--evaluate run --dropout 0.1", "--dropout: --evaluate trains nothing");
}

TEST_CASE("train_gpt2: what cannot be computed again, dropped or recorded is refused") {
  check_rejected("--recompute blocks", "--recompute blocks: expected none|selective|block");
  check_rejected("--dropout 1", "--dropout 1: expected a number in [0, 1)");
  check_rejected("--dropout -0.1", "expected a number in [0, 1)");
  check_rejected("--dropout nan", "expected a number in [0, 1)");
  Folder const folder;
  auto const refused = [&](std::string const& members, std::string const& reason) {
    std::ofstream(folder / "ds.json") << R"({"train_batch_size": 4, )" << members << "}";
    check_rejected("--config " + folder.quote("ds.json"), reason);
  };
  refused(R"("activation_checkpointing": {"partition_activations": true})", "partition_activations: cannot be had");
  refused(R"("activation_checkpointing": {"number_checkpoints": 0})", "number_checkpoints");
  refused(R"("activation_checkpointing": {"cpu_checkpointing": true}, "cuda_graph": {"enabled": true})",
          "--cuda-graph: kept inputs go to host memory beside the step");
  check_rejected("--device cuda --cuda-graph --dropout 0.1", "--cuda-graph: --dropout draws anew in each step");
}

}  // namespace trainer_recompute_test
