#include "sandbox/lists.hpp"

#include <charconv>
#include <deque>

#include <fmt/format.h>

#include "async/scope.hpp"
#include "base/encoding.hpp"
#include "sandbox/failure.hpp"
#include "sandbox/filter.hpp"
#include "sandbox/present.hpp"

namespace mtc::sandbox {
namespace {

constexpr auto kBookmarkEvery = std::chrono::seconds(60);
constexpr auto kLastBookmark = std::chrono::seconds(2);  ///< before the end
constexpr auto kWatchFor = std::chrono::minutes(30);
/// A token's revision that stands for "whatever is there now": how a client goes on after its list has expired.
constexpr std::int64_t kInconsistent = -1;

std::optional<std::uint64_t> revision_of(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// A resourceVersion parameter; 0 if absent.
std::uint64_t asked_revision(const http::ServerRequest& request) {
  const auto text = request.param("resourceVersion");
  if (text.empty()) return 0;
  const auto revision = revision_of(text);
  if (!revision)
    throw Failure(400, "BadRequest", fmt::format("resourceVersion: Invalid value: \"{}\": is no number", text));
  return *revision;
}

/// Where a list goes on: the form of k8s.io/apiserver's own tokens.
struct Continuation {
  std::int64_t revision = 0;
  std::string ns, name;  ///< the last object of the page before

  std::string str() const {
    return base64url_encode(dump({{"v", "meta.k8s.io/v1"}, {"rv", revision}, {"start", ns + "/" + name}}));
  }
  static Continuation parse(std::string_view token) {
    const auto text = base64url_decode(token);
    try {
      const auto fields = parse_json(text.value_or(""));
      const auto start = string_at(fields, "start");
      const auto slash = start.find('/');
      const auto at = int_at(fields, "rv");
      if (at && slash != std::string::npos) return {*at, start.substr(0, slash), start.substr(slash + 1)};
    } catch (const Error&) {
      // No JSON: told below.
    }
    throw Failure(400, "BadRequest", "continue key is not valid");
  }
};

[[noreturn]] void throw_expired(Continuation after) {
  after.revision = kInconsistent;
  throw Failure(410, "Expired",
                "The provided continue parameter is too old to display a consistent list result. You can start a new "
                "list without the continue parameter, or use the continue token in this response to retrieve the "
                "remainder of the results.",
                nullptr, {{"continue", after.str()}});
}

/// What of an object a place in the order is made of.
std::pair<std::string, std::string> place_of(const Json& object) {
  return {string_at(object, "metadata.namespace"), string_at(object, "metadata.name")};
}

/// An object that left the view: as it was in it, with the revision of the change.
ObjectPtr as_last_seen(const Event& event) {
  auto object = *event.previous;
  object["metadata"]["resourceVersion"] = std::to_string(event.revision);
  return std::make_shared<const Json>(std::move(object));
}

void wait_for_no_future(std::uint64_t asked, std::uint64_t current) {
  if (asked > current)
    throw Failure(
        504, "Timeout", fmt::format("Too large resource version: {}, current: {}", asked, current),
        {{"causes", Json::array({{{"reason", "ResourceVersionTooLarge"}, {"message", "Too large resource version"}}})},
         {"retryAfterSeconds", 1}});
}

}  // namespace

Json list_objects(const Storage& storage, const Route& route, const http::ServerRequest& request, Time now) {
  const auto& resource = *route.resource;
  const auto place = resource.type.group_resource();
  const Filter filter(resource, request);
  const auto limit = static_cast<std::size_t>(std::max(0, std::atoi(std::string(request.param("limit")).c_str())));
  Continuation from{static_cast<std::int64_t>(storage.revision()), "", ""};
  const auto token = request.param("continue");
  std::optional<std::vector<ObjectPtr>> objects;
  if (!token.empty()) {
    if (asked_revision(request) > 0)
      throw Failure(400, "BadRequest", "specifying resource version is not allowed when using continue");
    from = Continuation::parse(token);
    if (from.revision == kInconsistent) from.revision = static_cast<std::int64_t>(storage.revision());
    objects = storage.list_at(place, route.ns, static_cast<std::uint64_t>(from.revision));
    if (!objects) throw_expired(from);
  } else {
    const auto asked = asked_revision(request);
    wait_for_no_future(asked, storage.revision());
    if (request.param("resourceVersionMatch") == "Exact") {
      from.revision = static_cast<std::int64_t>(asked);
      objects = storage.list_at(place, route.ns, asked);
      if (!objects)
        throw Failure(410, "Expired", fmt::format("The resourceVersion for the provided list is too old: {}", asked));
    } else {
      objects = storage.list(place, route.ns);
    }
  }
  std::vector<ObjectPtr> page;
  std::size_t remaining = 0;
  const auto after = std::pair(from.ns, from.name);
  for (auto& object : *objects) {
    if (!token.empty() && place_of(*object) <= after) continue;
    if (!filter.matches(*object)) continue;
    if (limit > 0 && page.size() == limit) {
      ++remaining;
    } else {
      page.push_back(Objects::as_served(resource, std::move(object)));
    }
  }
  Json metadata = {{"resourceVersion", std::to_string(from.revision)}};
  if (remaining > 0) {
    const auto last = place_of(*page.back());
    metadata["continue"] = Continuation{from.revision, last.first, last.second}.str();
    // Counting what a selector leaves would cost a real server too much.
    if (filter.empty()) metadata["remainingItemCount"] = remaining;
  }
  return Presentation(route.resource, request, now).list(page, std::move(metadata));
}

Task<void> watch_objects(Storage& storage, const Clock& clock, Route route, const http::ServerRequest& request,
                         http::ResponseWriter& writer) {
  const auto& resource = *route.resource;
  const auto place = resource.type.group_resource();
  const Filter filter(resource, request);
  const auto concerns = [&](const Event& event) {
    return event.at.resource == place && (route.ns.empty() || event.at.ns == route.ns);
  };
  const auto line = [](const char* type, const Json& object) {
    return dump({{"type", type}, {"object", object}}) + "\n";
  };
  const auto bookmark = [&](Json annotations) {
    Json metadata = {{"resourceVersion", std::to_string(storage.revision())}};
    if (!annotations.empty()) metadata["annotations"] = std::move(annotations);
    return line("BOOKMARK",
                {{"kind", resource.type.kind}, {"apiVersion", resource.type.api_version()}, {"metadata", metadata}});
  };

  std::deque<Event> queue;
  const auto asked = asked_revision(request);
  const bool initial_events = is_set(request, "sendInitialEvents");
  const auto missed = storage.since(asked);
  const bool from_now = asked == 0 || initial_events;
  if (from_now) {
    for (auto& object : storage.list(place, route.ns)) {
      const auto [ns, name] = place_of(*object);
      Event event{Event::Type::kAdded, storage.revision(), {place, ns, name}, std::move(object), nullptr};
      if (concerns(event)) queue.push_back(std::move(event));
    }
  } else if (missed) {
    for (const auto& event : *missed) {
      if (concerns(event)) queue.push_back(event);
    }
  }

  async::Event arrived;
  struct Subscription {
    Storage& from;
    int id;
    ~Subscription() { from.unsubscribe(id); }
  };
  const Subscription subscription{storage, storage.subscribe([&](const Event& event) {
                                    if (!concerns(event)) return;
                                    queue.push_back(event);
                                    arrived.set();
                                  })};
  const auto seconds = std::atoi(std::string(request.param("timeoutSeconds")).c_str());
  const auto end = std::chrono::steady_clock::now() + (seconds > 0 ? std::chrono::seconds(seconds) : kWatchFor);
  const bool bookmarks = is_set(request, "allowWatchBookmarks");
  auto next_bookmark = std::min(std::chrono::steady_clock::now() + kBookmarkEvery, end - kLastBookmark);
  std::size_t initial = queue.size();
  bool told_synced = !(initial_events && bookmarks);
  co_await writer.begin({200, "", {{"Content-Type", "application/json"}}});
  if (!from_now && !missed) {
    const Failure expired(410, "Expired", fmt::format("too old resource version: {} ({})", asked, storage.revision()));
    co_return co_await writer.write(line("ERROR", expired.status()));
  }
  for (;;) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= end) co_return;
    if (!told_synced && initial == 0) {
      told_synced = true;
      co_await writer.write(bookmark({{"k8s.io/initial-events-end", "true"}}));
      continue;
    }
    if (bookmarks && queue.empty() && now >= next_bookmark) {
      // The last one is for the client to watch again from.
      next_bookmark = now + kBookmarkEvery < end - kLastBookmark ? now + kBookmarkEvery : end;
      co_await writer.write(bookmark({}));
      continue;
    }
    if (queue.empty()) {
      arrived.reset();
      const auto until = bookmarks && next_bookmark > now ? std::min(next_bookmark, end) : end;
      co_await arrived.wait_for(until - now);
      continue;
    }
    const auto event = queue.front();
    queue.pop_front();
    if (initial > 0) --initial;
    const auto type = filter.event_type(event);
    if (type.empty()) continue;
    const bool left_view = type == "DELETED" && event.type != Event::Type::kDeleted;
    const auto object = Objects::as_served(resource, left_view ? as_last_seen(event) : event.object);
    co_await writer.write(line(type.c_str(), Presentation(route.resource, request, clock.now()).object(*object)));
  }
}

}  // namespace mtc::sandbox
