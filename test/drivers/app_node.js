// An application that keeps customers, with node-postgres.  Its database has
// encrypted columns, of which it knows nothing.
//
//   app_node.js [plain] [eager | pooled]
//
// plain: the database is the plain twin.  eager: each statement has a name, so
// it is prepared in the server.  pooled: a pooler in transaction mode is in between.
// Where to connect to is in PGHOST and so on, as ever.
'use strict';
const assert = require('assert').strict;
const pg = require('pg');
const { Client, Pool } = pg;

const plain = process.argv.includes('plain');
const eager = process.argv.includes('eager');
const pooled = process.argv.includes('pooled');

const client = new Client();

// A date is a string of the day, or midnight there as a Date, before pg-types 4.
const day = (y, m, d) => new Date(y, m - 1, d);
const iso = (y, m, d) => `${y}-${String(m).padStart(2, '0')}-${String(d).padStart(2, '0')}`;
const dateOf = (y, m, d) => pg.types.getTypeParser(1082)(iso(y, m, d)) instanceof Date ? day(y, m, d) : iso(y, m, d);

// --- TAP --------------------------------------------------------------------------

const tests = [];
const test = (name, body) => tests.push([name, body]);

async function run() {
	let failed = 0;
	await client.connect();
	for (const [i, [name, body]] of tests.entries()) {
		let said = '', skip;
		try {
			skip = await body();
		} catch (e) {
			said = e.stack + '\n' + (e.detail || '') + ' ' + (e.hint || '');
			failed++;
		}
		console.log(`${said ? 'not ok' : 'ok'} ${i + 1} - ${name}${skip ? ` # ${skip}` : ''}`);
		if (said) console.log(said.replace(/^/gm, '# '));
	}
	console.log(`1..${tests.length}`);
	await client.end();
	process.exit(failed > 0 ? 1 : 0);
}

// --- statements -----------------------------------------------------------------------

const names = new Map();

function named(sql) {
	if (!eager) return undefined;
	if (!names.has(sql)) names.set(sql, `s${names.size}`);
	return names.get(sql);
}

async function execute(sql, values) {
	return client.query({ text: sql, values, name: named(sql) });
}

async function query(sql, ...values) {
	return (await execute(sql, values)).rows.map(Object.values);
}

// The same, with results in binary form.
async function binary(sql, ...values) {
	return (await client.query({ text: sql, values, binary: true })).rows.map(Object.values);
}

async function change(sql, ...values) {
	return (await execute(sql, values)).rowCount;
}

// What is said when a statement fails as it has to.
async function refused(code, sql, ...values) {
	try {
		await execute(sql, values);
	} catch (e) {
		assert.equal(e.code, code, e.message);
		return [e.message, e.detail, e.hint, e.where].join(' ');
	}
	assert.fail('no error');
}

// --- the application ----------------------------------------------------------------------

test('rows are inserted, and their ids come back', async () => {
	const sql = 'INSERT INTO customer (email, birth, balance, doc, active, note) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id';
	const [[anna]] = await query(sql, 'anna@example.com', day(1990, 5, 17), '1200.50', { tags: ['a', 'b'], n: 1 }, true, 'first');
	const [[zoe]] = await query(sql, 'zoë@例え.jp', '1968-02-29', -0.001, '[]', false, null);
	const [[empty]] = await query(sql, '', null, null, null, null, null);
	assert(BigInt(anna) < BigInt(zoe) && BigInt(zoe) < BigInt(empty));
});

test('a view of casts has the types of JavaScript', async () => {
	const sql = 'SELECT email, birth, balance, doc, active, note FROM customer_plain ORDER BY id';
	assert.deepEqual(await query(sql), [
		['anna@example.com', dateOf(1990, 5, 17), '1200.50', { n: 1, tags: ['a', 'b'] }, true, 'first'],
		['zoë@例え.jp', dateOf(1968, 2, 29), '-0.001', [], false, null],
		['', null, null, null, null, null]]);
});

test('a row is found by what it has', async () => {
	const sql = 'SELECT note, balance::numeric FROM customer WHERE email = $1';
	assert.deepEqual(await query(sql, 'anna@example.com'), [['first', '1200.50']]);
	assert.deepEqual(await query(sql, 'zoë@例え.jp'), [[null, '-0.001']]);
	assert.deepEqual(await query(sql, ''), [[null, null]]);
	assert.deepEqual(await query(sql, 'Anna@example.com'), []);
	assert.deepEqual(await query(sql, null), []);
	assert.deepEqual(await query('SELECT email::text FROM customer WHERE birth = $1', day(1968, 2, 29)), [['zoë@例え.jp']]);
	assert.deepEqual(await query('SELECT email::text FROM customer WHERE birth = $1', '1968-02-29'), [['zoë@例え.jp']]);
	assert.deepEqual(await query('SELECT email::text FROM customer WHERE $1 = email AND note = $2', 'anna@example.com', 'first'),
		[['anna@example.com']]);
	// a literal, without parameters: the simple protocol
	assert.deepEqual((await client.query("SELECT note FROM customer WHERE email = 'anna@example.com'")).rows, [{ note: 'first' }]);
});

test('many rows are inserted at once', async () => {
	const values = [];
	const rows = [];
	for (let i = 0; i < 200; i++) {
		rows.push(`($${values.length + 1}, $${values.length + 2}, $${values.length + 3})`);
		values.push(`bulk${i}@example.com`, day(2000, 1, 1 + i % 7), i / 4);
	}
	assert.equal(await change(`INSERT INTO customer (email, birth, balance) VALUES ${rows.join(', ')}`, ...values), 200);
	assert.deepEqual(await query('SELECT count(*), count(DISTINCT email) AS e, count(DISTINCT birth) AS b FROM customer'),
		[['203', '203', '9']]);
	assert.deepEqual(await query('SELECT balance::numeric FROM customer WHERE email = $1', 'bulk42@example.com'), [['10.5']]);
});

test('lists of what to find', async () => {
	const emails = ['anna@example.com', 'bulk7@example.com', 'zoë@例え.jp', 'nobody@example.com'];
	const want = [['anna@example.com'], ['zoë@例え.jp'], ['bulk7@example.com']];
	const sql = 'SELECT email::text FROM customer WHERE email';
	assert.deepEqual(await query(`${sql} = ANY($1) ORDER BY id`, emails), want);
	assert.deepEqual(await query(`${sql} IN ($1, $2, $3, $4) ORDER BY id`, ...emails), want);
	assert.deepEqual(await query(`${sql} = ANY($1)`, []), []);
	assert.deepEqual(await query(`${sql} = ANY($1)`, ['anna@example.com', null]), want.slice(0, 1));
	assert.deepEqual(await query(`${sql} = ANY($1::text[]) ORDER BY id`, emails), want);
	assert.deepEqual(await query('SELECT count(*)::int FROM customer WHERE email <> ALL($1)', emails), [[200]]);
	assert.deepEqual(await query('SELECT count(*)::int FROM customer WHERE birth = ANY($1)', [day(2000, 1, 3), day(2000, 1, 4)]), [[58]]);
});

test('rows are joined', async () => {
	assert.equal(await change('INSERT INTO orders (customer_email, amount) VALUES ($1, $2), ($3, $4), ($5, $6), ($7, $8)',
		'anna@example.com', 10, 'anna@example.com', 2.5, 'zoë@例え.jp', 7, null, 1), 4);
	assert.deepEqual(await query('SELECT c.email::text, sum(o.amount::numeric) FROM customer c'
		+ ' JOIN orders o ON o.customer_email = c.email GROUP BY c.email ORDER BY 2'),
	[['zoë@例え.jp', '7'], ['anna@example.com', '12.5']]);
	assert.deepEqual(await query('SELECT x.n FROM customer c JOIN unnest($1::text[], $2::int[]) AS x(email, n) ON c.email = x.email ORDER BY 1',
		['anna@example.com', 'nobody', ''], [1, 2, 3]), [[1], [3]]);
});

test('what is there is updated, what is not is inserted', async () => {
	for (const note of ['one', 'two']) {
		assert.equal(await change('INSERT INTO customer (email, balance, note) VALUES ($1, $2, $3)'
			+ ' ON CONFLICT (email) DO UPDATE SET balance = EXCLUDED.balance, note = EXCLUDED.note',
		'upsert@example.com', 5, note), 1);
	}
	assert.deepEqual(await query('SELECT note FROM customer WHERE email = $1', 'upsert@example.com'), [['two']]);
});

test('what is rolled back is gone', async () => {
	await client.query('BEGIN');
	assert.equal(await change('DELETE FROM customer WHERE email = $1', 'bulk1@example.com'), 1);
	assert.deepEqual(await query('SELECT id FROM customer WHERE email = $1', 'bulk1@example.com'), []);
	await client.query('ROLLBACK');
	assert.equal((await query('SELECT id FROM customer WHERE email = $1', 'bulk1@example.com')).length, 1);
});

test('rows are updated and deleted by what they have, and those that refer to them', async () => {
	assert.equal(await change('UPDATE customer SET email = $1 WHERE email = $2', 'anne@example.com', 'anna@example.com'), 1);
	assert.equal((await query('SELECT id FROM orders WHERE customer_email = $1', 'anne@example.com')).length, 2);
	assert.equal(await change('DELETE FROM customer WHERE email = $1', 'zoë@例え.jp'), 1);
	assert.deepEqual(await query('SELECT customer_email FROM orders_plain WHERE customer_email IS NOT NULL'),
		[['anne@example.com'], ['anne@example.com']]);
});

test('values that break a constraint are refused, and the message does not show them', async () => {
	for (const [code, sql, value] of [
		['23505', 'INSERT INTO customer (email) VALUES ($1)', 'anne@example.com'],
		['23503', 'INSERT INTO orders (customer_email) VALUES ($1)', 'nobody@example.com'],
		['22008', 'UPDATE customer SET birth = $1', '31.31.1']]) {
		assert.equal((await refused(code, sql, value)).includes(value), plain);
	}
});

test('values of all types are found by them', async () => {
	const visit = {
		ref: '6ba7b810-9dad-11d1-80b4-00c04fd430c8',
		at: new Date('2026-11-23T12:30:00.123Z'),
		local: new Date(2026, 10, 23, 12, 30),
		clock: '23:59:59.999999',
		small: 7,
		pages: 70000,
		bytes: (2n ** 40n).toString(),
		price: '9.90',
		token: Buffer.from([0, 255, 1]),
		ip: '2001:db8::1',
		doc: { a: null, b: [1, 2.5] },
		ok: true,
		ratio: 0.1,
	};
	const columns = Object.keys(visit);
	await change(`INSERT INTO visit (${columns}) VALUES (${columns.map((_, i) => '$' + (i + 1))})`, ...Object.values(visit));
	const { rows: [row] } = await execute(`SELECT ${columns} FROM visit_plain`, []);
	assert.deepEqual(row, visit);
	for (const column of columns) {
		if (column === 'ratio') continue;
		assert.deepEqual([column, await query(`SELECT ref::uuid FROM visit WHERE ${column} = $1`, visit[column])], [column, [[visit.ref]]]);
	}
	assert.equal((await query('SELECT ref::uuid FROM visit WHERE price = $1', 9.9)).length, 1);
	assert.equal((await query('SELECT ref::uuid FROM visit WHERE bytes = $1', 2 ** 40)).length, 1);
	assert.equal((await query('SELECT ref::uuid FROM visit WHERE token = ANY($1)', [visit.token])).length, 1);
});

test('any bytes come back, and are found', async () => {
	const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
	for (const token of [Buffer.alloc(0), all, Buffer.from('\\x4142'), Buffer.from('a\\\\b'), Buffer.from('tc2:'), Buffer.from('zoë'),
		Buffer.from([255, 216, 255, 224]), Buffer.from([249]), Buffer.concat([Buffer.from([249, 0, 2]), all])]) {
		await change('UPDATE visit SET token = $1', token);
		assert.deepEqual(await query('SELECT token FROM visit_plain'), [[token]]);
		assert.deepEqual(await query('SELECT count(*)::int FROM visit WHERE token = $1', token), [[1]]);
	}
	assert.deepEqual(await query('SELECT count(*)::int FROM customer WHERE email = $1', Buffer.from('anne@example.com')), [[1]]);
});

test('results in binary form', async () => {
	try {
		await binary('SELECT $1::int4', 1);
	} catch (e) {
		return 'SKIP this node-postgres cannot ask for them: ' + e.message;
	}
	assert.deepEqual(await binary('SELECT email, active FROM customer_plain WHERE email = ANY($1) ORDER BY id', ['anne@example.com', '']),
		[['anne@example.com', true], ['', null]]);
	assert.deepEqual(await binary('SELECT pages, small, ok FROM visit_plain WHERE pages = $1', 70000), [[70000, 7, true]]);
});

test('the same statements again and again', async () => {
	for (let i = 10; i < 30; i++) {
		assert.deepEqual(await query('SELECT email::text FROM customer WHERE email = $1', `bulk${i}@example.com`), [[`bulk${i}@example.com`]]);
		assert.equal((await query('SELECT id FROM customer WHERE email = ANY($1)', [`bulk${i}@example.com`, `bulk${i + 1}@example.com`])).length, 2);
	}
	const [[prepared]] = await query('SELECT count(*)::int FROM pg_prepared_statements');
	assert.equal(prepared > 0, eager);
});

test('a pool of connections', async () => {
	const pool = new Pool({ max: 4 });
	const found = await Promise.all(Array.from({ length: 40 }, (_, i) =>
		pool.query('SELECT email FROM customer_plain WHERE id IN (SELECT id FROM customer WHERE email = $1)', [`bulk${i}@example.com`])));
	assert.deepEqual(found.map(r => r.rows[0].email), Array.from({ length: 40 }, (_, i) => `bulk${i}@example.com`));
	await pool.end();
});

test('a role without the key gets 42501', async () => {
	const clerk = new Client({ user: 'clerk' });
	await clerk.connect();
	for (const [sql, ...values] of [
		['SELECT email FROM customer_plain'],
		['SELECT id FROM customer WHERE email = $1', 'anne@example.com'],
		['SELECT id FROM customer WHERE email = ANY($1)', ['anne@example.com']],
		['INSERT INTO customer (email) VALUES ($1)', 'clerk@example.com']]) {
		await assert.rejects(clerk.query(sql, values), { code: '42501' }, sql);
	}
	await clerk.end();
});

if (!plain) {
	test('without a cast a value is sealed: it is a string', async () => {
		const [[email]] = await query('SELECT email FROM customer WHERE email = $1', 'anne@example.com');
		assert.match(email, /^tc1:/);
	});

	test('SET LOCAL shows plaintext in one transaction', async () => {
		const sql = 'SELECT email, birth, balance, doc, active FROM customer WHERE email = $1';
		await client.query('BEGIN');
		await client.query("SET LOCAL themis_crypt.client_output = 'plaintext'");
		// the types are those of the columns, so all are strings
		assert.deepEqual(await query(sql, 'anne@example.com'),
			[['anne@example.com', '1990-05-17', '1200.50', '{"n": 1, "tags": ["a", "b"]}', 't']]);
		await client.query('COMMIT');
		assert.match((await query(sql, 'anne@example.com'))[0][0], /^tc1:/);
	});
}

run();
