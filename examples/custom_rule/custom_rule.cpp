// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// A rule of one's own: Sign-SGD with an exponential average (Signum; Bernstein et al., "signSGD: Compressed
// Optimisation for Non-Convex Problems", 2018, Algorithm 1, with the average of its momentum form). One formula serves
// every instruction set, because it is written over an operations type.
#include <zero/engine.hpp>

#include <cmath>
#include <cstdint>
#include <cstdio>

struct Signum {
  static constexpr std::size_t state_count = 1;
  static constexpr zero::RuleFacts facts{.name = "Signum", .state_names = {"average"}};
  struct Config {
    double lr = 1e-3;
    double beta = 0.9;
    double weight_decay = 0.0;
  };
  struct Constants {
    float beta, one_minus_beta, minus_lr, decay;
  };
  /// Runs once per group and step, in double.
  ZERO_HOST_DEVICE static Constants constants(Config const& c, std::uint64_t /*step*/) {
    zero::Double const one = 1.0, lr = c.lr, beta = c.beta;
    return {beta.to_float(), (one - beta).to_float(), (-lr).to_float(),
            (one - lr * zero::Double(c.weight_decay)).to_float()};
  }
  /// Runs once per element.
  template <class Real>
  ZERO_HOST_DEVICE static void update(Real& p, Real const& g, zero::States<Real, 1>& s, Constants const& c) {
    s[0] = fma(Real(c.beta), s[0], Real(c.one_minus_beta) * g);
    p = fma(Real(c.minus_lr), sign(s[0]), p * Real(c.decay));
  }
};
static_assert(zero::update_rule<Signum>);

int main() {
  zero::SelfCommunicator alone;
  zero::ParameterList parameters;
  auto const w = parameters.add({.name = "w", .shape = {1000}});
  zero::Engine<zero::Partitioner<zero::Stage::none>, zero::Optimizer<Signum>, zero::Precision<zero::BF16>> engine{
      alone, parameters, {.optimizer = {.lr = 0.01}}};
  zero::HostStream stream;
  for (int step = 0; step < 300; ++step) {  // minimizes |w - 1|^2 / 2
    auto micro_batch = engine.begin_micro_batch(stream);
    auto weights = engine.gather(w, stream);
    auto gradients = engine.gradients(w, stream);
    auto const gradient = gradients.write(w).values;
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      gradient[i] = zero::narrow<zero::bfloat16>(zero::widen(weights[w][i]) - 1.0F);
    }
    weights.release();
    gradients.ready(stream);
    micro_batch.finish(stream);
    if (engine.step(stream).get().skipped) return 1;
  }
  float const learned = engine.read_parameter("w")[0];
  std::printf("w = %.3f, should be near 1\n", static_cast<double>(learned));
  return std::fabs(learned - 1.0F) < 0.1F ? 0 : 1;
}
