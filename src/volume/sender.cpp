#include <atomic>
#include <deque>
#include <optional>
#include <utility>

#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "base/error.hpp"
#include "volume/count.hpp"
#include "volume/session.hpp"
#include "volume/source.hpp"

namespace mtc::volume {
namespace {

constexpr std::size_t kAhead = 2;  ///< batches that are listed and not served yet, of one lane
constexpr auto kCountAfter = std::chrono::seconds(2);

/// What the lanes of one run share.
struct Session {
  Session(const SendOptions& asked, bool verifies, Progress* progress)
      : options(asked), verify(verifies), source(asked.root, verifies, asked.reads, progress) {}
  SendOptions options;
  bool verify;
  Source source;
  async::Semaphore turn{1};  // at the scan
  bool scanned = false;
  unsigned looking = 0;  ///< lanes between taking names and having looked at them

  /// The totals are known once nobody will find more.
  void count_if_all_found() {
    if (scanned && looking == 0) source.progress().counted = true;
  }
};

struct SenderLane : Conversation {
  Session* session = nullptr;

  bool packs() const { return Conversation::packs(session->options.compression); }
};

/// The next batch, looked at and listed; nothing at the end of the scan.
Task<std::optional<Unit>> list_next(SenderLane* lane) {
  auto* session = lane->session;
  std::optional<Batch> batch;
  {
    const auto turn = co_await session->turn.acquire();
    if (!session->scanned) batch = co_await async::offload([session] { return session->source.take(); });
    session->scanned = !batch;
    if (batch) ++session->looking;
  }
  if (!batch) {
    session->count_if_all_found();
    co_return std::nullopt;
  }
  const bool packs = lane->packs();
  Frame frame;
  auto unit = co_await async::offload([&] {
    auto looked = session->source.look(std::move(*batch));
    frame = {Kind::kList, encode(looked.batch, looked.links)};
    if (packs) pack(frame);
    return looked;
  });
  --session->looking;
  session->count_if_all_found();
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
    auto buffer = lane->frames->spare();
    auto step = co_await async::offload([&] {
      auto made = file->next(theirs.of(file->chunk()), buffer);
      if (packs && made.frame) pack(*made.frame);
      return made;
    });
    lane->frames->give_back(std::move(buffer));
    co_await source->keep_pace();
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
  source->count_kept(*unit, wants.wanted);
  for (std::size_t at = 0; at < wants.wanted.size();) {
    const auto begun = at;
    const bool packs = lane->packs();
    auto buffer = lane->frames->spare();
    auto frame = co_await async::offload([&] {
      auto read = source->read_small(*unit, wants.wanted, at, std::move(buffer));
      if (packs) pack(read);
      return read;
    });
    co_await source->keep_pace();
    if (at > begun) {
      co_await lane->outgoing.push(std::move(frame));
    } else {
      co_await send_large(lane, unit, wants.wanted[at++]);
    }
  }
  if (source->hashes()) co_await async::offload([&] { source->record(*unit); });
  co_await source->keep_pace();
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
  tasks.push_back(write_outgoing(&lane));
  tasks.push_back(read_and_serve(&lane));
  co_await async::all(std::move(tasks));
}

Task<void> send_links(Frames* frames, const std::vector<Link>* links) {
  constexpr std::size_t kAtOnce = 500;
  for (std::size_t at = 0; at < links->size(); at += kAtOnce) {
    const auto end = std::min(links->size(), at + kAtOnce);
    co_await frames->write(Kind::kLinks, encode(std::vector<Link>(links->begin() + static_cast<std::ptrdiff_t>(at),
                                                                  links->begin() + static_cast<std::ptrdiff_t>(end))));
  }
}

Task<void> send_manifest(Frames* frames, Source* source, TreeHash* hash) {
  source->manifest().seal();
  while (auto blocks = co_await async::offload([source] { return source->manifest().next(); })) {
    for (const auto& block : *blocks) {
      hash->add(block);
      co_await frames->write(Kind::kManifest, encode(block));
    }
  }
  co_await frames->write(Kind::kManifest, {});
}

Task<void> hear_verdict(Frames* frames, Report* into) {
  *into = decode_report(co_await frames->expect(Kind::kVerdict));
}

Task<Report> verify(Frames* frames, Source* source, Entry root) {
  source->progress().stage = Stage::kVerifying;
  TreeHash hash;
  Report report;
  std::vector<Task<void>>
      both;  // The receiver reads its disk first: it is listened to while the manifest waits for it.
  both.push_back(send_manifest(frames, source, &hash));
  both.push_back(hear_verdict(frames, &report));
  co_await async::all(std::move(both));
  // Ours is the one that counts: the peer only says what it read.
  report.source_root = hash.finish(root);
  co_return report;
}

/// A run that takes longer wants to say how far it is: the tree is counted ahead of the scan, which goes at the pace of
/// the network.
Task<void> count_ahead(const Source* source, Progress* progress, const std::atomic<bool>* stop) {
  co_await async::sleep_for(kCountAfter);
  co_await async::offload([=] { count_tree(source->tree(), *progress, *stop); });
}

Task<void> counting_ahead(Session* session, Task<void> work) {
  std::atomic<bool> stop = false;
  auto scope = co_await async::Scope::create();
  scope.spawn_isolated(count_ahead(&session->source, &session->source.progress(), &stop), [](const auto&) {
    // Then nobody is told how far it is; what cannot be read the scan will name.
  });
  std::exception_ptr failure;
  try {
    co_await std::move(work);
  } catch (...) {  // The count stops first.
    failure = std::current_exception();
  }
  stop = true;
  co_await scope.cancel_and_join();
  if (failure) std::rethrow_exception(failure);
}

Task<void> run(Session* session, const std::vector<FramesPtr>* lanes, Report* into) {
  std::vector<Task<void>> tasks;
  for (const auto& lane : *lanes) tasks.push_back(run_lane(session, lane.get()));
  co_await async::all(std::move(tasks));

  auto* first = lanes->front().get();
  auto* source = &session->source;
  co_await send_links(first, &source->links());
  Finish finish;
  finish.root = co_await async::offload([source] { return source->root_entry(); });
  finish.report = source->report();
  const bool comes_again = session->options.again && finish.report.unsettled() > 0;
  finish.verify = session->verify && !comes_again;
  co_await first->write(Kind::kFinish, encode(finish));
  *into = decode_report(co_await first->expect(Kind::kFinished));
  if (finish.verify) *into = co_await verify(first, source, std::move(finish.root));
  into->lenient = session->options.wishes.lenient;
  co_await first->write(Kind::kLaneDone, {});
}

}  // namespace

Task<Report> send_tree(SendOptions options, std::vector<FramesPtr> lanes) {
  if (lanes.empty()) throw Error(Code::kInvalid, "a volume needs at least one connection");
  const auto welcome = co_await greet_all(&lanes, {.again = options.again, .wishes = options.wishes});
  Progress own;
  auto* progress = options.progress != nullptr ? options.progress : &own;
  progress->begin();
  auto session = co_await async::offload(
      [&] { return std::make_unique<Session>(options, options.wishes.verify || welcome.verify, progress); });
  std::vector<Frames*> all;
  all.reserve(lanes.size());
  for (const auto& lane : lanes) all.push_back(lane.get());
  Report report;
  co_await attended(std::move(all), options.silence,
                    counting_ahead(session.get(), run(session.get(), &lanes, &report)));
  for (const auto& lane : lanes) co_await lane->close();
  co_return report;
}

}  // namespace mtc::volume
