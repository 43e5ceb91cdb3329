#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mtc::restic {

/// One zstd frame, valid until this thread compresses again. Any thread.
std::string_view compress(std::string_view plain);
/// The content of zstd frames. Throws Error(kCorrupt) for anything else, and beyond `limit` bytes. Any thread.
std::string decompress(std::string_view frames, std::size_t limit);
/// As decompress, of content that has `size` bytes, or is kCorrupt.
std::string decompress_exactly(std::string_view frames, std::size_t size);
/// Whether compressing is worth its time: false for what a sample says is compressed or encrypted already.
bool compresses(std::string_view plain);

}  // namespace mtc::restic
