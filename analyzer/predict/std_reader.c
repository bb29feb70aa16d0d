/* SPDX-License-Identifier: MIT */
/*
 * std_reader.c - a scanner by hand: no copy of a name that is known. Names are looked up some lines later, when what is needed for that has
 * come from memory. Lines are short: where the processor compares 16 bytes at once, their separators are found without a loop.
 */
#include "std_reader.h"

#include "room.h"

#include <errno.h>
#include <fcntl.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_BYTES (1u << 20)
#define MOST_LINE_BYTES (BUFFER_BYTES / 2)
#define PAD_BYTES 64u /* behind the text, so that one may look ahead */
#define OP_SKIP (-1)
#define OP_SLOTS 64u
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
	uint64_t thread_bits; /* its bytes where they are at most eight, else 0 */
	struct names_key object, place;
};

/* Of a line. */
struct parts {
	struct word thread, op, object, place;
};

struct scan {
	struct predict_sequence *sequence;
	uint64_t line; /* of the line that is looked at, from 1 */
	struct diag *diag;
	struct ahead ahead[AHEAD]; /* a ring */
	uint64_t scanned, taken;   /* lines that went in, and came out */
	uint64_t by_bits;	   /* the thread of the line that was taken last, if it is short */
	uint32_t by;
	uint64_t op_bits[OP_SLOTS]; /* known words of at most eight bytes; hashed */
	int op[OP_SLOTS];
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

static uint32_t look_up_thread(struct scan *scan, const struct ahead *a)
{
	struct word word = thread_word(a->thread);

	scan->by = names_lookup_or_add(&scan->sequence->threads, word.text, word.bytes, word.bytes);
	scan->by_bits = a->thread_bits;
	return scan->by;
}

/* The oldest line that is not taken. */
static int take_line(struct scan *scan)
{
	const struct ahead *a = &scan->ahead[scan->taken++ % AHEAD];
	struct predict_sequence *sequence = scan->sequence;
	/* Most lines are of the thread of the line before. */
	uint32_t by = a->thread_bits && a->thread_bits == scan->by_bits ? scan->by
									: look_up_thread(scan, a);
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

/* The bytes of a short word; 0 = it is long. Behind it eight may be looked at. */
static inline uint64_t bits_of(struct word word)
{
	uint64_t bits;

	if (word.bytes > sizeof(bits))
		return 0;
	memcpy(&bits, word.text, sizeof(bits));
	return bits & ~UINT64_C(0) >> (8 * (sizeof(bits) - word.bytes));
}

static inline size_t op_slot(uint64_t bits)
{
	return bits * UINT64_C(0x9e3779b97f4a7c15) >> 58;
}

/* Those that meet in a slot are searched for. */
static void scan_init(struct scan *scan)
{
	for (size_t i = sizeof(op_words) / sizeof(*op_words); i-- > 0;) {
		char text[16] = { 0 };
		uint64_t bits;

		memcpy(text, op_words[i].text, op_words[i].bytes);
		bits = bits_of((struct word){ text, op_words[i].bytes });
		scan->op_bits[op_slot(bits)] = bits;
		scan->op[op_slot(bits)] = op_words[i].op;
	}
}

/* False = it is unknown. */
static bool search_op(struct word word, int *ret_op)
{
	for (size_t i = 0; i < sizeof(op_words) / sizeof(*op_words); i++)
		if (op_words[i].bytes == word.bytes &&
		    !memcmp(op_words[i].text, word.text, word.bytes)) {
			*ret_op = op_words[i].op;
			return true;
		}
	return false;
}

static inline bool find_op(const struct scan *scan, struct word word, int *ret_op)
{
	uint64_t bits = bits_of(word);
	size_t slot = op_slot(bits);

	*ret_op = scan->op[slot];
	return (bits && scan->op_bits[slot] == bits) || search_op(word, ret_op);
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

/* A line of any length. NULL, or what is wrong. */
static const char *cut_head(const char **at, const char *line_end, struct parts *ret_parts)
{
	if (!take(at, line_end, '|', &ret_parts->thread))
		return "expected THREAD|";
	return take(at, line_end, '(', &ret_parts->op) ? NULL : "expected OP( after the thread";
}

static const char *cut_rest(const char *at, const char *line_end, struct parts *ret_parts)
{
	const char *bar;

	if (!take(&at, line_end, ')', &ret_parts->object))
		return "expected OBJECT) after the operation";
	if (at == line_end || *at++ != '|')
		return "expected |PLACE after the operation";
	bar = memchr(at, '|', (size_t)(line_end - at));
	ret_parts->place = (struct word){ at, (size_t)((bar ? bar : line_end) - at) };
	return ret_parts->place.bytes ? NULL : "expected |PLACE after the operation";
}

static inline int take_parts(struct scan *scan, const struct parts *parts, int op)
{
	struct predict_sequence *sequence = scan->sequence;
	struct word object = parts->object;
	struct ahead *ahead;

	if (op == PREDICT_FORK || op == PREDICT_JOIN)
		object = thread_word(object);
	ahead = &scan->ahead[scan->scanned++ % AHEAD];
	ahead->line = scan->line;
	ahead->op = (enum predict_op)op;
	ahead->thread = parts->thread;
	ahead->thread_bits = bits_of(parts->thread);
	names_key(names_of_op(sequence, (enum predict_op)op), object.text, object.bytes,
		  object.bytes + PAD_BYTES, &ahead->object);
	names_key(&sequence->places, parts->place.text, parts->place.bytes,
		  parts->place.bytes + PAD_BYTES, &ahead->place);
	return scan->scanned - scan->taken == AHEAD ? take_line(scan) : 0;
}

static int scan_line(struct scan *scan, const char *line, const char *line_end)
{
	struct parts parts;
	const char *wrong;
	int op;

	if (line_end > line && line_end[-1] == '\r')
		line_end--;
	if (line == line_end)
		return 0;
	wrong = cut_head(&line, line_end, &parts);
	if (wrong)
		return fail(scan, wrong);
	if (!find_op(scan, parts.op, &op))
		return fail(scan,
			    "unknown operation; known are r w acq rel req fork join wait notify");
	if (op == OP_SKIP)
		return 0;
	wrong = cut_rest(line, line_end, &parts);
	return wrong ? fail(scan, wrong) : take_parts(scan, &parts, op);
}

#ifdef __SSE2__
enum { SHORT_LINE = 32 };

/* Which of 32 bytes are this one? */
static inline uint32_t where(const __m128i half[2], char byte)
{
	__m128i all = _mm_set1_epi8(byte);

	return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(half[0], all)) |
	       (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(half[1], all)) << 16;
}

static inline uint32_t first_of(uint32_t bits)
{
	return (uint32_t)__builtin_ctz(bits);
}

/* The bytes of a word that ends at the lowest of these bits and begins at `from`. */
static inline struct word word_at(const char *line, uint32_t from, uint32_t ends)
{
	return (struct word){ line + from, first_of(ends) - from };
}

/* Bits behind the lowest one. */
static inline uint32_t behind(uint32_t bits)
{
	return ~(bits ^ (bits - 1));
}

/* A line of the usual form with its end within SHORT_LINE bytes: false = look closer. `ret_next` is behind it. */
static inline bool cut_short_line(const char *line, const char *end, struct parts *ret_parts,
				  const char **ret_next)
{
	const __m128i half[2] = { _mm_loadu_si128((const __m128i *)line),
				  _mm_loadu_si128((const __m128i *)line + 1) };
	uint32_t bars = where(half, '|'), stop = where(half, '\n'), open, close, ends;

	open = where(half, '(') & behind(bars);
	close = where(half, ')') & behind(open);
	if (!bars || !open || !close || !stop || line + first_of(stop) >= end)
		return false;
	/* The place begins two behind `close`, and ends at the next bar or the end of the line. */
	ends = (bars & behind(close << 1)) | stop | where(half, '\r');
	ret_parts->thread = word_at(line, 0, bars);
	ret_parts->op = word_at(line, first_of(bars) + 1, open);
	ret_parts->object = word_at(line, first_of(open) + 1, close);
	ret_parts->place = word_at(line, first_of(close) + 2, ends);
	*ret_next = line + first_of(stop) + 1;
	return (bars & (close << 1) & -(close << 1)) && ret_parts->thread.bytes &&
	       ret_parts->op.bytes && ret_parts->object.bytes &&
	       first_of(ends) > first_of(close) + 2 &&
	       (ret_parts->place.text[ret_parts->place.bytes] != '\r' ||
		ret_parts->place.text[ret_parts->place.bytes + 1] == '\n');
}
#else
static inline bool cut_short_line(const char *line, const char *end, struct parts *ret_parts,
				  const char **ret_next)
{
	(void)line, (void)end, (void)ret_parts, (void)ret_next;
	return false;
}
#endif

/* Most lines: nothing is wrong, and both the form and the operation are the usual ones. */
static inline bool scan_short_line(struct scan *scan, const char *line, const char *end,
				   const char **ret_next, int *ret_error)
{
	struct parts parts;
	int op;

	if (!cut_short_line(line, end, &parts, ret_next) || !find_op(scan, parts.op, &op))
		return false;
	scan->line++;
	*ret_error = op == OP_SKIP ? 0 : take_parts(scan, &parts, op);
	return true;
}

/* All lines that are whole; `ret_left` bytes at the end are not. PAD_BYTES behind them may be looked at. */
static int scan_lines(struct scan *scan, const char *text, size_t bytes, size_t *ret_left)
{
	const char *end = text + bytes;
	int error = 0;

	while (!error && text < end) {
		const char *next, *line_end;

		if (scan_short_line(scan, text, end, &next, &error)) {
			text = next;
			continue;
		}
		line_end = memchr(text, '\n', (size_t)(end - text));
		if (!line_end)
			break;
		scan->line++;
		error = scan_line(scan, text, line_end);
		text = line_end + 1;
	}
	*ret_left = (size_t)(end - text);
	/* Their words are in the buffer. */
	return error ? error : take_lines(scan);
}

/* The last line, which has no end; and the end. */
static int scan_rest(struct scan *scan, const char *text, size_t bytes)
{
	int error;

	scan->line++;
	error = scan_line(scan, text, text + bytes);
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
	char *padded = room_new(bytes + PAD_BYTES, 1);
	size_t left;
	int error;

	scan_init(&scan);
	memcpy(padded, text, bytes);
	error = scan_lines(&scan, padded, bytes, &left);
	if (!error)
		error = scan_rest(&scan, padded + bytes - left, left);
	free(padded);
	return error;
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
	buffer = room_new(BUFFER_BYTES + PAD_BYTES, 1);
	scan_init(&scan);
	error = read_all(&scan, fd, path, buffer);
	free(buffer);
	close(fd);
	return error;
}
