#include "http/wire_writer.hpp"

#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"

namespace mtc::http {
namespace {

/// Larger answers are written behind their head instead of being copied to it.
constexpr std::size_t kSmallBody = 32 * 1024;

bool may_have_body(int status) { return status >= 200 && status != 204 && status != 304; }

}  // namespace

void WireWriter::demand(State state) const {
  if (state_ != state) throw Error(Code::kInternal, "an answer was written twice or out of order");
}

std::string WireWriter::head_text(int status, const std::string& reason, Headers headers) const {
  if (keep_alive_ == KeepAlive::kNo) headers.set("Connection", "close");
  return fmt::format("HTTP/1.1 {} {}\r\n{}", status, reason.empty() ? reason_phrase(status) : reason,
                     serialize_headers(headers));
}

Task<void> WireWriter::respond(Response response) {
  demand(State::kNothing);
  if (!may_have_body(response.status)) {
    response.body.clear();
  } else if (body_ == Body::kYes || !response.headers.has("Content-Length")) {
    response.headers.set("Content-Length", std::to_string(response.body.size()));
  }
  auto text = head_text(response.status, response.reason, std::move(response.headers));
  state_ = State::kDone;
  if (body_ == Body::kNo) response.body.clear();
  if (response.body.size() <= kSmallBody) text += std::exchange(response.body, {});
  co_await write_within(stream_->get(), text, stall_);
  co_await write_within(stream_->get(), response.body, stall_);
}

Task<void> WireWriter::begin(ResponseHead head) {
  head.headers.remove("Content-Length");
  head.headers.set("Transfer-Encoding", "chunked");
  co_await send_stream_head(std::move(head));
}

Task<void> WireWriter::begin_sized(ResponseHead head, std::uint64_t length) {
  head.headers.set("Content-Length", std::to_string(length));
  left_ = length;
  co_await send_stream_head(std::move(head));
}

Task<void> WireWriter::send_stream_head(ResponseHead head) {
  demand(State::kNothing);
  if (!may_have_body(head.status)) throw Error(Code::kInternal, "a stream was begun with a status that has no body");
  const auto text = head_text(head.status, head.reason, std::move(head.headers));
  state_ = State::kStreaming;
  co_await write_within(stream_->get(), text, stall_);
}

Task<void> WireWriter::write(std::string_view data) {
  demand(State::kStreaming);
  if (data.empty() || body_ == Body::kNo) co_return;  // an empty chunk would end the body
  if (left_) {
    if (data.size() > *left_) throw Error(Code::kInternal, "an answer is longer than was announced");
    *left_ -= data.size();
    co_return co_await write_within(stream_->get(), data, stall_);
  }
  auto chunk = fmt::format("{:x}\r\n", data.size());
  chunk += data;
  chunk += "\r\n";
  co_await write_within(stream_->get(), chunk, stall_);
}

Task<void> WireWriter::end() {
  if (state_ != State::kStreaming) co_return;
  state_ = State::kDone;
  if (body_ == Body::kNo) co_return;
  if (left_.value_or(0) > 0) throw Error(Code::kInternal, "an answer is shorter than was announced");
  if (!left_) co_await write_within(stream_->get(), "0\r\n\r\n", stall_);
}

Task<net::StreamPtr> WireWriter::upgrade(Headers headers) {
  demand(State::kNothing);
  const auto text = fmt::format("HTTP/1.1 101 {}\r\n{}", reason_phrase(101), serialize_headers(headers));
  state_ = State::kUpgraded;
  co_await write_within(stream_->get(), text, stall_);
  co_return net::with_prefix(reader_->take_rest(), std::move(*stream_));
}

}  // namespace mtc::http
