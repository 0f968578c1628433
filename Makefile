# mulletd. `make help` lists what there is to make.
PREFIX   ?= /usr/local
DESTDIR  ?=
VERSION  := 0.1.0

BUILD    := build
ROOMS    := policy drivers config daemon sim
MAINS    := daemon/main.c daemon/mulletctl.c sim/mulletsim.c
PROGRAMS := $(BUILD)/mulletd $(BUILD)/mulletctl $(BUILD)/mulletsim

PKGS     := libuv libmodbus libmosquitto libssl libcrypto libcjson yaml-0.1 libsystemd netsnmp libcurl
# Lazy, so that `make deps` runs on a machine that has none of them yet.
PKG_CFLAGS = $(shell pkg-config --cflags $(PKGS))
PKG_LIBS   = $(shell pkg-config --libs $(PKGS))

WARN     := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
            -Wpointer-arith -Wundef -Wvla -Wformat=2 -Wcast-align -Wwrite-strings -Werror
CPPFLAGS := -I. -D_GNU_SOURCE -DMULLET_VERSION='"$(VERSION)"'
CFLAGS   ?= -O2 -g
HARDEN   := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
BASE      = -std=c11 $(WARN) $(CPPFLAGS) $(PKG_CFLAGS) -MMD -MP
LIBS      = $(PKG_LIBS) -lm -lpthread

sources   = $(filter-out $(MAINS),$(wildcard $(1)/*.c))
objects   = $(patsubst %.c,$(BUILD)/obj/%.o,$(call sources,$(1)))
sanitized = $(patsubst %.c,$(BUILD)/san/%.o,$(call sources,$(1)))

ARCHIVES := $(ROOMS:%=$(BUILD)/obj/%.a)
SAN_ARCH := $(ROOMS:%=$(BUILD)/san/%.a)
SUPPORT  := $(filter-out tests/test_%.c tests/bench_%.c tests/fuzz_%.c,$(wildcard tests/*.c))
TESTS    := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/test_*.c))
BENCHES  := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/bench_*.c))
FUZZERS  := $(patsubst tests/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz_*.c))
# Whoever uses comes before whoever is used.
ORDER    := daemon sim config drivers policy

all: $(PROGRAMS)

help:
	@echo "make            build the programs into $(BUILD)/"
	@echo "make demo       install what is missing, build, run a simulated site for 90 s"
	@echo "make test       install what is missing, run every test"
	@echo "make check      only the arrows between rooms and the purity of policy/"
	@echo "make bench      print the figures that README.md claims"
	@echo "make scores     renew sim/scores.json, what the control law scores in virtual time"
	@echo "make fuzz       fuzz every decoder for FUZZ_S seconds each (clang; default 20)"
	@echo "make install    into DESTDIR and PREFIX (default /usr/local); make uninstall takes it away again"
	@echo "make clean      remove $(BUILD)/"

# --- building ---------------------------------------------------------------------------------
# make V=1 shows the whole commands.
Q        := $(if $(V),,@)
say       = @printf '  %-5s %s\n' $(1) $(2)

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(BASE) $(CFLAGS) $(HARDEN) -c -o $@ $<

$(BUILD)/san/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,"$< (sanitized)")
	$(Q)$(CC) $(BASE) -O1 -g $(SANITIZE) -c -o $@ $<

define room
$(BUILD)/obj/$(1).a: $(call objects,$(1))
	@rm -f $$@
	@ar rcs $$@ $$^
$(BUILD)/san/$(1).a: $(call sanitized,$(1))
	@rm -f $$@
	@ar rcs $$@ $$^
endef
$(foreach r,$(ROOMS),$(eval $(call room,$(r))))

in = $(foreach r,$(ORDER),$(BUILD)/$(1)/$(r).a)

$(BUILD)/mulletd: $(BUILD)/obj/daemon/main.o $(ARCHIVES)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) -pie -Wl,-z,relro,-z,now,--as-needed -o $@ $< $(call in,obj) $(LIBS)
$(BUILD)/mulletctl: $(BUILD)/obj/daemon/mulletctl.o $(ARCHIVES)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) -pie -Wl,-z,relro,-z,now,--as-needed -o $@ $< $(call in,obj) $(LIBS)
$(BUILD)/mulletsim: $(BUILD)/obj/sim/mulletsim.o $(ARCHIVES)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) -pie -Wl,-z,relro,-z,now,--as-needed -o $@ $< $(call in,obj) $(LIBS)

$(BUILD)/tests/test_%: $(BUILD)/san/tests/test_%.o $(SUPPORT:%.c=$(BUILD)/san/%.o) $(SAN_ARCH)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(SANITIZE) -o $@ $(filter %.o,$^) $(call in,san) $(LIBS) -lcmocka
# Plays days of virtual time; the sanitizers see the same code in the other tests.
$(BUILD)/tests/test_scores: $(BUILD)/obj/tests/test_scores.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) -pie -o $@ $< $(call in,obj) $(LIBS) -lcmocka
$(BUILD)/tests/bench_%: $(BUILD)/obj/tests/bench_%.o $(SUPPORT:%.c=$(BUILD)/obj/%.o) $(ARCHIVES)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) -pie -o $@ $(filter %.o,$^) $(call in,obj) $(LIBS)

# --- what keeps the house honest ---------------------------------------------------------------
check: arrows purity

arrows:
	@! grep -n '^#include "' policy/*.[ch]  | grep -v  '"policy/'
	@! grep -n '^#include "' drivers/*.[ch] | grep -vE '"(drivers/|policy/reading\.h")'
	@! grep -n '^#include "' config/*.[ch]  | grep -vE '"(config/|policy/)'
	@! grep -n '^#include "' sim/*.[ch]     | grep -vE '"(sim/|drivers/|policy/)'
	@! grep -n '^#include "tests/' daemon/*.[ch]
	@! grep -nE '^#include <(uv|modbus|mosquitto|yaml|cjson|sqlite3|stdio|time|stdlib)' policy/*.[ch]

purity: $(BUILD)/obj/policy.a   # the control law can reach no file, socket, clock, heap or log
	@! nm -u $(call objects,policy) | awk '$$1 == "U" { print $$2 }' | sort -u | \
	  grep -vxE "mem(cpy|set|move)|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_|$$(nm --defined-only -g $(call objects,policy) | awk 'NF == 3 { print $$3 }' | paste -sd'|')"

# --- tests, demo, benchmarks -------------------------------------------------------------------
deps:
	@scripts/deps

test:
	@scripts/deps valgrind
	@$(MAKE) --no-print-directory -j$$(nproc) check all tests
	@tests/run $(BUILD)

tests: $(TESTS) $(BUILD)/tests/bench_policy $(BUILD)/waterbed $(BUILD)/flat

demo: deps
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@scripts/demo

bench:
	@scripts/deps valgrind
	@$(MAKE) --no-print-directory -j$$(nproc) all $(BENCHES)
	@scripts/bench

# What the control law scores; its diff shows what a change does. Without the measured traces only a part of it.
scores: $(BUILD)/mulletsim
	@$< --fast --json sim/scores.json

# What perfect foresight would keep, by a linear program; needs libglpk-dev, and some minutes.
$(BUILD)/foresight: tests/foresight/foresight.c $(ARCHIVES)
	$(call say,LINK,$@)
	$(Q)$(CC) $(BASE) $(CFLAGS) -o $@ $< $(call in,obj) $(LIBS) -lglpk
foresight: $(BUILD)/foresight
	@$< > $(BUILD)/foresight.new && mv $(BUILD)/foresight.new sim/scenarios/foresight

# How flat any filter could be that lifts no band; some minutes.
$(BUILD)/waterbed: tests/foresight/waterbed.c $(ARCHIVES)
	$(call say,CC,$@)
	$(Q)$(CC) $(BASE) $(CFLAGS) -o $@ $< $(call in,obj) $(LIBS)
waterbed: $(BUILD)/waterbed
	@$< > $(BUILD)/waterbed.new && mv $(BUILD)/waterbed.new sim/scenarios/waterbed

# How much hash is left where a site is as flat as it should be; some minutes.
$(BUILD)/flat: tests/foresight/flat.c $(ARCHIVES)
	$(call say,CC,$@)
	$(Q)$(CC) $(BASE) $(CFLAGS) -o $@ $< $(call in,obj) $(LIBS)
flat: $(BUILD)/flat
	@$< > $(BUILD)/flat.new && mv $(BUILD)/flat.new sim/scenarios/flat

FUZZ_S ?= 20
$(BUILD)/fuzz/%: tests/%.c
	@mkdir -p $(@D)
	$(call say,FUZZ,$@)
	$(Q)clang $(BASE) -O1 -g -fsanitize=fuzzer,address,undefined -o $@ $< \
	  $(call sources,drivers) $(call sources,policy) $(call sources,config) daemon/signal_json.c daemon/json_strict.c $(LIBS)
fuzz: $(FUZZERS)
	@for f in $(FUZZERS); do echo "== $$f"; mkdir -p $(BUILD)/corpus/$$(basename $$f); \
	  $$f -max_total_time=$(FUZZ_S) -verbosity=0 -close_fd_mask=1 $(BUILD)/corpus/$$(basename $$f) || exit 1; done

# --- installing --------------------------------------------------------------------------------
install: all
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/systemd/system \
	  $(DESTDIR)$(PREFIX)/share/mulletd/registers $(DESTDIR)$(PREFIX)/share/mulletd/oids $(DESTDIR)$(PREFIX)/share/doc/mulletd
	install -m 755 $(BUILD)/mulletd $(DESTDIR)$(PREFIX)/sbin/
	install -m 755 $(BUILD)/mulletctl $(BUILD)/mulletsim $(DESTDIR)$(PREFIX)/bin/
	install -m 644 config/registers/*.yaml $(DESTDIR)$(PREFIX)/share/mulletd/registers/
	install -m 644 config/oids/*.yaml $(DESTDIR)$(PREFIX)/share/mulletd/oids/
	install -m 644 config/site.example.yaml README.md $(DESTDIR)$(PREFIX)/share/doc/mulletd/
	sed 's|@PREFIX@|$(PREFIX)|g' systemd/mulletd.service > $(DESTDIR)$(PREFIX)/lib/systemd/system/mulletd.service
	chmod 644 $(DESTDIR)$(PREFIX)/lib/systemd/system/mulletd.service

# Leaves what belongs to the site: /etc/mulletd and what was remembered.
uninstall:
	rm -f $(DESTDIR)$(PREFIX)/sbin/mulletd $(DESTDIR)$(PREFIX)/bin/mulletctl $(DESTDIR)$(PREFIX)/bin/mulletsim \
	  $(DESTDIR)$(PREFIX)/lib/systemd/system/mulletd.service
	rm -rf $(DESTDIR)$(PREFIX)/share/mulletd $(DESTDIR)$(PREFIX)/share/doc/mulletd

clean:
	rm -rf $(BUILD)

.PHONY: all help check arrows purity deps test tests demo bench scores foresight waterbed flat fuzz install uninstall clean
.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
