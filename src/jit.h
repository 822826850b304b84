/*-------------------------------------------------------------------------
 *
 * jit.h
 *	  Reports of a mart are run as they are, not compiled first.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SALES_PERF_JIT_H
#define SALES_PERF_JIT_H

#include "postgres.h"

extern void jit_init(void);
extern void jit_note_as_of(Oid function_id);

#endif							/* SALES_PERF_JIT_H */
