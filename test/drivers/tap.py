# What the Python applications of this folder share: TAP, and how to run.
#
#   app_psycopg.py [plain] [eager | pooled]
#
# plain: the database is the plain twin.  eager: statements are prepared in the
# server from their first use, results come in binary form.  pooled: a pooler in
# transaction mode is in between.  Where to connect to is in PGHOST, PGPORT,
# PGDATABASE, PGUSER and PGPASSWORD, as ever.
import sys
import traceback

plain = 'plain' in sys.argv
eager = 'eager' in sys.argv
pooled = 'pooled' in sys.argv

_tests = []


def test(name):
    """Decorates a function: it is a test, and has failed if it raises."""
    def add(function):
        _tests.append((name, function))
        return function
    return add


def same(got, want):
    """Equal, and of the same types all the way down."""
    assert repr(got) == repr(want), f'got {got!r}\nwant {want!r}'


def run(*args, between):
    """Run all tests, calling between() after each."""
    failed = 0
    for number, (name, function) in enumerate(_tests, 1):
        said = ''
        try:
            function(*args)
        except Exception:
            said = traceback.format_exc()
            failed += 1
        print(('not ok' if said else 'ok'), number, '-', name)
        for line in said.splitlines():
            print('#', line)
        between()
    print(f'1..{len(_tests)}')
    sys.exit(failed > 0)
