-- Reading of CSV files with messages that name file, line and column. Everything is temporary.
-- Lines come in as they are, are cut into values here, and nothing is converted before it was checked:
--   csv_line(file, line_no, line)    line: its bytes read as LATIN1, so that wrong UTF-8 can be told in our words
--   csv_column(file, column_name, kind, is_required)   what a file must have
--   csv_row(file, line_no, cells)    cells: jsonb, column name => text, an empty value is null
--   csv_problem(file, line_no, column_name, message)   column_name may be NULL
-- pg_temp.raise_problems() ends the load if there are problems.

CREATE TEMP TABLE csv_line (file text NOT NULL, line_no integer NOT NULL, line text NOT NULL);
CREATE TEMP TABLE csv_column (file text NOT NULL, column_name text NOT NULL, kind text NOT NULL, is_required boolean NOT NULL);
CREATE TEMP TABLE csv_row (file text NOT NULL, line_no integer NOT NULL, cells jsonb NOT NULL);
CREATE TEMP TABLE csv_problem (file text NOT NULL, line_no integer NOT NULL, column_name text, message text NOT NULL);

-- A comma and a value: quoted, with "" for a quote, or bare. Lines get a comma in front, so that all values look alike.
CREATE FUNCTION pg_temp.csv_value_pattern() RETURNS text
	LANGUAGE sql IMMUTABLE
	RETURN ',(?:"((?:[^"]|"")*)"|([^",]*))(?=,|$)';

-- The part of a line, with a comma in front, that is well formed.
CREATE FUNCTION pg_temp.csv_well_formed(line text) RETURNS text
	LANGUAGE sql IMMUTABLE
	RETURN substring(',' || line FROM '^(?:,(?:"(?:[^"]|"")*"|[^",]*)(?=,|$))*');

CREATE FUNCTION pg_temp.csv_values(line text) RETURNS text[]
	LANGUAGE sql IMMUTABLE
	RETURN CASE
		WHEN position('"' IN line) = 0 THEN string_to_array(line, ',')
		ELSE (
			SELECT array_agg(coalesce(replace(found[1], '""', '"'), found[2]) ORDER BY no)
			FROM regexp_matches(',' || line, pg_temp.csv_value_pattern(), 'g') WITH ORDINALITY AS value(found, no))
	END;

-- A value's bytes as UTF-8; NULL if they are none.
CREATE FUNCTION pg_temp.csv_decode(value text) RETURNS text
	LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
	RETURN convert_from(convert_to(value, 'LATIN1'), 'UTF8');
EXCEPTION
	WHEN character_not_in_repertoire THEN
		RETURN NULL;
END;
$$;

CREATE FUNCTION pg_temp.is_iso_date(value text) RETURNS boolean
	LANGUAGE sql IMMUTABLE
	RETURN CASE
		WHEN value !~ '^(?!0000)\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$' THEN false
		ELSE substr(value, 9)::integer
			<= extract(day FROM make_date(left(value, 4)::integer, substr(value, 6, 2)::integer, 1) + interval '1 month - 1 day')
	END;

-- Cuts the lines of all files into rows; finds what is wrong with header, quotes, the number of values and encoding.
CREATE FUNCTION pg_temp.parse_csv() RETURNS void
	LANGUAGE sql
BEGIN ATOMIC
	WITH header AS (
		SELECT file, pg_temp.csv_values(line) AS names
		FROM csv_line
		WHERE line_no = 1
	),
	wanted AS (
		SELECT column_name, c.file, h.names
		FROM csv_column c
		LEFT JOIN header h USING (file)
	)
	INSERT INTO csv_problem
	SELECT file, 1, column_name,
		CASE
			WHEN names IS NULL THEN 'the file is empty, a header was expected'
			ELSE format('the header has no such column (it has: %s)', array_to_string(names, ', '))
		END
	FROM wanted
	WHERE names IS NULL OR column_name <> ALL (names)
	UNION ALL
	SELECT file, 1, name, 'the header names this column twice'
	FROM header
	CROSS JOIN unnest(names) AS name
	GROUP BY file, name
	HAVING count(*) > 1;

	WITH header AS (
		SELECT file, pg_temp.csv_values(line) AS names
		FROM csv_line
		WHERE line_no = 1
	),
	cut AS (
		SELECT l.file, l.line_no, l.line, h.names, pg_temp.csv_values(l.line) AS given,
			CASE WHEN pg_temp.csv_well_formed(l.line) <> ',' || l.line
				THEN regexp_count(pg_temp.csv_well_formed(l.line), pg_temp.csv_value_pattern()) + 1
			END AS bad_value_no
		FROM csv_line l
		JOIN header h USING (file)
		WHERE l.line_no > 1 AND l.line <> ''
	)
	INSERT INTO csv_problem
	SELECT file, line_no, names[bad_value_no], 'a quoted value does not end on this line, or a quote stands inside a value'
	FROM cut
	WHERE bad_value_no IS NOT NULL
	UNION ALL
	SELECT file, line_no, names[cardinality(given) + 1],
		format('the line ends before it: %s values for %s columns', cardinality(given), cardinality(names))
	FROM cut
	WHERE bad_value_no IS NULL AND cardinality(given) < cardinality(names)
	UNION ALL
	SELECT file, line_no, names[cardinality(names)],
		format('the line goes on after it: %s values for %s columns', cardinality(given), cardinality(names))
	FROM cut
	WHERE bad_value_no IS NULL AND cardinality(given) > cardinality(names);

	WITH header AS (
		SELECT file, pg_temp.csv_values(line) AS names
		FROM csv_line
		WHERE line_no = 1
	)
	INSERT INTO csv_row
	SELECT l.file, l.line_no, jsonb_object(h.names, v.given)
	FROM csv_line l
	JOIN header h USING (file)
	CROSS JOIN LATERAL (
		SELECT array_agg(nullif(btrim(value), '') ORDER BY no) AS given
		FROM unnest(pg_temp.csv_values(l.line)) WITH ORDINALITY AS u(value, no)) v
	WHERE l.line_no > 1 AND l.line <> '' AND cardinality(v.given) = cardinality(h.names);

	INSERT INTO csv_problem
	SELECT file, line_no, column_name, 'is not valid UTF-8'
	FROM csv_row
	CROSS JOIN jsonb_each_text(cells) AS cell(column_name, value)
	WHERE value ~ '[^\x01-\x7f]'
		AND pg_temp.csv_decode(value) IS NULL;

	UPDATE csv_row
	SET cells = pg_temp.csv_decode(cells::text)::jsonb
	WHERE cells::text ~ '[^\x01-\x7f]'
		AND pg_temp.csv_decode(cells::text) IS NOT NULL;
END;

-- Finds missing and malformed values.
CREATE FUNCTION pg_temp.check_values() RETURNS void
	LANGUAGE sql
BEGIN ATOMIC
	INSERT INTO csv_problem
	SELECT r.file, r.line_no, c.column_name,
		CASE
			WHEN value IS NULL THEN 'is empty'
			WHEN c.kind = 'date' THEN format('"%s" is not a date (YYYY-MM-DD)', value)
			ELSE format('"%s" is not a number', value)
		END
	FROM csv_row r
	JOIN csv_column c USING (file)
	CROSS JOIN LATERAL (SELECT r.cells ->> c.column_name AS value) v
	WHERE CASE
		WHEN value IS NULL THEN c.is_required
		WHEN c.kind = 'date' THEN NOT pg_temp.is_iso_date(value)
		WHEN c.kind = 'number' THEN value !~ '^[-+]?\d{1,30}(\.\d{1,30})?$'
		ELSE false
	END;
END;

-- Finds values of a column that stand twice.
CREATE FUNCTION pg_temp.check_unique(of_file text, of_column text) RETURNS void
	LANGUAGE sql
BEGIN ATOMIC
	INSERT INTO csv_problem
	SELECT file, line_no, of_column, format('"%s" stands in line %s already', value, first_line_no)
	FROM (
		SELECT file, line_no, cells ->> of_column AS value,
			min(line_no) OVER (PARTITION BY cells ->> of_column) AS first_line_no
		FROM csv_row
		WHERE file = of_file) seen
	WHERE value IS NOT NULL AND line_no > first_line_no;
END;

-- Finds values of a column that another file's column does not have.
CREATE FUNCTION pg_temp.check_reference(of_file text, of_column text, to_file text, to_column text) RETURNS void
	LANGUAGE sql
BEGIN ATOMIC
	INSERT INTO csv_problem
	SELECT r.file, r.line_no, of_column, format('"%s" is not in %s', r.cells ->> of_column, to_file)
	FROM csv_row r
	WHERE r.file = of_file
		AND r.cells ->> of_column NOT IN (SELECT k.cells ->> to_column FROM csv_row k WHERE k.file = to_file AND k.cells ->> to_column IS NOT NULL);
END;

-- Ends the load with the first problem, and up to nine more as the detail.
CREATE FUNCTION pg_temp.raise_problems() RETURNS void
	LANGUAGE plpgsql
AS $$
DECLARE
	texts text[];
BEGIN
	SELECT array_agg(format('%s, line %s%s: %s', file, line_no, ', column ' || column_name, message)
			ORDER BY file, line_no, column_name)
	INTO texts
	FROM csv_problem;
	IF cardinality(texts) = 1 THEN
		RAISE EXCEPTION '%', texts[1];
	ELSIF texts IS NOT NULL THEN
		RAISE EXCEPTION '%', texts[1]
			USING DETAIL = format(E'%s problems in all%s:\n%s',
				cardinality(texts), CASE WHEN cardinality(texts) > 10 THEN ', the first ten' ELSE '' END, array_to_string(texts[1:10], E'\n'));
	END IF;
END;
$$;
