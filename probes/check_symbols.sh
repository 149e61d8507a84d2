#!/bin/sh
# Fails if a program imports a symbol of a C library newer than glibc 2.17, or lacks libdl.so.2.
#   probes/check_symbols.sh PROGRAM...
set -eu
limit=2.17
status=0
[ $# -gt 0 ] || { echo "usage: $0 PROGRAM..." >&2; exit 2; }
for program in "$@"; do
  symbols=$(readelf --dyn-syms --wide "$program")
  versions=$(printf '%s\n' "$symbols" | sed -n 's/.* UND .*@GLIBC_\([0-9.]*\).*/\1/p' | sort -Vu)
  [ -n "$versions" ] || { echo "$program: imports no versioned symbol?" >&2; status=1; continue; }
  newest=$(printf '%s\n%s\n' "$versions" "$limit" | sort -V | tail -n 1)
  if [ "$newest" != "$limit" ]; then
    echo "$program: needs glibc $newest:" >&2
    printf '%s\n' "$symbols" | grep "@GLIBC_$newest" >&2
    status=1
  fi
  if ! readelf --dynamic --wide "$program" | grep -q 'NEEDED.*\[libdl\.so\.2\]'; then
    echo "$program: libdl.so.2 is not among its needed libraries" >&2
    status=1
  fi
done
exit $status
