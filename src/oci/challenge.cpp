#include "oci/challenge.hpp"

#include <algorithm>
#include <optional>

#include "base/strings.hpp"

namespace mtc::oci {
namespace {

constexpr std::size_t kMostParts = 64;

/// Reads the field from left to right.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool done() const { return at_ == text_.size(); }
  void skip_blanks() { skip(" \t"); }
  void skip_separators() { skip(" \t,"); }
  bool take(char c) {
    const bool there = !done() && text_[at_] == c;
    if (there) ++at_;
    return there;
  }
  /// RFC 9110 §5.6.2, and the padding of token68; "" if there is none.
  std::string_view token() {
    const auto start = at_;
    while (!done() && is_token_char(text_[at_])) ++at_;
    return text_.substr(start, at_ - start);
  }
  /// The text within quotes, without escapes; nullopt if it has no end.
  std::optional<std::string> quoted() {
    std::string out;
    for (; !done(); ++at_) {
      const char c = text_[at_];
      if (c == '"') return ++at_, out;
      if (c == '\\' && ++at_ == text_.size()) break;
      out += text_[at_];
    }
    return std::nullopt;
  }
  std::size_t at() const { return at_; }
  void back_to(std::size_t at) { at_ = at; }

 private:
  static bool is_token_char(char c) {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~/";
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || marks.contains(c);
  }
  void skip(std::string_view what) {
    while (!done() && what.contains(text_[at_])) ++at_;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

struct Parameter {
  std::string name;
  std::string value;
};

/// name=value or name="value"; nullopt, and nothing taken, where the next challenge begins.
std::optional<Parameter> take_parameter(Scanner& scanner) {
  const auto start = scanner.at();
  const auto name = to_lower(scanner.token());
  scanner.skip_blanks();
  if (name.empty() || !scanner.take('=')) {
    scanner.back_to(start);
    return std::nullopt;
  }
  scanner.skip_blanks();
  if (!scanner.take('"')) return Parameter{name, std::string(scanner.token())};
  const auto value = scanner.quoted();
  if (!value) return std::nullopt;
  return Parameter{name, *value};
}

}  // namespace

std::string Challenge::parameter(std::string_view name) const {
  const auto at = parameters.find(std::string(name));
  return at == parameters.end() ? "" : at->second;
}

std::vector<Challenge> parse_challenges(std::string_view field) {
  std::vector<Challenge> out;
  Scanner scanner(field);
  for (scanner.skip_separators(); !scanner.done() && out.size() < kMostParts; scanner.skip_separators()) {
    Challenge challenge;
    challenge.scheme = to_lower(scanner.token());
    if (challenge.scheme.empty()) break;
    scanner.skip_separators();
    for (auto one = take_parameter(scanner); one; one = take_parameter(scanner)) {
      if (challenge.parameters.size() < kMostParts) challenge.parameters.insert({one->name, one->value});
      scanner.skip_separators();
    }
    out.push_back(std::move(challenge));
  }
  return out;
}

}  // namespace mtc::oci
