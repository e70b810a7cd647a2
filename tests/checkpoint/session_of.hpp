// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "checkpoint/session.hpp"

#include <zero/any_engine.hpp>
#include <zero/utility/fingerprint.hpp>
#include <zero/utility/split_mix.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace checkpoint_test {

template <class Prec>
class SessionOf final : public Session {
 public:
  using Engine = zero::AnyEngine<zero::AdamW, Prec>;
  using Compute = typename Engine::Compute;

  SessionOf(zero::ThreadCommunicator& ranks, Setup const& setup) : ranks_(ranks), setup_(setup) {
    auto const decayed = list_.add_group({.lr_factor = 0.5, .weight_decay = 0.1});
    auto const w1 = setup.rename.empty() ? std::string("w1") : setup.rename;
    add({.name = "embedding", .shape = {40, 8}, .contributions = 2, .unit = 0});
    add({.name = w1, .shape = {setup.taller ? 64U : 63U, 33U}, .group = decayed, .unit = 1});
    add({.name = "b1", .shape = {7}, .unit = 1});
    add({.name = "scale", .shape = {}, .unit = 1});
    add({.name = "fixed", .shape = {300}, .unit = 2, .frozen = !setup.thaw});
    add({.name = "w2", .shape = {129, 3}, .unit = 2});
    typename Engine::Config config{.micro_batches_per_step = setup.micro_batches,
                                   .allow_idle_ranks = setup.micro_batches.value_or(setup.world) < setup.world,
                                   .gradient_clipping = 1.0,
                                   .reduce = setup.reduce,
                                   .bucket_elements = setup.bucket_elements,
                                   .persistence_threshold = setup.persistence_threshold,
                                   .optimizer = {.lr = 1e-2F}};
    if (!setup.micro_batches) config.gradient_accumulation_steps = setup.accumulation;
    config.backend.threads = 1;
    if constexpr (requires { config.scale.window; }) config.scale.window = 3;  // so that the scale moves
    if constexpr (requires { config.scale.initial; }) config.scale.initial = 1024.0F;
    engine_ = zero::make_any_engine<zero::AdamW, Prec>(
        setup.stage, ranks, list_,
        setup.offload ? std::optional(zero::CpuOffload::Config{.chunk_elements = 256,
                                                               .device_share = setup.delayed_update ? 0.0 : 0.3,
                                                               .delayed_update = setup.delayed_update})
                      : std::nullopt,
        config);
    for (std::size_t p = 0; p < list_.specs().size(); ++p) {
      std::vector<float> values(count(p));
      for (std::size_t i = 0; i < values.size(); ++i) values[i] = noise(1000, p, i);
      engine_->write_parameter(list_.specs()[p].name, values);
    }
  }

  void train(int from, int steps) override {
    for (int step = from; step < from + steps; ++step) {
      micro_batch(step);
      finish_step(step);
    }
  }
  void micro_batch(int step) override { pass(step); }
  void finish_step(int step) override {
    for (int a = 1; a < rounds(); ++a) pass(step);
    (void)engine_->step({.lr = 1e-2 / (1 + step)}, stream_).get();
  }
  std::unique_ptr<zero::EngineState> state() override { return engine_->state(); }

  std::uint64_t hash() override {
    zero::Fingerprint fingerprint;
    add_parameters(fingerprint);
    for (std::size_t p = 0; p < list_.specs().size(); ++p) {
      auto const& spec = list_.specs()[p];
      auto const lease = engine_->gather(ids({&ids_[p], 1}), stream_);
      fingerprint.add(std::as_bytes(std::span<Compute const>(lease[ids_[p]])));
      for (std::size_t k = 0; k < 2 && !spec.frozen; ++k) add(fingerprint, engine_->read_state(spec.name, k));
    }
    auto const progress = engine_->state()->progress();
    fingerprint.add(progress.steps);
    fingerprint.add(progress.skipped);
    fingerprint.add(engine_->loss_scale().value());
    return fingerprint.value();
  }
  std::uint64_t hash_of_parameters() override {
    zero::Fingerprint fingerprint;
    add_parameters(fingerprint);
    return fingerprint.value();
  }
  FullState full_state() override {
    FullState full{.values = {}, .progress = engine_->state()->progress()};
    for (auto const& spec : list_.specs()) {
      full.values.push_back(engine_->read_parameter(spec.name));
      for (std::size_t k = 0; k < 2 && !spec.frozen; ++k) full.values.push_back(engine_->read_state(spec.name, k));
    }
    return full;
  }
  void set_full_state(FullState const& full) override {
    auto next = full.values.begin();
    for (auto const& spec : list_.specs()) {
      engine_->write_parameter(spec.name, *next++);
      for (std::size_t k = 0; k < 2 && !spec.frozen; ++k) engine_->write_state(spec.name, k, *next++);
    }
    engine_->state()->set_progress(full.progress);
  }

 private:
  void add(zero::ParameterSpec spec) { ids_.push_back(list_.add(std::move(spec))); }
  static std::span<zero::ParameterId const> ids(std::span<zero::ParameterId const> ids) { return ids; }
  [[nodiscard]] std::size_t count(std::size_t p) const {
    return zero::ParameterList::element_count(list_.specs()[p].shape);
  }
  static void add(zero::Fingerprint& fingerprint, std::vector<float> const& values) {
    fingerprint.add(std::as_bytes(std::span(values)));
  }
  void add_parameters(zero::Fingerprint& fingerprint) {
    for (auto const& spec : list_.specs()) add(fingerprint, engine_->read_parameter(spec.name));
  }

  /// In [-0.5, 0.5), a multiple of 2^-8: exact in every type.
  static float noise(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
    using zero::SplitMix64;
    auto const x = SplitMix64::at(SplitMix64::at(SplitMix64::mix(a), b), c);
    return static_cast<float>(x % 256) / 256.0F - 0.5F;
  }

  [[nodiscard]] int rounds() const {
    return setup_.micro_batches ? (*setup_.micro_batches + setup_.world - 1) / setup_.world : setup_.accumulation;
  }
  void pass(int step) {
    auto batch = engine_->begin_micro_batch(stream_);
    contributes_ = batch.contributes();
    auto const k = static_cast<std::uint64_t>(batch.index());
    contribute(step, k, 0, 0);
    for (std::size_t p = list_.specs().size(); p-- > 0;) {
      if (!list_.specs()[p].frozen) contribute(step, k, p, 1);
    }
    batch.finish(stream_);
  }

  void contribute(int step, std::uint64_t k, std::size_t p, std::uint64_t turn) {
    auto const weights = engine_->gather({&ids_[p], 1}, stream_);
    if (!contributes_) return;
    auto gradients = engine_->gradients({&ids_[p], 1}, stream_);
    auto const target = gradients.write(ids_[p]);
    float const scale = engine_->loss_scale().value();
    auto const values = weights[ids_[p]];
    for (std::size_t i = 0; i < values.size(); ++i) {
      float const g = noise(static_cast<std::uint64_t>(step) * 64 + k * 2 + turn, p, i) + zero::widen(values[i]) / 4.0F;
      float const before = target.adds ? zero::widen(target.values[i]) : 0.0F;
      target.values[i] = zero::narrow<Compute>(before + g * scale / 64.0F);
    }
    if (step == setup_.bad_step && k == 0) {
      target.values[0] = zero::narrow<Compute>(std::numeric_limits<float>::infinity());
    }
    gradients.ready(stream_);
  }

  zero::ThreadCommunicator& ranks_;
  Setup setup_;
  zero::HostStream stream_;
  zero::ParameterList list_;
  std::vector<zero::ParameterId> ids_;
  std::unique_ptr<Engine> engine_;
  bool contributes_ = true;  // in this micro-batch
};

}  // namespace checkpoint_test
