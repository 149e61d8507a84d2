#!/bin/sh
# Fuzzes every target for a minute (or TIME seconds), over the seeds of make_seeds.sh: run.sh BUILD [TARGET...]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
shift
seeds=$build/seeds
corpus=$build/corpus
sh "$here/make_seeds.sh" "$seeds" "$build/gpuwhy"
for program in "$build"/tests/fuzz/gpuwhy_fuzz_*; do
  [ -x "$program" ] && [ -f "$program" ] || continue
  name=${program##*gpuwhy_fuzz_}
  if [ $# -gt 0 ]; then
    case " $* " in *" $name "*) ;; *) continue ;; esac
  fi
  mkdir -p "$corpus/$name"
  echo "== $name"
  nice "$program" -max_total_time="${TIME:-60}" -timeout=10 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 \
    -artifact_prefix="$build/" "$corpus/$name" "$seeds/$name" >"$build/fuzz-$name.log" 2>&1 || {
    tail -n 40 "$build/fuzz-$name.log"
    exit 1
  }
  grep -E 'number_of_executed_units|cov:' "$build/fuzz-$name.log" | tail -n 2
done
