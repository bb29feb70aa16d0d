/* SPDX-License-Identifier: MIT */
/*
 * csp_hash.h - the SHA-256 by which a page's content security policy allows exactly one inline
 * style or script.
 */
#ifndef THRUM_ANALYZER_REPORT_CSP_HASH_H
#define THRUM_ANALYZER_REPORT_CSP_HASH_H

#include <stddef.h>

#define CSP_HASH_BYTES 52 /* "sha256-", 44 base64 digits, NUL */

/*
 * Writes "sha256-…" of `bytes` of `data`: the text between <style> and </style>, without quotes for
 * the policy.
 */
void csp_hash(const void *data, size_t bytes, char ret_hash[CSP_HASH_BYTES]);

#endif
