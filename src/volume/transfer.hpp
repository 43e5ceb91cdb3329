#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "async/task.hpp"
#include "volume/frames.hpp"
#include "volume/report.hpp"
#include "volume/wire.hpp"

namespace mtc::volume {

using FramesPtr = std::unique_ptr<Frames>;

enum class Compression : std::uint8_t {
  kAuto,  ///< if a sample shrinks and the network is the slow part
  kNever,
  kAlways  ///< if a sample shrinks
};

/// One run of the sender.
struct SendOptions {
  std::string root;
  Wishes wishes;
  Compression compression = Compression::kAuto;
  bool again = false;  ///< see Hello
};
/// Makes the receiver's tree equal to `root`, over streams that lead to one receive_tree: the more, the more is done at
/// once. Returns when everything lies on the destination's disk, and was verified if that was wished. Throws the
/// receiver's Error as it is (it names the path), FileError if the root cannot be read, Error(kUnavailable) if a stream
/// breaks: run it again, what has arrived is kept. `lanes` are closed at the end.
Task<Report> send_tree(SendOptions options, std::vector<FramesPtr> lanes);

/// A stream whose sender said hello.
struct Lane {
  FramesPtr frames;
  Hello hello;
};
/// Waits for the sender's first message. Throws as decode_hello.
Task<Lane> meet(net::StreamPtr stream);
/// Receives into `root`; `lanes` are those of one session, all of them. Returns the same report as the sender gets. An
/// Error that ends the run is told to the sender first.
Task<Report> receive_tree(std::string root, std::vector<Lane> lanes);

}  // namespace mtc::volume
