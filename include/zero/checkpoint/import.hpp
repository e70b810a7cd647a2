// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/checkpoint/detail/collective.hpp>
#include <zero/checkpoint/detail/convert.hpp>
#include <zero/checkpoint/detail/match.hpp>
#include <zero/checkpoint/detail/safetensors.hpp>
#include <zero/checkpoint/detail/shard_plan.hpp>
#include <zero/checkpoint/detail/tensor_files.hpp>
#include <zero/engine_state.hpp>
#include <zero/error.hpp>
#include <zero/support/message.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace zero {

/// How parameters are taken from a file that something else has written.
struct ImportOptions {
  /// The name that a parameter may have in the file; the first of them that is there is taken. Default: its own.
  std::function<std::vector<std::string>(std::string_view)> names{};
  bool allow_missing = false;  ///< parameters that the file lacks stay as they are
};

/// What was read.
struct ImportReport {
  std::size_t parameters = 0;          ///< how many were set
  std::vector<std::string> missing{};  ///< parameters of the engine that the file lacks
  std::vector<std::string> unused{};   ///< tensors of the files that no parameter has asked for
};

namespace detail {

inline ElementType element_type_of(detail::TensorEntry const& tensor) {
  for (auto const type : {ElementType::fp32, ElementType::fp16, ElementType::bf16}) {
    if (safetensors_type(type) == tensor.type) return type;
  }
  throw CheckpointError(CheckpointFailure::mismatch,
                        concat({"zero: tensor ", detail::quote(tensor.name), " has the type ", tensor.type,
                                ": parameters are read from F32, F16 and BF16"}));
}

/// Files of tensors, and which of them each parameter of an engine is.
class ImportSource {
 public:
  ImportSource(FileSystem& system, std::string const& path) : files_(system, path) {}

  /// \throws CheckpointError (mismatch) that names what is missing or of another shape.
  ImportReport match(EngineState const& state, ImportOptions const& options) {
    ImportReport report;
    std::unordered_set<detail::FileTensor const*> used;
    for (auto const& spec : state.parameters()) {
      auto const* const tensor = find(spec.name, options);
      tensors_.push_back(tensor);
      used.insert(tensor);
      if (tensor == nullptr) {
        report.missing.push_back(spec.name);
        continue;
      }
      auto const& shape = tensor->entry.shape;
      (void)element_type_of(tensor->entry);
      if (!std::equal(shape.begin(), shape.end(), spec.shape.begin(), spec.shape.end())) {
        throw_mismatch(concat({"parameter ", detail::quote(spec.name), " is ", shape_text(shape), " in ",
                               detail::quote(files_.path()), " and ", shape_text(spec.shape), " here"}),
                       "make a model of the same shape");
      }
      ++report.parameters;
    }
    for (auto const& tensor : files_.tensors()) {
      if (!used.contains(&tensor)) report.unused.push_back(tensor.entry.name);
    }
    if (!report.missing.empty() && !options.allow_missing) {
      throw_mismatch(concat({detail::quote(files_.path()), " lacks ", enumerate(report.missing)}),
                     "map the names, or allow missing ones");
    }
    return report;
  }

  /// Reads what this rank holds of the parameters that were matched, 1 MiB at a time, file by file.
  void read(EngineState& state) {
    std::vector<StateRange> ranges;
    for (auto const& range : state.resident_ranges()) {
      if (range.kind == 0 && tensors_[range.parameter] != nullptr) ranges.push_back(range);
    }
    std::stable_sort(ranges.begin(), ranges.end(), [&](auto const& a, auto const& b) {
      return tensors_[a.parameter]->file < tensors_[b.parameter]->file;
    });
    std::vector<std::byte> buffer(std::size_t{1} << 20U);
    for (auto const& range : ranges) read(state, range, *tensors_[range.parameter], buffer);
  }

 private:
  void read(EngineState& state, StateRange const& range, detail::FileTensor const& tensor,
            std::span<std::byte> buffer) {
    auto const type = element_type_of(tensor.entry);
    std::uint64_t const size = element_size(type), at_once = buffer.size() / size;
    for (std::uint64_t done = 0; done < range.count; done += at_once) {
      auto const count = (std::min)(at_once, range.count - done);
      auto const bytes = buffer.first(static_cast<std::size_t>(count * size));
      files_.read(tensor, (range.begin + done) * size, bytes);
      write_converted(state, range, done, bytes, type);
    }
  }
  [[nodiscard]] detail::FileTensor const* find(std::string const& parameter, ImportOptions const& options) const {
    for (auto const& name : options.names ? options.names(parameter) : std::vector<std::string>{parameter}) {
      if (auto const* const tensor = files_.find(name)) return tensor;
    }
    return nullptr;
  }

  detail::TensorFiles files_;
  std::vector<detail::FileTensor const*> tensors_;  // by parameter
};

}  // namespace detail

/// Sets parameters from a safetensors file of whole tensors, such as other programs write, or from all files that a
/// `model.safetensors.index.json` lists; states, step counts and loss scale stay as they are. Every rank reads its own
/// part. Collective, blocks. \throws CheckpointError, the same on every rank: the engine is unchanged then, unless
/// reading the data failed: then it is poisoned.
inline ImportReport import_parameters(EngineState& state, std::string const& path, ImportOptions const& options = {},
                                      FileSystem& system = posix_file_system()) {
  std::optional<detail::ImportSource> source;
  ImportReport report;
  detail::run_on_all_ranks<detail::CheckpointFailures>(state, [&] {
    source.emplace(system, path);
    report = source->match(state, options);
  });
  state.begin_load();
  detail::run_on_all_ranks<detail::CheckpointFailures>(state, [&] { source->read(state); });
  state.finish_load();
  return report;
}

/// The same for an engine, or for an AnyEngine.
template <class Engine>
ImportReport import_parameters(Engine& engine, std::string const& path, ImportOptions const& options = {}) {
  auto const state = engine.state();
  return import_parameters(*state, path, options);
}

}  // namespace zero
