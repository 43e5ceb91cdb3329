#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "base/error.hpp"
#include "volume/channel.hpp"
#include "volume/destination.hpp"
#include "volume/manifest.hpp"
#include "volume/transfer.hpp"

namespace mtc::volume {
namespace {

constexpr std::size_t kMessages = 3;
constexpr std::size_t kOpenBatches = 8;
constexpr std::size_t kHashesAtOnce = 64;
constexpr auto kFarewell = std::chrono::seconds(5);

[[noreturn]] void out_of_turn() { throw Error(Code::kCorrupt, "the sender sent a message out of turn"); }

/// One connection: a task that reads from the network, and one that writes to the disk and answers.
struct ReceiverLane {
  Destination* destination = nullptr;
  Frames* frames = nullptr;
  Channel<Frame> incoming{kMessages};
  std::map<std::uint64_t, Listed> open;
  std::unique_ptr<LargeFile> large;

  const Listed& batch(std::uint64_t number) const {
    const auto found = open.find(number);
    if (found == open.end()) out_of_turn();
    return found->second;
  }
};

Task<void> read_messages(ReceiverLane* lane) {
  for (;;) {
    auto frame = co_await lane->frames->read();
    const bool last = frame.kind == Kind::kLaneDone;
    co_await lane->incoming.push(std::move(frame));
    if (last) co_return;
  }
}

Task<void> on_list(ReceiverLane* lane, Frame frame) {
  if (lane->open.size() >= kOpenBatches) out_of_turn();
  std::uint64_t number = 0;
  auto want = co_await async::offload([&] {
    unpack(frame);
    auto listed = decode_list(frame.payload);
    number = listed.batch.number;
    auto answer = encode_want(number, lane->destination->prepare(listed));
    if (!lane->open.emplace(number, std::move(listed)).second) out_of_turn();
    return answer;
  });
  co_await lane->frames->write(Kind::kWant, std::move(want));
}

Task<void> on_files(ReceiverLane* lane, Frame frame) {
  co_await async::offload([&] {
    unpack(frame);
    Reader from(frame.payload);
    const auto& listed = lane->batch(from.u64());
    lane->destination->store(listed, from.raw(from.left()));
  });
}

/// Opens a large file, and says what is here of it.
Task<void> on_begin(ReceiverLane* lane, Frame frame) {
  if (lane->large) out_of_turn();
  bool compare = false;
  co_await async::offload([&] {
    unpack(frame);
    Reader from(frame.payload);
    const auto& listed = lane->batch(from.u64());
    const auto s = from.u32();
    const auto e = from.u32();
    compare = from.u8() == static_cast<std::uint8_t>(Basis::kChunks);
    if (s >= listed.batch.segments.size() || e >= listed.batch.segments[s].found.size()) out_of_turn();
    const auto& segment = listed.batch.segments[s];
    if (segment.found[e].entry.type != Type::kFile) out_of_turn();
    lane->large = lane->destination->open_large(segment, segment.found[e].entry);
  });
  if (!compare) co_return;
  const auto basis = lane->large->basis();
  const auto chunks = (basis.value_or(0) + kChunk - 1) / kChunk;
  for (std::uint64_t at = 0;; at += kHashesAtOnce) {
    const bool last = at + kHashesAtOnce >= chunks;
    auto hashes = co_await async::offload([&] {
      Writer to;
      to.u8(basis ? 0 : 1).u8(last ? 1 : 0);
      if (basis) to.raw(lane->large->hashes(at, kHashesAtOnce));
      return std::move(to.bytes());
    });
    co_await lane->frames->write(Kind::kHashes, std::move(hashes));
    if (last) co_return;
  }
}

Task<void> on_chunk(ReceiverLane* lane, Frame frame) {
  if (!lane->large) out_of_turn();
  co_await async::offload([&] {
    unpack(frame);
    Reader from(frame.payload);
    const auto offset = from.u64();
    const auto zeros = from.u64();
    const auto data = from.raw(from.left());
    if (offset > INT64_MAX - kMaxFrame || zeros > INT64_MAX - offset) {
      throw Error(Code::kCorrupt, "a chunk lies beyond every file");
    }
    if (zeros > 0) {
      lane->large->zero(offset, zeros);
    } else {
      lane->large->write(offset, data);
    }
  });
}

Task<void> on_end(ReceiverLane* lane, Frame frame) {
  if (!lane->large) out_of_turn();
  co_await async::offload([&] {
    unpack(frame);
    Reader from(frame.payload);
    const auto& listed = lane->batch(from.u64());
    const auto head = decode_file_head(from);
    const auto [s, e] = head.where;
    if (s >= listed.batch.segments.size() || e >= listed.batch.segments[s].found.size() ||
        head.entry.name != listed.batch.segments[s].found[e].entry.name || head.entry.type != Type::kFile) {
      out_of_turn();
    }
    lane->large->finish(head);
    lane->large.reset();
  });
}

Task<void> write_and_answer(ReceiverLane* lane) {
  while (auto frame = co_await lane->incoming.pop()) {
    switch (frame->kind) {
      case Kind::kList: co_await on_list(lane, std::move(*frame)); break;
      case Kind::kFiles: co_await on_files(lane, std::move(*frame)); break;
      case Kind::kBegin: co_await on_begin(lane, std::move(*frame)); break;
      case Kind::kChunk: co_await on_chunk(lane, std::move(*frame)); break;
      case Kind::kEnd: co_await on_end(lane, std::move(*frame)); break;
      case Kind::kBatchDone: lane->open.erase(Reader(frame->payload).u64()); break;
      case Kind::kLaneDone:
        if (!lane->open.empty() || lane->large) out_of_turn();
        co_await lane->frames->write(Kind::kLaneDone, {});
        co_return;
      default: out_of_turn();
    }
  }
}

Task<void> run_lane(Destination* destination, Frames* frames) {
  ReceiverLane lane;
  lane.destination = destination;
  lane.frames = frames;
  std::vector<Task<void>> tasks;
  tasks.push_back(read_messages(&lane));
  tasks.push_back(write_and_answer(&lane));
  co_await async::all(std::move(tasks));
}

/// Tells the sender why, and waits until it hangs up: what we send must not be lost in a reset.
Task<void> say_why(Frames* frames, Code code, std::string message) {
  co_await frames->write(Kind::kFailure, encode_failure(code, message));
  for (;;) co_await frames->read();
}

/// Runs `work`; an Error of ours goes to the sender before it is thrown on.
Task<void> telling(Frames* frames, Task<void> work) {
  std::exception_ptr failure;
  std::optional<std::pair<Code, std::string>> why;
  try {
    co_await std::move(work);
  } catch (const Error& error) {
    failure = std::current_exception();
    why = {error.code(), error.what()};
  }
  if (!why) co_return;
  try {
    co_await async::with_timeout(kFarewell, "say why", say_why(frames, why->first, why->second));
  } catch (const Error&) {
    // The sender has gone, as it should.
  }
  std::rethrow_exception(failure);
}

void merge(Report& into, Report&& from) {
  into.entries += from.entries;
  into.files += from.files;
  into.bytes += from.bytes;
  into.skipped += from.skipped;
  into.deleted += from.deleted;
  into.failed += from.failed;
  into.changed_count += from.changed_count;
  for (auto& each : from.changed) note(into.changed, std::move(each));
  for (auto& each : from.vanished) note(into.vanished, std::move(each));
  for (auto& each : from.failures) note(into.failures, std::move(each));
  for (auto& each : from.not_kept) note(into.not_kept, std::move(each));
}

Task<void> verify(Frames* frames, Destination* destination, std::size_t width, Entry root, Report* report) {
  Manifest manifest;
  co_await read_manifest(&destination->tree(), width, true, &manifest, report);
  Comparison comparison(manifest, *report);
  TreeHash source;
  for (;;) {
    const auto bytes = co_await frames->expect(Kind::kManifest);
    if (bytes.empty()) break;
    co_await async::offload([&] {
      const auto block = decode_block(bytes);
      source.add(block);
      comparison.add(block);
    });
  }
  co_await async::offload([&] {
    comparison.end();
    const auto mine = look_at_open(destination->tree().fd(), "", "").entry;
    if (const auto what = Comparison::difference({root, {}, {}}, {mine, {}, {}}); !what.empty()) {
      ++report->differing;
      note(report->differences, Difference{"", what});
    }
    report->verified = true;
    report->source_root = source.finish(root);
    report->destination_root = comparison.destination_root(mine);
  });
  co_await frames->write(Kind::kVerdict, encode(*report));
}

/// Links, directories, the disk, and the proof: on the first lane, when all of them are through.
Task<void> complete(const Lane* lane, Destination* destination, std::size_t width, Report* report) {
  auto* frames = lane->frames.get();
  for (;;) {
    auto frame = co_await frames->read();
    unpack(frame);
    if (frame.kind == Kind::kLinks) {
      const auto links = decode_links(frame.payload);
      co_await async::offload([&] { destination->link(links); });
      continue;
    }
    if (frame.kind != Kind::kFinish) out_of_turn();
    Reader from(frame.payload);
    const auto root = decode_entry(from);
    if (!root.name.empty()) out_of_turn();
    auto theirs = decode_report(from.raw(from.left()));
    *report = co_await async::offload([&] { return destination->finish(root); });
    merge(*report, std::move(theirs));
    co_await frames->write(Kind::kFinished, encode(*report));
    if (lane->hello.wishes.verify) co_await verify(frames, destination, width, root, report);
    co_return;
  }
}

}  // namespace

Task<Lane> meet(net::StreamPtr stream) {
  Lane lane;
  lane.frames = std::make_unique<Frames>(std::move(stream));
  lane.hello = decode_hello(co_await lane.frames->expect(Kind::kHello));
  co_return lane;
}

Task<Report> receive_tree(std::string root, std::vector<Lane> lanes) {
  if (lanes.empty()) throw Error(Code::kInvalid, "a volume needs at least one connection");
  std::ranges::sort(lanes, {}, [](const Lane& lane) { return lane.hello.lane; });
  std::unique_ptr<Destination> destination;
  auto open = [](std::string at, Wishes wishes, std::unique_ptr<Destination>* into) -> Task<void> {
    *into = co_await async::offload([&] { return std::make_unique<Destination>(at, wishes); });
  };
  co_await telling(lanes.front().frames.get(), open(std::move(root), lanes.front().hello.wishes, &destination));
  for (const auto& lane : lanes) co_await lane.frames->write(Kind::kWelcome, Writer().u32(kProtocol).bytes());
  std::vector<Task<void>> tasks;
  tasks.reserve(lanes.size());
  for (const auto& lane : lanes) {
    tasks.push_back(telling(lane.frames.get(), run_lane(destination.get(), lane.frames.get())));
  }
  co_await async::all(std::move(tasks));
  Report report;
  co_await telling(lanes.front().frames.get(), complete(&lanes.front(), destination.get(), lanes.size(), &report));
  for (const auto& lane : lanes) co_await lane.frames->close();
  co_return report;
}

}  // namespace mtc::volume
