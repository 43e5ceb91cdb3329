#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "volume/entry.hpp"
#include "volume/report.hpp"
#include "volume/scan.hpp"

namespace mtc::volume {

// The messages of docs/protocol/volume.md. Each has an encoding and a decoder that throws Error(kCorrupt) for anything
// that could lead outside the tree or beyond the limits.

inline constexpr std::uint32_t kProtocol = 1;          ///< no release has spoken another
inline constexpr std::size_t kChunk = 1024 * 1024;     ///< the unit of a large file's transfer and comparison
inline constexpr std::size_t kSmallFile = 256 * 1024;  ///< files up to this size travel packed
inline constexpr std::size_t kPack = 1024 * 1024;      ///< content of one kFiles message, about
inline constexpr std::size_t kMaxFrame = 8 * 1024 * 1024;

enum class Kind : std::uint8_t {
  kHello = 1,
  kWelcome,
  kList,
  kWant,
  kFiles,
  kBegin,
  kHashes,
  kChunk,
  kEnd,
  kBatchDone,
  kLaneDone,
  kLinks,
  kFinish,
  kFinished,
  kManifest,
  kVerdict,
  kFailure,
  kAlive,
  kExtent,
  kDeviceEnd,
};
inline constexpr auto kLastKind = Kind::kDeviceEnd;

/// What the sender asks of the receiver.
struct Wishes {
  bool remove_extras = false;  ///< what the source does not have goes away
  bool by_hash = false;        ///< content is compared, not only size and time
  bool verify = false;         ///< read back and compare with the source's manifest
  bool lenient = false;        ///< a rehearsal beside a running application: what changes meanwhile may differ
  bool operator==(const Wishes&) const = default;
};

struct Hello {
  std::string session;  ///< 16 bytes, the same on all lanes of one run
  std::uint32_t lane = 0;
  std::uint32_t lanes = 1;
  bool again = false;  ///< the sender makes another run if files changed while it read them
  Wishes wishes;
  std::uint64_t device = 0;  ///< size of the block device that is sent; 0: it is a file tree
};
std::string encode(const Hello& hello);
/// Throws Error(kUnsupported) for another version, Error(kCorrupt) for no hello at all.
Hello decode_hello(std::string_view bytes);

/// The receiver's answer.
struct Welcome {
  bool verify = false;  ///< the receiver demands a verification, whatever the sender wishes
};
std::string encode(const Welcome& welcome);
/// Throws as decode_hello.
Welcome decode_welcome(std::string_view bytes);

/// kList: entries of one batch; `links` in Listed marks further names of a file that was listed before.
std::string encode(const Batch& batch, const std::vector<std::vector<bool>>& links);
struct Listed {
  Batch batch;
  std::vector<std::vector<bool>> links;
};
Listed decode_list(std::string_view bytes);

/// Which entry of a batch.
struct Where {
  std::uint32_t segment = 0;
  std::uint32_t entry = 0;
};
enum class Basis : std::uint8_t {
  kNone,   ///< send all of it
  kHash,   ///< send it if its hash is another one (small files)
  kChunks  ///< compare by chunks (large files): see kBegin
};
struct Wanted {
  Where where;
  Basis basis = Basis::kNone;
  std::string hash;  ///< 16 bytes, for kHash
};
std::string encode_want(std::uint64_t batch, const std::vector<Wanted>& wanted);
struct Wants {
  std::uint64_t batch = 0;
  std::vector<Wanted> wanted;
};
Wants decode_want(std::string_view bytes);

enum class Content : std::uint8_t {
  kComplete,
  kSame,  ///< as the receiver has it
  kGone,  ///< vanished or unreadable: leave what is there
};
/// One small file in a kFiles message, and the head of kEnd.
struct FileHead {
  Where where;
  Content content = Content::kComplete;
  Entry entry;  ///< as it was when its content was read
};
void encode(Writer& to, const FileHead& head);
FileHead decode_file_head(Reader& from);

struct ChunkHead {
  std::uint64_t offset = 0;
  std::uint64_t zeros = 0;  ///< if not 0: so many zero bytes, and no data
};

/// kLinks, kFinished.
struct Link {
  std::string path;
  std::string first;  ///< the name that was sent
};
std::string encode(const std::vector<Link>& links);
std::vector<Link> decode_links(std::string_view bytes);
std::string encode(const Report& report);
Report decode_report(std::string_view bytes);

/// kFinish: what the sender saw, when all content is over.
struct Finish {
  Entry root;
  bool verify = false;  ///< this run ends with a verification
  Report report;
};
std::string encode(const Finish& finish);
Finish decode_finish(std::string_view bytes);

/// kExtent: a part of a device that the sender would like to know the hashes of.
struct Extent {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};
inline constexpr std::uint64_t kExtentSize = 16 * kChunk;
std::string encode(const Extent& extent);
/// Checks that it is a part of a device of `device` bytes.
Extent decode_extent(std::string_view bytes, std::uint64_t device);

/// kDeviceEnd: what the sender saw, when all of a device is over.
struct DeviceEnd {
  bool verify = false;  ///< this run ends with a verification
  Report report;
};
std::string encode(const DeviceEnd& end);
DeviceEnd decode_device_end(std::string_view bytes);

/// kFailure; decoding throws what the peer says.
std::string encode_failure(Code code, std::string_view message);
[[noreturn]] void throw_failure(std::string_view bytes, std::string_view whose);

/// XXH3-128 of `bytes`, 16 bytes: finds differences, proves nothing.
std::string quick_hash(std::string_view bytes);

}  // namespace mtc::volume
