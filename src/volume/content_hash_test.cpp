#include "volume/content_hash.hpp"

#include <algorithm>
#include <fcntl.h>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "base/rng.hpp"
#include "volume/testing/random_tree.hpp"
#include "volume/wire.hpp"

namespace mtc::volume {
namespace {

using testing::Folder;

std::string hash_of(std::string_view content) {
  ContentHash hash;
  hash.update(content);
  return hash.finish();
}

TEST(ContentHash, UpToAChunkItIsSha256) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kChunk}) {
    const std::string content(size, 'x');
    EXPECT_EQ(hash_of(content), sha256(content)) << size;
  }
}

TEST(ContentHash, BeyondAChunkItIsOverTheChunks) {
  const std::string chunk(kChunk, 'x');
  EXPECT_EQ(hash_of(chunk + "rest"), sha256(sha256(chunk) + sha256("rest")));
  EXPECT_EQ(hash_of(chunk + chunk), sha256(sha256(chunk) + sha256(chunk)));
}

TEST(ContentHash, AHoleIsAsItsZeros) {
  constexpr std::uint64_t chunk = kChunk;
  for (const std::uint64_t before : {std::uint64_t{0}, std::uint64_t{5}, chunk - 1, chunk, chunk + 1}) {
    for (const std::uint64_t size :
         {std::uint64_t{0}, std::uint64_t{1}, chunk - 5, chunk, chunk + 1, 2 * chunk, 3 * chunk - 1, 3 * chunk + 7}) {
      for (const std::uint64_t after : {std::uint64_t{0}, std::uint64_t{9}, chunk}) {
        ContentHash hash;
        hash.update(std::string(before, 'a'));
        hash.hole(size);
        hash.update(std::string(after, 'b'));
        EXPECT_EQ(hash.finish(), hash_of(std::string(before, 'a') + std::string(size, '\0') + std::string(after, 'b')))
            << before << " " << size << " " << after;
      }
    }
  }
}

TEST(ContentHash, OfAFileSkipsItsHoles) {
  Folder folder;
  SeededRng rng(31);
  for (int round = 0; round < 20; ++round) {
    const auto path = folder / std::to_string(round);
    const Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    const auto size = rng.below(5 * kChunk);
    std::string content(size, '\0');
    ASSERT_EQ(::ftruncate(file.get(), static_cast<off_t>(size)), 0);
    for (int piece = 0; piece < 4 && size > 0; ++piece) {
      const auto at = rng.below(size);
      const auto length = std::min<std::uint64_t>(size - at, 1 + rng.below(300'000));
      std::fill_n(content.begin() + static_cast<std::ptrdiff_t>(at), length, static_cast<char>('a' + piece));
      ASSERT_EQ(::pwrite(file.get(), content.data() + at, length, static_cast<off_t>(at)),
                static_cast<ssize_t>(length));
    }
    EXPECT_EQ(content_hash(file.get(), size, path), hash_of(content)) << round;
  }
}

}  // namespace
}  // namespace mtc::volume
