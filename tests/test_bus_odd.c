/* The bus against a broker that is played here, packet by packet, and against none. */
#include "tests/bus_bench.h"

static int listener(const struct bench *b)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)b->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 5), 0);
	return fd;
}

/* One packet of less than 128 bytes. */
static void read_packet(struct bench *b, int fd, uint8_t *packet)
{
	until(b, recv(fd, packet, 2, MSG_PEEK | MSG_DONTWAIT) == 2);
	assert_true(packet[1] < 128);
	until(b, recv(fd, packet, 2u + packet[1], MSG_PEEK | MSG_DONTWAIT) == 2 + packet[1]);
	assert_int_equal(recv(fd, packet, 2u + packet[1], 0), 2 + packet[1]);
}

/* Takes one connection and the one subscription that comes, and answers `code` to that. */
static int answer_subscription(struct bench *b, int server, uint8_t code)
{
	uint8_t packet[130];
	int fd = -1;
	until(b, fd >= 0 || (fd = accept(server, NULL, NULL)) >= 0);
	read_packet(b, fd, packet);
	assert_int_equal(packet[0], 0x10);              /* CONNECT */
	assert_int_equal(send(fd, "\x20\x02\x00\x00", 4, MSG_NOSIGNAL), 4);
	read_packet(b, fd, packet);
	assert_int_equal(packet[0], 0x82);              /* SUBSCRIBE */
	assert_int_equal(send(fd, (uint8_t[]){ 0x90, 3, packet[2], packet[3], code }, 5, MSG_NOSIGNAL), 5);
	return fd;
}

/* A broker may take the connection and refuse a topic; asked again at the next one it may have been taught better. */
static void test_subscription_refused(void **state)
{
	struct bench *b = *state;
	struct bus_conf conf = conf_of(b);
	int server = listener(b);
	open_bus(b, &conf);
	bus_subscribe(b->bus, "maestro/target");
	int fd = answer_subscription(b, server, 0x80);
	until(b, b->refused == 1);
	assert_string_equal(b->last_topic, "maestro/target");
	close(fd);
	fd = answer_subscription(b, server, 1);
	until(b, b->granted == 1);
	assert_int_equal(b->refused, 1);
	close(fd);
	close(server);
	close_bus(b);
}

/* While what waits is sent at the end an order may come: acknowledged, it will not come again. */
static void test_message_while_closing(void **state)
{
	static const char order[] = "\x32\x06\x00\x01t\x00\x07x";      /* PUBLISH of x to t, QoS 1, 7 */
	struct bench *b = *state;
	struct bus_conf conf = conf_of(b);
	uint8_t packet[130], mid[2];
	int server = listener(b), fd = -1;
	open_bus(b, &conf);
	put(b, DELIVER_EVENT, "e", "1");
	until(b, fd >= 0 || (fd = accept(server, NULL, NULL)) >= 0);
	read_packet(b, fd, packet);
	assert_int_equal(send(fd, "\x20\x02\x00\x00", 4, MSG_NOSIGNAL), 4);
	read_packet(b, fd, packet);
	assert_int_equal(packet[0], 0x32);              /* our PUBLISH */
	memcpy(mid, packet + 2 + packet[1] - 3, 2);
	bus_close(b->bus);
	assert_int_equal(send(fd, order, sizeof(order) - 1, MSG_NOSIGNAL), sizeof(order) - 1);
	until(b, b->messages == 1);
	read_packet(b, fd, packet);
	assert_memory_equal(packet, "\x40\x02\x00\x07", 4);
	assert_int_equal(b->closed, 0);
	assert_int_equal(send(fd, (uint8_t[]){ 0x40, 2, mid[0], mid[1] }, 4, MSG_NOSIGNAL), 4);
	until(b, b->closed == 1);
	close(fd);
	close(server);
}

/* A peer that takes the connection and never speaks holds up neither the loop nor the end. */
static void test_silent_broker(void **state)
{
	struct bench *b = *state;
	int fd = listener(b);
	struct bus_conf conf = conf_of(b);
	open_bus(b, &conf);
	put_numbers(b, 0, 10);
	for (int i = 0; i < 20; i++)
		turn(b);
	uint64_t before = uv_hrtime();
	bus_close(b->bus);
	assert_int_equal(b->closed, 0);
	until(b, b->closed == 1);
	assert_in_range((uv_hrtime() - before) / 1000000, 1900, 15000);
	assert_int_equal(b->connected, 0);
	close(fd);
}

static void test_close_at_once(void **state)
{
	struct bench *b = *state;
	struct bus_conf conf = conf_of(b);
	conf.host = "localhost";
	open_bus(b, &conf);
	close_bus(b);
	b->closed = 0;
	open_bus(b, &conf);
	uv_run(&b->loop, UV_RUN_NOWAIT);        /* the look-up is under way */
	close_bus(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_close_at_once),
		TEST(test_silent_broker),
		TEST(test_subscription_refused),
		TEST(test_message_while_closing),
	};
	return cmocka_run_group_tests_name("bus odd", tests, NULL, NULL);
}
