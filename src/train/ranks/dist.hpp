#pragma once
// The processes that train together, connected through c10d: Gloo for tensors of the processor, NCCL for those of a
// GPU. Every rank must make the same calls in the same order. A call that fails throws core::Error naming the ranks
// that are gone.

#include <ATen/core/Tensor.h>

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "condenser/train/ranks.hpp"

namespace condenser::train {

class Group {
 public:
  // Meets the others; returns when all have come. A rank that is there but silent for `timeout` counts as lost; one
  // that dies is noticed at once, because its connections close.
  Group(const Ranks&, std::chrono::seconds timeout);
  ~Group();
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  int rank() const;
  int size() const;
  bool leads() const { return rank() == 0; }
  int local_rank() const;  // among the ranks on this machine
  int cores() const;       // this rank's share of the processors it may use, at least 1

  // Rank 0's text for all. The others wait as long as rank 0 lives; core::Stopped when they are asked to stop.
  std::string hand_out(const std::string& text);
  // Tells the others why this rank gives up, for their messages.
  void give_up(const std::string& reason) noexcept;

  void sum(std::span<double>);         // over ranks, in place
  void sum(std::span<float>);          //
  void broadcast(std::string& bytes);  // from rank 0; receivers' bytes are replaced
  void broadcast(std::span<float>);    // from rank 0; the same size everywhere
  // Starts to add up a tensor over ranks in place; the returned call waits for the end. Sums started one after the
  // other run beside each other and beside sum().
  std::function<void()> sum_later(const at::Tensor&);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace condenser::train
