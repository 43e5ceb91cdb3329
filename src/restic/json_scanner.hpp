#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mtc::restic {

/// Reads JSON front to back without building values: a directory may have a million nodes. What is not the JSON that is
/// asked for throws Error(kCorrupt).
class JsonScanner {
 public:
  /// `where` is for messages; both must outlive the scanner.
  JsonScanner(std::string_view text, std::string_view where) : rest_(text), where_(where) {}

  /// True, and past it, if `c` comes next (after blanks).
  bool take(char c);
  void expect(char c);
  /// True, and past it, if null comes next.
  bool take_null();
  std::string string();
  std::uint64_t number();
  void skip_value();
  /// Nothing but blanks may follow.
  void end();
  std::string_view rest() const { return rest_; }

  /// Calls `on_member(key)` for each member of an object; it reads the value.
  template <typename F>
  void object(F on_member) {
    expect('{');
    if (take('}')) return;
    do {
      const auto key = string();
      expect(':');
      on_member(key);
    } while (take(','));
    expect('}');
  }
  /// Calls `on_item()` for each item of an array, or of a null; it reads the item.
  template <typename F>
  void array(F on_item) {
    if (take_null()) return;
    expect('[');
    if (take(']')) return;
    do {
      on_item();
    } while (take(','));
    expect(']');
  }

  [[noreturn]] void refuse(std::string_view why) const;

 private:
  void blanks();
  void escape(std::string& to);
  std::uint32_t hex4();

  std::string_view rest_;
  std::string_view where_;
};

}  // namespace mtc::restic
