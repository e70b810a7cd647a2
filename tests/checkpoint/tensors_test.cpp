// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Tensors beside the parameters, such as the statistics of a BatchNorm: saved, loaded on any number of ranks, checked.

#include "checkpoint/calls.hpp"
#include "checkpoint/memory_file_system.hpp"
#include "checkpoint/plain_state.hpp"
#include "checkpoint/support.hpp"

#include <zero/checkpoint/named_tensor.hpp>
#include <zero/communicators/thread.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace checkpoint_tensors_test {

using checkpoint_test::MemoryFileSystem;
using checkpoint_test::PlainState;
using checkpoint_test::thrown_by;
using zero::CheckpointFailure;
using zero::CheckpointFolder;
using zero::ElementType;

namespace {

zero::SelfCommunicator self;

/// What a model has beside its parameters, a number of each type.
struct Tensors {
  std::vector<float> mean = std::vector<float>(6);
  std::vector<double> variance = std::vector<double>(3);
  std::int64_t batches = 0;
  std::array<bool, 5> mask{};
  std::vector<std::uint8_t> bytes = std::vector<std::uint8_t>(7);
  std::vector<zero::bfloat16> half = std::vector<zero::bfloat16>(2);

  Tensors() = default;
  explicit Tensors(int seed) : batches((std::int64_t{1} << 40) + seed) {
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] = static_cast<float>(seed) + static_cast<float>(i) / 8.0F;
    for (std::size_t i = 0; i < variance.size(); ++i)
      variance[i] = 1.0 / static_cast<double>(seed + 1) + static_cast<double>(i);
    for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = (static_cast<std::size_t>(seed) + i) % 3 == 0;
    for (std::size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = static_cast<std::uint8_t>(static_cast<std::size_t>(seed) * 7 + i);
    for (auto& value : half) value = zero::narrow<zero::bfloat16>(static_cast<float>(seed));
  }
  [[nodiscard]] std::vector<zero::NamedTensor> list() {
    return {zero::named_tensor("norm.mean", {2, 3}, mean.data()), zero::named_tensor("norm.var", {3}, variance.data()),
            zero::named_tensor("norm.batches", {}, &batches),     zero::named_tensor("mask", {5}, mask.data()),
            zero::named_tensor("bytes", {7}, bytes.data()),       zero::named_tensor("half", {2}, half.data())};
  }
  [[nodiscard]] bool operator==(Tensors const& other) const {
    bool const same_half =
        zero::widen(half[0]) == zero::widen(other.half[0]) && zero::widen(half[1]) == zero::widen(other.half[1]);
    return mean == other.mean && variance == other.variance && batches == other.batches && mask == other.mask &&
           bytes == other.bytes && same_half;
  }
};

template <class Communicator>
zero::SaveReport save(MemoryFileSystem& memory, Communicator& ranks, Tensors tensors, std::string tag = "step-3") {
  PlainState state(ranks, 3);
  return checkpoint_test::save_checkpoint(state, CheckpointFolder(memory, "/run"),
                                          {.tag = std::move(tag), .tensors = tensors.list(), .chunk = 64});
}

template <class Communicator>
zero::LoadReport load(MemoryFileSystem& memory, Communicator& ranks, zero::LoadOptions const& how) {
  PlainState state(ranks, 0);
  auto report = checkpoint_test::load_checkpoint(state, CheckpointFolder(memory, "/run"), how);
  CHECK(state.same(PlainState(ranks, 3)));
  return report;
}

zero::Manifest manifest(MemoryFileSystem& memory) {
  return checkpoint_test::read_manifest(CheckpointFolder(memory, "/run"), "step-3");
}

}  // namespace

TEST_CASE("tensors: they are saved with the parameters, and come to every rank, whatever their number") {
  for (int const savers : {1, 3}) {
    MemoryFileSystem memory;
    // Ranks have other values, as statistics of their own batches are: those of rank 0 are saved.
    zero::run_ranks(savers,
                    [&](zero::ThreadCommunicator& ranks) { (void)save(memory, ranks, Tensors(1 + ranks.rank())); });
    auto const saved = manifest(memory);
    CHECK(saved.version() == 2);
    REQUIRE(saved.parameters.size() == 9);
    CHECK_FALSE(saved.parameters[2].is_tensor);
    CHECK(saved.parameters[4].name == "norm.var");
    CHECK(saved.parameters[4].is_tensor);
    CHECK(saved.parameters[4].type == ElementType::fp64);
    CHECK(saved.parameters[5].shape.empty());
    checkpoint_test::verify_checkpoint(memory, "/run/step-3", saved);
    for (int const loaders : {1, 2, 4}) {
      zero::run_ranks(loaders, [&](zero::ThreadCommunicator& ranks) {
        Tensors found;
        auto const report = load(memory, ranks, {.tensors = found.list()});
        CHECK(found == Tensors(1));
        CHECK(report.parameters == 9);
        CHECK(report.extra.empty());
      });
    }
  }
}

TEST_CASE("tensors: a save in the background has those of the step at which it was asked for") {
  MemoryFileSystem memory;
  checkpoint_test::Saver saver("/run", memory);
  Tensors tensors(1);
  CHECK_FALSE(saver.start(std::make_unique<PlainState>(self, 3), {.tag = "step-3", .tensors = tensors.list()}));
  tensors = Tensors(2);
  CHECK(saver.finish()->tag == "step-3");
  Tensors found;
  (void)load(memory, self, {.tensors = found.list()});
  CHECK(found == Tensors(1));
}

TEST_CASE("tensors: without any, a checkpoint is what it was, to the byte") {
  MemoryFileSystem memory;
  PlainState state(self, 3);
  (void)checkpoint_test::save_checkpoint(state, CheckpointFolder(memory, "/run"), {.tag = "step-3"});
  CHECK(manifest(memory).version() == 1);
  CHECK(manifest(memory).parameters.size() == 3);
}

TEST_CASE("tensors: what is missing, extra, of another shape or type is named, and nothing has changed") {
  MemoryFileSystem memory;
  (void)save(memory, self, Tensors(1));
  auto const refused = [&](zero::LoadOptions const& how) {
    PlainState state(self, 0);
    auto thrown =
        thrown_by([&] { (void)checkpoint_test::load_checkpoint(state, CheckpointFolder(memory, "/run"), how); });
    CHECK(thrown.kind == CheckpointFailure::mismatch);
    CHECK(state.same(PlainState(self, 0)));
    return thrown;
  };
  Tensors found;
  auto const nobody = refused({});
  CHECK(nobody.says("it has 'norm.mean', 'norm.var', 'norm.batches', 'mask', 'bytes', 'half' beside the parameters"));
  CHECK(nobody.says("LoadOptions::tensors"));
  CHECK(load(memory, self, {.allow_extra = true}).extra.size() == 6);

  std::vector<float> more(4, 5.0F);
  auto list = found.list();
  list.push_back(zero::named_tensor("new", {4}, more.data()));
  CHECK(refused({.tensors = list}).says("it lacks 'new'"));
  auto const report = load(memory, self, {.allow_missing = true, .tensors = list});
  CHECK(report.missing == std::vector<std::string>{"new"});
  CHECK(found == Tensors(1));
  CHECK(more == std::vector<float>(4, 5.0F));

  found = Tensors();
  auto shape = found.list();
  shape[0].shape = {3, 2};
  CHECK(refused({.tensors = shape}).says("parameter 'norm.mean' is [2,3] there and [3,2] here"));
  auto type = found.list();
  std::vector<float> narrow(3);
  type[1] = zero::named_tensor("norm.var", {3}, narrow.data());
  CHECK(refused({.tensors = type}).says("'norm.var' is of fp64 there and of fp32 here"));
  CHECK(found == Tensors());

  // 16 and 32 bits of floating point are converted, as parameters are.
  std::vector<float> wide(2);
  type = found.list();
  type[5] = zero::named_tensor("half", {2}, wide.data());
  (void)load(memory, self, {.tensors = type});
  CHECK(wide == std::vector<float>(2, 1.0F));
}

TEST_CASE("tensors: bad ones are refused on every rank, and no rank waits for another") {
  MemoryFileSystem memory;
  std::vector<float> values(4);
  auto const refused = [&](zero::NamedTensor const& tensor, int on_rank) {
    std::string message;
    zero::run_ranks(2, [&](zero::ThreadCommunicator& ranks) {
      PlainState state(ranks, 3);
      auto const here = ranks.rank() == on_rank ? tensor : zero::named_tensor("x", {4}, values.data());
      auto const thrown = thrown_by([&] {
        (void)checkpoint_test::save_checkpoint(state, CheckpointFolder(memory, "/run"),
                                               {.tag = "t", .tensors = {here}});
      });
      CHECK(thrown.kind == CheckpointFailure::bad_request);
      if (ranks.rank() == 0) message = thrown.message;
    });
    return message;
  };
  auto const has = [](std::string const& text, char const* part) { return text.find(part) != std::string::npos; };
  for (int rank : {0, 1}) {
    CHECK(has(refused(zero::named_tensor("a", {4}, values.data()), rank),
              "'a' has the name of another tensor or of a parameter"));
    CHECK(has(refused(zero::named_tensor("", {4}, values.data()), rank), "has no name"));
    CHECK(has(refused(zero::named_tensor("x", {4, 0}, values.data()), rank), "'x' has a dimension of 0"));
    CHECK(has(refused(zero::named_tensor<float>("x", {4}, nullptr), rank), "'x' is at a null pointer"));
    CHECK(has(refused(zero::named_tensor("y", {4}, values.data()), rank), "different contents"));
    CHECK(has(refused(zero::named_tensor("x", {2}, values.data()), rank), "different contents"));
  }
}

TEST_CASE("tensors: whole parameters are written with them, in their own type whatever is asked for") {
  MemoryFileSystem memory;
  (void)save(memory, self, Tensors(1));
  auto const saved = manifest(memory);
  (void)checkpoint_test::consolidate(CheckpointFolder(memory, "/run"), saved, "/run/model.safetensors",
                                     {.type = ElementType::bf16});
  auto const file = memory.content("/run/model.safetensors");
  auto const batches = checkpoint_test::data_of(file, "norm.batches");
  Tensors const expected(1);
  CHECK(batches == std::string(reinterpret_cast<char const*>(&expected.batches), sizeof expected.batches));
  CHECK(checkpoint_test::data_of(file, "norm.mean").size() == 6 * sizeof(float));
  CHECK(checkpoint_test::data_of(file, "a").size() == 15 * 2);
}

TEST_CASE("tensors: a manifest that gives a parameter a type of theirs, or states to a tensor, is damaged") {
  MemoryFileSystem memory;
  (void)save(memory, self, Tensors(1));
  auto const damaged = [&](auto&& change) {
    auto altered = manifest(memory);
    change(altered);
    auto const thrown = thrown_by([&] { (void)CheckpointFolder::parse("step-3", zero::to_text(altered)); });
    CHECK(thrown.kind == CheckpointFailure::damaged);
    return thrown.message;
  };
  auto const has = [](std::string const& text, char const* part) { return text.find(part) != std::string::npos; };
  CHECK(has(damaged([](zero::Manifest& m) { m.parameters[4].is_tensor = false; }), "'fp64' is that of no parameter"));
  CHECK(has(damaged([](zero::Manifest& m) { m.parameters[4].frozen = false; }), "is not frozen"));
  CHECK(has(damaged([](zero::Manifest& m) { m.parameters[4].steps = 5; }), "is frozen, and has states or steps"));
  CHECK(has(damaged([](zero::Manifest& m) { m.compute = ElementType::int64; }), "'int64' is that of no parameter"));
}

}  // namespace checkpoint_tensors_test
