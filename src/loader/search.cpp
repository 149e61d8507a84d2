#include "loader/search.h"

#include "base/text.h"
#include "loader/one_search.h"
#include "loader/places.h"

#include <deque>
#include <set>

namespace gpuwhy::loader {
namespace {

constexpr std::size_t kMostObjects = 1024; // that one dlopen may add

/// One dlopen: the name, then breadth first what it needs. Works on a copy of the process's names,
/// as a failure leaves nothing behind.
class Opening {
public:
  Opening(const Libraries& libraries, const Setting& setting, Names known)
      : names(std::move(known)), libraries_(libraries), setting_(setting) {}

  Found run(const Request& request) {
    found_.name = request.name;
    take(request, true);
    while (!failed_ && !waiting_.empty() && found_.loaded.size() < kMostObjects) {
      const auto object = std::move(waiting_.front());
      waiting_.pop_front();
      const auto file = libraries_.files.find(object.path);
      if (file == libraries_.files.end()) continue;
      for (const auto& name : file->second.needed) {
        take({name, object.path, object.chain}, false);
        if (failed_) break;
      }
    }
    finish();
    return std::move(found_);
  }

  Names names;

private:
  struct Object {
    std::string path;
    std::vector<std::string> chain;
  };

  void take(const Request& asked, bool first) {
    Request request = asked;
    if (contains(request.name, "$") && !request.opener.empty()) {
      const auto opener = absolute_path(setting_, request.opener);
      request.name = expand(request.name, parent_path(opener), libraries_);
    }
    auto hit = search(request);
    if (hit.end == Hit::End::file) adopt(request, hit);
    for (auto& what : hit.not_looked) {
      if (lacking_.insert(what).second) found_.not_looked.push_back(std::move(what));
    }
    if (first) {
      found_.path = hit.path;
      found_.step = hit.step;
      found_.because = hit.because;
    }
    const bool good = hit.end == Hit::End::file || hit.end == Hit::End::loaded;
    if (good && !first) return;
    if (good) {
      found_.trace = std::move(hit.trace);
      return;
    }
    // Behind an open question nothing is final, and the search goes on to find the other questions.
    if (!found_.not_looked.empty() && (!first || hit.end == Hit::End::missing)) {
      if (first) found_.trace = std::move(hit.trace);
      return;
    }
    fail(request.name, std::move(hit), first);
  }

  void fail(const std::string& name, Hit hit, bool first) {
    failed_ = true;
    if (!first) found_.dependency = name;
    found_.detail = std::move(hit.detail);
    found_.trace = std::move(hit.trace);
    if (hit.end == Hit::End::crash)
      found_.outcome = Outcome::crashes;
    else if (!first)
      found_.outcome = Outcome::dependency_missing;
    else
      found_.outcome = hit.end == Hit::End::bad ? Outcome::bad_file : Outcome::missing;
  }

  void finish() {
    if (!found_.not_looked.empty())
      found_.outcome = Outcome::unknown;
    else if (!failed_)
      found_.outcome = Outcome::found;
    if (found_.outcome != Outcome::found) found_.loaded.clear();
  }

  Hit search(const Request& request) {
    if (const auto known = names.by_name.find(request.name); known != names.by_name.end()) {
      return already_loaded(known->second);
    }
    auto hit = search_once(libraries_, setting_, request);
    if (hit.end != Hit::End::file) return hit;
    const auto same = names.by_identity.find(identity(hit.path));
    if (same == names.by_identity.end()) return hit;
    // Another name of a file that is loaded: the loader adds the name to the object that it has.
    names.by_name.emplace(request.name, same->second);
    names.by_name.emplace(hit.path, same->second);
    auto loaded = already_loaded(same->second);
    loaded.trace = std::move(hit.trace);
    loaded.not_looked = std::move(hit.not_looked);
    return loaded;
  }

  static Hit already_loaded(const std::string& path) {
    Hit hit;
    hit.end = Hit::End::loaded;
    hit.path = path;
    hit.step = Step::already_loaded;
    hit.because = "already loaded";
    hit.trace.push_back(
        {Step::already_loaded, path, hit.because, Asked::Result::found, std::string()});
    return hit;
  }

  std::string identity(const std::string& path) const {
    const auto file = libraries_.files.find(path);
    if (file == libraries_.files.end()) return path;
    if (!file->second.identity.empty()) return file->second.identity;
    return file->second.real_path.empty() ? path : file->second.real_path;
  }

  void adopt(const Request& request, const Hit& hit) {
    names.by_name.emplace(request.name, hit.path);
    names.by_name.emplace(hit.path, hit.path);
    names.by_identity.emplace(identity(hit.path), hit.path);
    const auto& file = libraries_.files.at(hit.path);
    if (!file.soname.empty() && !setting_.musl) names.by_name.emplace(file.soname, hit.path);
    found_.loaded.push_back(hit.path);
    Object object{hit.path, {}};
    if (!request.opener.empty()) object.chain.push_back(request.opener);
    object.chain.insert(object.chain.end(), request.chain.begin(), request.chain.end());
    waiting_.push_back(std::move(object));
  }

  const Libraries& libraries_;
  const Setting& setting_;
  Found found_;
  std::set<std::string> lacking_; // what is in found_.not_looked
  std::deque<Object> waiting_;
  bool failed_ = false;
};

} // namespace

Process::Process(const Libraries& libraries, Setting setting, const std::set<std::string>& loaded)
    : libraries_(libraries), setting_(std::move(setting)) {
  for (const auto& name : loaded) names_.by_name.emplace(name, std::string());
}

Found Process::open(const Request& request) {
  Opening opening(libraries_, setting_, names_);
  auto found = opening.run(request);
  if (found.outcome == Outcome::found) names_ = std::move(opening.names);
  return found;
}

} // namespace gpuwhy::loader
