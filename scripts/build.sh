# SPDX-License-Identifier: MIT
# build.sh - shared by the scripts: where the tree is, and how it is built. To be sourced.
#
# BUILD: the build directory, default build/ in the tree. BUILD_OPTIONS: options for meson setup, where there is none yet.
# shellcheck shell=sh

root=$(cd "$(dirname "$0")/.." && pwd)
BUILD=${BUILD:-$root/build}

say() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
}

# What has to be built for all tests: newer mesons keep what only tests need apart.
test_targets() {
    echo all
    grep -o '^build meson-test-prereq' "$BUILD/build.ninja" | cut -d ' ' -f 2
}

# Sets the build directory up if there is none. Its arguments go to meson setup.
set_up() {
    if [ ! -f "$BUILD/build.ninja" ]; then
        say "setting up $BUILD"
        # shellcheck disable=SC2086 # a list
        quietly meson setup "$BUILD" "$root" --buildtype=release -Ddebug=true ${BUILD_OPTIONS-} "$@"
    fi
}

# The same, and builds what changed: all that tests need, or the targets in $build_of.
build() {
    set_up "$@"
    targets=${build_of:-$(test_targets)}
    # shellcheck disable=SC2086 # a list
    if ! ninja -C "$BUILD" -n $targets | grep -q 'no work to do'; then
        say "building"
        # shellcheck disable=SC2086 # a list
        quietly ninja -C "$BUILD" $targets
    fi
}

# Runs a command and shows its output only if it fails.
quietly() {
    if ! log=$("$@" 2>&1); then
        printf '%s\n' "$log" >&2
        say "failed: $*"
        exit 1
    fi
}
