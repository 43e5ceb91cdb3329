#include <deque>
#include <optional>
#include <utility>

#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/rng.hpp"
#include "volume/channel.hpp"
#include "volume/source.hpp"
#include "volume/transfer.hpp"

namespace mtc::volume {
namespace {

constexpr std::size_t kAhead = 2;          ///< batches that are listed and not served yet, of one lane
constexpr std::size_t kMessages = 3;       ///< messages that wait for the network, of one lane
constexpr std::size_t kAnswers = 100'000;  ///< enough for the hashes of the largest basis (kLargestBasis)

/// What the lanes of one run share.
struct Session {
  explicit Session(const SendOptions& asked) : options(asked), source(asked.root, asked.wishes.verify), turn(1) {}
  SendOptions options;
  Source source;
  async::Semaphore turn;  // at the scan
  bool scanned = false;
};

/// One connection: a task that reads the disk, one that writes to the network, one that reads the answers.
struct SenderLane {
  Session* session = nullptr;
  Frames* frames = nullptr;
  Channel<Frame> outgoing{kMessages};
  Channel<Frame> answers{kAnswers};

  bool packs() const {
    const auto how = session->options.compression;
    return how == Compression::kAlways || (how == Compression::kAuto && frames->slow());
  }
};

Task<void> write_messages(SenderLane* lane) {
  while (auto frame = co_await lane->outgoing.pop()) co_await lane->frames->write(std::move(*frame));
}

Task<void> read_answers(SenderLane* lane) {
  for (;;) {
    auto frame = co_await lane->frames->read();
    const bool last = frame.kind == Kind::kLaneDone;
    co_await lane->answers.push(std::move(frame));
    if (last) co_return;
  }
}

Task<std::string> answer(SenderLane* lane, Kind kind) {
  auto frame = co_await lane->answers.pop();
  if (!frame || frame->kind != kind) throw Error(Code::kCorrupt, "the receiver answered out of turn");
  unpack(*frame);
  co_return std::move(frame->payload);
}

/// The next batch, looked at and listed; nothing at the end of the scan.
Task<std::optional<Unit>> list_next(SenderLane* lane) {
  auto* session = lane->session;
  std::optional<Batch> batch;
  {
    const auto turn = co_await session->turn.acquire();
    if (!session->scanned) batch = co_await async::offload([session] { return session->source.take(); });
    session->scanned = !batch;
  }
  if (!batch) co_return std::nullopt;
  const bool packs = lane->packs();
  Frame frame;
  auto unit = co_await async::offload([&] {
    auto looked = session->source.look(std::move(*batch));
    frame = {Kind::kList, encode(looked.batch, looked.links)};
    if (packs) pack(frame);
    return looked;
  });
  co_await lane->outgoing.push(std::move(frame));
  co_return unit;
}

/// The hashes of what the receiver has of one large file, as they come.
struct Theirs {
  std::string hashes;
  bool complete = true;
  bool refused = false;

  std::string_view of(std::uint64_t chunk) const {
    if (hashes.size() < (chunk + 1) * 16) return {};
    return std::string_view(hashes).substr(chunk * 16, 16);
  }
};

Task<void> hear_until(SenderLane* lane, Theirs* theirs, std::uint64_t chunk) {
  while (!theirs->complete && theirs->hashes.size() < (chunk + 1) * 16) {
    const auto bytes = co_await answer(lane, Kind::kHashes);
    Reader from(bytes);
    theirs->refused = from.u8() != 0;
    theirs->complete = from.u8() != 0;
    theirs->hashes += from.raw(from.left());
  }
}

Task<void> send_large(SenderLane* lane, Unit* unit, Wanted wanted) {
  Writer begin;
  begin.u64(unit->batch.number).u32(wanted.where.segment).u32(wanted.where.entry);
  begin.u8(static_cast<std::uint8_t>(wanted.basis));
  co_await lane->outgoing.push({Kind::kBegin, std::move(begin.bytes())});
  Theirs theirs;
  theirs.complete = wanted.basis != Basis::kChunks;
  auto* source = &lane->session->source;
  auto file = co_await async::offload([&] { return std::make_unique<LargeSource>(*source, *unit, wanted.where); });
  for (;;) {
    co_await hear_until(lane, &theirs, file->chunk());
    if (theirs.refused) break;
    const bool packs = lane->packs();
    auto step = co_await async::offload([&] {
      auto made = file->next(theirs.of(file->chunk()));
      if (packs && made.frame) pack(*made.frame);
      return made;
    });
    if (step.frame) co_await lane->outgoing.push(std::move(*step.frame));
    if (step.end) break;
  }
  co_await hear_until(lane, &theirs, UINT64_MAX / 16 - 1);  // Ours may be shorter than theirs.
  Writer end;
  end.u64(unit->batch.number);
  encode(end, co_await async::offload([&] { return file->finish(); }));
  co_await lane->outgoing.push({Kind::kEnd, std::move(end.bytes())});
}

/// Checks what the receiver asks for against what was listed.
void check(const Unit& unit, const Wants& wants) {
  const auto& segments = unit.batch.segments;
  for (const auto& each : wants.wanted) {
    const auto [s, e] = each.where;
    const bool listed = s < segments.size() && e < segments[s].found.size();
    if (!listed || segments[s].found[e].entry.type != Type::kFile || unit.links[s][e]) {
      throw Error(Code::kCorrupt, "the receiver asked for what was not offered");
    }
  }
  if (wants.batch != unit.batch.number) throw Error(Code::kCorrupt, "the receiver answered out of turn");
}

Task<void> serve(SenderLane* lane, Unit* unit) {
  const auto wants = decode_want(co_await answer(lane, Kind::kWant));
  check(*unit, wants);
  auto* source = &lane->session->source;
  for (std::size_t at = 0; at < wants.wanted.size();) {
    const auto begun = at;
    const bool packs = lane->packs();
    auto frame = co_await async::offload([&] {
      auto read = source->read_small(*unit, wants.wanted, at);
      if (packs) pack(read);
      return read;
    });
    if (at > begun) {
      co_await lane->outgoing.push(std::move(frame));
    } else {
      co_await send_large(lane, unit, wants.wanted[at++]);
    }
  }
  if (source->hashes()) co_await async::offload([&] { source->record(*unit); });
  co_await lane->outgoing.push({Kind::kBatchDone, std::move(Writer().u64(unit->batch.number).bytes())});
}

Task<void> read_and_serve(SenderLane* lane) {
  std::deque<Unit> open;
  for (bool more = true; more || !open.empty();) {
    if (more && open.size() < kAhead) {
      auto unit = co_await list_next(lane);
      more = unit.has_value();
      if (unit) open.push_back(std::move(*unit));
      continue;
    }
    co_await serve(lane, &open.front());
    open.pop_front();
  }
  co_await lane->outgoing.push({Kind::kLaneDone, {}});
  co_await answer(lane, Kind::kLaneDone);
  lane->outgoing.end();
}

Task<void> run_lane(Session* session, Frames* frames) {
  SenderLane lane;
  lane.session = session;
  lane.frames = frames;
  std::vector<Task<void>> tasks;
  tasks.push_back(read_answers(&lane));
  tasks.push_back(write_messages(&lane));
  tasks.push_back(read_and_serve(&lane));
  co_await async::all(std::move(tasks));
}

Task<void> greet(Frames* frames, Hello hello) {
  co_await frames->write(Kind::kHello, encode(hello));
  co_await frames->expect(Kind::kWelcome);
}

Task<void> send_links(Frames* frames, const std::vector<Link>* links) {
  constexpr std::size_t kAtOnce = 500;
  for (std::size_t at = 0; at < links->size(); at += kAtOnce) {
    const auto end = std::min(links->size(), at + kAtOnce);
    co_await frames->write(Kind::kLinks, encode(std::vector<Link>(links->begin() + static_cast<std::ptrdiff_t>(at),
                                                                  links->begin() + static_cast<std::ptrdiff_t>(end))));
  }
}

Task<Report> verify(Frames* frames, Source* source, Entry root) {
  source->manifest().seal();
  TreeHash hash;
  while (auto blocks = co_await async::offload([source] { return source->manifest().next(); })) {
    for (const auto& block : *blocks) {
      hash.add(block);
      co_await frames->write(Kind::kManifest, encode(block));
    }
  }
  co_await frames->write(Kind::kManifest, {});
  auto report = decode_report(co_await frames->expect(Kind::kVerdict));
  // Ours is the one that counts: the peer only says what it read.
  report.source_root = hash.finish(root);
  co_return report;
}

Task<Report> run(Session* session, const std::vector<FramesPtr>* lanes) {
  std::string id;
  while (id.size() < 16) id += Writer().u64(system_rng().next()).bytes();
  std::vector<Task<void>> tasks;
  for (std::uint32_t i = 0; i < lanes->size(); ++i) {
    const auto count = static_cast<std::uint32_t>(lanes->size());
    tasks.push_back(greet((*lanes)[i].get(), {id, i, count, session->options.again, session->options.wishes}));
  }
  co_await async::all(std::move(tasks));
  tasks.clear();
  for (const auto& lane : *lanes) tasks.push_back(run_lane(session, lane.get()));
  co_await async::all(std::move(tasks));

  auto* first = lanes->front().get();
  auto* source = &session->source;
  co_await send_links(first, &source->links());
  const auto root = co_await async::offload([source] { return source->root_entry(); });
  Writer finish;
  encode(finish, root);
  finish.raw(encode(source->report()));
  co_await first->write(Kind::kFinish, std::move(finish.bytes()));
  auto report = decode_report(co_await first->expect(Kind::kFinished));
  if (session->options.wishes.verify) report = co_await verify(first, source, root);
  co_return report;
}

}  // namespace

Task<Report> send_tree(SendOptions options, std::vector<FramesPtr> lanes) {
  if (lanes.empty()) throw Error(Code::kInvalid, "a volume needs at least one connection");
  auto session = co_await async::offload([&] { return std::make_unique<Session>(options); });
  auto report = co_await run(session.get(), &lanes);
  for (const auto& lane : lanes) co_await lane->close();
  co_return report;
}

}  // namespace mtc::volume
