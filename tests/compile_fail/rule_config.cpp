// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: zero::Optimizer: the rule's Config must be trivially copyable, because the device reads it

#include <zero/engine.hpp>

#include <string>

template <class Name>
struct Named : zero::Sgd {
  struct Config : zero::Sgd::Config {
    Name name{};
  };
};

#ifdef ZERO_COMPILES
using Trainer =
    zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<Named<int>>, zero::Precision<zero::FP32>>;
#else
using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<Named<std::string>>,
                             zero::Precision<zero::FP32>>;
#endif

[[maybe_unused]] constexpr auto stage = Trainer::stage;
