#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "base/error.hpp"
#include "volume/destination.hpp"
#include "volume/manifest.hpp"
#include "volume/session.hpp"

namespace mtc::volume {
namespace {

constexpr std::size_t kOpenBatches = 8;
constexpr std::size_t kHashesAtOnce = 64;

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
  lane->frames->give_back(std::move(frame.payload));
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
  lane->frames->give_back(std::move(frame.payload));
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
  tasks.push_back(read_until_done(frames, &lane.incoming));
  tasks.push_back(write_and_answer(&lane));
  co_await async::all(std::move(tasks));
}

void merge(Report& into, Report&& from) {
  into.entries += from.entries;
  into.files += from.files;
  into.bytes += from.bytes;
  into.skipped += from.skipped;
  into.deleted += from.deleted;
  into.failed += from.failed;
  into.changed_count += from.changed_count;
  into.vanished_count += from.vanished_count;
  for (auto& each : from.changed) note(into.changed, std::move(each));
  for (auto& each : from.vanished) note(into.vanished, std::move(each));
  for (auto& each : from.failures) note(into.failures, std::move(each));
  for (const auto& each : from.losses) into.lose(each.what, each.count, each.path);
}

/// What may differ: in a rehearsal all that changed meanwhile, and what this end cannot keep if that is allowed.
Leniency leniency_of(const ReceiveOptions& options, const Wishes& wishes, const Report& report) {
  Leniency leniency;
  leniency.losses = options.allow_losses || wishes.lenient;
  if (!wishes.lenient) return leniency;
  leniency.anything = report.changed.size() + report.vanished.size() < report.unsettled();
  for (const auto* list : {&report.changed, &report.vanished}) {
    for (const auto& each : *list) leniency.changed.insert(each.path);
  }
  return leniency;
}

struct Run : Receiving {
  using Receiving::Receiving;
  std::unique_ptr<Destination> destination;
};

Task<void> verify(Run* run, Entry root) {
  auto* frames = run->first();
  auto* report = &run->received.report;
  const auto* destination = run->destination.get();
  run->progress()->stage = Stage::kVerifying;
  Manifest manifest;
  co_await read_manifest(&destination->tree(), run->lanes.size(), true, &manifest, report, run->progress());
  Comparison comparison(manifest, *report, leniency_of(run->options, run->hello().wishes, *report));
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
    comparison.compare({root, {}, {}}, {mine, {}, {}}, "");
    report->verified = true;
    report->source_root = source.finish(root);
    report->destination_root = comparison.destination_root(mine);
  });
  co_await frames->write(Kind::kVerdict, encode(*report));
}

/// Links, directories, the disk, and the proof: on the first lane, when all of them are through.
Task<void> complete(Run* run) {
  auto* frames = run->first();
  auto* destination = run->destination.get();
  for (;;) {
    auto frame = co_await frames->read();
    unpack(frame);
    if (frame.kind == Kind::kLinks) {
      const auto links = decode_links(frame.payload);
      co_await async::offload([&] { destination->link(links); });
      continue;
    }
    if (frame.kind != Kind::kFinish) out_of_turn();
    auto finish = decode_finish(frame.payload);
    auto& report = run->received.report;
    report = co_await async::offload([&] { return destination->finish(finish.root); });
    merge(report, std::move(finish.report));
    report.lenient = run->hello().wishes.lenient;
    const bool comes_again = run->hello().again && report.unsettled() > 0;
    if (run->options.welcome.verify && !finish.verify && !comes_again) out_of_turn();
    co_await frames->write(Kind::kFinished, encode(report));
    if (finish.verify) co_await verify(run, std::move(finish.root));
    co_return;
  }
}

Task<void> open_destination(Run* run) {
  if (run->hello().device > 0) {
    throw Error(Code::kInvalid, "the sender sends a block device, and this end is a file tree");
  }
  run->destination = co_await async::offload(
      [run] { return std::make_unique<Destination>(run->options.root, run->hello().wishes, run->progress()); });
}

Task<void> receive_all(Run* run) {
  run->progress()->begin();
  co_await telling(run->first(), open_destination(run));
  std::vector<Task<void>> tasks;
  tasks.reserve(run->lanes.size());
  for (const auto& lane : run->lanes) {
    tasks.push_back(telling(lane.frames.get(), run_lane(run->destination.get(), lane.frames.get())));
  }
  co_await async::all(std::move(tasks));
  co_await telling(run->first(), complete(run));
  run->received.acknowledged = co_await part(run->first());
}

}  // namespace

Task<Received> receive_tree(ReceiveOptions options, std::vector<Lane> lanes) {
  const auto run = std::make_unique<Run>(std::move(options), std::move(lanes));
  co_return co_await receive(run.get(), receive_all(run.get()));
}

}  // namespace mtc::volume
