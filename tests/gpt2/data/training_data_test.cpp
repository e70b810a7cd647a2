// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "files.hpp"

#include <zero/utility/fingerprint.hpp>
#include <zero/utility/utf8.hpp>
#include <gpt2/data/training_data.hpp>
#include <gpt2/random.hpp>
#include <support/usage_error.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace gpt2_data_training_data_test {

using namespace data_test;
using gpt2::BatchRequest;
using gpt2::Split;
using gpt2::Token;
using gpt2::TrainingData;

namespace {

constexpr std::size_t context = 8;

TrainingData open(std::string const& data, std::optional<std::string> const& validation = {}) {
  return TrainingData::open({.data = data, .validation = validation}, {.context = context});
}

struct Batch {
  std::vector<Token> tokens, targets;
};

Batch draw(TrainingData const& data, BatchRequest const& request, std::size_t sequences = 6) {
  Batch batch{std::vector<Token>(sequences * context), std::vector<Token>(sequences * context)};
  data.sample(request, batch.tokens, batch.targets);
  return batch;
}

std::string refused(std::string const& data, std::optional<std::string> const& validation = {}) {
  return complaint([&] { (void)open(data, validation); });
}

}  // namespace

TEST_CASE("gpt2 data: one file has the order that it has always had, shard or text") {
  Folder const folder;
  std::string text;
  for (char32_t code = 0; code < 3000; ++code) zero::append_utf8(text, 0x4E00 + code);
  auto const shard = folder.write("a.bin", gpt2_shard(counting(0, 3000)));
  auto const file = folder.write("a.txt", text);  // whose tokens count, too
  std::uint64_t const tokens[] = {2700, 300}, first[] = {0, 2700};
  for (auto const& path : {shard, file}) {
    CAPTURE(path);
    auto const data = open(path);
    CHECK(data.train_tokens() == 2700);
    CHECK(data.first_token() == 2700);
    for (std::uint64_t split = 0; split < 2; ++split) {
      for (std::uint64_t step = 0; step < 20; ++step) {
        auto const random = gpt2::CounterRandom(1337).with(split).with(step).with(step % 3);
        auto const batch = draw(data, {static_cast<Split>(split), 0, {1337, step, step % 3}});
        for (std::size_t at = 0; at < batch.tokens.size(); ++at) {
          auto const offset = random.below(at / context, tokens[split] - context) + at % context;
          CHECK(batch.tokens[at] == first[split] + offset);
          CHECK(batch.targets[at] == first[split] + offset + 1);
        }
      }
    }
  }
}

TEST_CASE("gpt2 data: a batch begins with the sequences of a smaller one, and reaches both ends of its data") {
  Folder const folder;
  auto const data = open(folder.write("a.bin", gpt2_shard(counting(0, 100))));
  BatchRequest const request{Split::validation, 0, {1, 1, 1}};
  auto const large = draw(data, request, 500), small = draw(data, request, 2);  // ten tokens: two windows
  CHECK(std::equal(small.tokens.begin(), small.tokens.end(), large.tokens.begin()));
  CHECK(*std::min_element(large.tokens.begin(), large.tokens.end()) == 90);
  CHECK(*std::max_element(large.targets.begin(), large.targets.end()) == 99);
  std::vector<Token> odd(context + 1), other(context + 1);
  CHECK_THROWS_AS(data.sample(request, odd, other), std::invalid_argument);
}

TEST_CASE("gpt2 data: the order of one file is this one, on every machine") {
  Folder const folder;
  auto const data = open(folder.write("a.bin", gpt2_shard(counting(0, 3000))));
  std::vector<Token> firsts;
  for (std::uint64_t step = 0; step < 3; ++step) {
    auto const batch = draw(data, {Split::train, 0, {1337, step, 1}}, 3);
    for (std::size_t i = 0; i < 3; ++i) firsts.push_back(batch.tokens[i * context]);
  }
  CHECK(gpt2::numbers_of(firsts) == "173 629 677 541 2300 607 162 2660 140");
}

TEST_CASE("gpt2 data: windows of many shards are drawn alike, and none crosses from one to the next") {
  Folder const folder;
  std::uint32_t const lengths[] = {40, 9, 8, 100};  // the third one has no window
  for (std::uint32_t i = 0; i < 4; ++i) {
    folder.write("s" + std::to_string(i) + ".bin", gpt2_shard(counting(1000 * i, lengths[i])));
  }
  auto const validation = folder.write("v.bin", gpt2_shard(counting(0, 50)));
  auto const data = open(folder / "s*.bin", validation);
  CHECK(data.train_tokens() == 157);
  REQUIRE(data.details().size() == 1);
  CHECK(says(data.details().front(), "4 shards, 157 tokens to train on, 50 for validation, 1 of the pieces shorter"));
  std::map<Token, std::size_t> firsts;
  for (std::uint64_t step = 0; step < 500; ++step) {
    auto const batch = draw(data, {Split::train, 0, {7, step, 0}});
    for (std::size_t at = 0; at < batch.tokens.size(); ++at) {
      CHECK(batch.targets[at] == batch.tokens[at] + 1);
      if (at % context != 0) CHECK(batch.tokens[at] == batch.tokens[at - 1] + 1);
    }
    for (std::size_t at = 0; at < batch.tokens.size(); at += context) ++firsts[batch.tokens[at]];
  }
  CHECK(firsts.size() == 32 + 1 + 92);
  auto const most =
      std::max_element(firsts.begin(), firsts.end(), [](auto& a, auto& b) { return a.second < b.second; });
  CHECK(most->second < 60);  // 24 is the mean
}

TEST_CASE("gpt2 data: the last tenth of all shards is for validation, and no token is for both") {
  Folder const folder;
  for (std::uint32_t i = 0; i < 4; ++i) {
    folder.write("s" + std::to_string(i) + ".bin", gpt2_shard(counting(1000 * i, 100)));
  }
  auto const data = open(folder / "s*.bin");
  CHECK(data.train_tokens() == 360);
  CHECK(data.first_token() == 3060);
  for (std::uint64_t step = 0; step < 200; ++step) {
    auto const train = draw(data, {Split::train, 0, {7, step, 0}}),
               val = draw(data, {Split::validation, 0, {7, step, 0}});
    CHECK(*std::max_element(train.targets.begin(), train.targets.end()) < 3060);
    CHECK(*std::min_element(val.tokens.begin(), val.tokens.end()) >= 3060);
  }
}

TEST_CASE("gpt2 data: of a folder, shards with val in their name are for validation") {
  Folder const folder;
  folder.write("x_train_000001.bin", gpt2_shard(counting(0, 100)));
  folder.write("x_train_000002.bin", gpt2_shard(counting(100, 100)));
  folder.write("x_val_000000.bin", gpt2_shard(counting(500, 50)));
  folder.write("valley.bin", gpt2_shard(counting(1000, 10)));
  folder.write("readme.txt", "no shard");
  auto const data = open(folder.path());
  CHECK(data.train_tokens() == 210);
  CHECK(data.first_token() == 500);
  CHECK(says(data.details().front(), "3 shards, 210 tokens to train on, 50 for validation"));
}

TEST_CASE("gpt2 data: a mixture draws by weight, and validates on each set") {
  Folder const folder;
  auto const a = folder.write("a.bin", gpt2_shard(counting(0, 1000)));
  auto const b = folder.write("b.bin", gpt2_shard(counting(10000, 200)));
  auto const c = folder.write("c.bin", gpt2_shard(counting(20000, 200)));
  auto const data = open(a + "=0.2," + b + "=0.8," + c + "=0");
  std::size_t of_a = 0, of_b = 0;
  Token last_of_a = 0;
  for (std::uint64_t step = 0; step < 1000; ++step) {
    auto const batch = draw(data, {Split::train, 0, {7, step, 0}});
    for (std::size_t at = 0; at < batch.tokens.size(); at += context) {
      CHECK(batch.tokens[at] < 20000);
      ++(batch.tokens[at] < 10000 ? of_a : of_b);
      if (batch.tokens[at] < 10000) last_of_a = std::max(last_of_a, batch.tokens[at]);
    }
  }
  CHECK(of_a + of_b == 6000);
  CHECK(last_of_a > 850);  // which set it is says nothing of the window in it
  CHECK(of_a > 1100);
  CHECK(of_a < 1300);
  REQUIRE(data.validation_sets().size() == 3);
  CHECK(data.validation_sets()[1].label == "b");
  CHECK(data.validation_sets()[1].weight == 0.8);
  CHECK(draw(data, {Split::validation, 1, {7, 0, 0}}).tokens.front() >= 10180);
  CHECK(draw(data, {Split::validation, 2, {7, 0, 0}}).tokens.front() >= 20180);
  auto const one = open(a + "=0.2," + b + "=0.8", c);
  REQUIRE(one.validation_sets().size() == 1);
  CHECK(one.validation_sets()[0].label == "c");
  CHECK(one.train_tokens() == 1200);
  auto const each = open(a + "=0.2," + b + "=0.8", c + "," + a);
  CHECK(each.validation_sets().size() == 2);
  CHECK(draw(each, {Split::validation, 0, {7, 0, 0}}).tokens.front() >= 20000);
  CHECK(says(complaint<command_line::UsageError>([&] { (void)open(a + "=1," + b + "=1," + c + "=1", a + "," + b); }),
             "--val-data: names 2 data sets, but --data 3"));
}

TEST_CASE("gpt2 data: a mixture of texts has the characters of all") {
  Folder const folder;
  auto const a = folder.write("a.txt", std::string(200, 'a') + std::string(200, 'b'));
  auto const b = folder.write("b.txt", std::string(200, 'c') + std::string(200, 'b'));
  auto const data = open(a + "=1," + b + "=1");
  CHECK(data.vocabulary() == 3);
  CHECK(data.identity().characters == "abc");
  std::set<Token> seen;
  for (std::uint64_t step = 0; step < 50; ++step) {
    auto const batch = draw(data, {Split::train, 0, {7, step, 0}});
    seen.insert(batch.tokens.begin(), batch.tokens.end());
  }
  CHECK(seen == std::set<Token>{0, 1, 2});
  CHECK(data.decode(std::vector<Token>{2, 0, 1}) == "cab");
  auto const later = TrainingData::open({.data = a}, {.context = context}, "abc");
  CHECK(later.vocabulary() == 3);
  CHECK(says(complaint([&] { (void)TrainingData::open({.data = a}, {.context = context}, "a"); }),
             "has the character 'b' as number 200"));
}

TEST_CASE("gpt2 data: a pattern that fits a shard for validation trains on it, and says so") {
  Folder const folder;
  for (auto const* const name : {"train_0.bin", "train_1.bin", "val_0.bin"}) {
    folder.write(name, gpt2_shard(counting(0, 90)));
  }
  auto const details = [&](std::string const& pattern) {
    return TrainingData::open({.data = folder / pattern}, {.context = context, .vocabulary = 100}).details();
  };
  auto const said = details("*.bin");
  REQUIRE(said.size() == 2);
  CHECK(says(said.front(), "*.bin: trains on " + (folder / "val_0.bin") + ", too, as the pattern fits it"));
  CHECK(says(said.back(), "3 shards"));
  CHECK(details("train_*.bin").size() == 1);
  CHECK(details("val_?.bin").empty());  // one shard, and nothing else to say
}

TEST_CASE("gpt2 data: what cannot be trained on is refused with one line") {
  Folder const folder;
  auto const good = folder.write("good.bin", gpt2_shard(counting(0, 200)));
  auto const text = folder.write("a.txt", std::string(200, 'a'));
  fs::create_directory(folder / "nothing");
  fs::create_directory(folder / "val");
  fs::copy(good, folder / "val/a_val_0.bin");
  CHECK(says(refused(folder / "*.none"), folder / "*.none" + std::string(": no file has such a name")));
  CHECK(says(refused(folder / "*"), ": is no shard, though the pattern fits it"));
  CHECK(says(refused(folder / "nothing"), "is a folder without a shard"));
  CHECK(says(refused(folder / "val"), "with shards for validation only"));
  CHECK(says(refused(folder.write("few.bin", gpt2_shard(counting(0, 8)))),
             "has 8 tokens for training, but a context of 8 needs one more"));
  CHECK(says(refused(folder.write("small.bin", gpt2_shard(counting(0, 60)))),
             "has 6 tokens for validation, but a context of 8"));
  for (char c = '0'; c < '9'; ++c) folder.write(std::string("tiny") + c + ".bin", gpt2_shard(counting(0, 8)));
  CHECK(says(refused(folder.write("none.bin", gpt2_shard({}))), "none.bin: has 0 tokens for training"));
  CHECK(says(refused(good, folder / "few.bin"), "few.bin: has 8 tokens for validation"));
  CHECK(says(refused(folder / "tiny*.bin"), "in 9 shards, but a context of 8"));
  for (auto const& other : {good, text}) {
    CHECK(says(refused(other, folder / "missing"), folder / "missing" + std::string(": no such file")));
  }
  CHECK(says(refused(folder.write("one.bin", gpt2_shard(counting(0, 1)))), "has 1 token for training"));
  CHECK(says(refused(good, text), "one is a token file (.bin) and one is text"));
  CHECK(says(refused(text, good), "one is a token file (.bin) and one is text"));
  CHECK(says(refused(good + "=1," + text + "=1"), "one is a token file (.bin) and one is text"));
  auto const data = TrainingData::open({.data = good}, {.context = context, .vocabulary = 100});
  std::string found = "nothing";
  for (std::uint64_t step = 0; step < 50 && found == "nothing"; ++step) {
    found = complaint([&] { (void)draw(data, {Split::train, 0, {7, step, 0}}); });
  }
  CHECK(says(found, good + ": token 1"));
  CHECK(says(found, "is beyond the vocabulary of 100"));
}

TEST_CASE("gpt2 data: a start reads no shard whole") {
  Folder const folder;
  for (int i = 0; i < 50; ++i) {  // 100 GB, of which the disk has nothing
    auto const path = folder.write("s" + std::to_string(10 + i) + ".bin", header(20240520, 1, 1000000000));
    fs::resize_file(path, 1024 + 2000000000ULL);
  }
  std::uint64_t read = 0;
  auto const data = TrainingData::open({.data = folder / "s*.bin"}, {.context = 1024}, {},
                                       [&](int file, void* to, std::size_t bytes, off_t at) {
                                         read += bytes;
                                         return ::pread(file, to, bytes, at);
                                       });
  CHECK(data.train_tokens() == 45000000000ULL);
  CHECK(read <= 50 * (16384 + 4096));
  std::vector<Token> tokens(1024), targets(1024);
  data.sample({Split::train, 0, {7, 0, 0}}, tokens, targets);
  CHECK(tokens.front() == 0);
}

TEST_CASE("gpt2 data: another data set is told from the one of a checkpoint, and a folder that moved is not") {
  using gpt2::DataIdentity;
  Folder const folder;
  auto const path = folder.write("a.bin", gpt2_shard(counting(0, 3000)));
  auto const saved = DataIdentity::parse(open(path).identity().to_text());
  CHECK_FALSE(saved.difference(open(path).identity()));
  auto const moved = folder / "b.bin";
  fs::rename(path, moved);
  fs::last_write_time(moved, fs::file_time_type::clock::now() + std::chrono::hours(1));
  CHECK_FALSE(saved.difference(open(moved).identity()));
  auto const how = [&](std::vector<std::uint32_t> const& tokens) {
    return saved.difference(open(folder.write("c.bin", gpt2_shard(tokens))).identity()).value_or("no");
  };
  CHECK(says(how(counting(0, 3001)), "had 7024 bytes, and has 7026 now"));
  CHECK(says(how(counting(1, 3000)), "has other content"));
  CHECK(says(saved
                 .difference(
                     open(moved, path == moved ? path : folder.write("v.bin", gpt2_shard(counting(0, 100)))).identity())
                 .value_or("no"),
             "tokens"));
  auto const mixture = [&](std::string const& weights) {
    return open(moved + "=" + weights.substr(0, 1) + "," + (folder / "c.bin") + "=" + weights.substr(1)).identity();
  };
  CHECK(says(mixture("11").difference(mixture("13")).value_or("no"), "had a weight of 0.5, and has 0.25 now"));
  CHECK(says(saved.difference(mixture("11")).value_or("no"), "there were 1 data sets to train on, and are 2 now"));
  CHECK(says(complaint([] { (void)DataIdentity::parse("{\"order\":1}"); }), "is damaged"));
  CHECK(says(complaint([] { (void)DataIdentity::parse("{"); }), "is damaged"));
}

TEST_CASE("gpt2 data: what earlier versions called the hash is that of all bytes") {
  Folder const folder;
  auto const content = gpt2_shard(counting(0, 30000)), text = std::string(500, 'a') + std::string(500, 'b');
  auto const path = folder.write("a.bin", content), text_path = folder.write("a.txt", text);
  CHECK(open(path).hash_of_all_bytes() == zero::fingerprint_of(content));
  CHECK(open(text_path).hash_of_all_bytes() == zero::fingerprint_of(text));
  CHECK(open(text_path).hash() == zero::fingerprint_of(text));
  CHECK_FALSE(open(path, path).hash_of_all_bytes());
}

}  // namespace gpt2_data_training_data_test
