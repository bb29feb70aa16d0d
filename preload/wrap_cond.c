/* SPDX-License-Identifier: MIT */
/* wrap_cond.c - pthread condition variables; all rows are generic. */
#include "wrap_cond.h"

#define RESULT(rc) (rc)

#include "../spec/primitives/cond.def"
