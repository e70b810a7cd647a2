// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What a run trains on: shards, mixtures, other data than before; and threads that load ahead.
#include "gpt2/data/files.hpp"
#include "trainer/log.hpp"
#include "trainer/program.hpp"

#include <zero/utility/fingerprint.hpp>
#include <text/manifest.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

namespace trainer_data_test {

using namespace trainer_test;
using data_test::bytes_of;
using data_test::gpt2_shard;

namespace {

/// Tokens without an order that would be learned.
std::vector<std::uint32_t> tokens_of(std::uint32_t first, std::uint32_t count) {
  std::vector<std::uint32_t> tokens(count);
  for (std::uint32_t i = 0; i < count; ++i) tokens[i] = (first + i * i % 97) % 100;
  return tokens;
}

/// Three shards to train on, one for validation, and another data set.
class Shards : public Folder {
 public:
  Shards() {
    write("a_0.bin", gpt2_shard(tokens_of(0, 900)));
    write("a_1.bin", gpt2_shard(tokens_of(1, 700)));
    write("a_2.bin", gpt2_shard(tokens_of(2, 800)));
    write("v.bin", gpt2_shard(tokens_of(3, 300)));
    write("b.bin", gpt2_shard(tokens_of(50, 500)));
  }
  void write(char const* name, std::string const& content) const {
    std::ofstream(*this / name, std::ios::binary) << content;
  }
  [[nodiscard]] std::string of(std::string const& data) const { return "--data " + data + " --vocab 100 " + tiny; }
};

Outcome good(std::string const& arguments) {
  auto outcome = run(arguments);
  INFO(arguments << "\n" << outcome.output);
  REQUIRE(outcome.code == 0);
  return outcome;
}

bool says(Outcome const& outcome, std::string const& part) { return outcome.output.find(part) != std::string::npos; }

std::string hash_line(Outcome const& outcome) {
  auto const at = outcome.output.find("parameter hash: ");
  REQUIRE(at != std::string::npos);
  return outcome.output.substr(at, 32);
}

/// One line, and its exit code.
void check_refused(std::string const& arguments, std::string const& reason, int code) {
  auto const outcome = run(arguments);
  CAPTURE(arguments);
  CAPTURE(outcome.output);
  CHECK(outcome.code == code);
  CHECK(says(outcome, reason));
  auto const at = outcome.output.rfind("train_gpt2: ");
  REQUIRE(at != std::string::npos);
  CHECK(outcome.output.find('\n', at) == outcome.output.size() - 1);
}

}  // namespace

TEST_CASE(
    "train_gpt2 data: one hash with any workers, batches ahead and ranks, and where a run is stopped in between") {
  Shards const folder;
  auto const each = folder.of(folder.quote("a_*.bin") + " --val-data " + folder.quote("v.bin")) +
                    "--micro-batches 4 --iterations 6 --eval-interval 3 ";
  auto const whole = hash_line(good(each + "--workers 0"));
  for (auto const* how : {"--workers 1 --prefetch 0", "--workers 2 --prefetch 8 --ranks 2",
                          "--workers 4 --prefetch 3 --ranks 3", "--workers 4 --prefetch 1 --ranks 4 --stage 3"}) {
    CAPTURE(how);
    CHECK(hash_line(good(each + how)) == whole);
  }
  check_rejected("--workers 0 --prefetch 3", "--prefetch 3: nothing is loaded ahead with --workers 0: leave it out");
  CHECK(hash_line(good(each + "--workers 0 --prefetch 0")) == whole);
  auto const kept = each + "--checkpoint-dir " + folder.quote("run") + " --save-interval 1 ";
  good(kept + "--workers 3 --ranks 2");
  for (auto const* after : {"step-1", "step-4"}) {
    CAPTURE(after);
    auto const rest = good(each + "--ranks 3 --workers 2 --resume " +
                           folder.quote("run").substr(0, folder.quote("run").size() - 1) + "/" + after + "'");
    CHECK(hash_line(rest) == whole);
  }
}

TEST_CASE("train_gpt2 data: a mixture has a loss for each set, and its own is their mean by weight") {
  Shards const folder;
  auto const outcome = good(folder.of(folder.quote("a_*.bin") + "=1," + folder.quote("b.bin") + "=3") + "--log " +
                            folder.quote("log") + " --json-lines " + folder.quote("curves"));
  CHECK(says(outcome, "a_*.bin: weight 0.25, 3 shards, "));
  CHECK(says(outcome, "b.bin: weight 0.75, 1 shard, "));
  CHECK(says(outcome, ", b "));
  auto const line = log_of(folder / "log")[1];
  auto const at = line.find("\"val_losses\": {");
  REQUIRE(at != std::string::npos);
  auto const of_b = std::stod(field(line.substr(at), "b"));
  auto const pattern = line.find("a_*.bin\": ", at);
  REQUIRE(pattern != std::string::npos);
  auto const of_a = std::stod(line.substr(pattern + 10));
  CHECK(of_a != of_b);
  CHECK(std::stod(field(line, "val_loss")) == doctest::Approx(0.25 * of_a + 0.75 * of_b).epsilon(1e-12));
  std::ifstream curves(folder / "curves/train_gpt2/metrics.jsonl");
  std::string const all((std::istreambuf_iterator<char>(curves)), std::istreambuf_iterator<char>());
  CHECK(all.find("Evaluation/Samples/val_loss/b\"") != std::string::npos);
  // On two ranks the same, and each set alone says the same of itself.
  auto const two = good(folder.of(folder.quote("a_*.bin") + "=1," + folder.quote("b.bin") + "=3") +
                        "--micro-batches 1 --ranks 2 --allow-idle-ranks --log " + folder.quote("log2"));
  CHECK(field(log_of(folder / "log2")[1], "val_loss") == field(line, "val_loss"));
}

TEST_CASE("train_gpt2 data: what a run goes on with must be what it was, or asked for by --continue-with") {
  Shards const folder;
  auto const saves = [&](std::string const& data) {
    return folder.of(data) + "--ranks 2 --resume auto --checkpoint-dir " + folder.quote("run") + " ";
  };
  good(saves(folder.quote("a_*.bin")) + "--iterations 2");
  auto const more = "--iterations 4 --keep 0 ";
  // The same files in another place and with other times are the same data.
  fs::create_directory(folder / "moved");
  for (auto const* name : {"a_0.bin", "a_1.bin", "a_2.bin"}) fs::copy(folder / name, folder / "moved");
  CHECK(says(good(saves(folder.quote("moved/a_*.bin")) + "--iterations 3"), "resumed from"));
  check_refused(saves(folder.quote("b.bin")) + more,
                "had 7872 bytes, and has 2024 now; go on with these data by --continue-with", 4);
  auto const evaluated = [&](std::string const& data) {
    return says(good("--data " + data + " --evaluate " + folder.quote("run")), "other data than");
  };
  CHECK_FALSE(evaluated(folder.quote("moved/a_*.bin")));
  CHECK(evaluated(folder.quote("b.bin")));
  folder.write("a_1.bin", gpt2_shard(tokens_of(5, 700)));
  check_refused(saves(folder.quote("a_*.bin")) + more, "has other content than it had", 4);
  auto const other = "--ranks 2 --vocab 100" + tiny + "--checkpoint-dir " + folder.quote("new") + " --log " +
                     folder.quote("log") + " --continue-with " + folder.quote("b.bin") + " ";
  auto const changed =
      good(other + "--iterations 6 --lr 1e-2 --new-schedule --new-optimizer --resume " + folder.quote("run"));
  CHECK(says(changed, "goes on with other data: "));
  CHECK(says(changed, "the run keeps parameters, the number of the step, and the seed; the best validation"));
  CHECK(field(log_of(folder / "log").front(), "step") == "4");
  CHECK(std::stod(field(log_of(folder / "log").front(), "epoch")) == doctest::Approx(2 * 16 / 450.0));
  // Started again by the same command, it goes on with those data, and counts on.
  auto const again = good(other + "--iterations 7 --resume auto");
  CHECK_FALSE(says(again, "goes on with other data"));
  CHECK(std::stod(field(log_of(folder / "log").back(), "epoch")) == doctest::Approx(4 * 2 * 16 / 450.0));
  auto const plain =
      folder.of(folder.quote("b.bin")) + "--ranks 2 --resume auto --checkpoint-dir " + folder.quote("new");
  CHECK_FALSE(says(good(plain + " --iterations 8"), "other data"));
  // Without a new schedule or optimizer it stays the same run, in its folder.
  auto const same = good("--ranks 2 --vocab 100" + tiny + "--resume auto --checkpoint-dir " + folder.quote("run") +
                         " --iterations 5 --continue-with " + folder.quote("b.bin"));
  CHECK(says(
      same,
      "keeps parameters, the optimizer's states, the number of the step, the learning rate's schedule and the seed"));
  check_refused(
      "--data x --continue-with " + folder.quote("b.bin") + " --resume auto --checkpoint-dir " + folder.quote("run"),
      "leave --data out", 2);
  check_refused("--continue-with " + folder.quote("b.bin"), "needs --resume", 2);
  check_refused(tiny + "--resume auto --checkpoint-dir " + folder.quote("none") + " --vocab 100 --continue-with " +
                    folder.quote("b.bin"),
                "there is no run to go on with", 2);
}

TEST_CASE("train_gpt2 data: a text is gone on with in the characters of the one before") {
  Folder const folder;
  auto const write = [&](char const* name, std::string const& text) {
    std::ofstream out(folder / name);
    for (int i = 0; i < 100; ++i) out << text;
  };
  write("first.txt", "abcdefg hij ");
  write("second.txt", "ab gij ");
  write("third.txt", "abcdefg hiJ ");
  auto const rest = tiny + "--resume auto --checkpoint-dir " + folder.quote("run") + " ";
  good("--data " + folder.quote("first.txt") + rest + "--iterations 2");
  check_refused("--data " + folder.quote("second.txt") + rest,
                "the text is another one; go on with other data by --continue-with", 4);
  check_refused("--data " + folder.quote("third.txt") + rest, "has other content than it had", 4);
  auto const outcome = good("--continue-with " + folder.quote("second.txt") + rest + "--sample 20");
  CHECK(says(outcome, "vocabulary 11\n"));
  check_refused("--continue-with " + folder.quote("third.txt") + rest, "has the character 'J' as number 10", 4);
  // Bare tokens in between do not make it forgotten, and where it was never known, that is said.
  std::ofstream(folder / "bare.bin", std::ios::binary) << data_test::gpt2_shard(std::vector<std::uint32_t>(300, 3));
  good("--continue-with " + folder.quote("bare.bin") + rest + "--iterations 5");
  check_refused("--continue-with " + folder.quote("third.txt") + rest, "has the character 'J' as number 10", 4);
  std::string const bare = tiny + "--vocab 11 --checkpoint-dir " + folder.quote("bare") + " ";
  good("--data " + folder.quote("bare.bin") + bare);
  CHECK(says(good("--continue-with " + folder.quote("first.txt") + bare + "--resume auto --iterations 5"),
             "checkpoint: nothing says what the tokens of the earlier data stood for"));
}

TEST_CASE("train_gpt2 data: bad data end the program with one line and exit code 4, whatever threads read them") {
  Shards const folder;
  auto bad = tokens_of(0, 900);
  for (std::size_t i = 0; i < bad.size(); i += 50) bad[i] = 100;
  folder.write("bad.bin", gpt2_shard(bad));
  for (std::string const how : {"--workers 0", "--workers 3", "--workers 2 --ranks 3 --stage 3"}) {
    check_refused(folder.of(folder.quote("bad.bin")) + how, "bad.bin: token 100 at position ", 4);
  }
  check_refused(folder.of(folder.quote("none*.bin")), "no file has such a name", 4);
  check_refused(folder.of(folder.quote("a_*.bin") + "=1," + folder.quote("none.bin") + "=1"), "no such file", 4);
  check_refused(folder.of(folder.quote("a_*.bin") + "=-1," + folder.quote("b.bin") + "=1"), "is no weight", 2);
  check_refused(folder.of(folder.quote("a_*.bin") + "," + folder.quote("b.bin")), "has no weight", 2);
  check_refused(folder.of(folder.quote("a_*.bin") + "=0," + folder.quote("b.bin") + "=0"), "the weights sum to 0", 2);
}

TEST_CASE("train_gpt2 data: a signal ends a run whose data are loaded ahead, saved") {
  Shards const folder;
  auto const command = folder.of(folder.quote("a_*.bin")) + "--workers 4 --prefetch 8 --ranks 2 --log " +
                       folder.quote("log") + " --checkpoint-dir " + folder.quote("run") +
                       " --iterations 1000000000 --eval-interval 1000000000 & pid=$!; while ! [ -s " +
                       folder.quote("log") + " ]; do sleep 0.05; done; kill -TERM $pid; wait $pid; exit $?";
  auto const outcome = run(command);
  CAPTURE(outcome.output);
  CHECK(outcome.code == 3);
  CHECK(says(outcome, "stopped by a signal; --resume auto goes on from here"));
  CHECK(fs::exists(folder / "run/latest"));
}

TEST_CASE("train_gpt2 data: a shard that shrinks under a run ends it with one line, and what was saved stays") {
  Shards const folder;
  folder.write("long.bin", bytes_of(tokens_of(0, 20000), 2));
  auto const command = folder.of(folder.quote("long.bin")) +
                       "--iterations 100000000 --eval-interval 100000000 --save-interval 20 --keep 2 --log " +
                       folder.quote("log") + " --checkpoint-dir " + folder.quote("run");
  std::thread cut([&] {
    // Once the run has saved and goes on.
    for (int i = 0; i < 6000 && !fs::exists(folder / "run/latest"); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    fs::resize_file(folder / "long.bin", 20000);
  });
  auto const outcome = run(command + " --workers 2");
  cut.join();
  CAPTURE(outcome.output);
  CHECK(outcome.code == 4);
  CHECK(says(outcome, "long.bin: ends at byte "));
  CHECK(says(outcome, "it has been cut off since"));
  folder.write("long.bin", bytes_of(tokens_of(0, 20000), 2));
  auto const found = run("--data " + folder.quote("long.bin") + " --evaluate " + folder.quote("run"));
  CAPTURE(found.output);
  CHECK(found.code == 0);
}

TEST_CASE("train_gpt2 data: a run on a folder of shards samples text, and goes on with no other tokenizer") {
  Shards const folder;
  auto const prepare = [&](std::string const& name, std::string const& characters) {
    fs::create_directory(folder / name.c_str());
    auto const text = "{\"format\": \"zero-characters\", \"version\": 1, \"characters\": \"" + characters + "\"}";
    zero_text::Manifest manifest{.vocabulary = 4};
    manifest.tokenizer = {"characters.json", zero_text::TokenizerKind::characters, text.size(),
                          zero::fingerprint_of(text)};
    auto tokens = tokens_of(0, 500);
    for (auto& token : tokens) token %= 4;
    manifest.shards = {{"train_0.bin", false, 500, 2024, 7}};
    folder.write((name + "/characters.json").c_str(), text);
    folder.write((name + "/train_0.bin").c_str(), gpt2_shard(tokens));
    folder.write((name + "/manifest.json").c_str(), zero_text::to_json(manifest));
    return folder.quote(name.c_str());
  };
  auto const first = prepare("first", "wxyz"), other = prepare("other", "abcd");
  auto const rest = tiny + "--sample 20 --resume auto --checkpoint-dir " + folder.quote("run") + " ";
  auto const outcome = good("--data " + first + rest + "--iterations 2");
  auto const at = outcome.output.find("\nsample:\n");
  REQUIRE(at != std::string::npos);
  auto const text = outcome.output.substr(at + 9, 21);
  CAPTURE(text);
  CHECK(text.find_first_not_of("wxyz") == std::string::npos);
  check_refused("--continue-with " + other + rest, "has another tokenizer, or other characters", 4);
  check_refused("--data " + other + rest, "they had another tokenizer; go on with these data", 4);
}

}  // namespace trainer_data_test
