/* SPDX-License-Identifier: MIT */
/*
 * symbols_sharing.h - what the type of a variable says of its use by several threads.
 */
#ifndef THRUM_ANALYZER_SYMBOLS_SHARING_H
#define THRUM_ANALYZER_SYMBOLS_SHARING_H

enum symbols_sharing {
	SYMBOLS_TYPED = 1, /* its type is known; without the others it is a plain one */
	SYMBOLS_ATOMIC = 2,
	SYMBOLS_VOLATILE = 4,
};

#endif
