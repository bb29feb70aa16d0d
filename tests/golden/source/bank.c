/* The program that the hand-made findings of sink_cases.c pretend to have recorded. Lines are quoted by number. */
#include <pthread.h>
#include <semaphore.h>

struct account {
	pthread_mutex_t lock;
	long balance;
};

static struct account accounts[2];
static pthread_mutex_t g_log = PTHREAD_MUTEX_INITIALIZER;
static sem_t ready;

static void lock_account(struct account *a)
{
	pthread_mutex_lock(&a->lock);
}

static void transfer(struct account *from, struct account *to, long amount)
{
	lock_account(from);
	lock_account(to);
	from->balance -= amount;
	to->balance += amount;
	pthread_mutex_unlock(&to->lock);
	pthread_mutex_unlock(&from->lock);
}

static void audit(void)
{
	pthread_mutex_lock(&g_log);
	lock_account(&accounts[0]);	/* <b>"the" other way round</b> & here */
}

static void *teller(void *arg)
{
	transfer(&accounts[0], &accounts[1], (long)arg);
	return NULL;
}

static void *auditor(void *arg)
{
	audit();
	sem_wait(&ready);
	return arg;
}

int main(void)
{
	pthread_t threads[2];

	pthread_create(&threads[0], NULL, teller, (void *)1);
	pthread_create(&threads[1], NULL, auditor, NULL);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	return 0;
}
