// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// A parameter that a checkpoint lacks counts its own steps, and goes on doing so through further checkpoints.

#include "checkpoint/support.hpp"

#include <zero/any_engine.hpp>
#include <zero/checkpoint/load.hpp>
#include <zero/checkpoint/save.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace checkpoint_step_counts_test {

using checkpoint_test::TemporaryFolder;
using zero::Stage;
using zero::ThreadCommunicator;

namespace {

using Engine = zero::AnyEngine<zero::AdamW, zero::Precision<zero::FP32>>;

struct Setup {
  Stage stage = Stage::none;
  bool offload = false;
  bool has_new = true;  ///< two parameters that an older model lacks
};

/// A model whose gradients follow from the step, on one of several ranks.
class Model {
 public:
  Model(ThreadCommunicator& ranks, Setup const& setup) {
    auto const decayed = list_.add_group({.lr_factor = 0.5, .weight_decay = 0.1});
    add({.name = "old", .shape = {300}});
    if (setup.has_new) {
      add({.name = "new", .shape = {500}});
      add({.name = "new decayed", .shape = {40}, .group = decayed});
    }
    add({.name = "old decayed", .shape = {40}, .group = decayed});
    auto const offload = setup.offload ? std::optional(zero::CpuOffload::Config{.chunk_elements = 128}) : std::nullopt;
    engine_ = zero::make_any_engine<zero::AdamW, zero::Precision<zero::FP32>>(
        setup.stage, ranks, list_, offload, {.bucket_elements = 256, .optimizer = {.lr = 0.125}});
  }

  void train(int from, int to) {
    for (int step = from; step < to; ++step) {
      auto micro_batch = engine_->begin_micro_batch({});
      auto gradients = engine_->gradients(ids_, {});
      for (auto id : ids_) {
        float value = 0.25F;
        for (auto& element : gradients[id]) element += value += static_cast<float>(step % 7) * 0.125F;
      }
      gradients.ready({});
      micro_batch.finish({});
      (void)engine_->step({}, {}).get();
    }
  }
  [[nodiscard]] std::vector<float> values(std::string const& name) { return engine_->read_parameter(name); }
  [[nodiscard]] Engine& engine() { return *engine_; }

 private:
  void add(zero::ParameterSpec const& spec) { ids_.push_back(list_.add(spec)); }

  zero::ParameterList list_;
  std::vector<zero::ParameterId> ids_;
  std::unique_ptr<Engine> engine_;
};

/// What a model that starts at \p step has made of \p name at \p to.
std::vector<float> fresh(std::string const& name, int step, int to) {
  std::vector<float> values;
  zero::run_ranks(1, [&](ThreadCommunicator& alone) {
    Model model(alone, {});
    model.train(step, to);
    values = model.values(name);
  });
  return values;
}

constexpr int before = 1000, stop = 1003, last = 1006;

}  // namespace

TEST_CASE("step counts: what a checkpoint lacks starts at its own first step, at every stage and offloaded or not") {
  TemporaryFolder const folder;
  zero::run_ranks(2, [&](ThreadCommunicator& ranks) {
    Model model(ranks, {.has_new = false});
    model.train(0, before);
    zero::save_checkpoint(model.engine(), folder / "run", {.tag = "old"});
  });
  auto const manifest = zero::CheckpointFolder(zero::posix_file_system(), folder / "run").manifest("old");
  CHECK(manifest.version() == 1);
  auto const expected = fresh("new", before, last), expected_decayed = fresh("new decayed", before, last);
  for (auto stage : {Stage::none, Stage::optimizer_states, Stage::gradients, Stage::parameters}) {
    for (bool offload : {false, true}) {
      CAPTURE(static_cast<int>(stage));
      CAPTURE(offload);
      std::string const tag = "at-" + std::to_string(static_cast<int>(stage)) + (offload ? "-offload" : "");
      zero::run_ranks(2, [&](ThreadCommunicator& ranks) {
        Model model(ranks, {.stage = stage, .offload = offload});
        (void)zero::load_checkpoint(model.engine(), folder / "run", {.tag = "old", .allow_missing = true});
        auto const& engine = model.engine();
        for (auto kind : {zero::MemoryKind::device, zero::MemoryKind::pinned, zero::MemoryKind::pageable}) {
          CHECK(engine.memory().bytes(kind) == model.engine().backend().bytes_in_use(kind));
        }
        model.train(before, stop);
        zero::save_checkpoint(model.engine(), folder / "run", {.tag = tag});
        model.train(stop, last);
        CHECK(model.values("new") == expected);
        CHECK(model.values("new decayed") == expected_decayed);
      });
      auto const saved = zero::CheckpointFolder(zero::posix_file_system(), folder / "run").manifest(tag);
      CHECK(saved.version() == 2);
      CHECK(saved.parameters.at(0).steps == std::nullopt);
      CHECK(saved.parameters.at(1).steps == std::uint64_t{stop - before});
      zero::run_ranks(1, [&](ThreadCommunicator& alone) {  // as if nothing had happened, on another number of ranks
        Model model(alone, {.stage = stage == Stage::none ? Stage::parameters : Stage::none});
        (void)zero::load_checkpoint(model.engine(), folder / "run", {.tag = tag});
        model.train(stop, last);
        CHECK(model.values("new").size() == expected.size());
        CHECK(model.engine().state()->progress().first_steps.at(1) == std::uint64_t{before});
      });
    }
  }
}

TEST_CASE("step counts: a parameter keeps the count that it has where a later checkpoint lacks it, too") {
  TemporaryFolder const folder;
  zero::run_ranks(1, [&](ThreadCommunicator& alone) {
    Model older(alone, {.has_new = false});
    older.train(0, 10);
    zero::save_checkpoint(older.engine(), folder / "run", {.tag = "ten"});
    Model model(alone, {});
    model.train(0, 4);
    (void)zero::load_checkpoint(model.engine(), folder / "run", {.tag = "ten", .allow_missing = true});
    auto const progress = model.engine().state()->progress();
    CHECK(progress.steps == 10);
    CHECK(progress.first_steps == std::vector<std::uint64_t>{0, 6, 6, 0});
    zero::save_checkpoint(model.engine(), folder / "run", {.tag = "all"});
    Model plain(alone, {});
    plain.train(0, 3);
    zero::save_checkpoint(plain.engine(), folder / "run", {.tag = "plain"});
    (void)zero::load_checkpoint(model.engine(), folder / "run", {.tag = "plain"});
    CHECK(model.engine().state()->progress().first_steps.empty());
    model.train(3, 5);
    plain.train(3, 5);
    CHECK(model.values("new") == plain.values("new"));
  });
}

}  // namespace checkpoint_step_counts_test
