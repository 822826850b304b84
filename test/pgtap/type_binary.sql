-- Binary input and output: what COPY BINARY writes it reads back; hostile messages are refused, neither a crash nor
-- an allocation follows them, and what is accepted is the one way to write that value.
SET search_path = public, sales_perf;
\ir fixture/samples.sql

-- Reads a message as a value by COPY BINARY, as a client would send it, and gives the bytes of what was read;
-- NULL if adding nothing to it changes them.
CREATE FUNCTION received(type_name text, message bytea)
RETURNS bytea
LANGUAGE plpgsql
AS $$
DECLARE
	file text := current_setting('data_directory') || '/sales_perf_message';
	large_object oid;
	result bytea;
BEGIN
	large_object := lo_from_bytea(0, '\x5047434f50590aff0d0a000000000000000000'::bytea
		|| int2send(1::int2) || int4send(length(message)) || message || int2send((-1)::int2));
	PERFORM lo_export(large_object, file);
	PERFORM lo_unlink(large_object);
	EXECUTE format('COPY received_%I FROM %L WITH (FORMAT binary)', type_name, file);
	EXECUTE format('SELECT CASE
			WHEN fixture.packed(r.s + zero.s) = fixture.packed(r.s) THEN fixture.packed(r.s)
		END
		FROM received_%I AS r, fixture.sample_%I AS zero
		WHERE zero.seed = 1', type_name, type_name) INTO STRICT result;
	EXECUTE format('DELETE FROM received_%I', type_name);
	RETURN result;
END
$$;

-- NULL if the message is accepted as the one way to write what it says, else what happened.
CREATE FUNCTION verdict(type_name text, message bytea)
RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
	state text;
	message_text text;
BEGIN
	IF received(type_name, message) = message THEN
		RETURN NULL;
	END IF;
	RETURN 'accepted, but not written like that';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message_text = MESSAGE_TEXT;
	RETURN state || ' ' || message_text;
END
$$;

-- what a refusal looks like
CREATE FUNCTION refused(verdict text, type_name text)
RETURNS boolean
LANGUAGE sql
RETURN COALESCE(verdict = '22P03 invalid binary value of type ' || type_name
	OR verdict ~ ('^22P03 unsupported version [0-9]+ of binary format of type ' || type_name || '$'), false);

SELECT format('CREATE TEMPORARY TABLE received_%1$s (s sales_perf.%1$s)', name)
FROM fixture.type
WHERE has_fixture
\gexec

-- the messages that are tampered with: the smallest of each type, and one of about 100 bytes that is not valid
CREATE TABLE message (type_name text, message bytea);
SELECT format('INSERT INTO message
	SELECT DISTINCT %1$L, packed
	FROM (
		(SELECT fixture.packed(s) AS packed FROM fixture.sample_%1$s ORDER BY 1 LIMIT 3)
		UNION ALL
		(SELECT fixture.packed(- s) FROM fixture.sample_%1$s ORDER BY abs(length(fixture.packed(s)) - 100) LIMIT 1)
	) AS p', name)
FROM fixture.type
WHERE has_fixture
\gexec

SELECT plan((8 * (SELECT count(*) FROM fixture.type WHERE has_fixture) + 2 + 11)::int);

SELECT is_empty(
	$$SELECT name FROM fixture.type WHERE NOT has_fixture$$,
	'every summary type has sample values: a function fixture.<type>(seed) in test/pgtap/fixture/samples.sql');
SELECT is_empty(
	$$SELECT type_name, message FROM message WHERE verdict(type_name, message) IS NOT NULL$$,
	'the messages are accepted as they are, before they are tampered with');

-- round trips of whole tables, of both forms, sums and differences
SELECT format('CREATE TABLE sent_%1$s AS
	SELECT seed, s FROM fixture.sample_%1$s
	UNION ALL
	SELECT 100 + seed, w FROM fixture.sample_%1$s
	UNION ALL
	SELECT 200 + seed, - s FROM fixture.sample_%1$s
	UNION ALL
	SELECT 300 + a.seed, a.s - b.s FROM fixture.sample_%1$s AS a JOIN fixture.sample_%1$s AS b ON b.seed = a.seed + 1
	UNION ALL
	SELECT 0, NULL', name),
	format('CREATE TABLE back_%1$s (LIKE sent_%1$s)', name),
	format('COPY sent_%1$s TO %2$L WITH (FORMAT binary)', name, current_setting('data_directory') || '/sales_perf_table'),
	format('COPY back_%1$s FROM %2$L WITH (FORMAT binary)', name, current_setting('data_directory') || '/sales_perf_table'),
	format('COPY sent_%1$s TO %2$L', name, current_setting('data_directory') || '/sales_perf_table'),
	format('CREATE TABLE back_text_%1$s (LIKE sent_%1$s)', name),
	format('COPY back_text_%1$s FROM %2$L', name, current_setting('data_directory') || '/sales_perf_table')
FROM fixture.type
WHERE has_fixture
\gexec

SELECT bag_eq(
	format('SELECT seed, fixture.packed(s) FROM back_%s', name),
	format('SELECT seed, fixture.packed(s) FROM sent_%s', name),
	name || ': COPY BINARY out and in gives the same table')
FROM fixture.type
WHERE has_fixture;

SELECT bag_eq(
	format('SELECT seed, fixture.packed(s) FROM back_text_%s', name),
	format('SELECT seed, fixture.packed(s) FROM sent_%s', name),
	name || ': so does COPY as text')
FROM fixture.type
WHERE has_fixture;

SELECT set_eq(
	format('SELECT DISTINCT get_byte(message, 1) FROM message WHERE type_name = %L', name),
	format('SELECT get_byte(fixture.packed(s), 1) FROM fixture.sample_%s WHERE seed = 1
		EXCEPT SELECT get_byte(message, 1) FROM message WHERE type_name <> %L', name, name),
	name || ': the second byte is the same in all its messages, and in no other type''s')
FROM fixture.type
WHERE has_fixture;

SELECT is_empty(
	format($$SELECT message, size, verdict
		FROM message, generate_series(0, length(message) - 1) AS size, verdict(type_name, substr(message, 1, size))
		WHERE type_name = %L AND NOT refused(verdict, type_name)$$, name),
	name || ': a message cut off anywhere is refused')
FROM fixture.type
WHERE has_fixture;

SELECT is_empty(
	format($$SELECT message, tail, verdict
		FROM message, LATERAL (VALUES ('\x00'::bytea), ('\xff'), ('\x0000000000000000'), (message)) AS t (tail), verdict(type_name, message || tail)
		WHERE type_name = %L AND NOT refused(verdict, type_name)$$, name),
	name || ': so is one with anything behind it')
FROM fixture.type
WHERE has_fixture;

SELECT is_empty(
	format($$SELECT message, bit, verdict
		FROM message,
			generate_series(0, length(message) * 8 - 1) AS bit,
			verdict(type_name, set_bit(message, bit, 1 - get_bit(message, bit)))
		WHERE type_name = %L AND verdict IS NOT NULL AND NOT refused(verdict, type_name)$$, name),
	name || ': with a bit flipped it is refused, or is the one way to write another value')
FROM fixture.type
WHERE has_fixture;

-- A number of nine or ten bytes in place of each byte: huge counts, keys, sizes and lengths.
SELECT is_empty(
	format($$SELECT message, place, verdict
		FROM message,
			generate_series(0, length(message) - 1) AS place,
			(VALUES ('\xffffffffffffffff7f'::bytea), ('\xffffffffffffffffff01'), ('\xfeffffffffffffffff01'),
				('\x8080808008'), ('\xffffffff0f'), ('\xffffffffffffffffff02'), ('\x8000'), ('\x8080808080808080808080')) AS h (huge),
			verdict(type_name, substr(message, 1, place) || huge || substr(message, place + 2))
		WHERE type_name = %L AND verdict IS NOT NULL AND NOT refused(verdict, type_name)$$, name),
	name || ': so it is with a huge or overlong number put in at any place')
FROM fixture.type
WHERE has_fixture;

SELECT is_empty(
	format($$SELECT o.type_name, message, verdict
		FROM message AS o, verdict(%1$L, o.message)
		WHERE o.type_name <> %1$L AND NOT refused(verdict, %1$L)$$, name),
	name || ': messages of the other types are refused')
FROM fixture.type
WHERE has_fixture;

-- The bytes of a few messages, written out.
SELECT is(verdict('conversion_summary', '\x01010604'), NULL, 'version 1, type 1, 3 entered, 2 converted');
SELECT is(conversion_summary(3, 2), '{"entered": 3, "converted": 2}', 'which is what conversion_summary(3, 2) is');
SELECT is(fixture.packed(conversion_summary(3, 2)), '\x01010604'::bytea, 'and how it is sent');
SELECT is(verdict('conversion_summary', '\x02010604'),
	'22P03 unsupported version 2 of binary format of type conversion_summary', 'a later version is named');
SELECT is(verdict('conversion_summary', '\x81010604'),
	'22P03 unsupported version 129 of binary format of type conversion_summary', 'the working form is not for clients');
SELECT is(verdict('conversion_summary', ''::bytea),
	'22P03 invalid binary value of type conversion_summary', 'an empty message is refused');
SELECT is(verdict('amount_summary', '\x010202000100000000'),
	'22P03 invalid binary value of type amount_summary', 'a sum of more digits than follow is refused');
SELECT is(verdict('amount_summary', '\x0102020001000000'), NULL, 'a sum of one digit, 1, is accepted');
SELECT is(verdict('amount_summary', '\x0102020000000000'),
	'22P03 invalid binary value of type amount_summary', 'a sum of one digit, 0, is not: it has another way to be written');
SELECT is(verdict('amount_summary', '\x010202ffffffffffffffffff0101000000'),
	'22P03 invalid binary value of type amount_summary', 'a digit of the lowest possible power is refused');
SELECT is(verdict('amount_summary', '\x0102000000020202000200'),
	'22P03 invalid binary value of type amount_summary', 'a key that comes twice is refused');

SELECT * FROM finish();
