# An application that keeps customers, with psycopg2, which puts parameters into
# the text of its statements as literals; tap.py says how it is run.
import uuid
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from io import StringIO

import psycopg2
import psycopg2.errors
from psycopg2.extras import Json, execute_values, register_uuid

from tap import plain, run, same, test

register_uuid()
conn = psycopg2.connect('')


def query(sql, *params):
    with conn.cursor() as cur:
        cur.execute(sql, params)
        return cur.fetchall()


def change(sql, *params):
    with conn.cursor() as cur:
        cur.execute(sql, params)
        return cur.rowcount


def refused(sqlstate, sql, *params):
    """What is said when the statement fails as it has to."""
    try:
        change(sql, *params)
    except psycopg2.Error as e:
        conn.rollback()
        same(e.pgcode, sqlstate)
        # that the statement itself is quoted is psycopg2's custom
        return ' '.join(str(x) for x in (e.diag.message_primary, e.diag.message_detail, e.diag.message_hint, e.diag.context))
    raise AssertionError('no error')


@test('rows are inserted, and their ids come back')
def _():
    sql = 'INSERT INTO customer (email, birth, balance, doc, active, note) VALUES (%s, %s, %s, %s, %s, %s) RETURNING id'
    [[anna]] = query(sql, 'anna@example.com', date(1990, 5, 17), Decimal('1200.50'), Json({'n': 1}), True, 'first')
    [[zoe]] = query(sql, 'zoë@例え.jp', date(1968, 2, 29), Decimal('-0.001'), Json([]), False, None)
    [[empty]] = query(sql, '', None, None, None, None, None)
    assert anna < zoe < empty


@test('a view of casts has the types of Python')
def _():
    same(query('SELECT email, birth, balance, doc, active, note FROM customer_plain ORDER BY id'), [
        ('anna@example.com', date(1990, 5, 17), Decimal('1200.50'), {'n': 1}, True, 'first'),
        ('zoë@例え.jp', date(1968, 2, 29), Decimal('-0.001'), [], False, None),
        ('', None, None, None, None, None)])


@test('a row is found by what it has')
def _():
    sql = 'SELECT note, balance::numeric FROM customer WHERE email = %s'
    same(query(sql, 'anna@example.com'), [('first', Decimal('1200.50'))])
    same(query(sql, 'zoë@例え.jp'), [(None, Decimal('-0.001'))])
    same(query(sql, ''), [(None, None)])
    same(query(sql, None), [])
    same(query(sql, "' OR true --"), [])
    same(query('SELECT email::text FROM customer WHERE birth = %s', date(1968, 2, 29)), [('zoë@例え.jp',)])


@test('many rows are inserted at once, and with COPY')
def _():
    with conn.cursor() as cur:
        execute_values(cur, 'INSERT INTO customer (email, birth, balance) VALUES %s',
                       [(f'bulk{i}@example.com', date(2000, 1, 1) + timedelta(i % 7), Decimal(i) / 4) for i in range(100)])
        cur.copy_from(StringIO(''.join(f'copy{i}@example.com\t2000-01-0{i % 7 + 1}\t\\N\n' for i in range(100))),
                      'customer', columns=('email', 'birth', 'balance'))
    same(query('SELECT count(*), count(DISTINCT email), count(DISTINCT birth) FROM customer'), [(203, 203, 9)])
    same(query('SELECT balance::numeric FROM customer WHERE email = %s', 'bulk42@example.com'), [(Decimal('10.5'),)])


@test('lists of what to find')
def _():
    emails = ['anna@example.com', 'bulk7@example.com', 'zoë@例え.jp', 'nobody@example.com']
    want = [('anna@example.com',), ('zoë@例え.jp',), ('bulk7@example.com',)]
    same(query('SELECT email::text FROM customer WHERE email = ANY(%s) ORDER BY id', emails), want)
    same(query('SELECT email::text FROM customer WHERE email IN %s ORDER BY id', tuple(emails)), want)
    same(query('SELECT email::text FROM customer WHERE email = ANY(%s)', []), [])
    same(query('SELECT count(*) FROM customer WHERE birth = ANY(%s)', [date(2000, 1, 3), date(2000, 1, 4)]), [(56,)])
    same(query('SELECT count(*) FROM customer WHERE birth IN %s', (date(2000, 1, 3), date(2000, 1, 4))), [(56,)])


@test('rows are joined')
def _():
    with conn.cursor() as cur:
        cur.executemany('INSERT INTO orders (customer_email, amount) VALUES (%s, %s)',
                        [('anna@example.com', 10), ('anna@example.com', Decimal('2.5')), ('zoë@例え.jp', 7), (None, 1)])
    same(query('SELECT c.email::text, sum(o.amount::numeric) FROM customer c JOIN orders o ON o.customer_email = c.email'
               ' GROUP BY c.email ORDER BY 2'), [('zoë@例え.jp', Decimal('7')), ('anna@example.com', Decimal('12.5'))])


@test('what is there is updated, what is not is inserted')
def _():
    for note in 'one', 'two':
        same(change('INSERT INTO customer (email, balance, note) VALUES (%s, %s, %s)'
                    ' ON CONFLICT (email) DO UPDATE SET balance = EXCLUDED.balance, note = EXCLUDED.note',
                    'upsert@example.com', Decimal(5), note), 1)
    same(query('SELECT note FROM customer WHERE email = %s', 'upsert@example.com'), [('two',)])


@test('what is rolled back is gone')
def _():
    conn.commit()
    same(change('DELETE FROM customer WHERE email = %s', 'bulk1@example.com'), 1)
    same(query('SELECT id FROM customer WHERE email = %s', 'bulk1@example.com'), [])
    conn.rollback()
    same(query('SELECT count(*) FROM customer WHERE email = %s', 'bulk1@example.com'), [(1,)])


@test('rows are updated and deleted by what they have, and those that refer to them')
def _():
    same(change('UPDATE customer SET email = %s WHERE email = %s', 'anne@example.com', 'anna@example.com'), 1)
    same(query('SELECT count(*) FROM orders WHERE customer_email = %s', 'anne@example.com'), [(2,)])
    same(change('DELETE FROM customer WHERE email = %s', 'zoë@例え.jp'), 1)
    same(query('SELECT customer_email FROM orders_plain WHERE customer_email IS NOT NULL'), [('anne@example.com',)] * 2)
    conn.commit()


@test('values that break a constraint are refused, and the message does not show them')
def _():
    for sqlstate, sql, value in (
            ('23505', 'INSERT INTO customer (email) VALUES (%s)', 'anne@example.com'),
            ('23503', 'INSERT INTO orders (customer_email) VALUES (%s)', 'nobody@example.com')):
        assert (value in refused(sqlstate, sql, value)) == plain


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
        'ip': '2001:db8::1',
        'ok': True,
        'ratio': 0.1,
    }
    names = list(visit)
    change(f'INSERT INTO visit ({", ".join(names)}) VALUES ({", ".join(["%s"] * len(names))})', *visit.values())
    [row] = query(f'SELECT {", ".join(names)} FROM visit_plain')
    for name, got in zip(names, row):
        got = bytes(got) if name == 'token' else got
        assert type(got) is type(visit[name]) and got == visit[name], f'{name}: {got!r}'
        if name != 'ratio':
            same((name, query(f'SELECT ref::uuid FROM visit WHERE {name} = %s', visit[name])), (name, [(visit['ref'],)]))


@test('a role without the key gets 42501')
def _():
    clerk = psycopg2.connect(user='clerk')
    clerk.autocommit = True
    for sql, *params in (
            ('SELECT email FROM customer_plain',),
            ('SELECT id FROM customer WHERE email = %s', 'anne@example.com'),
            ('SELECT id FROM customer WHERE email IN %s', ('anne@example.com', 'x')),
            ('INSERT INTO customer (email) VALUES (%s)', 'clerk@example.com')):
        try:
            clerk.cursor().execute(sql, params)
        except psycopg2.errors.InsufficientPrivilege:
            continue
        raise AssertionError(sql)
    clerk.close()


if not plain:
    @test('without a cast a value is sealed, and is a text')
    def _():
        [[email]] = query('SELECT email FROM customer WHERE email = %s', 'anne@example.com')
        assert type(email) is str and email.startswith('tc1:'), email


if __name__ == '__main__':
    run(between=conn.commit)
