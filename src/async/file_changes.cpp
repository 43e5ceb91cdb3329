#include "async/file_changes.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <sys/inotify.h>
#include <unistd.h>
#include <utility>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "base/error.hpp"

namespace mtc::async {

namespace asio = boost::asio;

struct FileChanges::State {
  explicit State(const asio::any_io_executor& executor) : handle(executor) {}

  /// Takes what the kernel has noted down; false if that was nothing.
  bool take() {
    constexpr std::size_t size = 4096;
    alignas(inotify_event) std::array<char, size> notes{};
    bool any = false;
    while (::read(handle.native_handle(), notes.data(), notes.size()) > 0) any = true;
    return any;
  }

  asio::posix::stream_descriptor handle;
};

FileChanges::FileChanges(std::unique_ptr<State> state) : state_(std::move(state)) {}
FileChanges::FileChanges(FileChanges&&) noexcept = default;
FileChanges::~FileChanges() = default;

Task<FileChanges> FileChanges::of(std::string path) {
  auto state = std::make_unique<State>(co_await asio::this_coro::executor);
  const int handle = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (handle >= 0) state->handle.assign(handle);
  if (handle < 0 || inotify_add_watch(handle, path.c_str(), IN_MODIFY) < 0)
    throw Error(Code::kUnavailable, fmt::format("{} cannot be watched: {}", path, std::strerror(errno)));
  co_return FileChanges(std::move(state));
}

Task<void> FileChanges::next() {
  co_await throw_if_cancelled();
  while (!state_->take()) {
    boost::system::error_code failure;
    co_await state_->handle.async_wait(asio::posix::stream_descriptor::wait_read,
                                       asio::redirect_error(asio::use_awaitable, failure));
    if (failure) throw boost::system::system_error(failure);
  }
}

}  // namespace mtc::async
