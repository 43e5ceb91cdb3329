#pragma once

#include <exception>

#include <boost/asio/awaitable.hpp>

#include "base/error.hpp"

namespace mtc {

/// A coroutine. Parameters are taken by value; a capturing lambda coroutine needs an explicit object parameter
/// (`[x](this auto) -> Task<void>`), because its captures live in the closure, not in the frame.
///
/// A Task runs on the one event-loop thread of its Runtime, so tasks share plain data without locks as long as no
/// co_await lies between a read and the write that depends on it. Blocking work goes through async::offload.
///
/// Cancellation arrives as an exception that is not an mtc::Error; see async::is_cancellation.
template <typename T>
using Task = boost::asio::awaitable<T>;

namespace async {

/// Throws the cancellation if the calling task was asked to stop. Operations that suspend (reads, writes, sleeps,
/// waits) begin with it; tasks themselves are not interrupted between two awaits, so clean-up code of a cancelled task
/// can still await (a Scope's join).
Task<void> throw_if_cancelled();

/// True if `failure` says that the operation was cancelled, not that it failed.
bool is_cancellation(const std::exception_ptr& failure);

/// The failure that ended one piece of work among many, so that the others can go on: an Error as it is; any other
/// exception is a bug of ours, kInternal with its text. Rethrows a cancellation.
Error as_error(const std::exception_ptr& failure);

}  // namespace async
}  // namespace mtc
