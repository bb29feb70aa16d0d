/* SPDX-License-Identifier: MIT */
/*
 * library_copy.c - a library that says it is OpenMP's, as Python extensions bring theirs: counts the calls that
 * reach it. Built twice, with different names.
 */
static int calls;

void omp_init_lock(void *lock);
void omp_set_lock(void *lock);
void omp_unset_lock(void *lock);
int library_calls(void);

void omp_init_lock(void *lock)
{
	*(int *)lock = 0;
	calls++;
}
void omp_set_lock(void *lock)
{
	*(int *)lock = 1;
	calls++;
}
void omp_unset_lock(void *lock)
{
	*(int *)lock = 0;
	calls++;
}
int library_calls(void)
{
	return calls;
}
