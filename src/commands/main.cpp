#include "collect/collector.h"
#include "facts/json.h"
#include "judge/judge.h"
#include "system/live.h"

#include <iostream>

int main() {
  using namespace gpuwhy;
  auto system = make_live_system();
  Facts facts;
  const Scope scope;
  for (const auto& collector : all_collectors()) collector.collect(*system, scope, facts);
  std::cout << write_snapshot(facts);
  const auto verdict = judge(facts);
  for (const auto& f : verdict.frameworks) {
    std::cout << f.framework << ' ' << f.version << ' ' << f.interpreter << ' ' << static_cast<int>(f.answer) << '\n';
    for (const auto& c : f.causes) std::cout << c.id << ' ' << c.summary << '\n';
  }
}
