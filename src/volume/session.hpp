#pragma once

#include <cstddef>
#include <vector>

#include "volume/channel.hpp"
#include "volume/transfer.hpp"

namespace mtc::volume {

// What the two ends of a run have in common, whether a tree travels or a device.

/// Messages that a lane's disk may be ahead of its network, or behind it.
inline constexpr std::size_t kMessages = 3;

/// One connection of a sender: a task that reads the disk fills `outgoing`, one writes that to the network, and one
/// reads the answers. Of those there are two streams: the receiver answers the lists that are sent ahead before it sees
/// the large file that is being served, whose hashes come then.
struct Conversation {
  Frames* frames = nullptr;
  Channel<Frame> outgoing{kMessages};
  Channel<Frame> hashes{100'000};  ///< enough for those of the largest file that is compared (kLargestBasis)
  Channel<Frame> answers{16};      ///< of all other kinds: more than the messages that are sent ahead

  /// Whether what goes out is to be compressed.
  bool packs(Compression how) const {
    return how == Compression::kAlways || (how == Compression::kAuto && frames->slow());
  }
};

/// Writes `outgoing` until it ends.
Task<void> write_outgoing(Conversation* with);
/// Reads messages into a channel, up to kLaneDone, which is the last.
Task<void> read_until_done(Frames* frames, Channel<Frame>* into);
/// The same for the answers of a receiver.
Task<void> read_answers(Conversation* with);
/// The payload of the receiver's next answer, of its stream. Throws Error(kCorrupt) if it is of another kind.
Task<std::string> answer(Conversation* with, Kind kind);

/// Greets the receiver on all lanes as one new session; `hello` says everything but which session and lane. Returns
/// what the receiver says.
Task<Welcome> greet_all(const std::vector<FramesPtr>* lanes, Hello hello);

/// A receiver's run: what its phases share.
struct Receiving {
  /// Throws Error(kInvalid) if there are no lanes.
  Receiving(ReceiveOptions with, std::vector<Lane> of_session);

  ReceiveOptions options;
  std::vector<Lane> lanes;  ///< by their numbers
  Progress own_progress;
  Received received;

  Progress* progress() { return options.progress != nullptr ? options.progress : &own_progress; }
  Frames* first() const { return lanes.front().frames.get(); }
  const Hello& hello() const { return lanes.front().hello; }
};
/// Carries out the `work` of a run, watched, and closes its lanes. Throws as receive_tree.
Task<Received> receive(Receiving* run, Task<void> work);
/// A message came that nobody waits for here: throws Error(kCorrupt).
[[noreturn]] void out_of_turn();

/// Runs a part of the receiver's `work`; an Error of ours goes to the sender before it is thrown on.
Task<void> telling(Frames* frames, Task<void> work);
/// Waits until the sender has the report: whoever closes first may destroy what is still on its way. False if it never
/// said so.
Task<bool> part(Frames* frames);

}  // namespace mtc::volume
