"""PostgreSQL through a pool of ten connections: a short query and a wait at the server."""

from psycopg_pool import ConnectionPool

POOL = ConnectionPool("", min_size=0, max_size=10, open=False)


def work(number):
    POOL.open()
    with POOL.connection() as connection:
        query = "select pg_sleep(0.008), sum(n * %s) from generate_series(1, 2000) n"
        return int(connection.execute(query, (number,)).fetchone()[1])


def items(folder):
    return list(range(400))
