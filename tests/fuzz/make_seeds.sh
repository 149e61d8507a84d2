#!/bin/sh
# Seeds of the fuzz targets, made on the spot: make_seeds.sh FOLDER [GPUWHY]
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

# The first byte names the file that lint_fuzz.cpp takes the rest for.
mkdir -p "$out/lint"
printf '\000import tensorflow as tf\nwith tf.device("/cpu:0"):\n  m = tf.keras.Sequential()\n  m.compile(run_eagerly=True)  # gpuwhy: ignore[P07]\n' >"$out/lint/python"
printf '\001{"cells": [{"cell_type": "code", "source": ["%%env CUDA_VISIBLE_DEVICES=-1\\n", "!pip install torch==2.1+cpu\\n", "import torch"]}]}' >"$out/lint/notebook"
printf '\002FROM python:3.11\nENV A=1 CUDA_VISIBLE_DEVICES=""\nRUN pip install \\\n  tensorflow\n' >"$out/lint/dockerfile"
printf '\003services:\n  a:\n    image: x-gpu\n    environment: [JAX_PLATFORMS=cpu]\n' >"$out/lint/compose"
printf '\007[project]\ndependencies = ["tensorflow-cpu"]\n' >"$out/lint/pyproject"
printf '\007[project]\366\241ependencies = ["tensorflow-cpu"]\n' >"$out/lint/pyproject_key"
printf '\012#!/bin/sh\n#SBATCH -p gpu\nexport CUDA_VISIBLE_DEVICES=\n' >"$out/lint/job"

mkdir -p "$out/snapshot" "$out/tape" "$out/shell" "$out/literal" "$out/metadata"
cat >"$out/snapshot/machine.json" <<'END'
{"schema": "gpuwhy.snapshot/1", "version": "0", "facts": {"platform": {"machine": "x86_64"},
 "hardware": {"gpus": {"value": [{"address": "0000:01:00.0", "vendor": "nvidia", "device_id": "2684",
  "compute_capability": {"value": {"major": 8, "minor": 9}}, "driver": {"absent": "none"}}], "source": "/sys", "line": 1}},
 "driver": {"module": {"absent": ""}, "libcuda": {"value": []}, "kernel_log": {"unknown": "no"}},
 "access": {"nodes": {"value": []}, "container": {"value": "docker"}, "wsl": {"absent": ""}},
 "observed": {"cuda_unhidden": {"value": {"init": 999, "count": 0}}},
 "pythons": [{"interpreter": "/p", "selected": true, "version": {"value": "3.11"}, "site_directories": ["/s"],
  "distributions": [{"name": "tensorflow", "version": "2.18.0", "cuda_pins": ["nvidia-cudnn-cu12==9.3.0.75"]}],
  "frameworks": [{"name": "tensorflow", "directory": "/s/tensorflow", "version": {"value": "2.18.0"}, "build": {"value":
   {"cuda": {"value": true}, "cuda_version": {"value": "12.5"}, "cudnn_version": {"value": "9"}, "opener": "/s/f.so",
    "loader_chain": ["/p"], "sass": {"value": ["8.0"]}, "compute_capabilities": ["sm_60", "compute_90"]}}}]}],
 "libraries": {"directories": {"/l": {"names": ["libcudnn.so.9"]}}, "files": {"/l/libcudnn.so.9": {"status": "too_short"},
  "/s/f.so": {"runpath": ["$ORIGIN/../nvidia/cudnn/lib"]}}, "cache": {"value": [{"soname": "libcudart.so.12", "path": "/l/x"}]},
  "default_directories": ["/l"]},
 "environment": {"looked": true, "variables": [{"name": "LD_LIBRARY_PATH", "value": "/l:$ORIGIN", "origins": []},
  {"name": "CUDA_VISIBLE_DEVICES", "value": "0,GPU-1"}]}}}
END
printf '%s\n' '# comment' 'export A=1 PATH="/a b:$PATH" C=${D:-e}' "LD_LIBRARY_PATH+=':/x'; . ~/.y" 'if [ -d $(x `y`) ]; then' \
  'setenv CUDA_HOME /usr\ local' 'set -gx PATH /a $PATH' 'cat <<E' 'export X=1' 'E' 'fi' 'PATH DEFAULT=/a OVERRIDE="/b"' \
  >"$out/shell/startup"
printf '%s\n' 'import collections' '' "build_info = collections.OrderedDict([('cuda_version', '12.5.1'), ('is_cuda_build', True)," \
  " ('cuda_compute_capabilities', ['sm_60', 'compute_90'])])" >"$out/literal/today"
printf '%s\n' 'is_cuda_build = True' 'cuda_version_number = "10.1"' >"$out/literal/before"
printf '%s' '{"env_vars": {"XLA_FLAGS": "--a=\"b\\n\"", "N": [1, -2.5e3, null, true]}}' >"$out/literal/state"
printf '%s\n' 'Metadata-Version: 2.1' 'Name: tensorflow' 'Version: 2.18.0' 'Requires-Python: >=3.9' \
  "Requires-Dist: nvidia-cudnn-cu12 ==9.3.0.75 ; extra == 'and-cuda'" '' 'text' >"$out/metadata/METADATA"
printf '%s\n' 'home = /usr/bin' 'include-system-site-packages = true' 'version = 3.11.7' >"$out/metadata/pyvenv.cfg"
printf '%s' 'tensorflow-2.11.0-cuda112py310he87a039_0' >"$out/metadata/conda"
printf '%s\n' 'import os' '/opt/x' '../y' >"$out/metadata/pth"
# A tape of a few questions, as the recorder writes it: by the program itself, where one is given.
if [ $# -gt 1 ]; then
  (cd / && env -i PATH=/nowhere "$2" snapshot --no-probes --tape "$out/tape.jsonl" >/dev/null)
  head -n 60 "$out/tape.jsonl" | cut -c1-400 >"$out/tape/cut.jsonl"
  awk 'length < 300' "$out/tape.jsonl" | head -n 80 >"$out/tape/short.jsonl"
fi
mkdir -p "$out/explain"
printf -- '- gpu: RTX 3090\n> Jun 14 18:34:44 n kernel: NVRM: Xid (PCI:0000:41:00): 31, x\n\033[31mCould not\033[m load dynamic library \047libcudart.so.11.0\047; dlerror: x\n[rank1]: RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB\n' >"$out/explain/log"
printf '\377\376f\000a\000i\000l\000\n\000' >"$out/explain/utf16"
printf '>>> tf.test.is_built_with_cuda()\r\nFalse\r\n 0%%\r50%%\r100%%\n' >"$out/explain/dialogue"
