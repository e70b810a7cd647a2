// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "hugging_face.hpp"
#include "options.hpp"
#include "parameters.hpp"
#include "support/tensor_source.hpp"
#include "training/console.hpp"

#include <zero/checkpoint/import.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpt2 {

/// A model that parameters are taken from, as `transformers` writes it.
struct ModelSource {
  std::string tensors;                ///< a safetensors file, or the index of several
  ModelShape shape{};                 ///< what its tensors have; heads as its config.json says
  std::optional<std::string> config;  ///< the config.json beside it
};

/// Looks at what --init-from names: a file, an index, or the folder of a model with its config.json.
/// \throws DataError, also for what this model cannot compute: another activation, an untied head, tensors that no
/// parameter would take; zero::CheckpointError for files that are damaged.
[[nodiscard]] ModelSource open_model(std::string const& path);

/// What no parameter takes of a source that `open_model` has let pass: the masks of attention, which older files keep,
/// how many of each. Empty where there are none.
[[nodiscard]] std::string left_out(command_line::TensorSource const& source);

/// Gives \p options the shape of \p source. A shorter --context stays. \throws UsageError where another option
/// contradicts it, or where nothing says how many heads there are.
void take_shape(ModelSource const& source, Options& options);

/// The same for a checkpoint of train_gpt2 at \p path that is to be resumed or evaluated. Nothing is taken where there
/// is none, which --resume auto allows. Of one that is evaluated the rest is taken too, that makes its losses those of
/// its run, and \p options name it by its own path from there on. Returns the vocabulary of its embedding, or 0 where
/// it has none. \throws UsageError, zero::CheckpointError.
std::optional<std::size_t> take_shape_of_checkpoint(std::string const& path, Options& options);

/// Sets all parameters of \p engine from a source that `take_shape` has seen. Of the positions, the first ones are
/// taken where it has more. Collective.
template <class Engine>
void import_model(Engine& engine, ModelShape const& shape, std::string const& path, bool speaks) {
  constexpr std::string_view positions = "wpe.weight";
  command_line::TensorSource source(path);
  std::string name;
  for (auto const& other : hugging_face_names(positions)) {
    if (name.empty() && source.shape(other)) name = other;
  }
  auto const rows = name.empty() ? shape.context : source.shape(name)->front();
  bool const cuts = rows > shape.context;
  auto const report = zero::import_parameters(
      engine, path,
      {.names =
           [&](std::string_view parameter) {
             return cuts && parameter == positions ? std::vector<std::string>{} : hugging_face_names(parameter);
           },
       .allow_missing = cuts});
  if (report.missing.size() > (cuts ? 1U : 0U)) {
    throw zero::CheckpointError(zero::CheckpointFailure::mismatch, path + ": lacks '" + report.missing.back() + "'");
  }
  if (cuts) engine.write_parameter(std::string(positions), source.read(name, shape.context * shape.width));
  if (!speaks) return;
  say("parameters: %zu from %s\n", report.parameters + (cuts ? 1 : 0), path.c_str());
  if (auto const masks = left_out(source); !masks.empty()) {
    say("parameters: left out: %s, which are masks and no parameters\n", masks.c_str());
  }
  if (cuts) {
    say("parameters: of its %llu positions the first %zu, as --context says\n", static_cast<unsigned long long>(rows),
        shape.context);
  }
}

}  // namespace gpt2
