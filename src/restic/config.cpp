#include "restic/config.hpp"

#include <charconv>

#include <fmt/format.h>

#include "base/error.hpp"
#include "json/json.hpp"
#include "restic/id.hpp"
#include "restic/polynomial.hpp"

namespace mtc::restic {
namespace {

std::uint64_t hex_number(const std::string& text) {
  std::uint64_t number = 0;
  const auto* const end = text.data() + text.size();
  const auto [stop, failed] = std::from_chars(text.data(), end, number, 16);
  return failed == std::errc{} && stop == end ? number : 0;
}

}  // namespace

Config make_config(Rng& rng) {
  Config config;
  for (int i = 0; i < 4; ++i) config.id += fmt::format("{:016x}", rng.next());
  config.chunker_polynomial = random_polynomial(rng);
  return config;
}

std::string encode_config(const Config& config) {
  Json json;
  set_at(json, "version", config.version);
  set_at(json, "id", config.id);
  set_at(json, "chunker_polynomial", fmt::format("{:x}", config.chunker_polynomial));
  return dump(json);
}

Config decode_config(const std::string& text) {
  const auto json = parse_json(text, {.max_depth = 8, .max_bytes = 64 * 1024});
  const auto version = int_at(json, "version").value_or(0);
  if (version != 1 && version != 2) {
    throw Error(Code::kUnsupported, fmt::format("it has the format {}; formats 1 and 2 are known", version));
  }
  Config config{static_cast<unsigned>(version), string_at(json, "id"),
                hex_number(string_at(json, "chunker_polynomial"))};
  if (!Id::parse(config.id)) throw Error(Code::kCorrupt, "its id is not 64 hex digits");
  if (!is_chunker_polynomial(config.chunker_polynomial)) {
    throw Error(Code::kCorrupt, "its chunker polynomial is not irreducible of degree 53");
  }
  return config;
}

}  // namespace mtc::restic
