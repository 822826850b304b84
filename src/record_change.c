/*-------------------------------------------------------------------------
 *
 * record_change.c
 *	  Writes down that a transaction has changed something in a mart.
 *
 * Reports that are kept (see sql/53_rollup_report.sql) are right as long as
 * nothing has changed since they were made.  Each statement on a table that
 * they read comes here by a trigger; the first of a transaction inserts one
 * row, its transaction id, into rollup_change of the same schema.  Nobody
 * waits for anybody, and there is no index to keep: the table is emptied
 * whenever reports are made anew.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "compat.h"
#include "executor/tuptable.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/xid8.h"

#define CHANGE_TABLE "rollup_change"

PG_FUNCTION_INFO_V1(sales_perf_record_change);
Datum
sales_perf_record_change(PG_FUNCTION_ARGS)
{
	/* what was written last: by this subtransaction, which still lives */
	static Oid	last_table = InvalidOid;
	static SubTransactionId last_subtransaction = InvalidSubTransactionId;
	static FullTransactionId last_transaction = {InvalidTransactionId};

	TriggerData *trigger;
	FullTransactionId transaction;
	SubTransactionId subtransaction = GetCurrentSubTransactionId();
	Oid			table_id;
	Relation	table;
	TupleDesc	columns;
	TupleTableSlot *row;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be called as a trigger", "record_change")));
	trigger = (TriggerData *) fcinfo->context;

	table_id = get_relname_relid(CHANGE_TABLE, RelationGetNamespace(trigger->tg_relation));
	if (!OidIsValid(table_id))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("there is no table \"%s\" in schema \"%s\"", CHANGE_TABLE,
						get_namespace_name(RelationGetNamespace(trigger->tg_relation))),
				 errhint("sales_perf.drop_rollup() takes the trigger away, sales_perf.upgrade_mart() makes the table.")));

	transaction = GetTopFullTransactionId();
	if (table_id == last_table && subtransaction == last_subtransaction &&
		FullTransactionIdEquals(transaction, last_transaction))
		return PointerGetDatum(NULL);

	table = table_open(table_id, RowExclusiveLock);
	columns = RelationGetDescr(table);
	if (table->rd_rel->relkind != RELKIND_RELATION || columns->natts != 1 ||
		TupleDescAttr(columns, 0)->atttypid != XID8OID || table->rd_rel->relhasindex)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("table \"%s\" is not as sales_perf makes it", RelationGetRelationName(table)),
				 errdetail("It has one column of type xid8, and no index.")));
	row = table_slot_create(table, NULL);
	row->tts_values[0] = FullTransactionIdGetDatum(transaction);
	row->tts_isnull[0] = false;
	ExecStoreVirtualTuple(row);
	simple_table_tuple_insert(table, row);
	ExecDropSingleTupleTableSlot(row);
	table_close(table, NoLock);

	last_table = table_id;
	last_subtransaction = subtransaction;
	last_transaction = transaction;
	return PointerGetDatum(NULL);
}
