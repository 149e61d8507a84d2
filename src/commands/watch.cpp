// gpuwhy watch: the live view.
#include "commands/table.h"

#include "render/board_text.h"
#include "system/keyboard.h"
#include "system/live.h"
#include "watch/board_source.h"

#include <array>
#include <chrono>
#include <ostream>
#include <unistd.h>

namespace gpuwhy {
namespace {

constexpr std::array kOptions{
    Option{"once", '1', "", "show one second, then end"},
    Option{"json", 0, "", "JSON instead of a screen, one line a second"},
};

constexpr std::chrono::milliseconds kFirstAnswer{2'000};

/// A key changes the view; false: it ends it.
bool press(use::BoardView& view, char key) {
  if (view.editing) {
    if (key == '\r' || key == '\n' || key == '\x1b')
      view.editing = false;
    else if (key == '\x7f' || key == '\b')
      view.filter.resize(view.filter.empty() ? 0 : view.filter.size() - 1);
    else if (key >= ' ' && key < '\x7f' && view.filter.size() < 40)
      view.filter += key;
    return true;
  }
  switch (key) {
  case 'q': return false;
  case 's':
    view.order = static_cast<use::BoardOrder>((static_cast<int>(view.order) + 1) % 4);
    break;
  case 'f':
    view.editing = true;
    view.filter.clear();
    break;
  default: break;
  }
  return true;
}

void draw(const use::Board& board, const use::BoardView& view, Console& console) {
  const auto size = terminal_size();
  auto style = console.style;
  style.width = size.columns;
  std::string screen = "\x1b[H";
  for (const auto& line : board_lines(board, view, style, size.rows))
    screen += (screen.size() > 3 ? "\r\n" : "") + line + "\x1b[K";
  console.out << screen << "\x1b[J" << std::flush;
}

Exit outcome(const use::Board& board) {
  return board.nvml.works ? Exit::gpu : Exit::unknown;
}

/// One second's board, or one a second, without a screen.
Exit list(watch::BoardSource& source, const Arguments& arguments, Console& console) {
  Keyboard keyboard;
  while (!Keyboard::ended()) {
    keyboard.wait(100, source.descriptor());
    if (!source.step()) continue;
    if (arguments.has("json")) {
      console.out << board_json(source.board()) << std::flush;
    } else {
      for (const auto& line : board_lines(source.board(), {}, console.style, 0))
        console.out << line << "\n";
    }
    if (arguments.has("once") || !console.out) return outcome(source.board());
  }
  return outcome(source.board());
}

Exit run(const Arguments& arguments, Console& console) {
  const auto system = make_live_system();
  watch::BoardSource source(*system);
  source.start(kFirstAnswer);
  const bool screen = ::isatty(STDOUT_FILENO) != 0 && ::isatty(STDIN_FILENO) != 0;
  if (arguments.has("once") || arguments.has("json")) return list(source, arguments, console);
  if (!screen) return wrong_usage(console, "the live view needs a terminal: use --once or --json");
  Keyboard keyboard;
  use::BoardView view;
  console.out << "\x1b[?1049h\x1b[?25l"; // another screen, no cursor
  bool on = true;
  while (on && !Keyboard::ended()) {
    const auto key = keyboard.wait(100, source.descriptor());
    if (key) on = press(view, *key);
    if (source.step() || key) draw(source.board(), view, console);
  }
  console.out << "\x1b[?25h\x1b[?1049l" << std::flush;
  return outcome(source.board());
}

} // namespace

const Command kWatchCommand{
    .name = "watch",
    .summary = "live view of the GPUs and the processes on them",
    .details =
        "Keys: q quit, s sort by memory, busy, cores or number, f filter (type, then Enter).",
    .options = kOptions,
    .run = run,
};

} // namespace gpuwhy
