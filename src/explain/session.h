// A pasted terminal passes from one place into another: into a container, over ssh, into a job, and
// back. What is shown in one of them says nothing of another.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpuwhy::explain {

struct Prompt {
  std::string_view host; // of "user@host:~$"; empty: the prompt names none
  std::string_view command;
};

std::optional<Prompt> prompt_in(std::string_view line);

/// From this line on, until the next.
struct Place {
  std::uint64_t line = 0;
  int id = 0;
  std::string host;    // as the prompt names it; empty: it does not
  std::string command; // by which it was entered: a container, another machine, a job; or empty
};

const Place& place_at(const std::vector<Place>& places, std::uint64_t line);

/// Two ways into one machine or container: by its name they are the same.
bool other_session(const Place& one, const Place& other);

class Session {
public:
  /// Whether the line tells of places: a prompt, or a heading.
  bool line(std::string_view body, std::uint64_t number);
  const std::vector<Place>& places() const { return places_; }

private:
  void enter(std::string_view command, bool stays, std::uint64_t number);
  void go(Place place, std::uint64_t number);
  void back(std::uint64_t number);
  void named(std::string_view host, std::uint64_t number);

  std::vector<Place> places_ = {Place{}};
  std::vector<Place> outer_; // that are come back to
  bool once_ = false;        // one command runs in the place, and the next prompt is outside again
  bool fresh_ = false;       // no prompt was shown in it yet
  int ids_ = 0;
};

} // namespace gpuwhy::explain
