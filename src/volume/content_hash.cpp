#include "volume/content_hash.hpp"

#include <algorithm>

#include "volume/file_io.hpp"
#include "volume/wire.hpp"

namespace mtc::volume {
namespace {

const std::string& zeros() {
  static const std::string chunk(kChunk, '\0');
  return chunk;
}

}  // namespace

/// A chunk is complete, and is not the whole file.
void ContentHash::fold() {
  if (!chunks_) chunks_.emplace();
  chunks_->update(chunk_->finish());
  chunk_.reset();
  filled_ = 0;
}

void ContentHash::update(std::string_view data) {
  while (!data.empty()) {
    if (filled_ == kChunk) fold();
    const auto piece = data.substr(0, kChunk - filled_);
    if (!chunk_) chunk_.emplace();
    chunk_->update(piece);
    filled_ += piece.size();
    data.remove_prefix(piece.size());
  }
}

void ContentHash::hole(std::uint64_t size) {
  static const auto of_zeros = sha256(zeros());
  const auto fill = std::min<std::uint64_t>(size, kChunk - filled_);
  if (filled_ > 0) {
    update(std::string_view(zeros()).substr(0, fill));
    size -= fill;
  }
  if (size > kChunk && filled_ == kChunk) fold();
  for (; size > kChunk; size -= kChunk) {
    if (!chunks_) chunks_.emplace();
    chunks_->update(of_zeros);
  }
  update(std::string_view(zeros()).substr(0, size));
}

std::string ContentHash::finish() {
  if (!chunks_) return chunk_ ? chunk_->finish() : sha256({});
  fold();
  return chunks_->finish();
}

std::string content_hash(int file, std::uint64_t size, std::string_view path) {
  thread_local std::string piece;  // Fresh memory for each file would cost more than to read it.
  const auto read = [&](std::uint64_t at) {
    piece.clear();
    return append_at(piece, file, at, std::min<std::uint64_t>(kChunk, size - at), path);
  };
  if (size <= kChunk) return sha256(read(0));
  ContentHash hash;
  for (std::uint64_t at = 0; at < size;) {
    if (const auto data = next_data(file, at, size); data > at) {
      hash.hole(data - at);
      at = data;
      continue;
    }
    const auto bytes = read(at);
    if (bytes.empty()) break;  // It became shorter.
    hash.update(bytes);
    at += bytes.size();
  }
  return hash.finish();
}

}  // namespace mtc::volume
