#!/bin/sh
# Fails unless the audit library asks nothing of another library and offers the loader these three
# functions alone: any other (la_symbind, la_pltenter) would slow the program.
#   probes/check_audit.sh LIBRARY
set -eu
[ $# -eq 1 ] || { echo "usage: $0 LIBRARY" >&2; exit 2; }
symbols=$(readelf --dyn-syms --wide "$1" | awk '$1 ~ /^[0-9]+:$/ && $8 != "" && $4 != "SECTION" { print ($7 == "UND" ? "wants " : "offers ") $8 }' | sort)
expected="offers la_objopen
offers la_objsearch
offers la_version"
[ "$symbols" = "$expected" ] && exit 0
printf '%s: its symbols are\n%s\nnot\n%s\n' "$1" "$symbols" "$expected" >&2
exit 1
