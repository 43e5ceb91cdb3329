#include "restic/compress.hpp"

#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <zstd.h>

#include "base/error.hpp"

namespace mtc::restic {
namespace {

/// The lowest whose repositories are no larger than those of restic 0.14 (docs/design/restic.md has the figures).
constexpr int kLevel = 3;

struct Free {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

/// Contexts and the output buffer are kept: making them anew costs more than compressing a small blob.
struct Compressor {
  std::unique_ptr<ZSTD_CCtx, Free> context{ZSTD_createCCtx()};
  std::string out;
};

ZSTD_DCtx* decompressor() {
  thread_local const std::unique_ptr<ZSTD_DCtx, Free> kContext(ZSTD_createDCtx());
  return kContext.get();
}

[[noreturn]] void bad_frame(std::string_view why) {
  throw Error(Code::kCorrupt, fmt::format("cannot be decompressed: {}", why));
}

std::string decompress_stream(std::string_view frames, std::size_t limit) {
  std::string plain;
  ZSTD_inBuffer in{frames.data(), frames.size(), 0};
  ZSTD_DCtx_reset(decompressor(), ZSTD_reset_session_only);
  std::size_t left = 1;
  while (in.pos < in.size || left != 0) {
    const auto before = plain.size();
    plain.resize(std::min(before + ZSTD_DStreamOutSize(), limit + 1));
    ZSTD_outBuffer out{plain.data() + before, plain.size() - before, 0};
    const auto was = in.pos;
    left = ZSTD_decompressStream(decompressor(), &out, &in);
    if (ZSTD_isError(left) != 0) bad_frame(ZSTD_getErrorName(left));
    plain.resize(before + out.pos);
    if (plain.size() > limit) bad_frame("it is larger than it may be");
    if (left != 0 && out.pos == 0 && in.pos == was) bad_frame("it ends too early");
  }
  return plain;
}

}  // namespace

std::string_view compress(std::string_view plain) {
  thread_local Compressor mine;
  mine.out.resize(std::max(mine.out.size(), ZSTD_compressBound(plain.size())));
  const auto size =
      ZSTD_compressCCtx(mine.context.get(), mine.out.data(), mine.out.size(), plain.data(), plain.size(), kLevel);
  if (ZSTD_isError(size) != 0) throw Error(Code::kInternal, fmt::format("zstd: {}", ZSTD_getErrorName(size)));
  return std::string_view(mine.out).substr(0, size);
}

std::string decompress(std::string_view frames, std::size_t limit) {
  // What a frame announces is believed up to the limit; several frames may announce each its own.
  const auto announced = ZSTD_getFrameContentSize(frames.data(), frames.size());
  if (announced == ZSTD_CONTENTSIZE_ERROR) bad_frame("it is no zstd frame");
  const bool single = ZSTD_findFrameCompressedSize(frames.data(), frames.size()) == frames.size();
  if (announced == ZSTD_CONTENTSIZE_UNKNOWN || !single) return decompress_stream(frames, limit);
  if (announced > limit) bad_frame("it is larger than it may be");
  return decompress_exactly(frames, announced);
}

std::string decompress_exactly(std::string_view frames, std::size_t size) {
  std::string plain;
  std::size_t got = 0;
  plain.resize_and_overwrite(size, [&](char* out, std::size_t) {  // libstdc++ 12 hands in the capacity
    got = ZSTD_decompressDCtx(decompressor(), out, size, frames.data(), frames.size());
    return ZSTD_isError(got) != 0 ? 0 : got;
  });
  if (ZSTD_isError(got) != 0) bad_frame(ZSTD_getErrorName(got));
  if (got != size) bad_frame("it has another size than its entry says");
  return plain;
}

bool compresses(std::string_view plain) {
  constexpr std::size_t kSample = 16 * 1024;
  if (plain.size() < 8 * kSample) return true;
  // Two places, since many formats begin with a header that compresses.
  const auto gains = [&](std::size_t at) { return compress(plain.substr(at, kSample)).size() < kSample / 32 * 31; };
  return gains(plain.size() / 2) || gains(0) || gains(plain.size() - kSample);
}

}  // namespace mtc::restic
