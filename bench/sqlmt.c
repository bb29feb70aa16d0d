/* SPDX-License-Identifier: MIT */
/*
 * sqlmt.c - four threads on one SQLite database, a connection each: the most lock-hungry library use of the real programs.
 *
 *   sqlmt FILE TRANSACTIONS-PER-THREAD
 *
 * Each transaction writes one row and is followed by ten range reads. Prints the number of rows and a sum over them that
 * does not depend on the order in which the threads ran; anything unexpected ends with status 1.
 */
#include <pthread.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 4, READS = 10, READ_SPAN = 20, BUSY_MS = 60000 };

struct worker {
	pthread_t thread;
	const char *file;
	int index;
	int transactions;
};

static void must(int rc, sqlite3 *db)
{
	if (rc != SQLITE_OK && rc != SQLITE_DONE && rc != SQLITE_ROW) {
		fprintf(stderr, "sqlmt: %s\n", sqlite3_errmsg(db));
		exit(1);
	}
}

static sqlite3 *open_database(const char *file)
{
	sqlite3 *db;

	must(sqlite3_open(file, &db), db);
	must(sqlite3_busy_timeout(db, BUSY_MS), db);
	must(sqlite3_exec(db, "pragma journal_mode=wal; pragma synchronous=off", NULL, NULL, NULL),
	     db);
	return db;
}

static void write_one(sqlite3 *db, sqlite3_stmt *insert, int key)
{
	must(sqlite3_exec(db, "begin immediate", NULL, NULL, NULL), db);
	must(sqlite3_bind_int(insert, 1, key), db);
	must(sqlite3_bind_text(insert, 2, "some text that is stored", -1, SQLITE_STATIC), db);
	must(sqlite3_step(insert), db);
	must(sqlite3_reset(insert), db);
	must(sqlite3_exec(db, "commit", NULL, NULL, NULL), db);
}

static void read_some(sqlite3 *db, sqlite3_stmt *select, int around)
{
	for (int k = 0; k < READS; k++) {
		must(sqlite3_bind_int(select, 1, around - READ_SPAN), db);
		must(sqlite3_bind_int(select, 2, around), db);
		must(sqlite3_step(select), db);
		must(sqlite3_reset(select), db);
	}
}

static void *work(void *arg)
{
	const struct worker *w = arg;
	sqlite3 *db = open_database(w->file);
	sqlite3_stmt *insert, *select;

	must(sqlite3_prepare_v2(db, "insert into t(k,v) values(?,?)", -1, &insert, NULL), db);
	must(sqlite3_prepare_v2(db, "select sum(length(v)) from t where k between ? and ?", -1,
				&select, NULL),
	     db);
	for (int i = 0; i < w->transactions; i++) {
		write_one(db, insert, i * THREADS + w->index);
		read_some(db, select, i);
	}
	sqlite3_finalize(insert);
	sqlite3_finalize(select);
	must(sqlite3_close(db), db);
	return NULL;
}

static void print_result(sqlite3 *db)
{
	sqlite3_stmt *all;

	must(sqlite3_prepare_v2(db, "select count(*), sum(k) from t", -1, &all, NULL), db);
	must(sqlite3_step(all), db);
	printf("rows=%lld sum=%lld\n", (long long)sqlite3_column_int64(all, 0),
	       (long long)sqlite3_column_int64(all, 1));
	sqlite3_finalize(all);
}

int main(int argc, char **argv)
{
	struct worker worker[THREADS];
	sqlite3 *db;

	if (argc != 3 || atoi(argv[2]) < 1) {
		fprintf(stderr, "usage: sqlmt FILE TRANSACTIONS-PER-THREAD\n");
		return 2;
	}
	db = open_database(argv[1]);
	must(sqlite3_exec(db, "create table t(k integer, v text); create index i on t(k)", NULL,
			  NULL, NULL),
	     db);
	for (int i = 0; i < THREADS; i++) {
		worker[i] = (struct worker){ .file = argv[1],
					     .index = i,
					     .transactions = atoi(argv[2]) };
		if (pthread_create(&worker[i].thread, NULL, work, &worker[i])) {
			return 1;
		}
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(worker[i].thread, NULL);
	}
	print_result(db);
	must(sqlite3_close(db), db);
	return 0;
}
