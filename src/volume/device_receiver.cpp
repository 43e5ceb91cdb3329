#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "async/runtime.hpp"
#include "async/scope.hpp"
#include "base/error.hpp"
#include "volume/device.hpp"
#include "volume/file_error.hpp"
#include "volume/file_io.hpp"
#include "volume/session.hpp"

namespace mtc::volume {
namespace {

constexpr std::size_t kDigest = 32;

struct DeviceRun : Receiving {
  using Receiving::Receiving;
  std::unique_ptr<Device> device;
  std::uint64_t written = 0;  ///< bytes of the source's content

  std::uint64_t size() const { return hello().device; }  ///< the source's
};

/// Opens the device; it must hold the source's before anything is written.
Task<void> open_device(DeviceRun* run) {
  if (run->size() == 0) {
    co_await run->first()->read();  // A sender that gives up says why.
    throw Error(Code::kInvalid, "the sender sends a file tree, and this end is a block device");
  }
  run->device = co_await async::offload([run] { return open_target(run->options.root, run->size()); });
}

Task<void> on_extent(DeviceRun* run, Frames* frames, Frame frame) {
  auto hashes = co_await async::offload([&] {
    unpack(frame);
    const auto extent = decode_extent(frame.payload, run->size());
    std::string out;
    thread_local std::string chunk;
    for (std::uint64_t done = 0; done < extent.size; done += kChunk) {
      chunk.clear();
      const auto size = std::min<std::uint64_t>(kChunk, extent.size - done);
      out += quick_hash(run->device->read(chunk, extent.offset + done, size));
    }
    return out;
  });
  co_await frames->write(Kind::kHashes, std::move(hashes));
}

Task<void> on_chunk(DeviceRun* run, Frames* frames, Frame frame) {
  std::uint64_t size = 0;
  co_await async::offload([&] {
    unpack(frame);
    Reader from(frame.payload);
    const auto offset = from.u64();
    const auto zeros = from.u64();
    const auto data = from.raw(from.left());
    size = zeros > 0 ? zeros : data.size();
    if (size == 0 || size > kChunk || offset > run->size() || size > run->size() - offset ||
        (zeros > 0 && !data.empty())) {
      throw Error(Code::kCorrupt, "a chunk lies beyond the device");
    }
    if (zeros > 0) {
      run->device->zero(offset, zeros);
    } else {
      run->device->write(offset, data);
    }
  });
  run->written += size;
  run->progress()->settle(0, size);
  run->progress()->move(size);
  frames->give_back(std::move(frame.payload));
}

Task<void> write_and_answer(DeviceRun* run, Frames* frames, Channel<Frame>* incoming) {
  while (auto frame = co_await incoming->pop()) {
    switch (frame->kind) {
      case Kind::kExtent: co_await on_extent(run, frames, std::move(*frame)); break;
      case Kind::kChunk: co_await on_chunk(run, frames, std::move(*frame)); break;
      case Kind::kLaneDone: co_await frames->write(Kind::kLaneDone, {}); co_return;
      default: out_of_turn();
    }
  }
}

Task<void> run_lane(DeviceRun* run, Frames* frames) {
  Channel<Frame> incoming(kMessages);
  std::vector<Task<void>> tasks;
  tasks.push_back(read_until_done(frames, &incoming));
  tasks.push_back(write_and_answer(run, frames, &incoming));
  co_await async::all(std::move(tasks));
}

Task<void> read_back(DeviceRun* run, std::uint64_t* next, std::vector<std::string>* digests) {
  while (*next < digests->size()) {
    const auto number = (*next)++;
    auto digest =
        co_await async::offload([&] { return run->device->digest_from_disk(extent_at(number, run->size())); });
    (*digests)[number] = std::move(digest);
  }
}

Task<std::string> hear_digests(Frames* frames, std::size_t count) {
  std::string all;
  for (;;) {
    const auto some = co_await frames->expect(Kind::kManifest);
    if (some.empty()) break;
    all += some;
    if (all.size() > count * kDigest) out_of_turn();
  }
  if (all.size() != count * kDigest) out_of_turn();
  co_return all;
}

Task<void> verify(DeviceRun* run) {
  auto* report = &run->received.report;
  run->progress()->stage = Stage::kVerifying;
  std::vector<std::string> digests(extents_of(run->size()));
  std::uint64_t next = 0;
  std::vector<Task<void>> readers;
  readers.reserve(run->lanes.size());
  for (std::size_t i = 0; i < run->lanes.size(); ++i) readers.push_back(read_back(run, &next, &digests));
  co_await async::all(std::move(readers));
  const auto source = co_await hear_digests(run->first(), digests.size());
  std::string mine;
  for (std::size_t i = 0; i < digests.size(); ++i) {
    if (source.substr(i * kDigest, kDigest) != digests[i])
      note_difference(*report, extent_at(i, run->size()), "content");
    mine += digests[i];
  }
  if (run->hello().wishes.remove_extras) {
    co_await async::offload([run, report] {
      for (const auto& extra : extras_beyond(*run->device, run->size())) note_difference(*report, extra, "extra");
    });
  }
  report->verified = true;
  report->source_root = device_root(run->size(), source);
  report->destination_root = device_root(run->size(), mine);
  co_await run->first()->write(Kind::kVerdict, encode(*report));
}

/// The rest, the disk, and the proof: on the first lane, when all of them are through.
Task<void> complete(DeviceRun* run) {
  auto frame = co_await run->first()->read();
  unpack(frame);
  if (frame.kind != Kind::kDeviceEnd) out_of_turn();
  auto end = decode_device_end(frame.payload);
  co_await async::offload([run] {
    if (run->hello().wishes.remove_extras) zero_beyond(*run->device, run->size());
    run->device->settle();
  });
  auto& report = run->received.report;
  report = std::move(end.report);
  report.lenient = run->hello().wishes.lenient;
  report.entries = 1;
  report.files = run->written > 0 ? 1 : 0;
  report.skipped = 1 - report.files;
  report.bytes = run->written;
  report.device = run->size();
  report.beyond = run->hello().wishes.remove_extras ? run->device->size() - run->size() : 0;
  run->progress()->settle(1, run->size() - std::min(run->written, run->size()));
  const bool comes_again = run->hello().again && report.unsettled() > 0;
  if (run->options.welcome.verify && !end.verify && !comes_again) out_of_turn();
  co_await run->first()->write(Kind::kFinished, encode(report));
  if (end.verify) co_await verify(run);
}

Task<void> receive_all(DeviceRun* run) {
  run->progress()->begin();
  co_await telling(run->first(), open_device(run));
  run->progress()->found(1, run->size());
  std::vector<Task<void>> tasks;
  tasks.reserve(run->lanes.size());
  for (const auto& lane : run->lanes) {
    tasks.push_back(telling(lane.frames.get(), run_lane(run, lane.frames.get())));
  }
  co_await async::all(std::move(tasks));
  co_await telling(run->first(), complete(run));
  run->received.acknowledged = co_await part(run->first());
}

}  // namespace

Task<Received> receive_device(ReceiveOptions options, std::vector<Lane> lanes) {
  const auto run = std::make_unique<DeviceRun>(std::move(options), std::move(lanes));
  co_return co_await receive(run.get(), receive_all(run.get()));
}

}  // namespace mtc::volume
