/* SPDX-License-Identifier: MIT */
/*
 * screen.h - `thrum view --tui`: pages on a terminal, until the user has seen enough.
 */
#ifndef THRUM_VIEWER_TUI_SCREEN_H
#define THRUM_VIEWER_TUI_SCREEN_H

#include "page.h"

/*
 * Shows the data until q; sets data->ascii by the locale, which the caller has set (LC_CTYPE). Returns 0, the signal that asked to end, or
 * -1 where this terminal cannot do it and nothing was shown.
 */
int tui_run(struct tui_data *data, bool color);

#endif
