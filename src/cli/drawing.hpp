#pragma once

#include <string>
#include <vector>

#include "cli/console.hpp"

namespace mtc::cli {

enum class Style { kPlain, kGood, kBad, kCurrent, kFaint };

struct Line {
  std::string mark;  ///< coloured; "" for none
  std::string text;  ///< coloured too if it is faint
  Style style = Style::kPlain;
};

/// Lines that change in place on a terminal. Nothing is cleared before it is written over, so nothing flickers; no line
/// is longer than the window, so none wraps; the cursor is never hidden, so none has to be brought back.
class Drawing {
 public:
  /// What to write so that these lines stand where the last ones stood. Where the window is too low, the last lines are
  /// shown.
  std::string replace(const std::vector<Line>& lines, Window window, bool colours);

 private:
  std::size_t drawn_ = 0;
};

}  // namespace mtc::cli
