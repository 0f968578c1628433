/* Any bytes as an order, a target and a notice: no crash, results only on success, and what is accepted is in range. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "daemon/signal_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct order blank_order;
	struct order order = blank_order;
	struct target_message target = { .share_ppm = -1 };
	struct signal_fault fault;
	if (signal_order_parse((const char *)data, size, &order, &fault)) {
		assert(order.id[0] && order.kind <= ORDER_RELEASE);
		assert(order.watts >= 0 && order.watts <= ORDER_MOST_W);
		assert(order.issued_ms >= 0 && order.start_ms >= 0 && order.end_ms >= 0 && order.priority >= 0);
	} else {
		assert(fault.why[0] && memcmp(&order, &blank_order, sizeof(order)) == 0);
	}
	if (signal_target_parse((const char *)data, size, &target, &fault))
		assert(target.share_ppm >= 0 && target.share_ppm <= 1000000);
	else
		assert(fault.why[0] && target.share_ppm == -1);
	struct notice notice = { .delta_w = 1 };
	if (signal_notice_parse((const char *)data, size, &notice, &fault))
		assert(notice.id[0] && notice.delta_w >= -ORDER_MOST_W && notice.delta_w <= ORDER_MOST_W &&
		       notice.over_ms >= 0 && notice.over_ms <= NOTICE_MOST_OVER_MS && notice.at_ms >= 0);
	else
		assert(fault.why[0] && notice.delta_w == 1 && !notice.id[0]);
	return 0;
}
