#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds every test of the Open POSIX Test Suite as a program of its own, for same.py.
#
# usage: build_posix.sh SUITE OUT [REGEX]     SUITE: the unpacked suite; OUT: a directory outside of /tmp; REGEX: of paths
#
# CC and CFLAGS of the environment are used. Prints what does not compile (a few tests are to fail, or only to be built).
set -eu
suite=$(cd "$1" && pwd)
mkdir -p "$2"
out=$(cd "$2" && pwd)
export suite out CC="${CC:-cc}" CFLAGS="${CFLAGS:--O1 -g}"
cd "$suite"
find ./conformance/interfaces ./functional -name '*.c' ! -name '*testfrmw*' | grep -E -- "${3:-.}" | sort |
	xargs -P "$(nproc)" -n 1 sh -c '
		folder=$(dirname "$1")
		name=$(echo "${1#./}" | sed "s,/,+,g; s,\.c$,,")
		$CC $CFLAGS -w -D_GNU_SOURCE $(cat "$folder/CFLAGS" 2>/dev/null) -Iinclude -I"$folder" "$1" lib/common.c \
			-o "$out/$name" -pthread -lrt -lm 2>/dev/null || echo "does not build: $1"' sh
echo "$(ls "$out" | wc -l) programs"
