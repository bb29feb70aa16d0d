/* SPDX-License-Identifier: MIT */
/*
 * hookable_python.h - what of a Python interpreter the recorder's probe would see, told by what a file exports. It may err by
 * builds that were patched; a recording says what really worked (TF_DEF_RUNTIME).
 */
#ifndef THRUM_ANALYZER_HOOKABLE_PYTHON_H
#define THRUM_ANALYZER_HOOKABLE_PYTHON_H

#include "hookable.h"
#include "hookable_elf.h"

/* One line on an interpreter that `elf` defines, and how bad it is; NULL = it defines none. */
const char *hookable_python_remark(const struct hookable_elf *elf,
				   enum hookable_note_kind *ret_kind);

#endif
