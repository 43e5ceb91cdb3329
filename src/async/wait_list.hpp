#pragma once

#include <functional>
#include <list>
#include <memory>

#include "async/task.hpp"

namespace mtc::async {

/// Tasks that wait to be woken: what Event, Semaphore and Scope are made of. For tasks of one Runtime.
class WaitList {
 public:
  enum class OnCancel {
    kThrow,  ///< a cancelled waiter is woken and throws the cancellation
    kKeep,   ///< a cancelled waiter calls the list's cancel hook and goes on waiting
  };

  WaitList();
  ~WaitList();
  WaitList(const WaitList&) = delete;
  WaitList& operator=(const WaitList&) = delete;

  /// Suspends until woken. With kKeep, `hook` is called if the waiting task is cancelled, also if it was before.
  Task<void> wait(OnCancel on_cancel = OnCancel::kThrow, std::function<void()> hook = {});
  /// Returns false if nobody waits.
  bool wake_one();
  void wake_all();

 private:
  struct Waiter;
  std::shared_ptr<std::list<std::shared_ptr<Waiter>>> waiters_;
};

}  // namespace mtc::async
