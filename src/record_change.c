/*-------------------------------------------------------------------------
 *
 * record_change.c
 *	  Writes down that a transaction has changed something in a mart.
 *
 * Reports that are kept (see sql/53_rollup_report.sql) are right as long as
 * nothing has changed since they were made.  Each statement on a table that
 * they read comes here by a trigger; the first of a transaction inserts one
 * row, its transaction id, into rollup_change of the same schema.
 *
 * Stored summaries of customers and of the ways of deals (see
 * sql/53_rollup_subject.sql) are right but for those that were touched: each
 * row that says something of one of them comes here by a trigger, which
 * inserts who it is into rollup_touched.
 *
 * Nobody waits for anybody, and there is no index to keep: both tables are
 * emptied whenever what they tell of is made anew.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "compat.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/xid8.h"

#define CHANGE_TABLE "rollup_change"
#define TOUCHED_TABLE "rollup_touched"

static TriggerData *
trigger_of(FunctionCallInfo fcinfo, const char *function_name)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be called as a trigger", function_name)));
	return (TriggerData *) fcinfo->context;
}

static Oid
table_beside(Relation relation, const char *table_name)
{
	Oid			table_id = get_relname_relid(table_name, RelationGetNamespace(relation));

	if (!OidIsValid(table_id))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("there is no table \"%s\" in schema \"%s\"", table_name,
						get_namespace_name(RelationGetNamespace(relation))),
				 errhint("sales_perf.drop_rollup() takes the trigger away, sales_perf.upgrade_mart() makes the table.")));
	return table_id;
}

/* a row whose columns are the values, and NULL after them */
static void
append_row(Oid table_id, int natts, Oid type_id, const Datum *values, const bool *isnull, int nvalues)
{
	Relation	table = table_open(table_id, RowExclusiveLock);
	TupleDesc	columns = RelationGetDescr(table);
	TupleTableSlot *row;

	if (table->rd_rel->relkind != RELKIND_RELATION || columns->natts != natts || table->rd_rel->relhasindex)
		goto wrong_table;
	for (int i = 0; i < nvalues; i++)
		if (TupleDescAttr(columns, i)->atttypid != type_id)
			goto wrong_table;

	row = table_slot_create(table, NULL);
	for (int i = 0; i < natts; i++)
	{
		row->tts_values[i] = i < nvalues ? values[i] : (Datum) 0;
		row->tts_isnull[i] = i < nvalues ? isnull[i] : true;
	}
	ExecStoreVirtualTuple(row);
	simple_table_tuple_insert(table, row);
	ExecDropSingleTupleTableSlot(row);
	table_close(table, NoLock);
	return;

wrong_table:
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("table \"%s\" is not as sales_perf makes it", RelationGetRelationName(table)),
			 errdetail("It has %d columns, of type %s the first, and no index.", natts, format_type_be(type_id))));
}

PG_FUNCTION_INFO_V1(sales_perf_record_change);
Datum
sales_perf_record_change(PG_FUNCTION_ARGS)
{
	/* what was written last: by this subtransaction, which still lives */
	static Oid	last_table = InvalidOid;
	static SubTransactionId last_subtransaction = InvalidSubTransactionId;
	static FullTransactionId last_transaction = {InvalidTransactionId};

	TriggerData *trigger = trigger_of(fcinfo, "record_change");
	Oid			table_id = table_beside(trigger->tg_relation, CHANGE_TABLE);
	FullTransactionId transaction = GetTopFullTransactionId();
	SubTransactionId subtransaction = GetCurrentSubTransactionId();
	Datum		value = FullTransactionIdGetDatum(transaction);
	bool		isnull = false;

	if (table_id == last_table && subtransaction == last_subtransaction &&
		FullTransactionIdEquals(transaction, last_transaction))
		return PointerGetDatum(NULL);

	append_row(table_id, 1, XID8OID, &value, &isnull, 1);

	last_table = table_id;
	last_subtransaction = subtransaction;
	last_transaction = transaction;
	return PointerGetDatum(NULL);
}

/*
 * Arguments of the trigger: the kind of subject, and the column that is its
 * key.  Of a row that is changed both the old and the new one are touched.
 * TRUNCATE touches all.
 */
PG_FUNCTION_INFO_V1(sales_perf_record_touched);
Datum
sales_perf_record_touched(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_of(fcinfo, "record_touched");
	Oid			table_id = table_beside(trigger->tg_relation, TOUCHED_TABLE);
	Datum		values[2];
	bool		isnull[2] = {false, true};
	HeapTuple	rows[2] = {NULL, NULL};
	TupleDesc	columns = RelationGetDescr(trigger->tg_relation);
	int			key_no;
	text	   *written = NULL;

	if (trigger->tg_trigger->tgnargs != 2)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger function \"%s\" takes a kind of subject and the name of a column", "record_touched")));
	values[0] = CStringGetTextDatum(trigger->tg_trigger->tgargs[0]);
	values[1] = (Datum) 0;

	if (!TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
	{
		append_row(table_id, 6, TEXTOID, values, isnull, 2);
		return PointerGetDatum(NULL);
	}

	key_no = SPI_fnumber(columns, trigger->tg_trigger->tgargs[1]);
	if (key_no <= 0 || TupleDescAttr(columns, key_no - 1)->atttypid != TEXTOID)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("table \"%s\" has no column \"%s\" of type text",
						RelationGetRelationName(trigger->tg_relation), trigger->tg_trigger->tgargs[1])));
	rows[0] = trigger->tg_trigtuple;
	if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		rows[1] = trigger->tg_newtuple;

	for (int i = 0; i < 2 && rows[i] != NULL; i++)
	{
		values[1] = heap_getattr(rows[i], key_no, columns, &isnull[1]);
		if (isnull[1])
			continue;
		if (written != NULL)
		{
			text	   *key = DatumGetTextPP(values[1]);

			if (VARSIZE_ANY_EXHDR(key) == VARSIZE_ANY_EXHDR(written) &&
				memcmp(VARDATA_ANY(key), VARDATA_ANY(written), VARSIZE_ANY_EXHDR(key)) == 0)
				continue;
		}
		append_row(table_id, 6, TEXTOID, values, isnull, 2);
		written = DatumGetTextPP(values[1]);
	}
	return PointerGetDatum(NULL);
}
