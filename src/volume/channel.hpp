#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

#include "async/wait_list.hpp"

namespace mtc::volume {

/// Hands values from one task to another, at most `capacity` of them waiting. For tasks of one Runtime.
template <typename T>
class Channel {
 public:
  explicit Channel(std::size_t capacity) : capacity_(capacity) {}

  Task<void> push(T value) {
    while (values_.size() >= capacity_) co_await room_.wait();
    values_.push_back(std::move(value));
    filled_.wake_one();
  }
  /// No more values will come.
  void end() {
    ended_ = true;
    filled_.wake_all();
  }
  /// The next value; nothing at the end.
  Task<std::optional<T>> pop() {
    while (values_.empty() && !ended_) co_await filled_.wait();
    if (values_.empty()) co_return std::nullopt;
    std::optional<T> value(std::move(values_.front()));
    values_.pop_front();
    room_.wake_one();
    co_return value;
  }

 private:
  std::size_t capacity_;
  std::deque<T> values_;
  bool ended_ = false;
  async::WaitList filled_;
  async::WaitList room_;
};

}  // namespace mtc::volume
