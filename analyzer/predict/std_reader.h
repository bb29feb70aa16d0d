/* SPDX-License-Identifier: MIT */
/*
 * std_reader.h - traces in the STD text form that race and deadlock predictors exchange, a line an event:
 *
 *	THREAD|OP(OBJECT)|PLACE
 *
 * OP is one of r w acq rel req fork join wait notify notifyAll; begin, end, branch, enter, exit and dummy are skipped, and further fields
 * after PLACE, and empty lines. Names are any bytes but the separators. A thread is the same as T12 and as 12, which writers mix.
 *
 * Strict: anything else is an error that names its line, and so is what no run could have done (sequence.h). Read in pieces, so that a
 * pipe will do and a file that shrinks meanwhile is only a shorter one. At least 10 M events/s.
 */
#ifndef THRUM_ANALYZER_PREDICT_STD_READER_H
#define THRUM_ANALYZER_PREDICT_STD_READER_H

#include "sequence.h"

/* Adds to `sequence` (zeroed by the caller, released by the caller also after a failure). */
int std_read_file(const char *path, struct predict_sequence *sequence, struct diag *diag);
int std_read_text(const char *text, size_t bytes, struct predict_sequence *sequence,
		  struct diag *diag);

#endif
