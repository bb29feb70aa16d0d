/* SPDX-License-Identifier: MIT */
/*
 * std_reader.c - a scanner by hand: one look at each byte, no copy of a name that is known. Names are looked up some lines later, when
 * what is needed for that has come from memory.
 */
#include "std_reader.h"

#include "room.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_BYTES (1u << 20)
#define MOST_LINE_BYTES (BUFFER_BYTES / 2)
#define OP_SKIP (-1)
#define AHEAD 16u /* lines, a power of two */

struct word {
	const char *text;
	size_t bytes;
};

/* A line whose names are not looked up yet. */
struct ahead {
	uint64_t line;
	enum predict_op op;
	struct word thread;
	struct names_key object, place;
};

struct scan {
	struct predict_sequence *sequence;
	uint64_t line; /* of the line that is looked at, from 1 */
	struct diag *diag;
	struct ahead ahead[AHEAD]; /* a ring */
	uint64_t scanned, taken;   /* lines that went in, and came out */
	char by_word[16];	   /* the thread of the line that was taken last, if it is short */
	size_t by_bytes;
	uint32_t by;
};

struct op_word {
	const char *text;
	size_t bytes;
	int op; /* enum predict_op or OP_SKIP */
};

#define OP(text, op)                       \
	{                                  \
		text, sizeof(text) - 1, op \
	}

static const struct op_word op_words[] = {
	OP("r", PREDICT_READ),	      OP("w", PREDICT_WRITE),
	OP("acq", PREDICT_ACQUIRE),   OP("rel", PREDICT_RELEASE),
	OP("req", PREDICT_REQUEST),   OP("fork", PREDICT_FORK),
	OP("join", PREDICT_JOIN),     OP("wait", PREDICT_WAIT),
	OP("notify", PREDICT_NOTIFY), OP("notifyAll", PREDICT_NOTIFY),
	OP("begin", OP_SKIP),	      OP("end", OP_SKIP),
	OP("branch", OP_SKIP),	      OP("enter", OP_SKIP),
	OP("exit", OP_SKIP),	      OP("dummy", OP_SKIP),
};

static struct names *names_of_op(struct predict_sequence *sequence, enum predict_op op)
{
	switch (op) {
	case PREDICT_READ:
	case PREDICT_WRITE:
		return &sequence->variables;
	case PREDICT_FORK:
	case PREDICT_JOIN:
		return &sequence->threads;
	case PREDICT_ACQUIRE:
	case PREDICT_TRY:
	case PREDICT_UNKNOWN:
	case PREDICT_RELEASE:
	case PREDICT_REQUEST:
	case PREDICT_WAIT:
	case PREDICT_NOTIFY:
		break;
	}
	return &sequence->locks;
}

static int fail_at(const struct scan *scan, uint64_t line, const char *what)
{
	return diag_set(scan->diag, THRUM_EFORMAT, "line %llu: %s", (unsigned long long)line, what);
}

/* Most lines are of the thread of the line before. */
static uint32_t thread_of(struct scan *scan, struct word word)
{
	if (word.bytes == scan->by_bytes && !memcmp(word.text, scan->by_word, word.bytes))
		return scan->by;
	scan->by = names_lookup_or_add(&scan->sequence->threads, word.text, word.bytes, word.bytes);
	scan->by_bytes = 0;
	if (word.bytes <= sizeof(scan->by_word)) {
		memcpy(scan->by_word, word.text, word.bytes);
		scan->by_bytes = word.bytes;
	}
	return scan->by;
}

/* The oldest line that is not taken. */
static int take_line(struct scan *scan)
{
	const struct ahead *a = &scan->ahead[scan->taken++ % AHEAD];
	struct predict_sequence *sequence = scan->sequence;
	uint32_t by = thread_of(scan, a->thread);
	uint32_t of = names_lookup_or_add_key(names_of_op(sequence, a->op), &a->object);
	uint32_t here = names_lookup_or_add_key(&sequence->places, &a->place);
	struct diag why;

	if (sequence->threads.count > PREDICT_MOST_THREADS)
		return fail_at(scan, a->line, "more than 4096 threads");
	if (here >= PREDICT_MOST_PLACES)
		return fail_at(scan, a->line, "more than 268 M places");
	if (predict_sequence_add(sequence, by, a->op, of, here, &why))
		return fail_at(scan, a->line, why.message);
	return 0;
}

static int take_lines(struct scan *scan)
{
	int error = 0;

	while (!error && scan->taken < scan->scanned)
		error = take_line(scan);
	return error;
}

/* Unless a line before it is wrong, too. */
static int fail(struct scan *scan, const char *what)
{
	int error = take_lines(scan);

	return error ? error : fail_at(scan, scan->line, what);
}

static const struct op_word *find_op(struct word word)
{
	for (size_t i = 0; i < sizeof(op_words) / sizeof(*op_words); i++) {
		if (op_words[i].text[0] == word.text[0] && op_words[i].bytes == word.bytes &&
		    !memcmp(op_words[i].text, word.text, word.bytes))
			return &op_words[i];
	}
	return NULL;
}

/* T12 is 12. */
static struct word thread_word(struct word word)
{
	if (word.bytes < 2 || word.text[0] != 'T')
		return word;
	for (size_t i = 1; i < word.bytes; i++)
		if (word.text[i] < '0' || word.text[i] > '9')
			return word;
	return (struct word){ word.text + 1, word.bytes - 1 };
}

static struct names_key key_of(struct names *names, struct word word, const char *end)
{
	return names_key(names, word.text, word.bytes, (size_t)(end - word.text));
}

/* The next word up to `separator`, which must come before the end of the line; `*at` is behind it then. */
static bool take(const char **at, const char *line_end, char separator, struct word *ret_word)
{
	const char *start = *at, *here = start;

	while (here < line_end && *here != separator)
		here++;
	if (here == line_end || here == start)
		return false;
	*ret_word = (struct word){ start, (size_t)(here - start) };
	*at = here + 1;
	return true;
}

/* `end` is how far memory may be looked at. */
static int scan_line(struct scan *scan, const char *line, const char *line_end, const char *end)
{
	struct predict_sequence *sequence = scan->sequence;
	struct word thread, op, object, place;
	const struct op_word *known;
	const char *at = line, *bar;
	struct ahead *ahead;

	if (line_end > line && line_end[-1] == '\r')
		line_end--;
	if (line == line_end)
		return 0;
	if (!take(&at, line_end, '|', &thread))
		return fail(scan, "expected THREAD|");
	if (!take(&at, line_end, '(', &op))
		return fail(scan, "expected OP( after the thread");
	known = find_op(op);
	if (!known)
		return fail(scan,
			    "unknown operation; known are r w acq rel req fork join wait notify");
	if (known->op == OP_SKIP)
		return 0;
	if (!take(&at, line_end, ')', &object))
		return fail(scan, "expected OBJECT) after the operation");
	if (at == line_end || *at++ != '|')
		return fail(scan, "expected |PLACE after the operation");
	bar = memchr(at, '|', (size_t)(line_end - at));
	place = (struct word){ at, (size_t)((bar ? bar : line_end) - at) };
	if (!place.bytes)
		return fail(scan, "expected |PLACE after the operation");
	if (known->op == PREDICT_FORK || known->op == PREDICT_JOIN)
		object = thread_word(object);
	ahead = &scan->ahead[scan->scanned++ % AHEAD];
	*ahead = (struct ahead){
		.line = scan->line,
		.op = (enum predict_op)known->op,
		.thread = thread_word(thread),
		.object = key_of(names_of_op(sequence, (enum predict_op)known->op), object, end),
		.place = key_of(&sequence->places, place, end),
	};
	return scan->scanned - scan->taken == AHEAD ? take_line(scan) : 0;
}

/* All lines that are whole; `ret_left` bytes at the end are not. */
static int scan_lines(struct scan *scan, const char *text, size_t bytes, size_t *ret_left)
{
	const char *end = text + bytes;

	for (;;) {
		const char *line_end = memchr(text, '\n', (size_t)(end - text));
		int error;

		if (!line_end)
			break;
		scan->line++;
		error = scan_line(scan, text, line_end, end);
		if (error)
			return error;
		text = line_end + 1;
	}
	*ret_left = (size_t)(end - text);
	/* Their words are in the buffer. */
	return take_lines(scan);
}

/* The last line, which has no end; and the end. */
static int scan_rest(struct scan *scan, const char *text, size_t bytes)
{
	int error;

	scan->line++;
	error = scan_line(scan, text, text + bytes, text + bytes);
	if (!error)
		error = take_lines(scan);
	if (!error)
		predict_sequence_end(scan->sequence);
	return error;
}

int std_read_text(const char *text, size_t bytes, struct predict_sequence *sequence,
		  struct diag *diag)
{
	struct scan scan = { .sequence = sequence, .diag = diag };
	size_t left;
	int error = scan_lines(&scan, text, bytes, &left);

	return error ? error : scan_rest(&scan, text + bytes - left, left);
}

/* Of a file its bytes; of what comes through a pipe the events. */
static void tell(const struct scan *scan, uint64_t bytes, uint64_t file_bytes)
{
	const struct predict_sequence *s = scan->sequence;

	if (s->tell && file_bytes)
		s->tell(s->tell_cookie, bytes, file_bytes);
	else if (s->tell)
		s->tell(s->tell_cookie, s->count, UINT64_MAX);
}

static int read_all(struct scan *scan, int fd, const char *path, char *buffer)
{
	size_t have = 0;
	uint64_t bytes = 0;
	struct stat stat;

	if (fstat(fd, &stat) || !S_ISREG(stat.st_mode))
		stat.st_size = 0;
	for (;;) {
		ssize_t got = read(fd, buffer + have, BUFFER_BYTES - have);
		int error;
		size_t left;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return diag_set(scan->diag, THRUM_EIO, "cannot read %s: %s", path,
					strerror(errno));
		if (!got)
			return scan_rest(scan, buffer, have);
		have += (size_t)got;
		bytes += (size_t)got;
		tell(scan, bytes, (uint64_t)stat.st_size);
		error = scan_lines(scan, buffer, have, &left);
		if (error)
			return error;
		if (left > MOST_LINE_BYTES) {
			scan->line++;
			return fail(scan, "longer than 512 KiB: not a trace in STD form");
		}
		memmove(buffer, buffer + have - left, left);
		have = left;
	}
}

int std_read_file(const char *path, struct predict_sequence *sequence, struct diag *diag)
{
	struct scan scan = { .sequence = sequence, .diag = diag };
	int fd = open(path, O_RDONLY | O_CLOEXEC), error;
	char *buffer;

	if (fd < 0)
		return diag_set(diag, THRUM_EIO, "cannot read %s: %s", path, strerror(errno));
	buffer = room_new(BUFFER_BYTES, 1);
	error = read_all(&scan, fd, path, buffer);
	free(buffer);
	close(fd);
	return error;
}
