// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "checkpoint/support.hpp"
#include "reference/training.hpp"

#include <zero/any_engine.hpp>
#include <zero/checkpoint/load.hpp>
#include <zero/checkpoint/save.hpp>
#include <zero/communicators/thread.hpp>
#include <zero/joint_step.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace joint_checkpoint_test {

// One folder for all engines of a joint step, which fits every other division of the same parameters.

using zero::CheckpointFailure;
using zero::Stage;

namespace {

using Ranks = zero::ThreadCommunicator;
using Half = zero::Precision<zero::FP16, zero::DynamicScale>;
using Joint = zero::JointStep<zero::HostBackend, Ranks>;

struct Parameter {
  std::string name;
  std::size_t count;
  bool frozen = false;
};
std::vector<Parameter> const model{{"a", 300}, {"b", 1000}, {"c", 7}, {"d", 600}, {"e", 40, true}};

/// Engines of one rank, over which the model's parameters are divided.
class Session {
 public:
  Session(Ranks& ranks, std::size_t engines, std::vector<Stage> const& stages, bool offloads = false)
      : owners_(model.size()), alone_(engines == 1) {
    for (std::size_t e = 0; e < engines; ++e) {
      zero::ParameterList list;
      for (std::size_t p = 0; p < model.size(); ++p) {
        if (p % engines != e) continue;
        owners_[p] = e;
        (void)list.add({.name = model[p].name, .shape = {model[p].count}, .frozen = model[p].frozen});
      }
      std::optional<zero::CpuOffload::Config> offload;
      if (offloads) offload.emplace();
      engines_.push_back(zero::make_any_engine<zero::AdamW, Half>(
          stages[e % stages.size()], ranks, list, offload,
          {.micro_batches_per_step = 4, .bucket_elements = 512, .scale = {.initial = 1024.0F, .window = 2}}));
    }
    for (std::size_t p = 0; p < model.size(); ++p) {
      std::vector<float> values(model[p].count);
      for (std::size_t i = 0; i < values.size(); ++i) values[i] = reference::initial_value(p, i);
      engine(p).write_parameter(model[p].name, values);
    }
    if (alone_) return;
    std::vector<zero::EngineMember<zero::HostBackend>> members;
    for (std::size_t e = 0; e < engines; ++e) members.push_back(engines_[e]->member("m" + std::to_string(e)));
    joint_.emplace(ranks, members);
  }

  void step(int step) {
    for (int round = 0; round < rounds(); ++round) {
      auto micro_batch = joint_ ? joint_->begin_micro_batch({}) : engines_[0]->begin_micro_batch({});
      auto const scale = joint_ ? joint_->loss_scale().value() : engines_[0]->loss_scale().value();
      for (std::size_t p = model.size(); p-- > 0;) {
        if (model[p].frozen) continue;
        auto const id = engine(p).find(model[p].name);
        auto const weights = engine(p).gather(id, {});
        if (!micro_batch.contributes()) continue;
        auto gradients = engine(p).gradients(id, {});
        auto const target = gradients.write(id).values;
        for (std::size_t i = 0; i < target.size(); ++i) {
          float const g = reference::gradient(zero::widen(weights[id][i]), static_cast<std::uint64_t>(step),
                                              static_cast<std::uint64_t>(micro_batch.index()), p, 0, i);
          target[i] = zero::narrow<zero::float16>(scale * g);
        }
        gradients.ready({});
      }
      micro_batch.finish({});
    }
    (void)(joint_ ? joint_->step({.lr = rates(), .gradient_clipping = {}}, {}) : engines_[0]->step({.lr = 0.01}, {}))
        .get();
  }

  void save(std::string const& folder) {
    if (joint_) {
      (void)zero::save_checkpoint(*joint_, folder, {.tag = "here"});
    } else {
      (void)zero::save_checkpoint(*engines_[0], folder, {.tag = "here"});
    }
  }
  zero::LoadReport load(std::string const& folder, zero::LoadOptions const& options = {}) {
    return joint_ ? zero::load_checkpoint(*joint_, folder, options)
                  : zero::load_checkpoint(*engines_[0], folder, options);
  }
  [[nodiscard]] std::vector<std::vector<float>> all() {
    std::vector<std::vector<float>> all;
    for (std::size_t p = 0; p < model.size(); ++p) {
      all.push_back(engine(p).read_parameter(model[p].name));
      for (std::size_t k = 0; k < 2 && !model[p].frozen; ++k) all.push_back(engine(p).read_state(model[p].name, k));
    }
    all.push_back({(joint_ ? joint_->loss_scale() : engines_[0]->loss_scale()).value()});
    return all;
  }

 private:
  using Engine = zero::AnyEngine<zero::AdamW, Half>;
  [[nodiscard]] Engine& engine(std::size_t p) { return *engines_[owners_[p]]; }
  [[nodiscard]] int rounds() const {
    auto const world = engines_[0]->layout().settings().world;
    return static_cast<int>((4 + world - 1) / world);
  }
  [[nodiscard]] std::vector<zero::MemberLearningRate> rates() const {
    std::vector<zero::MemberLearningRate> rates;
    for (std::size_t e = 0; e < engines_.size(); ++e) rates.push_back({"m" + std::to_string(e), 0.01});
    return rates;
  }

  std::vector<std::size_t> owners_;
  bool alone_;
  std::vector<std::unique_ptr<Engine>> engines_;
  std::optional<Joint> joint_;
};

struct Division {
  int world;
  std::size_t engines;
  std::vector<Stage> stages;
  bool offloads = false;
};
std::vector<Division> const divisions{{1, 1, {Stage::none}},
                                      {2, 3, {Stage::none, Stage::gradients, Stage::parameters}},
                                      {3, 2, {Stage::parameters, Stage::optimizer_states}},
                                      {2, 1, {Stage::parameters}},
                                      {4, 2, {Stage::gradients, Stage::parameters}, true}};

/// Adam for one parameter and SGD for the other, in either order.
struct Pair {
  Pair(Ranks& ranks, bool swapped) {
    zero::ParameterList first, second;
    (void)first.add({.name = swapped ? "y" : "x", .shape = {300}});
    (void)second.add({.name = swapped ? "x" : "y", .shape = {300}});
    adam = zero::make_any_engine<zero::AdamW, zero::Precision<zero::FP32>>(Stage::gradients, ranks, first, std::nullopt,
                                                                           {});
    sgd = zero::make_any_engine<zero::Sgd, zero::Precision<zero::FP32>>(Stage::none, ranks, second, std::nullopt, {});
    joint.emplace(ranks, std::vector{adam->member("adam"), sgd->member("sgd")});
  }
  std::unique_ptr<zero::AnyEngine<zero::AdamW, zero::Precision<zero::FP32>>> adam;
  std::unique_ptr<zero::AnyEngine<zero::Sgd, zero::Precision<zero::FP32>>> sgd;
  std::optional<Joint> joint;

  void step() {
    auto micro_batch = joint->begin_micro_batch({});
    zero::ParameterId const id{0};
    auto const write = [&](auto& engine, float value) {
      auto gradients = engine.gradients(id, {});
      for (auto& g : gradients[id]) g = value;
      gradients.ready({});
    };
    write(*adam, 2.0F), write(*sgd, 3.0F);
    micro_batch.finish({});
    (void)joint->step({}).get();
  }
};

}  // namespace

TEST_CASE("joint step: a checkpoint fits every division of its parameters, one engine too, and the run goes on") {
  checkpoint_test::TemporaryFolder const folder;
  std::vector<std::vector<float>> expected, later;
  for (std::size_t from = 0; from < divisions.size(); ++from) {
    auto const path = folder / ("from" + std::to_string(from));
    zero::run_ranks(divisions[from].world, [&](Ranks& ranks) {
      Session session(ranks, divisions[from].engines, divisions[from].stages, divisions[from].offloads);
      for (int step = 0; step < 3; ++step) session.step(step);
      session.save(path);
      auto const saved = session.all();
      session.step(3);
      auto const after = session.all();
      if (ranks.rank() != 0) return;
      if (from == 0) expected = saved, later = after;
      CHECK(saved == expected);
      CHECK(after == later);
    });
    for (auto const& to : divisions) {
      zero::run_ranks(to.world, [&](Ranks& ranks) {
        Session session(ranks, to.engines, to.stages, to.offloads);
        auto const report = session.load(path);
        CHECK(report.steps == 3);
        CHECK(report.parameters == model.size());
        CHECK(report.micro_batches_per_step == 4);
        CHECK(session.all() == expected);
        session.step(3);
        CHECK(session.all() == later);
      });
    }
  }
}

TEST_CASE("joint step: a checkpoint says each parameter's rule, and is refused by name where that is another one") {
  checkpoint_test::TemporaryFolder const folder;
  auto const path = folder / "pair";
  zero::run_ranks(2, [&](Ranks& ranks) {
    std::vector<float> x, y;
    {
      Pair pair(ranks, false);
      pair.step(), pair.step();
      (void)zero::save_checkpoint(*pair.joint, path, {.tag = "here"});
      pair.step();
      x = pair.adam->read_parameter("x"), y = pair.sgd->read_parameter("y");
    }
    {
      Pair same(ranks, false);
      CHECK(zero::load_checkpoint(*same.joint, path).steps == 2);
      same.step();
      CHECK(same.adam->read_parameter("x") == x);
      CHECK(same.sgd->read_parameter("y") == y);
    }
    Pair swapped(ranks, true);
    auto const refused = checkpoint_test::thrown_by([&] { (void)zero::load_checkpoint(*swapped.joint, path); });
    CHECK(refused.kind == CheckpointFailure::mismatch);
    CHECK(
        refused.says("parameter 'y' was trained with SGD, here it is with AdamW: train each parameter with the rule"));
    swapped.step();  // nothing has happened
    CHECK(zero::load_checkpoint(*swapped.joint, path, {.tag = {}, .parameters_only = true}).parameters == 2);

    zero::ParameterList list;
    (void)list.add({.name = "x", .shape = {300}}), (void)list.add({.name = "y", .shape = {300}});
    auto const one = zero::make_any_engine<zero::AdamW, zero::Precision<zero::FP32>>(Stage::gradients, ranks, list,
                                                                                     std::nullopt, {});
    auto const by_one = checkpoint_test::thrown_by([&] { (void)zero::load_checkpoint(*one, path); });
    CHECK(by_one.says("parameter 'y' was trained with SGD, here it is with AdamW"));
  });
  // What it says is version 2 of the format, of which older libraries say so.
  zero::CheckpointFolder const saved(zero::posix_file_system(), path);
  auto const manifest = saved.manifest("here");
  CHECK(manifest.version() == 2);
  CHECK(manifest.rule == "AdamW");
  CHECK(manifest.parameters[1].rule == "SGD");
  CHECK(manifest.parameters[1].states == std::vector<std::string>{"momentum_buffer"});
}

TEST_CASE("joint step: a load that is not finished, or comes inside a step, is refused") {
  checkpoint_test::TemporaryFolder const folder;
  zero::run_ranks(1, [&](Ranks& ranks) {
    Pair pair(ranks, false);
    {
      auto const micro_batch = pair.joint->begin_micro_batch({});
      CHECK_THROWS_AS((void)pair.joint->state(), zero::SequenceError);
    }
    pair.joint->discard_gradients();
    pair.joint->state()->begin_load();
    CHECK_THROWS_AS((void)pair.joint->begin_micro_batch({}), zero::PoisonedError);
    CHECK_THROWS_AS((void)pair.adam->read_parameter("x"), zero::PoisonedError);
  });
}

TEST_CASE("joint step: what is repeated over an axis is saved once, and loaded on every position") {
  checkpoint_test::TemporaryFolder const folder;
  using Engine = zero::AnyEngine<zero::AdamW, zero::Precision<zero::FP32>>;
  auto const engine = [](Ranks& ranks, Stage stage, std::vector<std::string> const& names) {
    zero::ParameterList list;
    for (auto const& name : names) (void)list.add({.name = name, .shape = {300}});
    return zero::make_any_engine<zero::AdamW, zero::Precision<zero::FP32>>(stage, ranks, list, std::nullopt, {});
  };
  auto const fill = [](Engine& of, std::string const& name, float value) {
    of.write_parameter(name, std::vector<float>(300, value));
    of.write_state(name, 1, std::vector<float>(300, value + 0.5F));
  };
  auto const make = [&](Ranks& ranks, auto const& use) {
    auto group = ranks.split(ranks.rank() / 2, ranks.rank());
    std::string const own_name = ranks.rank() < 2 ? "first" : "second";
    auto const tied = engine(*group, Stage::gradients, {"tied"}), own = engine(*group, Stage::parameters, {own_name});
    Joint joint{ranks,
                {tied->member("tied", {.repeated_over = "pipeline"}), own->member(own_name)},
                {.data = zero::DataPosition{ranks.rank() % 2, 2}}};
    use(joint, *tied, *own, own_name);
  };
  zero::run_ranks(4, [&](Ranks& ranks) {
    make(ranks, [&](Joint& joint, Engine& tied, Engine& own, std::string const& own_name) {
      fill(tied, "tied", 1.0F), fill(own, own_name, ranks.rank() < 2 ? 2.0F : 3.0F);
      (void)zero::save_checkpoint(joint, folder.path(), {.tag = "here"});
    });
    make(ranks, [&](Joint& joint, Engine& tied, Engine& own, std::string const& own_name) {
      CHECK(zero::load_checkpoint(joint, folder.path()).parameters == 3);
      CHECK(tied.read_parameter("tied") == std::vector<float>(300, 1.0F));
      CHECK(tied.read_state("tied", 1) == std::vector<float>(300, 1.5F));
      CHECK(own.read_state(own_name, 1) == std::vector<float>(300, ranks.rank() < 2 ? 2.5F : 3.5F));
    });
    auto const one = engine(ranks, Stage::gradients, {"first", "second", "tied"});
    CHECK(zero::load_checkpoint(*one, folder.path()).parameters == 3);
    CHECK(one->read_parameter("tied") == std::vector<float>(300, 1.0F));
    CHECK(one->read_parameter("second") == std::vector<float>(300, 3.0F));
  });
}

}  // namespace joint_checkpoint_test
