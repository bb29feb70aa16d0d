/* SPDX-License-Identifier: MIT */
/* SHOWS references to objects on the heap that are counted by plain additions */
/* EXPECT data-race confidence=observed level=error threads=2 occurs=1..1000000 count=1..4 */
/* ALLOW data-race confidence=potential */
/* RUN once full limit=120 options=--races=auto */
/* BUILD needs=watchpoints flags=-O2 */
#include "race.h"

enum { OBJECTS = 16 };

struct object {
	int references;
	char body[60];
};

static struct object *object;

static NOINLINE void get(struct object *o)
{
	o->references++;
}

static NOINLINE void put(struct object *o)
{
	o->references--;
}

static NOINLINE void use(long n)
{
	get(&object[n % OBJECTS]);
	put(&object[n % OBJECTS]);
}

int main(void)
{
	object = calloc(OBJECTS, sizeof(*object));
	race_run(use, 4000);
	free(object);
	return 0;
}
