/* The bus by name and with TLS: certificates, and name servers that are late or do not answer. */
#include "tests/bus_bench.h"
#include "tests/slow_names.h"

static void test_name_with_several_addresses(void **state)
{
	struct bench *b = *state;
	struct bus_conf conf = conf_of(b);
	conf.host = "localhost";        /* on most machines also ::1, where nobody listens */
	start_broker(b, NULL);
	open_bus(b, &conf);
	until(b, b->connected == 1);
	close_bus(b);
}

static bool make_certificate(const struct bench *b, const char *host, const char *key, const char *cert)
{
	char subject[80], alternative[80];
	snprintf(subject, sizeof(subject), "/CN=%s", host);
	snprintf(alternative, sizeof(alternative), "subjectAltName=DNS:%s", host);
	const char *argv[] = { "/usr/bin/openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
		"-subj", subject, "-addext", alternative, "-keyout", path(b, key), "-out", path(b, cert), NULL };
	int status;
	pid_t pid = run(NULL, argv);
	waitpid(pid, &status, 0);
	return status == 0;
}

static void publish_tls(const struct bench *b, int n)
{
	char command[600];
	snprintf(command, sizeof(command), "seq 1 %d | mosquitto_pub -h localhost -p %d --cafile %s -q 1 -l -t maestro/target",
	         n, b->port, path(b, "cert.pem"));
	assert_int_equal(system(command), 0);
}

/* One that calls itself `host`. */
static void start_tls_broker(struct bench *b, const char *host)
{
	char more[600];
	if (access("/usr/bin/openssl", X_OK) != 0) {
		print_message("skipped: the tests with TLS need openssl\n");
		skip();
	}
	assert_true(make_certificate(b, host, "key.pem", "cert.pem"));
	snprintf(more, sizeof(more), "allow_anonymous true\ncafile %s\ncertfile %s\nkeyfile %s", path(b, "cert.pem"),
	         path(b, "cert.pem"), path(b, "key.pem"));
	start_broker(b, more);
}

static void test_tls(void **state)
{
	struct bench *b = *state;
	struct bus_conf conf = conf_of(b);
	start_tls_broker(b, "localhost");
	assert_true(make_certificate(b, "localhost", "other-key.pem", "other.pem"));
	conf.host = "localhost";
	conf.tls_ca = "/nowhere/ca.pem";
	open_bus(b, &conf);
	until(b, b->lost == 1);
	assert_string_equal(b->why, "/nowhere/ca.pem: No such file or directory");
	close_bus(b);
	b->closed = b->lost = 0;
	conf.tls_ca = path(b, "other.pem");
	open_bus(b, &conf);
	until(b, b->lost == 1);
	for (int i = 0; i < 100; i++)
		turn(b);
	assert_int_equal(b->connected, 0);
	close_bus(b);
	b->closed = 0;
	conf.tls_ca = path(b, "cert.pem");
	open_bus(b, &conf);
	bus_subscribe(b->bus, "maestro/target");
	until(b, b->connected == 1);
	for (int i = 0; i < 20; i++)
		turn(b);
	publish_tls(b, 500);
	until(b, b->messages == 500);           /* several packets come in one TLS record */
	assert_string_equal(b->last, "500");
	put_numbers(b, 0, 100);
	until(b, bus_stats(b->bus).waiting == 0);
	close_bus(b);
}

/* Half the name servers are dead: the loop goes on meanwhile, and the broker has its time to answer all the same. */
static void test_tls_by_a_late_name(void **state)
{
	struct bench *b = *state;
	struct bus_conf conf = conf_of(b);
	start_tls_broker(b, "late.example");
	conf.host = "late.example";
	conf.tls_ca = path(b, "cert.pem");
	late_ms = 10100;
	n_lookups = 0;
	freeze(b);
	open_bus(b, &conf);
	uint64_t before = uv_hrtime();
	while ((uv_hrtime() - before) / 1000000 < 11600)
		turn(b);
	assert_int_equal(b->lost, 0);
	kill(b->broker, SIGCONT);
	until(b, b->connected == 1);
	assert_int_equal(n_lookups, 1);
	assert_true(b->longest_ns / 1000000 < 2000);
	close_bus(b);
}

/* Its certificate is good, but says another name than that by which we came. */
static void test_tls_of_another_name(void **state)
{
	struct bench *b = *state;
	struct bus_conf conf = conf_of(b);
	start_tls_broker(b, "localhost");
	conf.host = "gpu-01.example";
	conf.tls_ca = path(b, "cert.pem");
	open_bus(b, &conf);
	until(b, b->lost == 1);
	for (int i = 0; i < 200; i++)
		turn(b);
	assert_int_equal(b->connected, 0);
	assert_int_equal(log_count(b, "New client connected"), 0);
	close_bus(b);
	b->closed = b->lost = 0;
	conf.host = "127.0.0.1";                /* nor does it say this */
	open_bus(b, &conf);
	until(b, b->lost == 1);
	assert_int_equal(log_count(b, "New client connected"), 0);
	close_bus(b);
}

static int listen_at(const struct bench *b, const char *host)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)b->port) };
	inet_pton(AF_INET, host, &at.sin_addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 5), 0);
	return fd;
}

/* What comes is cut off; how many that were so far. */
static int cut_off(int listening, int *n)
{
	int fd = accept(listening, NULL, NULL);
	if (fd < 0)
		return *n;
	close(fd);
	return ++*n;
}

/* The first of its addresses is no broker: the next attempt takes the next, with and without TLS, and goes by the name. */
static void test_next_address(void **state)
{
	struct bench *b = *state;
	struct bus_conf conf = conf_of(b);
	int n = 0, wrong = listen_at(b, "127.0.0.9");
	start_tls_broker(b, "twice.example");
	conf.host = "twice.example";
	conf.tls_ca = path(b, "cert.pem");
	open_bus(b, &conf);
	until(b, (cut_off(wrong, &n), b->connected == 1));
	assert_int_equal(n, 1);
	close_bus(b);
	b->closed = 0;
	stop(&b->broker, SIGKILL);
	start_broker(b, NULL);
	conf.tls_ca = NULL;
	open_bus(b, &conf);
	until(b, (cut_off(wrong, &n), b->connected == 2));
	assert_int_equal(n, 2);
	const char *argv[] = { "/usr/bin/mosquitto_pub", "-p", port_text(b), "-i", "mulletd-test", "-t", "x", "-n", NULL };
	pid_t usurper = run(NULL, argv);        /* the broker ends our connection: the address that was good comes first again */
	until(b, (cut_off(wrong, &n), b->connected == 3));
	assert_int_equal(n, 2);
	waitpid(usurper, NULL, 0);
	close_bus(b);
	close(wrong);
}

/* A broker may want to know us as well. */
static void test_own_certificate(void **state)
{
	struct bench *b = *state;
	struct bus_conf conf = conf_of(b);
	char more[600];
	start_tls_broker(b, "gpu-01.example");
	stop(&b->broker, SIGKILL);
	snprintf(more, sizeof(more), "allow_anonymous true\nrequire_certificate true\ncafile %s\ncertfile %s\nkeyfile %s",
	         path(b, "cert.pem"), path(b, "cert.pem"), path(b, "key.pem"));
	start_broker(b, more);
	conf.host = "gpu-01.example";
	conf.tls_ca = path(b, "cert.pem");
	open_bus(b, &conf);
	until(b, b->lost == 1);
	close_bus(b);
	assert_int_equal(log_count(b, "New client connected"), 0);
	b->closed = b->lost = 0;
	conf.tls_ca = conf.tls_cert = path(b, "cert.pem");
	conf.tls_key = path(b, "broker.conf");
	open_bus(b, &conf);
	until(b, b->lost == 1);
	assert_non_null(strstr(b->why, "broker.conf: there is nothing in it that begins as PEM does"));
	close_bus(b);
	b->closed = 0;
	conf.tls_key = path(b, "key.pem");
	open_bus(b, &conf);
	until(b, b->connected == 1);
	close_bus(b);
}

/* A CA that was taken out of the file is trusted no more. */
static void test_another_ca_in_the_file(void **state)
{
	struct bench *b = *state;
	struct bus_conf conf = conf_of(b);
	char more[600], ca[160];
	start_tls_broker(b, "gpu-01.example");
	snprintf(more, sizeof(more), "allow_anonymous true\ncertfile %s\nkeyfile %s", path(b, "cert.pem"), path(b, "key.pem"));
	snprintf(ca, sizeof(ca), "%s", path(b, "ca.pem"));
	conf.host = "gpu-01.example";
	conf.tls_ca = ca;
	assert_int_equal(link(path(b, "cert.pem"), conf.tls_ca), 0);
	open_bus(b, &conf);
	until(b, b->connected == 1);
	assert_int_equal(unlink(conf.tls_ca), 0);
	assert_true(make_certificate(b, "gpu-01.example", "other-key.pem", "ca.pem"));
	stop(&b->broker, SIGKILL);
	until(b, b->lost == 1);
	start_broker(b, more);
	until(b, b->connected == 2 || log_count(b, "unknown ca") > 0);
	assert_int_equal(b->connected, 1);
	close_bus(b);
}

/* What the first that comes says first, which is not answered; size of it so far. */
static size_t first_words(int listening, int *fd, char *words, size_t size, size_t *n)
{
	if (*fd < 0)
		*fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK);
	ssize_t more = *fd < 0 ? -1 : recv(*fd, words + *n, size - *n, 0);
	*n += more > 0 ? (size_t)more : 0;
	return *n;
}

/* Where several stand behind one address, they are told apart by the name that is asked for. */
static void test_asks_for_the_name(void **state)
{
	struct bench *b = *state;
	struct bus_conf conf = conf_of(b);
	char hello[2000];
	size_t n = 0;
	int fd = -1, server = listen_at(b, "127.0.0.1");
	if (access("/usr/bin/openssl", X_OK) != 0)
		skip();
	assert_true(make_certificate(b, "gpu-01.example", "key.pem", "cert.pem"));
	conf.host = "gpu-01.example";
	conf.tls_ca = path(b, "cert.pem");
	open_bus(b, &conf);
	until(b, first_words(server, &fd, hello, sizeof(hello), &n) > 0);
	assert_non_null(memmem(hello, n, "gpu-01.example", strlen("gpu-01.example")));
	assert_null(memmem(hello, n, "127.0.0.1", strlen("127.0.0.1")));
	close_bus(b);
	close(fd);
	close(server);
}

/* What was begun goes on by itself, until after the bus is gone, and is in nobody's way. */
static void test_close_while_no_name_server_answers(void **state)
{
	struct bench *b = *state;
	struct bus_conf conf = conf_of(b), other = conf;
	conf.host = "slow.example";
	lookup_ended = false;
	n_lookups = 0;
	for (unsigned tls = 0; tls < 2; tls++) {
		conf.tls_ca = tls ? file_of(b, 1) : NULL;
		open_bus(b, &conf);
		until(b, n_lookups == tls + 1);
		uint64_t before = uv_hrtime();
		close_bus(b);
		assert_true((uv_hrtime() - before) / 1000000 < 1000);
		b->closed = 0;
	}
	start_broker(b, NULL);
	open_bus(b, &other);
	until(b, b->connected == 1);
	close_bus(b);
	assert_false(lookup_ended);
	lookup_ended = true;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_tls),
		TEST(test_tls_by_a_late_name),
		TEST(test_tls_of_another_name),
		TEST(test_own_certificate),
		TEST(test_another_ca_in_the_file),
		TEST(test_next_address),
		TEST(test_asks_for_the_name),
		TEST(test_close_while_no_name_server_answers),
		TEST(test_name_with_several_addresses),
	};
	if (!broker_there("test_bus_tls"))
		return 0;
	return cmocka_run_group_tests_name("bus tls", tests, NULL, NULL);
}
