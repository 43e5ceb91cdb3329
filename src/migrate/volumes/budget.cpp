#include "migrate/volumes/budget.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <numeric>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "kube/quantity.hpp"

namespace mtc::migrate::volumes {
namespace {

/// Divides `total`: nobody gets more than another who wants more. What is left when all have what they want is for all.
std::vector<double> divide(double total, const std::vector<double>& wanted) {
  std::vector<double> out(wanted.size());
  std::vector<std::size_t> order(wanted.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return wanted[i]; });
  for (auto left = order.size(); const auto i : order) {
    out[i] = std::min(wanted[i], total / static_cast<double>(left--));
    total -= out[i];
  }
  for (auto& each : out) each += total / static_cast<double>(out.size());
  return out;
}

/// The same in two steps: among migrations, then among the movers of each.
std::vector<double> divide(double total, const std::vector<Consumer>& consumers, const std::vector<double>& wanted) {
  std::map<std::string, std::vector<std::size_t>> migrations;
  for (std::size_t i = 0; i < consumers.size(); ++i) migrations[consumers[i].migration].push_back(i);
  std::vector<std::vector<double>> by_migration;
  std::vector<double> sums;
  for (const auto& [migration, members] : migrations) {
    auto& each = by_migration.emplace_back();
    for (const auto i : members) each.push_back(wanted[i]);
    sums.push_back(std::accumulate(each.begin(), each.end(), 0.0));
  }
  const auto parts = divide(total, sums);
  std::vector<double> out(consumers.size());
  std::size_t number = 0;
  for (const auto& [migration, members] : migrations) {
    const auto own = divide(parts[number], by_migration[number]);
    for (std::size_t k = 0; k < members.size(); ++k) out[members[k]] = own[k];
    ++number;
  }
  return out;
}

}  // namespace

Bounds bounds_in(const Json& config_map) {
  const auto number = [&](const char* key) {
    const auto text = string_at(object_at(config_map, "data"), key);
    const auto value = kube::quantity(text);
    if (value < 0 || (value == 0 && !text.empty() && text != "0")) {
      throw Error(Code::kInvalid, fmt::format("{} is a quantity like 50Mi or 200, not \"{}\"", key, text));
    }
    return value;
  };
  return {number("MOVER_BYTES_PER_SECOND"), number("MOVER_IOPS")};
}

std::string annotation_of(const Bounds& bounds) {
  Json out = Json::object();
  const auto put = [&](const char* key, double value) {
    if (value > 0) out[key] = static_cast<std::int64_t>(std::ceil(std::min(value, 1e15)));
  };
  put("bytesPerSecond", bounds.bytes_per_second);
  put("iops", bounds.iops);
  return dump(out);
}

Bounds bounds_of(const std::string& annotation) {
  try {
    const auto json = parse_json(annotation);
    const auto number = [&](const char* key) { return static_cast<double>(int_at(json, key).value_or(0)); };
    return {number("bytesPerSecond"), number("iops")};
  } catch (const Error&) {
    return {};  // Somebody else wrote it; it is written anew.
  }
}

std::vector<Bounds> shares_of(const Bounds& total, const std::vector<Consumer>& consumers) {
  std::vector<double> bytes, reads;
  for (const auto& consumer : consumers) {
    bytes.push_back(consumer.bytes_per_second);
    reads.push_back(consumer.reads ? Consumer::kAll : 0);
  }
  std::vector<Bounds> out(consumers.size());
  const auto bytes_shares = divide(total.bytes_per_second, consumers, bytes);
  const auto reads_shares = divide(total.iops, consumers, reads);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = {bytes_shares[i], reads_shares[i]};
  return out;
}

double demand_of(double used, double share) {
  constexpr double most = 0.8, growth = 1.5, least = 256.0 * 1024;
  if (share <= 0 || used >= most * share) return Consumer::kAll;
  return std::max(used * growth, least);
}

double rate_of(const std::string& text) {
  static constexpr std::array<std::string_view, 4> units{"kB/s", "MB/s", "GB/s", "TB/s"};
  double value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  const auto unit = std::ranges::find(units, std::string_view(end, text.data() + text.size()));
  if (failure != std::errc{} || unit == units.end() || value < 0) return 0;
  return value * std::pow(1024.0, static_cast<double>(unit - units.begin() + 1));
}

void bound(plan::Mover& mover, const NewcomersBudget* newcomers) {
  mover.budget = newcomers != nullptr ? newcomers->annotation : NewcomersBudget{}.annotation;
}

}  // namespace mtc::migrate::volumes
