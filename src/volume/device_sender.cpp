#include <deque>
#include <optional>
#include <utility>

#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "base/error.hpp"
#include "base/hash.hpp"
#include "volume/device.hpp"
#include "volume/file_io.hpp"
#include "volume/session.hpp"

namespace mtc::volume {
namespace {

constexpr std::size_t kAhead = 2;             ///< extents that the receiver hashes while we send others, of one lane
constexpr std::size_t kDigestsAtOnce = 4096;  ///< of one message

/// What the lanes of one run share.
struct Sending {
  SendOptions options;
  bool verify = false;
  std::unique_ptr<Device> device;
  Progress* progress = nullptr;
  std::uint64_t next = 0;            ///< the extent that nobody has taken
  std::vector<std::string> digests;  ///< of the extents, if the run is verified
  Report report;
};

struct DeviceLane : Conversation {
  Sending* sending = nullptr;
};

/// The message for what stands at `at`; nothing if the receiver has the same.
std::optional<Frame> read_chunk(const Sending& sending, Extent at, std::string_view theirs, std::string& buffer,
                                std::optional<Sha256>& digest) {
  Writer to(std::move(buffer));
  to.u64(at.offset).u64(0);
  const auto data = sending.device->read(to.bytes(), at.offset, at.size);
  if (digest) digest->update(data);
  const bool same = theirs == quick_hash(data);
  if (!same && !all_zero(data)) return Frame{Kind::kChunk, std::move(to.bytes())};
  buffer = std::move(to.bytes());
  if (same) return std::nullopt;
  return Frame{Kind::kChunk, std::move(Writer().u64(at.offset).u64(at.size).bytes())};
}

Task<void> send_extent(DeviceLane* lane, std::uint64_t number) {
  auto* sending = lane->sending;
  const auto extent = extent_at(number, sending->device->size());
  const auto hashes = co_await answer(lane, Kind::kHashes);
  if (hashes.size() != (extent.size + kChunk - 1) / kChunk * 16) {
    throw Error(Code::kCorrupt, "the receiver answered out of turn");
  }
  std::optional<Sha256> digest;
  if (sending->verify) digest.emplace();
  const bool packs = lane->packs(sending->options.compression);
  for (std::uint64_t done = 0; done < extent.size; done += kChunk) {
    const Extent at{extent.offset + done, std::min<std::uint64_t>(kChunk, extent.size - done)};
    const auto theirs = std::string_view(hashes).substr(done / kChunk * 16, 16);
    auto buffer = lane->frames->spare();
    auto frame = co_await async::offload([&] {
      auto made = read_chunk(*sending, at, theirs, buffer, digest);
      if (packs && made) pack(*made);
      return made;
    });
    lane->frames->give_back(std::move(buffer));
    if (auto* reads = sending->options.reads) {
      reads->count(at.size);
      co_await reads->keep();
    }
    sending->progress->settle(0, at.size);
    if (!frame) continue;
    sending->progress->move(at.size);
    sending->report.bytes += at.size;
    co_await lane->outgoing.push(std::move(*frame));
  }
  if (digest) sending->digests[number] = digest->finish();
}

Task<void> read_and_send(DeviceLane* lane) {
  auto* sending = lane->sending;
  const auto size = sending->device->size();
  std::deque<std::uint64_t> open;
  for (;;) {
    if (open.size() < kAhead && sending->next < extents_of(size)) {
      open.push_back(sending->next++);
      co_await lane->outgoing.push({Kind::kExtent, encode(extent_at(open.back(), size))});
      continue;
    }
    if (open.empty()) break;
    co_await send_extent(lane, open.front());
    open.pop_front();
  }
  co_await lane->outgoing.push({Kind::kLaneDone, {}});
  co_await answer(lane, Kind::kLaneDone);
  lane->outgoing.end();
}

Task<void> run_lane(Sending* sending, Frames* frames) {
  DeviceLane lane;
  lane.sending = sending;
  lane.frames = frames;
  std::vector<Task<void>> tasks;
  tasks.push_back(read_answers(&lane));
  tasks.push_back(write_outgoing(&lane));
  tasks.push_back(read_and_send(&lane));
  co_await async::all(std::move(tasks));
}

Task<Report> verify(Frames* frames, Sending* sending) {
  sending->progress->stage = Stage::kVerifying;
  std::string all;
  for (std::size_t at = 0; at < sending->digests.size(); at += kDigestsAtOnce) {
    std::string some;
    for (auto i = at; i < std::min(at + kDigestsAtOnce, sending->digests.size()); ++i) some += sending->digests[i];
    all += some;
    co_await frames->write(Kind::kManifest, std::move(some));
  }
  co_await frames->write(Kind::kManifest, {});
  auto report = decode_report(co_await frames->expect(Kind::kVerdict));
  // Ours is the one that counts: the peer only says what it read.
  report.source_root = device_root(sending->device->size(), all);
  co_return report;
}

Task<void> open_device(Sending* sending, std::string path) {
  try {
    sending->device = co_await async::offload([&] { return std::make_unique<Device>(path, Device::Access::kRead); });
  } catch (const Error&) {
    sending->progress->begin();  // The connections stand: this is no failure of the network.
    throw;
  }
}

Task<void> run(Sending* sending, const std::vector<FramesPtr>* lanes, Report* into) {
  const auto watch = co_await async::offload([sending] { return DeviceWatch(*sending->device); });
  std::vector<Task<void>> tasks;
  for (const auto& lane : *lanes) tasks.push_back(run_lane(sending, lane.get()));
  co_await async::all(std::move(tasks));
  co_await async::offload([&] { watch.note_writes(sending->report); });

  auto* first = lanes->front().get();
  DeviceEnd end;
  end.report = sending->report;
  const bool comes_again = sending->options.again && end.report.unsettled() > 0;
  end.verify = sending->verify && !comes_again;
  co_await first->write(Kind::kDeviceEnd, encode(end));
  *into = decode_report(co_await first->expect(Kind::kFinished));
  if (end.verify) *into = co_await verify(first, sending);
  into->lenient = sending->options.wishes.lenient;
  sending->progress->settle(1, 0);
  co_await first->write(Kind::kLaneDone, {});
}

}  // namespace

Task<Report> send_device(SendOptions options, std::vector<FramesPtr> lanes) {
  if (lanes.empty()) throw Error(Code::kInvalid, "a volume needs at least one connection");
  Progress own;
  Sending sending;
  sending.progress = options.progress != nullptr ? options.progress : &own;
  co_await open_device(&sending, options.root);
  const auto size = sending.device->size();
  const auto welcome = co_await greet_all(&lanes, {.again = options.again, .wishes = options.wishes, .device = size});
  sending.progress->begin();
  sending.progress->found(1, size);
  sending.progress->counted = true;
  sending.verify = options.wishes.verify || welcome.verify;
  if (sending.verify) sending.digests.resize(extents_of(size));
  sending.report.entries = 1;
  sending.options = std::move(options);
  std::vector<Frames*> all;
  all.reserve(lanes.size());
  for (const auto& lane : lanes) all.push_back(lane.get());
  Report report;
  co_await attended(std::move(all), sending.options.silence, run(&sending, &lanes, &report));
  for (const auto& lane : lanes) co_await lane->close();
  co_return report;
}

}  // namespace mtc::volume
