// An application that keeps customers, with JDBC.  Its database has encrypted
// columns, of which it knows nothing.
//
//   java -cp postgresql.jar App.java [plain] [eager | pooled]
//
// plain: the database is the plain twin.  eager: statements are prepared in the
// server from their first use, and values travel in binary form where the driver
// can.  pooled: a pooler in transaction mode is in between.  Where to connect to is
// in PGHOST and so on.
import java.io.StringReader;
import java.math.BigDecimal;
import java.sql.*;
import java.time.*;
import java.util.*;
import org.postgresql.PGConnection;
import org.postgresql.util.PGobject;
import org.postgresql.util.PSQLException;

public class App {
	static boolean plain, eager, pooled;
	static Connection conn;

	static Connection connect(String user) throws SQLException {
		Map<String, String> env = System.getenv();
		Properties info = new Properties();
		info.setProperty("user", user);
		info.setProperty("password", env.get("PGPASSWORD"));
		if (pooled) info.setProperty("prepareThreshold", "0");
		if (eager) info.setProperty("prepareThreshold", "-1");
		return DriverManager.getConnection("jdbc:postgresql://" + env.get("PGHOST") + ":" + env.get("PGPORT")
			+ "/" + env.get("PGDATABASE"), info);
	}

	// --- TAP ----------------------------------------------------------------------

	interface Body { void run() throws Exception; }

	static int count, failed;

	static void test(String name, Body body) throws Exception {
		count++;
		try {
			body.run();
			System.out.println("ok " + count + " - " + name);
		} catch (Exception | AssertionError e) {
			failed++;
			System.out.println("not ok " + count + " - " + name);
			for (String line : e.toString().split("\n")) System.out.println("# " + line);
			for (StackTraceElement at : e.getStackTrace()) {
				if (at.getClassName().startsWith("App")) System.out.println("#   line " + at.getLineNumber());
			}
			if (!conn.getAutoCommit()) conn.rollback();
		}
	}

	// Equal, and of the same class all the way down.
	static void same(Object got, Object want) {
		String g = describe(got), w = describe(want);
		if (!g.equals(w)) throw new AssertionError("got " + g + "\nwant " + w);
	}

	static String describe(Object o) {
		if (o == null) return "null";
		if (o instanceof byte[]) return "bytes " + Arrays.toString((byte[]) o);
		if (o instanceof List) {
			StringJoiner s = new StringJoiner(", ", "[", "]");
			for (Object x : (List<?>) o) s.add(describe(x));
			return s.toString();
		}
		return o.getClass().getSimpleName() + " " + o;
	}

	static List<Object> row(Object... values) { return Arrays.asList(values); }

	// --- statements -----------------------------------------------------------------

	static PreparedStatement prepare(String sql, Object... params) throws SQLException {
		PreparedStatement s = conn.prepareStatement(sql);
		for (int i = 0; i < params.length; i++) s.setObject(i + 1, params[i]);
		return s;
	}

	static List<Object> rows(ResultSet r) throws SQLException {
		List<Object> all = new ArrayList<>();
		while (r.next()) {
			List<Object> one = new ArrayList<>();
			for (int i = 1; i <= r.getMetaData().getColumnCount(); i++) one.add(r.getObject(i));
			all.add(one);
		}
		return all;
	}

	static List<Object> query(String sql, Object... params) throws SQLException {
		try (PreparedStatement s = prepare(sql, params)) {
			return rows(s.executeQuery());
		}
	}

	static int change(String sql, Object... params) throws SQLException {
		try (PreparedStatement s = prepare(sql, params)) {
			return s.executeUpdate();
		}
	}

	// What is said when a statement fails as it has to.
	static String refused(String state, String sql, Object... params) {
		try {
			change(sql, params);
		} catch (SQLException e) {
			same(e.getSQLState(), state);
			return e.toString() + ((PSQLException) e).getServerErrorMessage();
		}
		throw new AssertionError("no error");
	}

	static PGobject json(String text) throws SQLException {
		PGobject o = new PGobject();
		o.setType("jsonb");
		o.setValue(text);
		return o;
	}

	static Array array(String type, Object... values) throws SQLException {
		return conn.createArrayOf(type, values);
	}

	// --- the application --------------------------------------------------------------

	static void insert() throws SQLException {
		String sql = "INSERT INTO customer (email, birth, balance, doc, active, note) VALUES (?, ?, ?, ?, ?, ?)";
		try (PreparedStatement s = conn.prepareStatement(sql, Statement.RETURN_GENERATED_KEYS)) {
			s.setString(1, "anna@example.com");
			s.setDate(2, java.sql.Date.valueOf("1990-05-17"));
			s.setBigDecimal(3, new BigDecimal("1200.50"));
			s.setObject(4, json("{\"n\": 1, \"tags\": [\"a\", \"b\"]}"));
			s.setBoolean(5, true);
			s.setString(6, "first");
			same(s.executeUpdate(), 1);
			try (ResultSet keys = s.getGeneratedKeys()) {
				same(keys.next() && keys.getLong("id") > 0, true);
			}
			s.setString(1, "zoë@例え.jp");
			s.setObject(2, LocalDate.of(1968, 2, 29));
			s.setObject(3, new BigDecimal("-0.001"));
			s.setObject(4, "[]", Types.OTHER);
			s.setObject(5, false);
			s.setNull(6, Types.VARCHAR);
			same(s.executeUpdate(), 1);
			s.setString(1, "");
			s.setNull(2, Types.DATE);
			s.setNull(3, Types.NUMERIC);
			s.setNull(4, Types.OTHER);
			s.setNull(5, Types.BOOLEAN);
			same(s.executeUpdate(), 1);
		}
	}

	static void view() throws SQLException {
		String sql = "SELECT email, birth, balance, doc, active, note FROM customer_plain ORDER BY id";
		same(query(sql), List.of(
			row("anna@example.com", java.sql.Date.valueOf("1990-05-17"), new BigDecimal("1200.50"),
				json("{\"n\": 1, \"tags\": [\"a\", \"b\"]}"), true, "first"),
			row("zoë@例え.jp", java.sql.Date.valueOf("1968-02-29"), new BigDecimal("-0.001"), json("[]"), false, null),
			row("", null, null, null, null, null)));
		try (PreparedStatement s = prepare(sql); ResultSet r = s.executeQuery()) {
			r.next();
			same(r.getObject("birth", LocalDate.class), LocalDate.of(1990, 5, 17));
			same(r.getBigDecimal("balance"), new BigDecimal("1200.50"));
			same(r.getDouble("balance"), 1200.5);
			same(r.getString("doc"), "{\"n\": 1, \"tags\": [\"a\", \"b\"]}");
			same(r.getBoolean("active"), true);
			same(r.getMetaData().getColumnTypeName(3), "numeric");
		}
	}

	static void lookup() throws SQLException {
		String sql = "SELECT note, balance::numeric FROM customer WHERE email = ?";
		same(query(sql, "anna@example.com"), List.of(row("first", new BigDecimal("1200.50"))));
		same(query(sql, "zoë@例え.jp"), List.of(row(null, new BigDecimal("-0.001"))));
		same(query(sql, ""), List.of(row(null, null)));
		same(query(sql, "Anna@example.com"), List.of());
		try (PreparedStatement s = conn.prepareStatement(sql)) {
			s.setNull(1, Types.VARCHAR);
			same(rows(s.executeQuery()), List.of());
		}
		for (Object day : List.of(LocalDate.of(1968, 2, 29), java.sql.Date.valueOf("1968-02-29"))) {
			same(query("SELECT email::text FROM customer WHERE birth = ?", day), List.of(row("zoë@例え.jp")));
		}
		same(query("SELECT email::text FROM customer WHERE ? = email AND note = ?", "anna@example.com", "first"),
			List.of(row("anna@example.com")));
		same(query("SELECT email::text FROM customer WHERE birth IS NULL"), List.of(row("")));
		same(query("SELECT email FROM customer_plain WHERE email = ?", "zoë@例え.jp"), List.of(row("zoë@例え.jp")));
		try (Statement s = conn.createStatement()) {
			same(rows(s.executeQuery("SELECT note FROM customer WHERE email = 'anna@example.com'")), List.of(row("first")));
		}
	}

	static void bulk() throws Exception {
		try (PreparedStatement s = conn.prepareStatement("INSERT INTO customer (email, birth, balance) VALUES (?, ?, ?)")) {
			for (int i = 0; i < 100; i++) {
				s.setString(1, "bulk" + i + "@example.com");
				s.setObject(2, LocalDate.of(2000, 1, 1 + i % 7));
				s.setBigDecimal(3, BigDecimal.valueOf(i * 25L, 2));
				s.addBatch();
			}
			same(Arrays.stream(s.executeBatch()).sum(), 100);
		}
		StringBuilder lines = new StringBuilder();
		for (int i = 0; i < 100; i++) lines.append("copy").append(i).append("@example.com\t2000-01-0").append(1 + i % 7).append("\n");
		same(conn.unwrap(PGConnection.class).getCopyAPI().copyIn("COPY customer (email, birth) FROM STDIN",
			new StringReader(lines.toString())), 100L);
		same(query("SELECT count(*), count(DISTINCT email), count(DISTINCT birth) FROM customer"), List.of(row(203L, 203L, 9L)));
		same(query("SELECT balance::numeric FROM customer WHERE email = ?", "bulk42@example.com"), List.of(row(new BigDecimal("10.50"))));
	}

	static void lists() throws SQLException {
		Object[] emails = {"anna@example.com", "bulk7@example.com", "zoë@例え.jp", "nobody@example.com"};
		List<Object> want = List.of(row("anna@example.com"), row("zoë@例え.jp"), row("bulk7@example.com"));
		String sql = "SELECT email::text FROM customer WHERE email";
		same(query(sql + " = ANY(?) ORDER BY id", array("text", emails)), want);
		same(query(sql + " = ANY(?) ORDER BY id", array("varchar", emails)), want);
		same(query(sql + " IN (?, ?, ?, ?) ORDER BY id", emails), want);
		same(query(sql + " = ANY(?)", array("text")), List.of());
		same(query("SELECT count(*) FROM customer WHERE email <> ALL(?)", array("text", emails)), List.of(row(200L)));
		same(query("SELECT count(*) FROM customer WHERE birth = ANY(?)", array("date", "2000-01-03", "2000-01-04")), List.of(row(56L)));
	}

	static void join() throws SQLException {
		same(change("INSERT INTO orders (customer_email, amount) VALUES (?, ?), (?, ?), (?, ?), (NULL, 1)",
			"anna@example.com", 10, "anna@example.com", new BigDecimal("2.5"), "zoë@例え.jp", 7L), 4);
		same(query("SELECT c.email::text, sum(o.amount::numeric) FROM customer c JOIN orders o ON o.customer_email = c.email"
			+ " GROUP BY c.email ORDER BY 2"), List.of(row("zoë@例え.jp", new BigDecimal("7")), row("anna@example.com", new BigDecimal("12.5"))));
		same(query("SELECT x.n FROM customer c JOIN unnest(?::text[], ?::int[]) AS x(email, n) ON c.email = x.email ORDER BY 1",
			array("text", "anna@example.com", "nobody", ""), array("int4", 1, 2, 3)), List.of(row(1), row(3)));
	}

	static void upsert() throws SQLException {
		for (String note : List.of("one", "two")) {
			same(change("INSERT INTO customer (email, balance, note) VALUES (?, ?, ?)"
				+ " ON CONFLICT (email) DO UPDATE SET balance = EXCLUDED.balance, note = EXCLUDED.note", "upsert@example.com", 5, note), 1);
		}
		same(query("SELECT note FROM customer WHERE email = ?", "upsert@example.com"), List.of(row("two")));
	}

	static void rollback() throws SQLException {
		conn.setAutoCommit(false);
		same(change("DELETE FROM customer WHERE email = ?", "bulk1@example.com"), 1);
		Savepoint here = conn.setSavepoint();
		refused("23505", "INSERT INTO customer (email) VALUES (?)", "bulk2@example.com");
		conn.rollback(here);
		same(query("SELECT id FROM customer WHERE email = ?", "bulk1@example.com"), List.of());
		conn.rollback();
		conn.setAutoCommit(true);
		same(query("SELECT count(*) FROM customer WHERE email = ?", "bulk1@example.com"), List.of(row(1L)));
	}

	static void updateAndDelete() throws SQLException {
		same(change("UPDATE customer SET email = ? WHERE email = ?", "anne@example.com", "anna@example.com"), 1);
		same(query("SELECT count(*) FROM orders WHERE customer_email = ?", "anne@example.com"), List.of(row(2L)));
		same(change("DELETE FROM customer WHERE email = ?", "zoë@例え.jp"), 1);
		same(query("SELECT customer_email FROM orders_plain WHERE customer_email IS NOT NULL"),
			List.of(row("anne@example.com"), row("anne@example.com")));
	}

	static void constraints() throws SQLException {
		same(refused("23505", "INSERT INTO customer (email) VALUES (?)", "anne@example.com").contains("anne@"), plain);
		same(refused("23503", "INSERT INTO orders (customer_email) VALUES (?)", "nobody@example.com").contains("nobody@"), plain);
	}

	static void allTypes() throws SQLException {
		UUID ref = UUID.fromString("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
		OffsetDateTime at = OffsetDateTime.parse("2026-11-23T12:30:00.123456Z");
		Map<String, Object> visit = new LinkedHashMap<>();
		visit.put("ref", ref);
		visit.put("at", at);
		visit.put("local", LocalDateTime.of(2026, 11, 23, 12, 30));
		visit.put("clock", LocalTime.of(23, 59, 58));
		visit.put("small", (short) 7);
		visit.put("pages", 70000);
		visit.put("bytes", 1L << 40);
		visit.put("price", new BigDecimal("9.90"));
		visit.put("token", new byte[] {0, -1, 1});
		visit.put("doc", json("{\"a\": null, \"b\": [1, 2.50]}"));
		visit.put("ok", true);
		visit.put("ratio", 0.1);
		same(change("INSERT INTO visit (" + String.join(", ", visit.keySet()) + ") VALUES (?" + ", ?".repeat(visit.size() - 1) + ")",
			visit.values().toArray()), 1);
		try (PreparedStatement s = prepare("SELECT * FROM visit_plain"); ResultSet r = s.executeQuery()) {
			r.next();
			for (Map.Entry<String, Object> e : visit.entrySet()) {
				// a smallint is an Integer in JDBC
				Object want = e.getValue() instanceof Short ? Integer.valueOf((short) e.getValue()) : e.getValue();
				Object got = want instanceof OffsetDateTime || want instanceof LocalDateTime || want instanceof LocalTime
					? r.getObject(e.getKey(), want.getClass()) : r.getObject(e.getKey());
				same(row(e.getKey(), got), row(e.getKey(), want));
			}
		}
		for (Map.Entry<String, Object> e : visit.entrySet()) {
			if (e.getKey().equals("ratio")) continue;
			same(row(e.getKey(), query("SELECT ref::uuid FROM visit WHERE " + e.getKey() + " = ?", e.getValue())),
				row(e.getKey(), List.of(row(ref))));
		}
		// other ways to say the same
		for (Object[] p : new Object[][] {
				{"at", Timestamp.from(at.toInstant())}, {"local", Timestamp.valueOf("2026-11-23 12:30:00")},
				{"clock", Time.valueOf("23:59:58")}, {"small", 7}, {"small", 7L}, {"pages", 70000L}, {"bytes", BigDecimal.valueOf(1L << 40)},
				{"price", new BigDecimal("9.9")}}) {
			same(row(p[0], query("SELECT count(*) FROM visit WHERE " + p[0] + " = ?", p[1])), row(p[0], List.of(row(1L))));
		}
		// numeric = float8 compares as float8, which tokens cannot
		if (plain) same(query("SELECT count(*) FROM visit WHERE price = ?", 9.9), List.of(row(1L)));
		else same(refused("42883", "SELECT 1 FROM visit WHERE price = ?", 9.9).contains("Cast the other side to numeric."), true);
		same(query("SELECT count(*) FROM visit WHERE pages = ?", 1L << 40), List.of(row(0L)));
		same(query("SELECT count(*) FROM visit WHERE ref = ANY(?)", array("uuid", ref)), List.of(row(1L)));
		same(query("SELECT count(*) FROM visit WHERE bytes = ANY(?)", array("int8", 1L << 40, 2L)), List.of(row(1L)));
		same(query("SELECT count(*) FROM visit WHERE ref = ?::uuid", ref.toString()), List.of(row(1L)));
	}

	static void again() throws SQLException {
		try (PreparedStatement find = conn.prepareStatement("SELECT email::text, birth::date FROM customer WHERE email = ?");
				PreparedStatement list = conn.prepareStatement("SELECT id FROM customer WHERE email = ANY(?)")) {
			for (int i = 10; i < 30; i++) {
				find.setString(1, "bulk" + i + "@example.com");
				same(rows(find.executeQuery()), List.of(row("bulk" + i + "@example.com", java.sql.Date.valueOf("2000-01-0" + (1 + i % 7)))));
				list.setArray(1, array("text", "bulk" + i + "@example.com", "copy" + i + "@example.com"));
				same(rows(list.executeQuery()).size(), 2);
			}
		}
		same(query("SELECT count(*) > 0 FROM pg_prepared_statements"), List.of(row(!pooled)));
	}

	static void cursor() throws SQLException {
		conn.setAutoCommit(false);
		try (PreparedStatement s = prepare("SELECT email::text FROM customer WHERE birth = ? ORDER BY id", LocalDate.of(2000, 1, 2))) {
			s.setFetchSize(10);
			same(rows(s.executeQuery()).size(), 30);
		}
		conn.commit();
		conn.setAutoCommit(true);
	}

	static void withoutKey() throws SQLException {
		try (Connection clerk = connect("clerk"); Statement s = clerk.createStatement()) {
			for (String sql : List.of("SELECT email FROM customer_plain", "SELECT id FROM customer WHERE email = 'anne@example.com'",
					"SELECT id FROM customer WHERE email IN ('a', 'b')", "INSERT INTO customer (email) VALUES ('clerk@example.com')")) {
				try {
					s.execute(sql);
				} catch (SQLException e) {
					same(e.getSQLState(), "42501");
					continue;
				}
				throw new AssertionError(sql);
			}
		}
	}

	static void sealed() throws SQLException {
		String sql = "SELECT email FROM customer WHERE email = ?";
		try (PreparedStatement s = prepare(sql, "anne@example.com"); ResultSet r = s.executeQuery()) {
			r.next();
			same(r.getString(1).substring(0, 4), "tc1:");
			same(r.getObject(1).getClass(), PGobject.class);
			same(r.getMetaData().getColumnTypeName(1), "encrypted");
		}
		conn.setAutoCommit(false);
		try (Statement s = conn.createStatement()) {
			s.execute("SET LOCAL themis_crypt.client_output = 'plaintext'");
		}
		sql = "SELECT email, birth, balance, active FROM customer WHERE email = ?";
		try (PreparedStatement s = prepare(sql, "anne@example.com"); ResultSet r = s.executeQuery()) {
			r.next();
			same(r.getString("email"), "anne@example.com");
			same(r.getString("birth"), "1990-05-17");
			same(r.getDate("birth"), java.sql.Date.valueOf("1990-05-17"));
			same(r.getBigDecimal("balance"), new BigDecimal("1200.50"));
			same(r.getBoolean("active"), true);
		}
		conn.commit();
		conn.setAutoCommit(true);
	}

	public static void main(String[] args) throws Exception {
		plain = List.of(args).contains("plain");
		eager = List.of(args).contains("eager");
		pooled = List.of(args).contains("pooled");
		conn = connect(System.getenv("PGUSER"));

		test("rows are inserted, and their ids come back", App::insert);
		test("a view of casts has the types of Java", App::view);
		test("a row is found by what it has", App::lookup);
		test("many rows are inserted at once, and with COPY", App::bulk);
		test("lists of what to find", App::lists);
		test("rows are joined", App::join);
		test("what is there is updated, what is not is inserted", App::upsert);
		test("what is rolled back is gone", App::rollback);
		test("rows are updated and deleted by what they have, and those that refer to them", App::updateAndDelete);
		test("values that break a constraint are refused, and the message does not show them", App::constraints);
		test("values of all types are found by them", App::allTypes);
		test("the same statements again and again", App::again);
		test("a cursor in the server", App::cursor);
		test("a role without the key gets 42501", App::withoutKey);
		if (!plain) test("without a cast a value is sealed, and SET LOCAL shows it in one transaction", App::sealed);

		conn.close();
		System.out.println("1.." + count);
		System.exit(failed > 0 ? 1 : 0);
	}
}
