// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/checkpoint/collective.hpp>
#include <zero/checkpoint/convert.hpp>
#include <zero/checkpoint/file.hpp>
#include <zero/checkpoint/load.hpp>
#include <zero/checkpoint/safetensors.hpp>
#include <zero/checkpoint/shard_plan.hpp>
#include <zero/engine_state.hpp>
#include <zero/error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace zero {

/// How parameters are taken from a file that something else has written.
struct ImportOptions {
  /// The name that a parameter may have in the file; the first of them that is there is taken. Default: its own.
  std::function<std::vector<std::string>(std::string_view)> names{};
  bool allow_missing = false;  ///< parameters that the file lacks stay as they are
};

struct ImportReport {
  std::size_t parameters = 0;          ///< how many were set
  std::vector<std::string> missing{};  ///< parameters of the engine that the file lacks
  std::vector<std::string> unused{};   ///< tensors of the file that no parameter has asked for
};

namespace detail {

inline ElementType element_type_of(TensorEntry const& tensor) {
  for (auto const type : {ElementType::fp32, ElementType::fp16, ElementType::bf16}) {
    if (safetensors_type(type) == tensor.type) return type;
  }
  throw CheckpointError(CheckpointFailure::mismatch,
                        sentence({"zero: tensor ", detail::quoted(tensor.name), " has the type ", tensor.type,
                                  ": parameters are read from F32, F16 and BF16"}));
}

/// One file of tensors, open, and which of them each parameter of an engine is.
class ImportFile {
 public:
  ImportFile(FileSystem& system, std::string const& path) : file_(File::open(system, path)) {
    std::uint64_t const size = file_.size();
    std::vector<std::byte> first(static_cast<std::size_t>(std::min<std::uint64_t>(8, size)));
    file_.read(first, 0);
    std::string json(static_cast<std::size_t>(safetensors_header_bytes(first, size)), '\0');
    file_.read(std::as_writable_bytes(std::span(json)), 8);
    header_ = parse_safetensors_header(json, size - 8 - json.size());
  }

  /// \throws CheckpointError (mismatch) that names what is missing or of another shape.
  ImportReport match(EngineState const& state, ImportOptions const& options) {
    ImportReport report;
    std::vector<TensorEntry const*> used;
    for (auto const& spec : state.parameters()) {
      auto const* const tensor = find(spec.name, options);
      tensors_.push_back(tensor);
      used.push_back(tensor);
      if (tensor == nullptr) {
        report.missing.push_back(spec.name);
        continue;
      }
      (void)element_type_of(*tensor);
      if (!std::equal(tensor->shape.begin(), tensor->shape.end(), spec.shape.begin(), spec.shape.end())) {
        misfit(sentence({"parameter ", detail::quoted(spec.name), " is ", shape_text(tensor->shape), " in ",
                         detail::quoted(file_.path()), " and ", shape_text(spec.shape), " here"}),
               "make a model of the same shape");
      }
      ++report.parameters;
    }
    for (auto const& tensor : header_.tensors) {
      if (std::find(used.begin(), used.end(), &tensor) == used.end()) report.unused.push_back(tensor.name);
    }
    if (!report.missing.empty() && !options.allow_missing) {
      misfit(sentence({detail::quoted(file_.path()), " lacks ", enumerate(report.missing)}),
             "map the names, or allow missing ones");
    }
    return report;
  }

  /// Reads what this rank holds of the parameters that were matched, 1 MiB at a time.
  void read(EngineState& state) const {
    std::vector<std::byte> buffer(std::size_t{1} << 20U);
    for (auto const& range : state.holdings()) {
      auto const* const tensor = tensors_[range.parameter];
      if (range.kind > 0 || tensor == nullptr) continue;
      auto const type = element_type_of(*tensor);
      std::uint64_t const size = element_size(type), at_once = buffer.size() / size;
      for (std::uint64_t done = 0; done < range.count; done += at_once) {
        auto const count = std::min(at_once, range.count - done);
        auto const bytes = std::span(buffer).first(static_cast<std::size_t>(count * size));
        file_.read(bytes, header_.data_begin + tensor->begin + (range.begin + done) * size);
        write_converted(state, range, done, bytes, type);
      }
    }
  }

 private:
  [[nodiscard]] TensorEntry const* find(std::string const& parameter, ImportOptions const& options) const {
    for (auto const& name : options.names ? options.names(parameter) : std::vector<std::string>{parameter}) {
      if (auto const* const tensor = header_.find(name)) return tensor;
    }
    return nullptr;
  }

  File file_;
  SafetensorsHeader header_;
  std::vector<TensorEntry const*> tensors_;  // by parameter
};

}  // namespace detail

/// Sets parameters from a safetensors file of whole tensors, such as other programs write; states, step counts and loss
/// scale stay as they are. Every rank reads its own part. Collective, blocks. \throws CheckpointError, the same on
/// every rank: the engine is unchanged then, unless reading the data failed: then it is poisoned.
inline ImportReport import_parameters(EngineState& state, std::string const& path, ImportOptions const& options = {},
                                      FileSystem& system = posix_file_system()) {
  std::optional<detail::ImportFile> file;
  ImportReport report;
  detail::all_or_none(state, [&] {
    file.emplace(system, path);
    report = file->match(state, options);
    return std::string();
  });
  state.begin_load();
  detail::all_or_none(state, [&] { return file->read(state), std::string(); });
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
