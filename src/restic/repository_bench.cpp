#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include <benchmark/benchmark.h>

#include "async/runtime.hpp"
#include "base/rng.hpp"
#include "restic/compress.hpp"
#include "restic/crypto.hpp"
#include "restic/id.hpp"
#include "restic/index_file.hpp"
#include "restic/repository.hpp"
#include "restic/testing/content.hpp"

namespace mtc::restic {
namespace {

constexpr std::size_t kChunk = 1 << 20U;

/// Text that zstd makes three times smaller: words of a small vocabulary.
std::string text(std::size_t size) {
  SeededRng rng(1);
  std::vector<std::string> words(2000);
  for (auto& word : words) word = name_suffix(rng, 3 + rng.below(9));
  std::string all;
  while (all.size() < size) all += words[rng.below(words.size())] + " ";
  all.resize(size);
  return all;
}

std::shared_ptr<Repository> repository() {
  std::shared_ptr<Repository> opened;
  auto make = [](std::shared_ptr<Repository>* into) -> Task<void> {
    const auto store = blob::make_memory_store();
    co_await Repository::create(store, "", Secret("p"));
    *into = co_await Repository::open(store, "", Secret("p"));
  };
  async::Runtime().run(make(&opened));
  return opened;
}

void hash(benchmark::State& state) {
  const auto plain = testing::noise(kChunk);
  for (auto _ : state) benchmark::DoNotOptimize(Id::of(plain));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kChunk));
}
BENCHMARK(hash);

void encrypt_chunk(benchmark::State& state) {
  const auto key = make_key();
  const auto plain = testing::noise(kChunk);
  for (auto _ : state) benchmark::DoNotOptimize(encrypt(key, plain));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kChunk));
}
BENCHMARK(encrypt_chunk);

void seal(benchmark::State& state, const std::string& plain) {
  const auto into = repository();
  auto id = Id::of(plain);
  for (auto _ : state) {
    ++reinterpret_cast<std::uint64_t&>(id.bytes[0]);  // Another blob each time, as far as the index can tell.
    benchmark::DoNotOptimize(into->seal(BlobType::kData, id, plain));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(plain.size()));
}
BENCHMARK_CAPTURE(seal, text, text(kChunk));
BENCHMARK_CAPTURE(seal, noise, testing::noise(kChunk));
BENCHMARK_CAPTURE(seal, small_text, text(4000));

void decode_index_file(benchmark::State& state) {
  IndexFile file;
  for (std::uint32_t i = 0; i < kIndexBlobs; ++i) {
    if (i % 100 == 0) file.packs.push_back({Id::of(std::to_string(i)), {}});
    file.packs.back().blobs.push_back(
        {Id::of(std::to_string(i) + "b"), i % 100 * 1000, 1000, 3000, BlobType::kData, true});
  }
  const auto encoded = encode_index(file);
  for (auto _ : state) benchmark::DoNotOptimize(decode_index(encoded));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kIndexBlobs));
}
BENCHMARK(decode_index_file)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace mtc::restic
