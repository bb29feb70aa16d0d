/* SPDX-License-Identifier: MIT */
/* library_user.c - a plugin that needs one copy of the library; linked twice. */
void omp_init_lock(void *lock);
void omp_set_lock(void *lock);
void omp_unset_lock(void *lock);
int library_calls(void);
int user_run(void);

int user_run(void)
{
	static int lock[4];

	omp_init_lock(lock);
	omp_set_lock(lock);
	omp_unset_lock(lock);
	return library_calls();
}
