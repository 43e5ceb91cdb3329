#include "mover/budget.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "json/json.hpp"
#include "mover/folder.hpp"

namespace mtc::mover {
namespace {

constexpr auto kEvery = std::chrono::seconds(1);

double rate_at(const Json& json, const char* key) {
  const auto* value = member(json, key);
  if (value == nullptr || value->is_null()) return 0;
  if (!value->is_number() || value->get<double>() < 0) {
    throw Error(Code::kInvalid, std::string(key) + " of a budget is a number that is not negative");
  }
  return value->get<double>();
}

/// What is wrong with the file; "" if it was heeded, or says the same as `heeded`.
std::string read_budget(const Budget& budget, const std::filesystem::path& file, std::string* heeded) {
  try {
    // An annotation that is not there is an empty file.
    std::error_code absent;
    const bool is_there = std::filesystem::file_size(file, absent) > 0 && !absent;
    const auto text = is_there ? read_mounted(file.parent_path(), file.filename()) : "{}";
    if (std::exchange(*heeded, text) != text) heed(budget, text);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

void heed(const Budget& budget, const std::string& text) {
  const auto json = parse_json(text);
  if (!json.is_object()) throw Error(Code::kInvalid, "a budget is an object, not " + dump(json));
  const auto bytes = rate_at(json, "bytesPerSecond");
  const auto reads = rate_at(json, "iops");
  budget.bytes->set(bytes == 0 ? 0 : std::max(bytes, kLeastBytesPerSecond));
  budget.reads->set(reads == 0 ? 0 : std::max(reads, 1.0));
}

Task<void> follow_budget(Budget budget, std::string file, std::function<void(const std::string&)> say) {
  std::string heeded, told;
  for (;;) {
    const auto wrong = read_budget(budget, file, &heeded);
    if (std::exchange(told, wrong) != wrong && !wrong.empty()) say("the budget is not heeded: " + wrong);
    co_await async::sleep_for(kEvery);
  }
}

}  // namespace mtc::mover
