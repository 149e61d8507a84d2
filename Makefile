# The verbs of this house. On a fresh Debian 12 machine each installs what it needs by itself.
#
#   make run      build the release, check this machine, replay two recorded ones
#   make test     build and run all tests
#   make page     pictures of the HTML page, in build/pictures
#   make build    build/release/gpuwhy
#   make install  program, manual, completions (PREFIX=/usr/local, DESTDIR)
#   make package  .deb, .tar.gz and wheel            make aarch64       cross-built, tried under qemu
#   make python   the Python package on every Python at hand, with real Keras
#   make bench    speed, as ratios in one run        make differential  against real frameworks (gigabytes)
#   make format   clang-format                       make tidy          clang-tidy
#   make fuzz     a minute of fuzzing a target       make asan / tsan   the tests under sanitizers

SHELL := /bin/bash
.DEFAULT_GOAL := build

# npm fetches uPlot, once; a machine may have it from elsewhere than Debian.
npm := $(if $(shell command -v npm),,npm)
build_packages := cmake ninja-build g++ libexpected-dev libre2-dev nlohmann-json3-dev libtree-sitter-dev \
  libyaml-cpp-dev libtomlplusplus-dev python3-pip python3-venv $(if $(wildcard build/downloads/uplot-*.tgz),,$(npm))
browser_packages := chromium chromium-driver python3-selenium
test_packages := $(build_packages) libgtest-dev python3 patchelf binutils git groff mandoc zsh fish $(browser_packages) $(npm)
clang_packages := clang-16 clang-format-16 clang-tidy-16 libclang-rt-16-dev llvm-16

sources = $(shell git ls-files '*.cpp' '*.h' '*.c')
launcher := $(if $(shell command -v ccache),-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)

PREFIX ?= /usr/local

.PHONY: build install package wheel aarch64 python run test page bench differential format tidy fuzz asan tsan clean

build:
	@tools/install_packages.sh $(build_packages)
	@cmake --preset release -DGPUWHY_TESTS=OFF $(launcher) >/dev/null
	@cmake --build --preset release --target gpuwhy

# Builds what is not built yet; a second 'make install' as root compiles nothing.
install: build
	@cmake --build --preset release --target gpuwhy_pages
	@cmake --install build/release --prefix $(PREFIX)

package: build wheel
	@cmake --build --preset release --target gpuwhy_pages
	@cd build/release && cpack -B ../packages && rm -rf ../packages/_CPack_Packages
	@ls build/packages/*.deb build/packages/*.tar.gz build/packages/*.whl

wheel: build
	@python3 -m pip wheel --quiet --no-deps -w build/packages --config-settings=cmake.define.GPUWHY_PREBUILT=$(CURDIR)/build/release/gpuwhy .

aarch64:
	@tools/install_packages.sh $(build_packages) g++-aarch64-linux-gnu qemu-user-static
	@tools/cross_sysroot.sh arm64 build/aarch64-sysroot libre2-dev libtree-sitter-dev libyaml-cpp-dev
	@cmake --preset aarch64 $(launcher) >/dev/null
	@cmake --build --preset aarch64
	@python3 tests/install/aarch64_test.py build/aarch64

python: build
	@python3 tests/python/all.py build/release/gpuwhy

run: build
	@echo; echo '== this machine'
	@build/release/gpuwhy; status=$$?; [ $$status -ne 2 ]
	@echo; echo '== a recorded machine that works'
	@build/release/gpuwhy --from examples/healthy.json
	@echo; echo '== a recorded machine that does not'
	@build/release/gpuwhy --from examples/broken.json; status=$$?; [ $$status -eq 1 ]

test:
	@tools/install_packages.sh $(test_packages)
	@cmake --preset test $(launcher)
	@cmake --build --preset test
	@ctest --preset test

page: build
	@tools/install_packages.sh $(browser_packages)
	@/usr/bin/python3 tests/page/pictures.py build/release/gpuwhy build/pictures

asan tsan: %san:
	@tools/install_packages.sh $(test_packages)
	@cmake --preset $@ $(launcher)
	@cmake --build --preset $@
	@ctest --preset $@

bench: build
	@python3 bench/verdict.py build/release/gpuwhy
	@python3 bench/explain.py build/release/gpuwhy

differential: build
	@python3 tests/differential/run.py --gpuwhy build/release/gpuwhy

format:
	@tools/install_packages.sh $(clang_packages)
	@clang-format-16 -i $(sources)

tidy:
	@tools/install_packages.sh $(test_packages) $(clang_packages)
	@cmake --preset tidy $(launcher)
	@cmake --build --preset tidy

fuzz:
	@tools/install_packages.sh $(test_packages) $(clang_packages)
	@cmake --preset fuzz $(launcher)
	@cmake --build --preset fuzz --target gpuwhy_fuzzers
	@tests/fuzz/run.sh build/fuzz

clean:
	@rm -rf build
