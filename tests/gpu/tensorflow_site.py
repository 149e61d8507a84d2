"""Lets a TensorFlow that was built for CUDA 12 compute where only CUDA 13's libraries are.

    python tensorflow_site.py SITE LINKS      then LD_LIBRARY_PATH=LINKS PYTHONPATH=SITE python ...

SITE holds TensorFlow 2.18 (pip install --target) and NVIDIA's own libcudart.so.12, ptxas and libdevice; LINKS gets the other
libraries of CUDA 13 under the names of CUDA 12. TensorFlow takes their functions by dlsym, and those that it calls kept
their form. A makeshift to see TensorFlow compute under 'gpuwhy run', no advice to anybody.
"""

import glob
import os
import shutil
import sys
import sysconfig

NAMES = {"libcublas.so.12": "libcublas.so.13", "libcublasLt.so.12": "libcublasLt.so.13", "libcufft.so.11": "libcufft.so.12",
         "libcusolver.so.11": "libcusolver.so.12", "libcusparse.so.12": "libcusparse.so.12", "libcupti.so.12": "libcupti.so.13"}


def main():
    site, links = map(os.path.abspath, sys.argv[1:3])
    os.makedirs(links, exist_ok=True)
    shutil.rmtree(os.path.join(site, "nvidia/cudnn"), ignore_errors=True)  # a head without its parts
    packages = sysconfig.get_path("purelib")
    for library in glob.glob(packages + "/nvidia/*/lib/lib*.so*"):
        put(library, os.path.join(links, os.path.basename(library)))
    for name, newer in NAMES.items():
        put(os.path.join(links, newer), os.path.join(links, name))
    for library in glob.glob(site + "/nvidia/*/lib/lib*.so*"):
        put(library, os.path.join(links, os.path.basename(library)))


def put(target, link):
    if os.path.exists(target) and os.path.abspath(target) != link:
        if os.path.lexists(link):
            os.unlink(link)
        os.symlink(os.path.realpath(target), link)


if __name__ == "__main__":
    main()
