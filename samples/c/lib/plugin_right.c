/* SPDX-License-Identifier: MIT */
/* The other library for s58: the same layout, another file. */
#define PLUGIN_NAME "right"
#include "plugin_left.c"
