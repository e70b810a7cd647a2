// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <array>
#include <cstddef>
#include <exception>
#include <utility>

namespace images {

/// Batches on their way to a device, from pinned host memory, by a stream of their own: while one is computed with, the
/// next one is copied. There are two places. What is computed waits for its copy; a copy waits until what was in its
/// place has been computed with, and the host until what was in its pinned memory has been copied. For one thread.
/// After an exception of a computation no more batches are taken.
///
/// \p Lane has the device's side:
///   Batch                        a batch's memory, pinned and on the device; default constructible
///   Event                        default constructible; waits for one that was never recorded are none
///   fill(batch, pictures)        copies them into pinned memory; whether there was room on the device, which else is
///                                allocated by the stream that computes
///   copy(batch)                  tells the copying stream to copy the batch
///   record_copy(event)           of the copying stream, record_compute(event) of the one that computes
///   compute_waits(event)         tells the stream that computes to wait, copy_waits(event) the one that copies
///   host_waits(event)            waits
template <class Lane>
class AheadUpload {
 public:
  using Batch = typename Lane::Batch;

  explicit AheadUpload(Lane lane) : lane_(std::move(lane)) {}
  AheadUpload(AheadUpload const&) = delete;
  AheadUpload& operator=(AheadUpload const&) = delete;
  /// What is allocated next in place of these batches waits for the copies into them.
  ~AheadUpload() {
    try {
      for (auto& place : places_) lane_.compute_waits(place.copied);
    } catch (...) {  // a device that has failed has said so elsewhere
    }
  }

  /// The batch that was loaded ahead, or the one that \p load gives now, for what the computing stream is told until
  /// `release`. \throws what \p load has thrown for it, then or now.
  template <class Load>
  [[nodiscard]] Batch const& next(Load const& load) {
    if (!std::exchange(is_ahead_, false)) put(load);
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
    lane_.compute_waits(places_[at_].copied);
    return places_[at_].batch;
  }
  /// The computing stream has been told all that reads the batch.
  void release() {
    lane_.record_compute(places_[at_].used);
    at_ = 1 - at_;
  }
  /// Loads the batch that `next` is to return. What \p load throws is thrown there: it may never be asked for.
  template <class Load>
  void load_ahead(Load const& load) {
    is_ahead_ = true;
    try {
      put(load);
    } catch (...) {
      failure_ = std::current_exception();
    }
  }

 private:
  struct Place {
    Batch batch{};
    typename Lane::Event copied{}, used{};
  };

  template <class Load>
  void put(Load const& load) {
    auto& place = places_[at_];
    auto const pictures = load();
    lane_.host_waits(place.copied);
    // Memory that is new to this place may be in use by what the computing stream was told before.
    if (!lane_.fill(place.batch, pictures)) lane_.record_compute(place.used);
    lane_.copy_waits(place.used);
    lane_.copy(place.batch);
    lane_.record_copy(place.copied);
  }

  Lane lane_;
  std::array<Place, 2> places_{};
  std::size_t at_ = 0;  // whose batch is the next, or the one in use
  bool is_ahead_ = false;
  std::exception_ptr failure_;
};

}  // namespace images
