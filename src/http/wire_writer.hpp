#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "http/server.hpp"
#include "http/wire.hpp"

namespace mtc::http {

/// Writes one answer as HTTP/1.1 to a connection that outlives it.
class WireWriter final : public ResponseWriter {
 public:
  enum class Body { kYes, kNo };       ///< kNo: the answer to HEAD
  enum class KeepAlive { kYes, kNo };  ///< kNo: says so in the head
  /// `stall`: how long the client may take for a piece. `reader` is the connection's: an upgrade takes its rest along.
  WireWriter(net::StreamPtr* stream, WireReader* reader, Body body, KeepAlive keep_alive, Duration stall)
      : stream_(stream), reader_(reader), body_(body), keep_alive_(keep_alive), stall_(stall) {}

  Task<void> respond(Response response) override;
  Task<void> begin(ResponseHead head) override;
  Task<void> begin_sized(ResponseHead head, std::uint64_t length) override;
  Task<void> write(std::string_view data) override;
  Task<void> end() override;
  Task<net::StreamPtr> upgrade(Headers headers) override;

  bool untouched() const { return state_ == State::kNothing; }
  bool upgraded() const { return state_ == State::kUpgraded; }
  KeepAlive keep_alive() const { return keep_alive_; }

 private:
  enum class State { kNothing, kStreaming, kDone, kUpgraded };

  void demand(State state) const;
  Task<void> send_stream_head(ResponseHead head);
  std::string head_text(int status, const std::string& reason, Headers headers) const;

  net::StreamPtr* stream_;
  WireReader* reader_;
  Body body_;
  KeepAlive keep_alive_;
  Duration stall_;
  State state_ = State::kNothing;
  std::optional<std::uint64_t> left_;  ///< of a sized body; absent = chunked
};

}  // namespace mtc::http
