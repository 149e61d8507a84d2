// See termios(3), tty_ioctl(2).
#include "system/keyboard.h"

#include <array>
#include <csignal>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

namespace gpuwhy {
namespace {

termios saved{};
bool changed = false;
volatile sig_atomic_t ending = 0;

void on_end(int) {
  ending = 1;
}
void on_resize(int) {} // it ends the poll

} // namespace

Keyboard::Keyboard() {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::signal(number, on_end);
  ::signal(SIGWINCH, on_resize);
  if (::isatty(STDIN_FILENO) == 0 || ::tcgetattr(STDIN_FILENO, &saved) != 0) return;
  termios keys = saved;
  keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  keys.c_cc[VMIN] = 0;
  keys.c_cc[VTIME] = 0;
  changed = ::tcsetattr(STDIN_FILENO, TCSANOW, &keys) == 0;
}

Keyboard::~Keyboard() {
  if (changed) ::tcsetattr(STDIN_FILENO, TCSANOW, &saved);
  changed = false;
}

std::optional<char> Keyboard::wait(int milliseconds, int descriptor) {
  std::array<pollfd, 2> events{pollfd{changed ? STDIN_FILENO : -1, POLLIN, 0},
                               pollfd{descriptor, POLLIN, 0}};
  if (::poll(events.data(), events.size(), milliseconds) <= 0) return std::nullopt;
  if ((events[0].revents & (POLLHUP | POLLERR)) != 0) ending = 1;
  char key = 0;
  if ((events[0].revents & POLLIN) == 0 || ::read(STDIN_FILENO, &key, 1) != 1) return std::nullopt;
  return key;
}

bool Keyboard::ended() {
  return ending != 0;
}

TerminalSize terminal_size() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
    return {};
  return {size.ws_col, size.ws_row};
}

} // namespace gpuwhy
