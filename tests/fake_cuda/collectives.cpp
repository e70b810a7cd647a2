// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What ranks of a communicator do together, on the machine's streams.

#include "fake_cuda/collective.hpp"
#include "fake_cuda/state.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <exception>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fake_cuda {
namespace {

Meeting* meeting_of(Operation const& operation) { return static_cast<Meeting*>(operation.collective.get()); }
MessageGroup* group_of(Operation const& operation) { return static_cast<MessageGroup*>(operation.transfer.get()); }

std::shared_ptr<MessageGroup> group_of(Part const& part, CommunicatorState& rank, StreamState& stream) {
  auto made = std::make_shared<MessageGroup>();
  made->owner = &rank;
  made->rank = static_cast<int>(rank.rank);
  made->label = {0, {.what = "a group"}};
  made->stream = &stream.queue;
  for (auto const& message : part.messages) made->items.push_back({message, {}});
  return made;
}

Operation operation_of(Part const& part) {
  Operation operation;
  operation.name = part.operation;
  operation.accesses = part.accesses;
  return operation;
}

// What was to be written is anything now.
std::function<void()> garble(std::vector<Access> const& accesses) {
  return [accesses] {
    for (auto const& access : accesses) {
      if (access.writes) std::memset(reinterpret_cast<void*>(access.begin), 0xAB, access.bytes);
    }
  };
}

}  // namespace

bool FakeMachine::may_run(StreamState const& stream) const {
  auto const& queue = stream.queue.queue;
  if (queue.empty() || (queue.front()->after && !queue.front()->after->done)) return false;
  if (auto* const group = group_of(*queue.front())) {
    group->arrived = group->is_next();
    return group->may_run();
  }
  auto const* const meeting = meeting_of(*queue.front());
  return meeting == nullptr || meeting->ready();
}

bool FakeMachine::awaits_hosts() const {
  return std::any_of(streams.begin(), streams.end(), [](StreamState const& s) {
    auto const& queue = s.queue.queue;
    return !queue.empty() && (queue.front()->collective || queue.front()->transfer);
  });
}

bool FakeMachine::is_awaited(StreamState const& stream) const {
  return std::any_of(communicators.begin(), communicators.end(),
                     [&](auto const* c) { return c->stream == &stream && c->questions > 0; });
}

void FakeMachine::post(CommunicatorState& rank, StreamState& stream, Part part) {
  if (stream.capture) {
    auto operation = operation_of(part);
    check_reach(stream, operation, Actor::device);
    stream.capture->nodes.push_back(
        {&stream, std::move(operation), {}, &rank, std::make_shared<Part>(std::move(part))});
    return;
  }
  if (lost(stream.device) != cudaSuccess) return;
  if (rank.ended) {  // a graph's: its kernels see the abort, and end
    auto operation = operation_of(part);
    operation.run = garble(part.accesses);
    (void)put(stream, std::move(operation), Actor::device);
    return;
  }
  if (!part.messages.empty()) return post_group(rank, stream, part);
  auto& meeting = rank.comm_group->meetings[rank.posted++];
  if (!meeting) meeting = std::make_shared<Meeting>(rank.comm_group->size());
  auto operation = operation_of(part);
  operation.collective = meeting;
  rank.pending.push_back(meeting);
  try {
    meeting->come(rank, stream.queue, std::move(part));
  } catch (std::exception const& error) {
    return fail(error.what());
  }
  if (meeting->all_posted()) rank.comm_group->meetings.erase(rank.posted - 1);
  (void)put(stream, std::move(operation), Actor::device);
}

void FakeMachine::post_group(CommunicatorState& rank, StreamState& stream, Part const& part) {
  auto const group = group_of(part, rank, stream);
  auto operation = operation_of(part);
  operation.transfer = group;
  rank.pending.push_back(group);
  try {
    rank.comm_group->matcher.post(*group);
  } catch (std::exception const& error) {
    rank.comm_group->aborted.push_back(group);
    return fail(error.what());
  }
  (void)put(stream, std::move(operation), Actor::device);
}

// Peers may still look at them.
void FakeMachine::withdraw(Operation& operation) {
  auto* const group = group_of(operation);
  if (group == nullptr) return;
  group->arrived = false;
  group->owner->comm_group->aborted.push_back(std::move(operation.transfer));
}

// What was before a send has happened before the end of its receipt, and not the other way round. By value: the
// operation that owns it ends meanwhile.
void FakeMachine::run_group(std::shared_ptr<zero::detail::simulation::TransferPart> const
                                group) {  // NOLINT(performance-unnecessary-value-param)
  using zero::detail::simulation::TransferPart;
  auto const begin_part = [&](TransferPart& part) {
    if (!part.begun) begin(*part.stream);
    part.begun = true;
  };
  auto const end_part = [&](TransferPart& part) {
    auto& stream = *part.stream;
    stream.clock.join(part.received);
    static_cast<MessageGroup&>(part).owner->pending.pop_front();
    end(stream);
  };
  for (auto const& item : group->items) {
    auto& message = *item.message;
    if (!TransferPart::may_move(message)) continue;
    auto &sender = *message.sender, &receiver = *message.receiver;
    begin_part(sender);
    begin_part(receiver);
    {
      Memory::Opened const opened(memory);
      message.move_data();
    }
    message.moved = true;
    receiver.received.join(sender.stream->clock);
    auto& other = &sender == group.get() ? receiver : sender;
    if (&other != group.get() && other.is_done()) end_part(other);
  }
  if (group->is_done()) end_part(*group);
}

// Everything before any part has happened before the end of every part.
void FakeMachine::run_together(Meeting& meeting) {
  zero::detail::simulation::VectorClock before;
  for (auto const& part : meeting.parts()) {
    begin(*part->stream);
    before.join(part->stream->clock);
  }
  {
    Memory::Opened const opened(memory);
    meeting.run();
  }
  for (auto const& part : meeting.parts()) {
    part->stream->clock.join(before);
    end(*part->stream);
  }
}

void FakeMachine::abort(CommunicatorState& rank) {
  for (auto& stream : streams) {
    for (auto const& operation : stream.queue.queue) {
      auto const part_of = [&](auto const& one) {
        return one.get() == operation->collective.get() || one.get() == operation->transfer.get();
      };
      if (std::none_of(rank.pending.begin(), rank.pending.end(), part_of)) continue;
      if (stream.device != rank.device) continue;
      operation->collective.reset();
      withdraw(*operation);
      operation->run = garble(operation->accesses);
    }
  }
  end_communicator(rank);
}

bool FakeMachine::is_in_graphs(CommunicatorState const& rank) const {
  auto const held_by = [&](std::vector<Node> const& nodes) {
    return std::any_of(nodes.begin(), nodes.end(), [&](Node const& node) { return node.communicator == &rank; });
  };
  return std::any_of(graphs.begin(), graphs.end(), [&](GraphState const* graph) { return held_by(graph->nodes); }) ||
         std::any_of(streams.begin(), streams.end(),
                     [&](auto const& s) { return !s.destroyed && s.capture && held_by(s.capture->nodes); });
}

void FakeMachine::await_graphs(CommunicatorState const& rank) {
  constexpr std::chrono::minutes patience(1);
  while (is_in_graphs(rank)) {
    if (host().entered) return fail("fake runtime: a rank's thread waits for the end of graphs that it owns itself");
    if (changed.wait_for(mutex, patience) == std::cv_status::timeout && is_in_graphs(rank)) {
      return fail("fake runtime: a communicator has waited for a minute for the end of its graphs");
    }
  }
}

void FakeMachine::end_communicator(CommunicatorState& rank) {
  if (rank.splits > 0) rank.comm_group->splits[rank.splits - 1][rank.rank].parent = nullptr;
  rank.ended = true, rank.questions = 0;
  count(&Counts::ends);
  changed.notify_all();
  await_graphs(rank);
  communicators.erase(&rank);
  delete &rank;
  changed.notify_all();
}

void FakeMachine::split(CommunicatorState& rank, int color, int key, CommunicatorState** made) {
  auto& choices = rank.comm_group->splits[rank.splits++];
  choices[rank.rank] = {color, key, &rank, made};
  if (choices.size() < rank.comm_group->size()) return;
  std::map<int, std::vector<std::pair<int, CommGroup::Choice const*>>> groups;
  for (auto const& [parent_rank, choice] : choices) {
    if (choice.color >= 0) groups[choice.color].emplace_back(choice.key, &choice);
  }
  for (auto& [of_color, members] : groups) {
    std::stable_sort(members.begin(), members.end(), [](auto const& a, auto const& b) { return a.first < b.first; });
    auto const comm_group = std::make_shared<CommGroup>(members.size());
    for (std::size_t r = 0; r < members.size(); ++r) {
      auto const& choice = *members[r].second;
      if (choice.parent == nullptr) continue;
      comm_group->devices[r] = choice.parent->device;
      *choice.made = *communicators.insert(new CommunicatorState{comm_group, r, choice.parent->device, 3}).first;
    }
  }
}

}  // namespace fake_cuda
