#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "async/task.hpp"
#include "volume/frames.hpp"
#include "volume/progress.hpp"
#include "volume/read_pace.hpp"
#include "volume/report.hpp"
#include "volume/wire.hpp"

namespace mtc::volume {

using FramesPtr = std::unique_ptr<Frames>;

enum class Compression : std::uint8_t {
  kAuto,  ///< if a sample shrinks and the network is the slow part
  kNever,
  kAlways  ///< if a sample shrinks
};

inline constexpr auto kSilence = std::chrono::seconds(60);

/// One run of the sender.
struct SendOptions {
  std::string root;  ///< of the tree; or the device
  Wishes wishes;
  Compression compression = Compression::kAuto;
  bool again = false;            ///< see Hello
  Duration silence = kSilence;   ///< see attended()
  ReadPace* reads = nullptr;     ///< kept if given; outlives the run
  Progress* progress = nullptr;  ///< written to if given; outlives the run
};
/// Makes the receiver's tree equal to `root`, over streams that lead to one receive_tree: the more, the more is done at
/// once. Returns when everything lies on the destination's disk, and was verified if that was wished, here or there.
/// A run that will be repeated (`again`, and something changed) is not verified. Throws the receiver's Error as it is
/// (it names the path), FileError if the root cannot be read, Error(kUnavailable) if a stream breaks or the receiver
/// falls silent: run it again, what has arrived is kept. `lanes` are closed at the end.
Task<Report> send_tree(SendOptions options, std::vector<FramesPtr> lanes);
/// Makes the receiver's block device equal to `root`, which is a block device or a regular file that stands for one, as
/// send_tree does for trees; parts that are the same already do not travel. Errors as there; the receiver's are
/// Error(kInvalid) if its device is smaller.
Task<Report> send_device(SendOptions options, std::vector<FramesPtr> lanes);
/// Tells a receiver, over a fresh stream to it, that the sender gives up and why: its receive_tree throws that.
Task<void> give_up(FramesPtr lane, Code code, std::string why);

/// A stream whose sender said hello.
struct Lane {
  FramesPtr frames;
  Hello hello;
};
/// Waits for the sender's first message, and answers it. Throws as decode_hello.
Task<Lane> meet(net::StreamPtr stream, Welcome welcome = {});

struct ReceiveOptions {
  std::string root;              ///< of the tree; or the device
  Welcome welcome;               ///< what the lanes were welcomed with
  bool allow_losses = false;     ///< what this end cannot keep (owners, attributes, devices) is no difference
  Duration silence = kSilence;   ///< see attended()
  Progress* progress = nullptr;  ///< written to if given; outlives the run
};
struct Received {
  Report report;              ///< the same as the sender gets
  bool acknowledged = false;  ///< the sender has it; else the network broke at the last moment, and it comes again
};
/// Receives a tree; `lanes` are those of one session, all of them. An Error that ends the run is told to the sender
/// first; Error(kUnavailable) says that a stream broke or the sender fell silent.
Task<Received> receive_tree(ReceiveOptions options, std::vector<Lane> lanes);
/// Receives the content of a block device into another one, or into a regular file that stands for one; it must be as
/// large at least, which is checked before anything is written. Bytes beyond the source's size become zeros if extras
/// are to be removed. Errors as receive_tree, kInvalid for a device that is too small or in use.
Task<Received> receive_device(ReceiveOptions options, std::vector<Lane> lanes);

}  // namespace mtc::volume
