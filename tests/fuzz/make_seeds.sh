#!/bin/sh
# Seeds of the fuzz targets, made on the spot: make_seeds.sh FOLDER
# FOLDER/elf: tiny libraries of the real linker; FOLDER/fatbin: one with made-up device code;
# FOLDER/ld_cache: caches of the real ldconfig.
set -eu
out=$1
rm -rf "$out"
mkdir -p "$out/elf" "$out/fatbin" "$out/ld_cache" "$out/lib"
tiny() { gcc -shared -nostdlib -fPIC -x c - -o "$@" -Wl,--hash-style=gnu -Wl,-z,noseparate-code -s; }
echo 'int a;' | tiny "$out/lib/libinner.so.1" -Wl,-soname,libinner.so.1
echo 'int b;' | tiny "$out/elf/runpath.so" -Wl,-soname,libx.so.1 -Wl,--enable-new-dtags \
  -Wl,-rpath,'$ORIGIN/../lib::$ORIGIN'
echo 'int b;' | gcc -shared -nostdlib -fPIC -x c - -x none -o "$out/elf/needed.so" -Wl,-soname,libx.so.1 \
  -Wl,--disable-new-dtags,-rpath,/a:/b -Wl,--no-as-needed "$out/lib/libinner.so.1" -Wl,-z,noseparate-code
python3 - "$out/fatbin.bin" <<'EOF'
import struct, sys
def entry(kind, arch, flags):
    return struct.pack("<HHIQIIIHHIIIQQQ", kind, 0x101, 64, 24, 0, 0, 0, 0, 7, arch, 0, 0, flags, 0, 0) + b"x" * 24
def container(*entries):
    return struct.pack("<IHHQ", 0xBA55ED50, 1, 16, sum(map(len, entries))) + b"".join(entries)
open(sys.argv[1], "wb").write(container(entry(2, 80, 0x11), entry(1, 90, 0x11)) + bytes(16)
                              + container(entry(2, 90, 0x100011), entry(8, 75, 0)))
EOF
objcopy --add-section .nv_fatbin="$out/fatbin.bin" "$out/elf/runpath.so" "$out/fatbin/code.so"
echo "$out/lib" >"$out/ld.so.conf"
ldconfig=$(PATH=$PATH:/usr/sbin:/sbin command -v ldconfig)
for format in new compat; do
  "$ldconfig" -X -c $format -C "$out/ld_cache/$format" -f "$out/ld.so.conf"
done
mkdir -p "$out/lib/glibc-hwcaps/x86-64-v3"
cp "$out/lib/libinner.so.1" "$out/lib/glibc-hwcaps/x86-64-v3"
"$ldconfig" -X -C "$out/ld_cache/capabilities" -f "$out/ld.so.conf"
printf 'include *.conf /a/[a-c]?.conf\n/opt/lib=libc6\n# comment\nhwcap 0 x\n' >"$out/ld_cache/conf"
