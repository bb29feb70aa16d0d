/* SPDX-License-Identifier: MIT */
/* ledger.h - accounts with a journal; all functions may be called from any thread. */
#ifndef LEDGER_H
#define LEDGER_H

void ledger_deposit(int account, int amount);
void ledger_transfer(int from, int to, int amount);
/* The sum over all accounts; writes it to the journal. */
int ledger_audit(void);
int ledger_journal_lines(void);

#endif
