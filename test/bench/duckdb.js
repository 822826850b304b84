// node duckdb.js FILE: runs the statements that come in, one a line, in DuckDB on a database of its own, with one thread.
// Answers each with a line: the milliseconds it took with its rows read, of the processor and by the clock, or "ERROR ...".
// The first line is the version; after "rows:" come the rows instead, as JSON.
const readline = require('readline');
const { DuckDBInstance } = require('@duckdb/node-api');

async function main(file) {
	const instance = await DuckDBInstance.create(file, { threads: '1' });
	const connection = await instance.connect();
	const version = await connection.runAndReadAll('SELECT version()');
	console.log(version.getRowsJson()[0][0]);
	for await (const line of readline.createInterface({ input: process.stdin })) {
		const asked = line.trim();
		if (asked === '')
			continue;
		try {
			const rows = asked.startsWith('rows:');
			const usage = process.cpuUsage();
			const start = process.hrtime.bigint();
			const result = await connection.runAndReadAll(rows ? asked.slice(5) : asked);
			const elapsed = Number(process.hrtime.bigint() - start) / 1e6;
			const { user, system } = process.cpuUsage(usage);
			console.log(rows ? JSON.stringify(result.getRowsJson()) :
				`${((user + system) / 1e3).toFixed(3)} ${elapsed.toFixed(3)}`);
		} catch (error) {
			console.log('ERROR ' + error.message.replace(/\s+/g, ' '));
		}
	}
}

main(process.argv[2]);
