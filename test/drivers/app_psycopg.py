# An application that keeps customers, with psycopg 3.  Its database has encrypted
# columns, of which it knows nothing; tap.py says how it is run.
import ipaddress
import uuid
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal

import psycopg
from psycopg.types.json import Jsonb

from tap import eager, plain, pooled, run, same, test

# A pooler in transaction mode loses the statements that psycopg would prepare.
threshold = None if pooled else 0 if eager else 5


def connect(**params):
    return psycopg.connect(prepare_threshold=threshold, **params)


conn = connect()


def query(sql, *params):
    with conn.cursor(binary=eager) as cur:
        return cur.execute(sql, params).fetchall()


def change(sql, *params):
    with conn.cursor() as cur:
        return cur.execute(sql, params).rowcount


def refused(sqlstate, function, *args):
    """What is said when the function fails as it has to."""
    try:
        with conn.transaction():
            function(*args)
    except psycopg.Error as e:
        same(e.sqlstate, sqlstate)
        return ' '.join(str(x) for x in (e, e.diag.message_detail, e.diag.message_hint, e.diag.context))
    raise AssertionError('no error')


@test('rows are inserted, and their ids come back')
def _():
    sql = 'INSERT INTO customer (email, birth, balance, doc, active, note) VALUES (%s, %s, %s, %s, %s, %s) RETURNING id'
    [[anna]] = query(sql, 'anna@example.com', date(1990, 5, 17), Decimal('1200.50'),
                     Jsonb({'tags': ['a', 'b'], 'n': 1}), True, 'first')
    [[zoe]] = query(sql, 'zoë@例え.jp', date(1968, 2, 29), Decimal('-0.001'), Jsonb([]), False, None)
    [[empty]] = query(sql, '', None, None, None, None, None)
    assert anna < zoe < empty


@test('a view of casts has the types of Python')
def _():
    sql = 'SELECT email, birth, balance, doc, active, note FROM customer_plain ORDER BY id'
    same(query(sql), [
        ('anna@example.com', date(1990, 5, 17), Decimal('1200.50'), {'n': 1, 'tags': ['a', 'b']}, True, 'first'),
        ('zoë@例え.jp', date(1968, 2, 29), Decimal('-0.001'), [], False, None),
        ('', None, None, None, None, None)])


@test('a row is found by what it has')
def _():
    sql = 'SELECT note, balance::numeric FROM customer WHERE email = %s'
    same(query(sql, 'anna@example.com'), [('first', Decimal('1200.50'))])
    same(query(sql, 'zoë@例え.jp'), [(None, Decimal('-0.001'))])
    same(query(sql, ''), [(None, None)])
    same(query(sql, 'Anna@example.com'), [])
    same(query(sql, None), [])
    same(query('SELECT email::text FROM customer WHERE birth = %s', date(1968, 2, 29)), [('zoë@例え.jp',)])
    same(query('SELECT email::text FROM customer WHERE birth = %s', '1968-02-29'), [('zoë@例え.jp',)])
    same(query('SELECT email::text FROM customer WHERE %s = email AND note = %s', 'anna@example.com', 'first'),
         [('anna@example.com',)])
    same(query('SELECT email::text FROM customer WHERE birth IS NULL'), [('',)])
    same(query('SELECT email::text FROM customer WHERE birth <> %s', date(1990, 5, 17)), [('zoë@例え.jp',)])
    same(query('SELECT email::text FROM customer WHERE birth IS DISTINCT FROM %s ORDER BY id', date(1990, 5, 17)),
         [('zoë@例え.jp',), ('',)])


@test('a view of casts can be searched and sorted, too')
def _():
    same(query('SELECT note FROM customer_plain WHERE email = %s', 'anna@example.com'), [('first',)])
    same(query('SELECT email FROM customer_plain WHERE birth < %s ORDER BY email', date(1991, 1, 1)),
         [('anna@example.com',), ('zoë@例え.jp',)])
    same(query('SELECT email FROM customer_plain WHERE email LIKE %s', '%@example.com'), [('anna@example.com',)])


@test('many rows are inserted at once, and with COPY')
def _():
    with conn.cursor() as cur:
        cur.executemany('INSERT INTO customer (email, birth, balance) VALUES (%s, %s, %s)',
                        [(f'bulk{i}@example.com', date(2000, 1, 1) + timedelta(i % 7), Decimal(i) / 4) for i in range(100)])
        with cur.copy('COPY customer (email, birth, balance, active) FROM STDIN') as copy:
            for i in range(100):
                copy.write_row((f'copy{i}@example.com', date(2000, 1, 1) + timedelta(i % 7), Decimal(i), i % 2 == 0))
    same(query('SELECT count(*), count(DISTINCT email), count(DISTINCT birth) FROM customer'), [(203, 203, 9)])
    same(query('SELECT balance::numeric FROM customer WHERE email = %s', 'bulk42@example.com'), [(Decimal('10.5'),)])
    same(query('SELECT active::bool FROM customer WHERE email = %s', 'copy42@example.com'), [(True,)])
    same(query('SELECT birth::date, count(*) FROM customer WHERE balance IS NOT NULL GROUP BY birth HAVING birth = %s',
               date(2000, 1, 3)), [(date(2000, 1, 3), 28)])


@test('lists of what to find')
def _():
    emails = ['anna@example.com', 'bulk7@example.com', 'zoë@例え.jp', 'nobody@example.com']
    want = [('anna@example.com',), ('bulk7@example.com',), ('zoë@例え.jp',)]
    sql = 'SELECT email FROM customer_plain WHERE id IN (SELECT id FROM customer WHERE email {}) ORDER BY email'
    same(query(sql.format('= ANY(%s)'), emails), want)
    same(query(sql.format('IN (%s, %s, %s, %s)'), *emails), want)
    same(query(sql.format('= ANY(%s)'), []), [])
    same(query(sql.format('= ANY(%s)'), ['anna@example.com', None]), want[:1])
    same(query('SELECT count(*) FROM customer WHERE email <> ALL(%s)', emails), [(200,)])
    same(query('SELECT count(*) FROM customer WHERE birth = ANY(%s)', [date(2000, 1, 3), date(2000, 1, 4)]), [(56,)])
    same(query('SELECT count(*) FROM customer WHERE email = ANY(%s)', [f'copy{i}@example.com' for i in range(500)]), [(100,)])


@test('rows are joined')
def _():
    with conn.cursor() as cur:
        cur.executemany('INSERT INTO orders (customer_email, amount) VALUES (%s, %s)',
                        [('anna@example.com', 10), ('anna@example.com', Decimal('2.5')), ('zoë@例え.jp', 7), (None, 1)])
    same(query('SELECT c.email::text, sum(o.amount::numeric) FROM customer c JOIN orders o ON o.customer_email = c.email'
               ' GROUP BY c.email ORDER BY 2'), [('zoë@例え.jp', Decimal('7')), ('anna@example.com', Decimal('12.5'))])
    same(query('SELECT o.amount::numeric FROM orders o LEFT JOIN customer c ON c.email = o.customer_email'
               ' WHERE c.email IS NULL'), [(Decimal('1'),)])
    same(query('SELECT x.n FROM customer c JOIN unnest(%s::text[], %s::int[]) AS x(email, n) ON c.email = x.email ORDER BY 1',
               ['anna@example.com', 'nobody', ''], [1, 2, 3]), [(1,), (3,)])


@test('what is there is updated, what is not is inserted')
def _():
    sql = ('INSERT INTO customer (email, balance, note) VALUES (%s, %s, %s)'
           ' ON CONFLICT (email) DO UPDATE SET balance = EXCLUDED.balance, note = EXCLUDED.note')
    for note in 'one', 'two':
        same(change(sql, 'upsert@example.com', Decimal(5), note), 1)
    same(query('SELECT note FROM customer WHERE email = %s', 'upsert@example.com'), [('two',)])
    same(change('INSERT INTO customer (email) VALUES (%s) ON CONFLICT DO NOTHING', 'upsert@example.com'), 0)


@test('what is rolled back is gone, and a savepoint brings it back')
def _():
    try:
        with conn.transaction():
            change('DELETE FROM customer WHERE email = %s', 'bulk1@example.com')
            try:
                with conn.transaction():
                    change('INSERT INTO customer (email) VALUES (%s)', 'bulk2@example.com')
            except psycopg.errors.UniqueViolation:
                pass
            same(query('SELECT id FROM customer WHERE email = %s', 'bulk1@example.com'), [])
            raise psycopg.Rollback
    except psycopg.Rollback:
        pass
    same(query('SELECT count(*) FROM customer WHERE email IN (%s, %s)', 'bulk1@example.com', 'bulk2@example.com'), [(2,)])


@test('rows are updated and deleted by what they have, and those that refer to them')
def _():
    same(change('UPDATE customer SET email = %s, balance = balance::numeric * 2 WHERE email = %s',
                'anne@example.com', 'anna@example.com'), 1)
    same(query('SELECT balance FROM customer_plain WHERE email = %s', 'anne@example.com'), [(Decimal('2401.00'),)])
    same(query('SELECT count(*) FROM orders WHERE customer_email = %s', 'anne@example.com'), [(2,)])
    same(change('UPDATE customer SET birth = %s WHERE email = ANY(%s)', None, ['bulk1@example.com', 'bulk2@example.com']), 2)
    same(change('DELETE FROM customer WHERE email = %s', 'zoë@例え.jp'), 1)
    same(query('SELECT customer_email FROM orders_plain WHERE customer_email IS NOT NULL'), [('anne@example.com',)] * 2)


@test('values that break a constraint are refused, and the message does not show them')
def _():
    for sqlstate, sql, value in (
            ('23505', 'INSERT INTO customer (email) VALUES (%s)', 'anne@example.com'),
            ('23505', 'UPDATE customer SET email = %s WHERE note = \'two\'', 'anne@example.com'),
            ('23503', 'INSERT INTO orders (customer_email) VALUES (%s)', 'nobody@example.com')):
        assert (value in refused(sqlstate, change, sql, value)) == plain
    assert ('31.31.1' in refused('22008', change, 'UPDATE customer SET birth = %s', '31.31.1')) == plain


@test('values of all types are found by them')
def _():
    visit = {
        'ref': uuid.UUID('6ba7b810-9dad-11d1-80b4-00c04fd430c8'),
        'at': datetime(2026, 11, 23, 12, 30, 0, 123456, timezone(timedelta(hours=2))),
        'local': datetime(2026, 11, 23, 12, 30),
        'clock': time(23, 59, 59, 999999),
        'small': 7,
        'pages': 70_000,
        'bytes': 2 ** 40,
        'price': Decimal('9.90'),
        'token': b'\x00\xff\x01',
        'ip': ipaddress.ip_address('2001:db8::1'),
        'doc': Jsonb({'b': [1, 2.50], 'a': None}),
        'ok': True,
        'ratio': 0.1,
    }
    names = list(visit)
    change(f'INSERT INTO visit ({", ".join(names)}) VALUES ({", ".join(["%s"] * len(names))})', *visit.values())
    [row] = query(f'SELECT {", ".join(names)} FROM visit_plain')
    for name, got in zip(names, row):
        want = visit[name].obj if name == 'doc' else visit[name]
        assert type(got) is type(want) and got == want, f'{name}: {got!r}'
        if name not in ('ratio', 'ok'):
            same((name, query(f'SELECT ref::uuid FROM visit WHERE {name} = %s', visit[name])), (name, [(visit['ref'],)]))
            if name != 'doc':
                same((name, query(f'SELECT ref::uuid FROM visit WHERE {name} = ANY(%s)', [visit[name]])),
                     (name, [(visit['ref'],)]))
    # equal, and not written the same
    same(query('SELECT count(*) FROM visit WHERE price = %s', Decimal('9.900')), [(1,)])
    same(query('SELECT count(*) FROM visit WHERE at = %s', visit['at'].astimezone(timezone.utc)), [(1,)])
    same(query('SELECT count(*) FROM visit WHERE bytes = %s', 7), [(0,)])
    same(query('SELECT count(*) FROM visit WHERE pages = %s', 2 ** 40), [(0,)])
    # numeric = float8 compares as float8, which tokens cannot
    if plain:
        same(query('SELECT count(*) FROM visit WHERE price = %s', 9.9), [(1,)])
    else:
        assert 'Cast the other side to numeric.' in refused('42883', query, 'SELECT 1 FROM visit WHERE price = %s', 9.9)
    same(query('SELECT count(*) FROM visit WHERE ok = %s', True), [(1,)])


@test('rows are inserted with COPY in binary form')
def _():
    types = {'ref': 'uuid', 'at': 'timestamptz', 'small': 'int2', 'pages': 'int4', 'bytes': 'int8', 'price': 'numeric',
             'token': 'bytea', 'doc': 'jsonb', 'ok': 'bool'}
    row = (uuid.UUID('f9ff0000-9dad-11d1-80b4-00c04fd430c8'), datetime(1990, 1, 1, tzinfo=timezone.utc), -7, 825307441,
           -2 ** 40, Decimal('-12.50'), b'\xff\xd8\xff', Jsonb({'ä': 1}), False)
    with conn.cursor() as cur:
        with cur.copy(f'COPY visit ({", ".join(types)}) FROM STDIN (FORMAT BINARY)') as copy:
            copy.set_types(types.values())
            copy.write_row(row)
    [got] = query(f'SELECT {", ".join(types)} FROM visit_plain WHERE pages < 0 OR pages = %s', 825307441)
    same([str(x) for x in got[1:2]], [str(row[1].astimezone(got[1].tzinfo))])
    same(got[:1] + got[2:], row[:1] + row[2:7] + (row[7].obj,) + row[8:])
    same(query('SELECT count(*) FROM visit WHERE pages = %s AND small = %s AND ref = %s', 825307441, -7, row[0]), [(1,)])


@test('the same statements again and again')
def _():
    for i in range(20):
        same(query('SELECT balance::numeric FROM customer WHERE email = %s', f'copy{i}@example.com'), [(Decimal(i),)])
        same(query('SELECT count(*) FROM customer WHERE email = ANY(%s)', [f'copy{i}@example.com', f'bulk{i}@example.com']),
             [(2,)])
        same(change('UPDATE customer SET note = %s WHERE email = %s', str(i), f'copy{i}@example.com'), 1)
    prepared = query('SELECT count(*) FROM pg_prepared_statements')[0][0]
    assert pooled or prepared > 0


@test('a cursor in the server')
def _():
    with conn.cursor('c') as cur:
        cur.execute('SELECT email::text FROM customer WHERE birth = %s ORDER BY id', (date(2000, 1, 2),))
        same(cur.fetchmany(2), [('bulk8@example.com',), ('bulk15@example.com',)])
        same(len(cur.fetchall()), 27)


@test('a role without the key gets 42501')
def _():
    with connect(user='clerk') as clerk:
        clerk.autocommit = True
        for sql, *params in (
                ('SELECT email FROM customer_plain',),
                ('SELECT id FROM customer WHERE email = %s', 'anne@example.com'),
                ('SELECT id FROM customer WHERE email = ANY(%s)', ['anne@example.com']),
                ('INSERT INTO customer (email) VALUES (%s)', 'clerk@example.com')):
            try:
                clerk.execute(sql, params)
            except psycopg.errors.InsufficientPrivilege:
                continue
            raise AssertionError(sql)


if not plain:
    @test('without a cast a value is sealed, and is a text')
    def _():
        [[email]] = conn.execute('SELECT email FROM customer WHERE email = %s', ('anne@example.com',)).fetchall()
        assert type(email) is str and email.startswith('tc1:'), email
        assert 'sealed value is not accepted' in refused('42501', query, 'SELECT id FROM customer WHERE email = %s', email)

    @test('SET LOCAL shows plaintext in one transaction')
    def _():
        conn.commit()
        sql = 'SELECT email FROM customer WHERE email = %s'
        conn.execute("SET LOCAL themis_crypt.client_output = 'plaintext'")
        same(query(sql, 'anne@example.com'), [(b'anne@example.com' if eager else 'anne@example.com',)])
        conn.commit()
        [[email]] = conn.execute(sql, ('anne@example.com',)).fetchall()
        assert email.startswith('tc1:'), email

    @test('what has no order is not sorted')
    def _():
        assert '::text' in refused('42883', query, 'SELECT id FROM customer ORDER BY email')


if __name__ == '__main__':
    run(between=conn.commit)
