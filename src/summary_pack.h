/*-------------------------------------------------------------------------
 *
 * summary_pack.h
 *	  The packed form of summaries, in which equal values are equal bytes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SALES_PERF_SUMMARY_PACK_H
#define SALES_PERF_SUMMARY_PACK_H

#include "postgres.h"

#include "summary_view.h"
#include "wire.h"

/* the first byte of a packed value: the form, and in it its version */
#define SUMMARY_PACKED		0x01

extern bool summary_unpack(const SummaryLayout *layout, SummaryView *view,
						   const char *data, size_t size);
extern void summary_unpack_stored(const SummaryLayout *layout, SummaryView *view,
								  struct varlena *p);
extern struct varlena *summary_pack(const SummaryView *view);
extern struct varlena *summary_pack_part(const SummaryLayout *from, struct varlena *packed,
										 const SummaryLayout *to, int first_count,
										 int first_decimal, int first_histogram);
extern bool unpack_decimal(WireReader *reader, DecimalValue *value);

/* summary_merge.c */
extern struct varlena *summary_pack_merge(const SummaryLayout *layout, struct varlena *a,
										  struct varlena *b, int sign);

#endif							/* SALES_PERF_SUMMARY_PACK_H */
