// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "planner.hpp"

zero::Plan zero_plan::plan(zero::ParameterList const& parameters, Settings const& settings) {
  return with_precision(settings.types, [&]<class Prec>(Prec) {
    return zero::plan_step<zero::AdamW, Prec>(parameters, settings.plan, config_of<Prec>(settings));
  });
}
