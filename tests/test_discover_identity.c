/* What a miner that was found is: told by its own words, of recordings too. */
#include "daemon/ctl_scan.h"
#include "tests/discover_bench.h"
#include "tests/miner_recording.h"

struct told { enum identity_read read; const char *text; };

static struct miner_identity identity_of(const struct told *told, size_t n)
{
	struct miner_inquiry inquiry = { 0 };
	for (size_t i = 0; i < n; i++)
		assert_int_equal(identity_take(&inquiry, told[i].read, told[i].text), FAULT_NONE);
	return inquiry.is;
}

static void firmwares_are_told_apart_by_their_version(void **state)
{
	static const struct { const char *text; enum firmware firmware; const char *version, *model; } cases[] = {
		{ VERSION("\"LUXminer\":\"2025.7\",\"Miner\":\"x\",\"Type\":\"Antminer S21\""), FIRMWARE_LUXOS, "2025.7", "Antminer S21" },
		{ VERSION("\"BOSer\":\"boser-openwrt 25.07\""), FIRMWARE_BRAIINS, "boser-openwrt 25.07", "" },
		{ VERSION("\"BOSminer+\":\"0.2.0-36c56a9363\",\"API\":\"3.7\""), FIRMWARE_BRAIINS, "0.2.0-36c56a9363", "" },
		{ VERSION("\"BMMiner\":\"1.0.0\",\"Miner\":\"49.0.1.3\",\"Type\":\"Antminer S19 Pro\""), FIRMWARE_ANTMINER, "49.0.1.3",
		  "Antminer S19 Pro" },
		{ VERSION("\"BMMiner\":\"2.0.0\",\"Type\":\"Antminer S19j Pro (Vnish 1.2.6)\""), FIRMWARE_VNISH, "",
		  "Antminer S19j Pro (Vnish 1.2.6)" },
		{ VERSION("\"GCMiner\":\"0.5\",\"API\":\"1.0\""), FIRMWARE_AURADINE, "0.5", "" },
		{ VERSION("\"CGMiner\":\"4.11.1\",\"PROD\":\"AvalonMiner 15-194\",\"LVERSION\":\"25\",\"MAC\":\"AA:BB:CC:DD:EE:FF\""),
		  FIRMWARE_AVALON, "25", "AvalonMiner 15-194" },
		{ VERSION("\"CGMiner\":\"4.11.1\",\"API\":\"3.7\""), FIRMWARE_CGMINER, "4.11.1", "" },
		{ VERSION("\"CGMiner\":\"\\u001b[2J\\n'a\\u00e9\",\"API\":\"3.7\""), FIRMWARE_CGMINER, "?[2J?'a??", "" },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct told told = { ASK_VERSION, cases[i].text };
		struct miner_identity is = identity_of(&told, 1);
		assert_int_equal(is.firmware, cases[i].firmware);
		assert_string_equal(is.version, cases[i].version);
		assert_string_equal(is.model, cases[i].model);
	}
}

static void what_is_not_of_this_api_is_garbled(void **state)
{
	static const char *const texts[] = { "{}", "[]", "{\"a\":1}", "SSH-2.0-OpenSSH_9.2", "{\"STATUS\":", "" };
	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct miner_inquiry inquiry = { 0 };
		assert_int_equal(identity_take(&inquiry, ASK_JOINED, texts[i]), FAULT_GARBLED);
	}
}

static void nonsense_figures_are_not_known(void **state)
{
	static const struct told told = { ASK_SUMMARY, "{\"STATUS\":\"S\",\"Msg\":{\"Elapsed\":5,\"Power\":1983386.5,\"HS RT\":1.0,"
	                                               "\"MHS av\":-3,\"MAC\":\"zz\",\"Power Limit\":3600}}" };
	struct miner_identity is = identity_of(&told, 1);
	(void)state;
	assert_int_equal(is.firmware, FIRMWARE_WHATSMINER);
	assert_true(!is.knows_power && !is.knows_rate && !is.mac[0] && is.state == MINER_UNKNOWN);
}

static void recorded_replies_are_recognized(void **state)
{
	static const struct {
		struct { enum identity_read read; const char *file; } told[5];
		enum firmware firmware;
		const char *version, *model, *mac, *serial;
		enum miner_state state;
		int32_t power_w, hashrate_ghs, awake_w;
	} cases[] = {
		{ { { ASK_VERSION, "luxos-2025.4-s19kpro/version.json" }, { ASK_CONFIG, "luxos-2025.4-s19kpro/config.json" },
		    { ASK_SUMMARY, "luxos-2025.4-s19kpro/summary.json" }, { ASK_POWER, "luxos-2025.4-s19kpro/power.json" },
		    { ASK_PROFILES, "luxos-2025.4-s19kpro/profiles.json" } },
		  FIRMWARE_LUXOS, "2025.4.8.220305-57b389c7", "Antminer S19k Pro", "62:f7:5e:b7:10:46", "JYZZB0UBDJABF06RB",
		  MINER_HASHING, 1051, 59756, 1188 },
		{ { { ASK_VERSION, "antminer-stock-s19pro/version.json" }, { ASK_SUMMARY, "antminer-stock-s19pro/summary.json" } },
		  FIRMWARE_ANTMINER, "49.0.1.3", "Antminer S19 Pro", "", "", MINER_HASHING, 0, 110567, 0 },
		{ { { ASK_VERSION, "antminer-mskminer-2.6.0.39/rpc_version.json" } },
		  FIRMWARE_ANTMINER, "0.0.1.3", "S19-88 v.2.6.0.39", "", "", MINER_UNKNOWN, 0, 0, 0 },
		{ { { ASK_SUMMARY, "whatsminer-m20s-2021.03/summary.json" }, { ASK_GET_VERSION, "whatsminer-m20s-2021.03/get_version.json" } },
		  FIRMWARE_WHATSMINER, "20210322.22.REL", "", "c4:08:28:00:a4:19", "", MINER_HASHING, 3427, 70668, 0 },
		{ { { ASK_GET_VERSION, "whatsminer-v2-testdata/get_version.json" }, { ASK_SUMMARY, "whatsminer-v2-testdata/summary.json" } },
		  FIRMWARE_WHATSMINER, "20230803.11.REL", "", "d4:01:02:03:04:05", "", MINER_HASHING, 3200, 125000, 0 },
		{ { { ASK_VERSION, "avalon-q/version.json" }, { ASK_SUMMARY, "avalon-q/summary.json" }, { ASK_STATS, "avalon-q/stats.json" } },
		  FIRMWARE_AVALON, "25052801_14a19a2", "Avalon Q", "aa:bb:cc:dd:ee:ff", "", MINER_ASLEEP, 146, 0, 0 },
		{ { { ASK_VERSION, "auradine-fluxos/version.json" }, { ASK_SUMMARY, "auradine-fluxos/summary.json" } },
		  FIRMWARE_AURADINE, "0.5", "", "", "", MINER_HASHING, 0, 20600, 0 },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct miner_inquiry inquiry = { 0 };
		bool all = true;
		for (size_t t = 0; t < 5 && cases[i].told[t].file; t++) {
			struct recording said = shared_recording(cases[i].told[t].file);
			all = all && said.text;
			if (said.text)
				assert_int_equal(identity_take(&inquiry, cases[i].told[t].read, said.text), FAULT_NONE);
			free(said.text);
		}
		if (!all)
			continue;
		assert_int_equal(inquiry.is.firmware, cases[i].firmware);
		assert_string_equal(inquiry.is.version, cases[i].version);
		assert_string_equal(inquiry.is.model, cases[i].model);
		assert_string_equal(inquiry.is.mac, cases[i].mac);
		assert_string_equal(inquiry.is.serial, cases[i].serial);
		assert_int_equal(inquiry.is.state, cases[i].state);
		assert_int_equal(inquiry.is.knows_power ? inquiry.is.power_w : 0, cases[i].power_w);
		assert_int_equal(inquiry.is.knows_rate ? inquiry.is.hashrate_ghs : 0, cases[i].hashrate_ghs);
		assert_int_equal(inquiry.is.awake_w, cases[i].awake_w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(firmwares_are_told_apart_by_their_version), cmocka_unit_test(what_is_not_of_this_api_is_garbled),
		cmocka_unit_test(nonsense_figures_are_not_known), cmocka_unit_test(recorded_replies_are_recognized),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
