// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Tensors of other libraries, by DLPack: what an engine holds goes out as a managed tensor (Lender, share), and what
// others hold comes in as a buffer that an engine adopts (ImportedTensor). Needs no header of DLPack; see
// docs/dlpack.md.

#include <zero/support/requirements.hpp>

#include <zero/adapters/detail/dlpack_loans.hpp>
#include <zero/adapters/dlpack_abi.hpp>
#include <zero/backend.hpp>
#include <zero/backends/host.hpp>
#include <zero/error.hpp>
#include <zero/parameter.hpp>
#include <zero/precision.hpp>
#include <zero/support/message.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace zero::dlpack {

// ------------------------------------------------------------------------------------------------- devices and types

/// Where the bytes of a tensor lie.
using Device = abi::Device;

/// Host memory.
[[nodiscard]] constexpr Device host() noexcept { return {abi::DeviceKind::cpu, 0}; }
/// Memory of the GPU of this number.
[[nodiscard]] constexpr Device cuda(int ordinal) noexcept { return {abi::DeviceKind::cuda, ordinal}; }
/// Pinned host memory.
[[nodiscard]] constexpr Device cuda_host() noexcept { return {abi::DeviceKind::cuda_host, 0}; }
/// Memory that moves between the host and GPUs.
[[nodiscard]] constexpr Device cuda_managed() noexcept { return {abi::DeviceKind::cuda_managed, 0}; }

/// The device that \p Backend computes on: `of(backend)`. <zero/adapters/dlpack_cuda.hpp> has that of CudaBackend.
template <class Backend>
struct BackendDevice;

/// Host memory.
template <>
struct BackendDevice<HostBackend> {
  /// Always `host()`.
  [[nodiscard]] static Device of(HostBackend const& /*backend*/) noexcept { return host(); }
};

namespace detail {

using zero::detail::concat;
using zero::detail::fail;
using zero::detail::quote;

/// For messages.
[[nodiscard]] ZERO_OUT_OF_LINE inline std::string name(Device device) {
  switch (device.kind) {
    case abi::DeviceKind::cpu:
      return device.id == 0 ? "host memory (kDLCPU)" : concat({"kDLCPU with the device number ", device.id});
    case abi::DeviceKind::cuda:
      return concat({"CUDA device ", device.id, " (kDLCUDA)"});
    case abi::DeviceKind::cuda_host:
      return "pinned host memory (kDLCUDAHost)";
    case abi::DeviceKind::cuda_managed:
      return "managed memory (kDLCUDAManaged)";
  }
  return concat({"a device of kind ", static_cast<std::int32_t>(device.kind)});
}

[[nodiscard]] constexpr abi::DataType data_type(ElementType type) noexcept {
  auto const code = type == ElementType::bf16 ? abi::TypeCode::bfloat : abi::TypeCode::floating;
  return {code, static_cast<std::uint8_t>(8 * element_size(type)), 1};
}

/// \throws ConfigurationError for a type that no parameter has.
[[nodiscard]] ZERO_OUT_OF_LINE inline ElementType element_type_of(abi::DataType type) {
  for (auto const known : {ElementType::fp32, ElementType::fp16, ElementType::bf16}) {
    auto const wanted = data_type(known);
    if (type.code == wanted.code && type.bits == wanted.bits && type.lanes == 1) return known;
  }
  fail<ConfigurationError>({"zero::dlpack: the tensor has elements of type code ", static_cast<int>(type.code), ", ",
                            static_cast<int>(type.bits), " bits and ", type.lanes,
                            " lanes: pass float of 32 or 16 bits (code 2) or bfloat of 16 (code 4), with 1 lane"});
}

/// A tensor and what it refers to, freed by its deleter.
template <class Managed>
struct Exported {
  Managed tensor{};
  std::vector<std::int64_t> shape{};
  std::vector<std::int64_t> strides{};
  std::shared_ptr<void> owner{};

  static void end(Managed* tensor) noexcept { delete static_cast<Exported*>(tensor->manager_ctx); }
};

}  // namespace detail

// ------------------------------------------------------------------------------------------------- out

/// Ends a managed tensor, as its consumer does.
struct EndTensor {
  /// Calls the deleter, where there is one.
  template <class Managed>
  void operator()(Managed* tensor) const noexcept {
    if (tensor->deleter != nullptr) tensor->deleter(tensor);
  }
};

/// A tensor for another library, which `release()` gives to: cast the pointer to `DLManagedTensorVersioned*`, whose
/// layout it has, and put it into a capsule called "dltensor_versioned". Who has it calls its deleter once, on any
/// thread.
using ExportedTensor = std::unique_ptr<abi::ManagedTensorVersioned, EndTensor>;
/// The same for consumers that know DLPack 0.x only: `DLManagedTensor*`, "dltensor".
using UnversionedTensor = std::unique_ptr<abi::ManagedTensor, EndTensor>;

/// How memory is shared.
struct ShareOptions {
  std::vector<std::size_t> shape{};  ///< row-major; empty: one dimension of all elements
  Device device = host();            ///< where the memory lies
  bool read_only = false;            ///< the consumer must not write
  std::shared_ptr<void> owner{};     ///< what keeps the memory alive: held until the tensor ends
};

/// Memory of the caller's as a tensor, such as an adopted buffer. Copies nothing. The caller keeps the memory alive
/// until the tensor has ended, or hands over what does as the owner. On a device the memory has been written when the
/// consumer's stream comes to it: order them first. \throws ConfigurationError for a type that is none of parameters, a
/// shape of another size and memory that is null or misaligned.
[[nodiscard]] ZERO_OUT_OF_LINE inline ExportedTensor share(AdoptedBuffer const& buffer, ShareOptions options = {}) {
  using Exported = detail::Exported<abi::ManagedTensorVersioned>;
  if (!is_parameter_type(buffer.type)) {
    detail::fail<ConfigurationError>({"zero::dlpack::share: the memory holds ", zero::name(buffer.type),
                                      ": parameters and gradients are of fp32, fp16 or bf16"});
  }
  if (buffer.data == nullptr && buffer.count != 0) {
    detail::fail<ConfigurationError>(
        {"zero::dlpack::share: ", buffer.count, " elements are at a null pointer: allocate the memory first"});
  }
  if (reinterpret_cast<std::uintptr_t>(buffer.data) % element_size(buffer.type) != 0) {
    detail::fail<ConfigurationError>({"zero::dlpack::share: the memory is not aligned to its element: align it to ",
                                      element_size(buffer.type), " bytes"});
  }
  if (options.shape.empty()) options.shape = {buffer.count};
  std::size_t const elements = buffer.count == 0 ? 0 : ParameterList::element_count(options.shape);
  if (elements != buffer.count) {
    detail::fail<ConfigurationError>({"zero::dlpack::share: the memory has ", buffer.count, " elements, and its shape ",
                                      elements, ": give the shape of all of them"});
  }
  auto exported = std::make_unique<Exported>();
  exported->shape.assign(options.shape.begin(), options.shape.end());
  exported->strides.resize(options.shape.size());
  std::int64_t stride = 1;
  for (std::size_t i = options.shape.size(); i-- > 0;) {
    exported->strides[i] = stride;
    stride *= exported->shape[i];
  }
  exported->owner = std::move(options.owner);
  auto& tensor = exported->tensor;
  tensor.manager_ctx = exported.get();
  tensor.deleter = &Exported::end;
  tensor.flags = options.read_only ? abi::flag_read_only : 0;
  tensor.dl_tensor = {buffer.data,
                      options.device,
                      static_cast<std::int32_t>(exported->shape.size()),
                      detail::data_type(buffer.type),
                      exported->shape.data(),
                      exported->strides.data(),
                      0};
  return ExportedTensor(&exported.release()->tensor);
}

/// The same for a span; one of const elements is read-only, whatever the options say.
template <class Element, std::size_t extent>
[[nodiscard]] ExportedTensor share(std::span<Element, extent> values, ShareOptions options = {}) {
  using Value = std::remove_const_t<Element>;
  if (std::is_const_v<Element>) options.read_only = true;
  return share(adopt(const_cast<Value*>(values.data()), values.size()), std::move(options));
}

/// \p tensor as one of DLPack 0.x, which it is part of from here on. \throws ConfigurationError where it is read-only,
/// which DLPack 0.x cannot say; \p tensor has ended then.
[[nodiscard]] ZERO_OUT_OF_LINE inline UnversionedTensor unversioned(ExportedTensor tensor) {
  using Exported = detail::Exported<abi::ManagedTensor>;
  zero::detail::enforce(tensor != nullptr,
                        "zero::dlpack::unversioned: there is no tensor: pass one that was not released");
  zero::detail::enforce(
      (tensor->flags & abi::flag_read_only) == 0,
      "zero::dlpack::unversioned: the tensor is read-only, which DLPack 0.x cannot say: pass it on as a "
      "versioned one, or lend it with Access::mutable_values");
  auto exported = std::make_unique<Exported>();
  exported->tensor.dl_tensor = tensor->dl_tensor;
  exported->tensor.manager_ctx = exported.get();
  exported->tensor.deleter = &Exported::end;
  exported->owner = std::shared_ptr<abi::ManagedTensorVersioned>(std::move(tensor));
  return UnversionedTensor(&exported.release()->tensor);
}

namespace detail {

ZERO_OUT_OF_LINE inline void require_open(bool open, char const* otherwise) {
  if (!open) fail<LeaseError>({otherwise});
}
ZERO_OUT_OF_LINE inline void require_ended(std::size_t tensors, char const* call) {
  if (tensors == 0) return;
  fail<LeaseError>({call, " with ", tensors,
                    " of the tensors alive: end them first, as their consumers do with the last reference"});
}

/// The elements \p values of parameter \p id as a tensor, which holds its share of \p lent.
template <class Lent, class Element>
[[nodiscard]] ExportedTensor tensor_of(Lent& lent, ParameterId id, std::span<Element> values, bool read_only) {
  auto& engine = lent.engine();
  using Backend = std::remove_reference_t<decltype(engine.backend())>;
  return zero::dlpack::share(values, {.shape = engine.parameters()[id.index].shape,
                                      .device = BackendDevice<Backend>::of(engine.backend()),
                                      .read_only = read_only,
                                      .owner = lent.share()});
}

}  // namespace detail

/// What a consumer may do with a parameter.
enum class Access : std::uint8_t {
  read_only,       ///< the tensor is marked so, and cannot be one of DLPack 0.x
  mutable_values,  ///< reading all the same, for consumers that refuse a mark: see ParameterLease::mutable_values
};

/// Parameters as tensors. Move-only. Used on the engine's thread; the tensors end on any. The lease ends by `end`. A
/// lease that has given tensors and goes without `end` is left to them, and ends by `Lender::collect`.
template <class Engine>
class [[nodiscard]] LentParameters {
 public:
  /// Made by `Lender::parameters`.
  LentParameters(std::shared_ptr<detail::LentEngine<Engine>> lent, typename Engine::Lease lease)
      : lent_(std::move(lent), std::move(lease)) {}

  /// \p id with its registered shape, readable on the gather's stream. \throws LeaseError as ParameterLease.
  [[nodiscard]] ExportedTensor tensor(ParameterId id, Access access = Access::read_only) {
    detail::require_open(lent_.open(), "zero::dlpack::LentParameters: used after end(): gather the parameters again");
    return detail::tensor_of(lent_, id, lent_.lease().mutable_values(id), access == Access::read_only);
  }
  /// Ends the lease. \throws LeaseError while one of its tensors is alive, where nothing has changed.
  void end() {
    detail::require_open(lent_.open(), "zero::dlpack::LentParameters: used after end(): gather the parameters again");
    detail::require_ended(lent_.tensors(), "zero::dlpack::LentParameters: end()");
    (void)lent_.take();
  }
  /// Whether it holds parameters.
  [[nodiscard]] explicit operator bool() const noexcept { return lent_.open(); }

 private:
  detail::LentLease<Engine, typename Engine::Lease> lent_;
};

/// Gradients as tensors. Move-only. The trainer keeps it, hands its tensors out, and calls `ready` when they have been
/// written and have ended. Used on the engine's thread; the tensors end on any. Without `ready` the gradients are
/// missing, and the lease is left as that of LentParameters is.
template <class Engine>
class [[nodiscard]] LentGradients {
 public:
  /// What the gradients are written on.
  using Stream = typename Engine::Stream;

  /// Made by `Lender::gradients`.
  LentGradients(std::shared_ptr<detail::LentEngine<Engine>> lent, typename Engine::Gradients gradients)
      : lent_(std::move(lent), std::move(gradients)) {}

  /// A place to add the gradient of \p id to, of the registered shape, zeroed on the lease's stream where nothing is
  /// there yet. A gradient whose tensor was asked for counts as written. \throws LeaseError as GradientLease.
  [[nodiscard]] ExportedTensor tensor(ParameterId id) {
    detail::require_open(lent_.open(), "zero::dlpack::LentGradients: used after ready(): ask for the gradients again");
    return detail::tensor_of(lent_, id, lent_.lease()[id], false);
  }
  /// Hands the gradients over whose tensors were asked for, as far as they have been put on \p stream, and ends the
  /// lease. \throws LeaseError while one of the tensors is alive: its consumer could write to memory that has another
  /// use by then; nothing has changed, and `ready` may be called again. Otherwise as `GradientLease::ready`.
  void ready(Stream stream = default_stream<Stream>()) {
    detail::require_open(lent_.open(), "zero::dlpack::LentGradients: used after ready(): ask for the gradients again");
    detail::require_ended(lent_.tensors(), "zero::dlpack::LentGradients: ready()");
    auto gradients = lent_.take();
    gradients.ready(stream);
  }
  /// Whether it holds gradients that are not ready.
  [[nodiscard]] explicit operator bool() const noexcept { return lent_.open(); }

 private:
  detail::LentLease<Engine, typename Engine::Gradients> lent_;
};

/// An engine whose leases go out as tensors. It owns the engine: calls to that go through the lender, as in
/// `lender->step()`. Move-only, used by one thread at a time as the engine is, while tensors may end on any thread.
///
/// A tensor that ends changes nothing in the engine. Its lease ends where the trainer says so, on the engine's thread
/// and in the order of the stream that it was taken for: at stage 3 what is gathered next depends on it, which must be
/// the same on every rank. The consumer's work is on that stream, or has run before the tensor ends.
///
/// Tensors share the engine's memory with the lender, and keep it: where the lender ends before them, the engine ends
/// with the last tensor, on its thread. Micro-batches, and leases that are no tensors, end before the lender.
template <class Engine>
class Lender {
 public:
  /// What the engine's operations are put on.
  using Stream = typename Engine::Stream;

  /// Takes \p engine over. \p keeps is what must outlive it, such as its communicator, where tensors may outlive the
  /// lender: they hold it, too. \throws ConfigurationError without an engine.
  explicit Lender(std::unique_ptr<Engine> engine, std::shared_ptr<void> keeps = nullptr) {
    zero::detail::enforce(engine != nullptr, "zero::dlpack::Lender: there is no engine: make one first");
    lent_ = std::make_shared<detail::LentEngine<Engine>>();
    lent_->keeps = std::move(keeps);
    lent_->engine = std::move(engine);
  }

  /// The engine.
  [[nodiscard]] Engine* operator->() const noexcept { return lent_->engine.get(); }
  /// The same as a reference.
  [[nodiscard]] Engine& operator*() const noexcept { return *lent_->engine; }

  /// Gathers \p ids, to be given out as tensors. \throws as `Engine::gather`.
  LentParameters<Engine> parameters(std::span<ParameterId const> ids, Stream stream = default_stream<Stream>()) const {
    return {lent_, lent_->engine->gather(ids, stream)};
  }
  /// The same for a list, as in `parameters({a, b}, stream)`.
  LentParameters<Engine> parameters(std::initializer_list<ParameterId> ids,
                                    Stream stream = default_stream<Stream>()) const {
    return parameters(std::span(ids.begin(), ids.size()), stream);
  }
  /// The same for one parameter.
  LentParameters<Engine> parameters(ParameterId id, Stream stream = default_stream<Stream>()) const {
    return parameters({&id, 1}, stream);
  }
  /// Places for the gradients of \p ids, within a micro-batch. \throws as `Engine::gradients`.
  LentGradients<Engine> gradients(std::span<ParameterId const> ids, Stream stream = default_stream<Stream>()) const {
    return {lent_, lent_->engine->gradients(ids, stream)};
  }
  /// The same for a list, as in `gradients({a, b}, stream)`.
  LentGradients<Engine> gradients(std::initializer_list<ParameterId> ids,
                                  Stream stream = default_stream<Stream>()) const {
    return gradients(std::span(ids.begin(), ids.size()), stream);
  }
  /// The same for one parameter.
  LentGradients<Engine> gradients(ParameterId id, Stream stream = default_stream<Stream>()) const {
    return gradients({&id, 1}, stream);
  }
  /// Ends the leases that were left to their tensors. \throws LeaseError while one of these is alive, where nothing has
  /// changed.
  void collect() const {
    auto const back = lent_->returned.count();
    if (back != lent_->left) {
      detail::fail<LeaseError>({"zero::dlpack::Lender: collect() with ", lent_->left - back,
                                " of the leases left to tensors that are alive: end them first, as their consumers do "
                                "with the last reference"});
    }
    lent_->left = 0;
    lent_->returned.end_all();
  }

 private:
  std::shared_ptr<detail::LentEngine<Engine>> lent_;
};

// ------------------------------------------------------------------------------------------------- in

/// A tensor of another library's, checked to be one that an engine can use in place. Move-only; owns the managed tensor
/// and ends it, on the thread that this ends on. What was adopted of it needs it for the life of the engine.
class ImportedTensor {
 public:
  /// Takes \p tensor over, out of a capsule called "dltensor_versioned": its deleter is called also where it is
  /// refused. \p place is where the engine computes: `host()`, which takes pinned memory too, or `cuda(ordinal)`, which
  /// takes managed memory too. On a device the tensor has been written when a stream of the engine comes to it. Strides
  /// that are null, and those of dimensions of 1, say nothing, as DLPack has it. \throws ConfigurationError for a null
  /// pointer, another major version, another device or type, shapes that are negative or overflow, elements that are
  /// not row-major, at a null pointer or not aligned to their size.
  explicit ImportedTensor(abi::ManagedTensorVersioned* tensor, Device place = host()) : owner_(own(tensor)) {
    constexpr std::uint32_t known_major = abi::Version().major_number;
    if (tensor->version.major_number != known_major) {
      detail::fail<ConfigurationError>({"zero::dlpack: the tensor is of DLPack ", tensor->version.major_number, ".",
                                        tensor->version.minor_number, ", and this library reads ", known_major,
                                        ".x: ask its producer for that, as in max_version=(1, 0)"});
    }
    flags_ = tensor->flags;
    take(tensor->dl_tensor, place);
  }
  /// The same for a tensor of DLPack 0.x, out of a capsule called "dltensor", which cannot say that it is read-only.
  explicit ImportedTensor(abi::ManagedTensor* tensor, Device place = host()) : owner_(own(tensor)) {
    take(tensor->dl_tensor, place);
  }

  /// Type of an element.
  [[nodiscard]] ElementType type() const noexcept { return buffer_.type; }
  /// Sizes, as ParameterSpec::shape takes them.
  [[nodiscard]] std::vector<std::size_t> const& shape() const noexcept { return shape_; }
  /// Elements.
  [[nodiscard]] std::size_t size() const noexcept { return buffer_.count; }
  /// Where the memory lies.
  [[nodiscard]] Device device() const noexcept { return device_; }
  /// Whether its producer forbids to write.
  [[nodiscard]] bool read_only() const noexcept { return (flags_ & abi::flag_read_only) != 0; }
  /// Whether its producer has made a copy for this tensor.
  [[nodiscard]] bool is_copied() const noexcept { return (flags_ & abi::flag_is_copied) != 0; }

  /// What ParameterSpec::values and ParameterSpec::gradients take. Borrowed: this tensor outlives the engine.
  /// \throws ConfigurationError for a tensor that is read-only, a copy, whose producer would not see what the engine
  /// writes, or empty, and after `release`.
  [[nodiscard]] ZERO_OUT_OF_LINE AdoptedBuffer adopt() const {
    require_held();
    zero::detail::enforce(
        !read_only(),
        "zero::dlpack: the tensor is read-only, and the engine writes to what it adopts: pass one that "
        "may be written, or its values as ParameterSpec::initial");
    zero::detail::enforce(!is_copied(),
                          "zero::dlpack: the tensor is a copy, so that what the engine writes would not reach its "
                          "producer's: ask for the tensor itself, as in copy=False");
    zero::detail::enforce(buffer_.count != 0,
                          "zero::dlpack: the tensor has no elements: leave it out, as a parameter has some");
    return buffer_;
  }
  /// The elements, for reading. Borrowed. \throws ConfigurationError for another type and after `release`.
  template <class Element>
  [[nodiscard]] std::span<Element const> values() const {
    require_held();
    if (element_type<Element> != buffer_.type) {
      detail::fail<ConfigurationError>({"zero::dlpack: the tensor holds ", name(buffer_.type), ", not ",
                                        name(element_type<Element>), ": ask for the type that it has"});
    }
    return {static_cast<Element const*>(buffer_.data), buffer_.count};
  }
  /// First values of a parameter, as ParameterSpec::initial takes them: fp32 in host memory; read-only ones will do.
  /// Borrowed. \throws ConfigurationError for another type or device and after `release`.
  [[nodiscard]] std::span<float const> initial() const {
    if (device_.kind != abi::DeviceKind::cpu && device_.kind != abi::DeviceKind::cuda_host) {
      detail::fail<ConfigurationError>({"zero::dlpack: initial values are read on the host, and the tensor is in ",
                                        detail::name(device_), ": copy it to the host first"});
    }
    return values<float>();
  }

  /// Gives the tensor back to its producer now. Nothing may use its memory any more.
  void release() noexcept { owner_.reset(); }

 private:
  using Owner = std::unique_ptr<void, void (*)(void*)>;

  template <class Managed>
  [[nodiscard]] static Owner own(Managed* tensor) {
    zero::detail::enforce(tensor != nullptr, "zero::dlpack: the tensor is a null pointer: pass what the capsule holds");
    return {tensor, [](void* owned) { EndTensor()(static_cast<Managed*>(owned)); }};
  }

  ZERO_OUT_OF_LINE void take(abi::Tensor const& tensor, Device place) {
    device_ = tensor.device;
    check_device(place);
    buffer_.type = detail::element_type_of(tensor.dtype);
    take_shape(tensor);
    check_strides(tensor);
    take_data(tensor);
  }
  void check_device(Device place) const {
    bool const on_host = place.kind == abi::DeviceKind::cpu;
    auto const other = on_host ? abi::DeviceKind::cuda_host : abi::DeviceKind::cuda_managed;
    if (device_ == place || device_.kind == other) return;
    detail::fail<ConfigurationError>({"zero::dlpack: the tensor is in ", detail::name(device_), ", and the engine in ",
                                      detail::name(place), ": move one to the other"});
  }
  void take_shape(abi::Tensor const& tensor) {
    zero::detail::enforce(tensor.ndim >= 0,
                          "zero::dlpack: the tensor has a negative number of dimensions: it is not a valid tensor");
    zero::detail::enforce(tensor.ndim == 0 || tensor.shape != nullptr,
                          "zero::dlpack: the tensor has dimensions, and its shape is a null pointer: it is not valid");
    std::size_t const most =
        static_cast<std::size_t>((std::numeric_limits<std::ptrdiff_t>::max)()) / element_size(buffer_.type);
    std::size_t elements = 1;
    bool empty = false;
    for (std::int32_t i = 0; i < tensor.ndim; ++i) {
      auto const size = tensor.shape[i];
      if (size < 0) {
        detail::fail<ConfigurationError>(
            {"zero::dlpack: dimension ", i, " of the tensor is ", size, ": sizes are not negative"});
      }
      auto const dimension = static_cast<std::size_t>(size);
      empty = empty || dimension == 0;
      if (!empty && dimension > most / elements) {
        detail::fail<ConfigurationError>(
            {"zero::dlpack: the sizes of the tensor overflow at dimension ", i, ", which is ", size, ": correct them"});
      }
      elements *= empty ? 1 : dimension;
      shape_.push_back(dimension);
    }
    buffer_.count = empty ? 0 : elements;
  }
  void check_strides(abi::Tensor const& tensor) const {
    if (tensor.strides == nullptr || buffer_.count == 0) return;
    std::int64_t row_major = 1;
    for (std::int32_t i = tensor.ndim; i-- > 0;) {
      auto const size = tensor.shape[i];
      if (size != 1 && tensor.strides[i] != row_major) {
        detail::fail<ConfigurationError>({"zero::dlpack: dimension ", i, " of the tensor has the stride ",
                                          tensor.strides[i], ", and row-major order needs ", row_major,
                                          ": pass a contiguous tensor"});
      }
      row_major *= size;
    }
  }
  void take_data(abi::Tensor const& tensor) {
    zero::detail::enforce(tensor.data != nullptr || buffer_.count == 0,
                          "zero::dlpack: the tensor has elements at a null pointer: allocate its memory first");
    auto const bytes = buffer_.count * element_size(buffer_.type);
    auto const base = reinterpret_cast<std::uintptr_t>(tensor.data);
    if (tensor.byte_offset > (std::numeric_limits<std::uintptr_t>::max)() - base - bytes) {
      detail::fail<ConfigurationError>({"zero::dlpack: the tensor begins ", tensor.byte_offset,
                                        " bytes behind its data, which no address does: correct byte_offset"});
    }
    if (buffer_.count == 0) return;
    auto* const data = static_cast<std::byte*>(tensor.data) + tensor.byte_offset;
    if ((base + tensor.byte_offset) % element_size(buffer_.type) != 0) {
      detail::fail<ConfigurationError>(
          {"zero::dlpack: the tensor's first element is not aligned to its size: align it to ",
           element_size(buffer_.type), " bytes"});
    }
    buffer_.data = data;
  }
  void require_held() const {
    zero::detail::enforce(owner_ != nullptr,
                          "zero::dlpack: the tensor was given back to its producer: import it again");
  }

  Owner owner_;
  AdoptedBuffer buffer_{};
  std::vector<std::size_t> shape_{};
  Device device_{};
  std::uint64_t flags_ = 0;
};

}  // namespace zero::dlpack
