# themis_crypt: column encryption for PostgreSQL.
#
#   make deps         install what building and testing need (Debian)
#   make demo         build into a private place, start a server, tell the story
#   make              build the extension, the keyring tool and the providers
#   make install      install them beside the PostgreSQL of $(PG_CONFIG)
#   make check        every test, in a private copy; the last line has the counts
#   make check STAGE=unit     one stage or several; KEEP=1 keeps the folder
#   make check-long   the same, with the long variants
#   make bench        measure against plain columns, pgcrypto and the floor
#                     (WORK="w1 lookup": only these; bench/README.md has them all)
#   make unit         the leaves' tests alone; also: unit-sanitized, fuzz
#   make installcheck the SQL tests on a running server that preloads the library
#   make clean, make uninstall

.DEFAULT_GOAL := all

# Leaves know nothing of PostgreSQL (src/README).  The module, the keyring
# tool, the unit tests and the fuzzers all link them.
LEAVES    = aead armor envelope kdf nonce wrap recipient rootrec keyring \
            secretmem keyprov passwrap token compress
LEAF_SRCS = $(sort $(wildcard $(LEAVES:%=src/%.c) $(LEAVES:%=src/%_*.c)))

# make WERROR= builds with a compiler that knows more warnings than ours.
WERROR   = -Werror
WARN      = -Wall -Wextra -Wshadow -Wno-unused-parameter $(WERROR)
HARDEN    = -fstack-protector-strong -D_FORTIFY_SOURCE=2
HARDEN_LD = -Wl,-z,relro,-z,now

help:
	@sed -n '/^#/!q;s/^# \{0,1\}//p' Makefile

deps:
	@test/deps install

check-long:
	@TC_LONG=1 test/run check

demo:
	@test/run demo

bench:
	@test/run bench

.PHONY: help deps check check-long demo bench unit unit-sanitized fuzz

# ---------------------------------------------------------------------------
# Tests of the leaves: no PostgreSQL, so no PGXS.  Each test/unit/*.c and
# test/fuzz/*.c is one program, built per variant under build/VARIANT.

UNIT_SRCS = $(wildcard test/unit/*.c)
FUZZ_SRCS = $(wildcard test/fuzz/*.c)
UNIT_FLAGS = -g -O2 $(WARN) -Isrc -Itest/unit -MMD -MP
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

# Address sanitizers of this age cannot live with every kernel's idea of
# address randomisation; where it may be switched off, it is.
NORANDOM = $(shell setarch -R true 2>/dev/null && echo setarch -R)

# $(call variant,NAME,COMPILER AND FLAGS)
define variant
build/$(1)/%.o: %.c
	@mkdir -p $$(@D)
	$(2) $$(UNIT_FLAGS) -c -o $$@ $$<
build/$(1)/%: build/$(1)/%.o $(LEAF_SRCS:%.c=build/$(1)/%.o)
	$(2) $$^ $$(UNIT_LIBS) -lsodium -llz4 -o $$@
endef

$(eval $(call variant,plain,$$(CC) -fPIE -pie $(HARDEN) $(HARDEN_LD)))
$(eval $(call variant,sanitized,$$(CC) $(SANITIZE)))
$(eval $(call variant,fuzz,clang $(SANITIZE) -fsanitize=fuzzer))
.SECONDARY:
-include $(wildcard build/*/src/*.d build/*/test/*/*.d build/*/contrib-keyprov/*/*.d)

# What the provider tpm2 has of leaves, and what their tests need.
TPM2_LEAVES = contrib-keyprov/tpm2/blob.o contrib-keyprov/tpm2/pcr.o \
              contrib-keyprov/tpm2/pin.o contrib-keyprov/common/fault.o \
              contrib-keyprov/common/pipeio.o
TPM2_TESTS  = build/plain/test/unit/tpm2_blob build/sanitized/test/unit/tpm2_blob \
              build/fuzz/test/fuzz/fuzz_tpm2_blob
build/plain/test/unit/tpm2_blob: $(TPM2_LEAVES:%=build/plain/%)
build/sanitized/test/unit/tpm2_blob: $(TPM2_LEAVES:%=build/sanitized/%)
build/fuzz/test/fuzz/fuzz_tpm2_blob: $(TPM2_LEAVES:%=build/fuzz/%)
$(TPM2_TESTS): UNIT_FLAGS += -Icontrib-keyprov/common -Icontrib-keyprov/tpm2
$(TPM2_TESTS): UNIT_LIBS = -ltss2-mu

UNIT_PLAIN     = $(UNIT_SRCS:%.c=build/plain/%)
UNIT_SANITIZED = $(UNIT_SRCS:%.c=build/sanitized/%)
FUZZERS        = $(FUZZ_SRCS:%.c=build/fuzz/%)

unit: $(UNIT_PLAIN)
	@test/lib/tap -- $^

unit-sanitized: $(UNIT_SANITIZED)
	@test/lib/tap $(NORANDOM) -- $^

fuzz: $(FUZZERS)
	@test/lib/tap $(NORANDOM) test/lib/fuzz -- $^

# ---------------------------------------------------------------------------
# All else needs PostgreSQL.  Skipped where only goals from above are asked
# for: they must work before "make deps".

ifneq ($(filter-out help deps check check-long demo bench unit unit-sanitized fuzz, \
         $(or $(MAKECMDGOALS),all)),)

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
ifeq ($(PGXS),)
$(error $(PG_CONFIG) does not run: "make deps", or name it with PG_CONFIG=)
endif

TC_VERSION = $(shell sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" themis_crypt.control)

MODULE_big = themis_crypt
EXTENSION  = themis_crypt
DATA       = $(sort $(wildcard sql/*--*.sql))
OBJS       = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c)))
LEAF_OBJS  = $(LEAF_SRCS:.c=.o)

# All modules share one symbol space, so we show only what PostgreSQL looks up.
# Not by -fvisibility=hidden: PG_FUNCTION_INFO_V1 before 16 does not lift it.
EXPORTS       = _PG_init; Pg_magic_func; pg_finfo_*; themis_crypt_*;
SHLIB_PREREQS = build/exports
SHLIB_LINK    = -lsodium -llz4 -Wl,--version-script=build/exports

# Each database of the tests gets the extension, so that any test runs alone.
REGRESS        = $(sort $(patsubst test/sql/%.sql,%,$(wildcard test/sql/*.sql)))
REGRESS_OPTS   = --inputdir=test --load-extension=themis_crypt
ISOLATION      = $(sort $(patsubst test/specs/%.spec,%,$(wildcard test/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test --outputdir=. --load-extension=themis_crypt

# Programs: the keyring tool, and one provider per folder.
KEYRING        = contrib-keyprov/keyring/themis-keyring
KEYRING_OBJS   = $(patsubst %.c,%.o,$(wildcard contrib-keyprov/keyring/*.c))
TPM2           = contrib-keyprov/tpm2/themis-keyprov-tpm2
TPM2_OBJS      = $(patsubst %.c,%.o,$(wildcard contrib-keyprov/tpm2/*.c))
SYSTEMD        = contrib-keyprov/systemd-creds/themis-keyprov-systemd-creds
SYSTEMD_OBJS   = $(patsubst %.c,%.o,$(wildcard contrib-keyprov/systemd-creds/*.c))
COMMON_OBJS    = $(patsubst %.c,%.o,$(wildcard contrib-keyprov/common/*.c))
COMMAND        = contrib-keyprov/command/themis-keyprov-command
PROVIDERS      = $(if $(TPM2_OBJS),$(TPM2)) $(if $(SYSTEMD_OBJS),$(SYSTEMD))
PROVIDER_SCRIPTS = $(wildcard $(COMMAND))
BIN_PROGRAMS   = $(if $(KEYRING_OBJS),$(KEYRING))
providerdir    = $(pkglibdir)/themis_crypt

# What an administrator copies to /etc/systemd/system.
UNITS          = build/themis-credential.service \
                 $(wildcard contrib-keyprov/systemd-creds/*.conf)
unitdir        = $(datadir)/themis_crypt/systemd

# PostgreSQL's headers as system headers: our warnings are about our code.
PG_CPPFLAGS = -isystem $(includedir_server) -isystem $(includedir) -Isrc -MMD -MP \
              -DTC_PROVIDER_DIR='"$(providerdir)"' -DTC_VERSION='"$(TC_VERSION)"'
# PG_TRY keeps its own variables across longjmp, and knows what it does.
PG_CFLAGS   = $(WARN) -Wno-clobbered $(HARDEN) -fno-semantic-interposition
PG_LDFLAGS  = $(HARDEN_LD)
EXTRA_CLEAN = build $(BIN_PROGRAMS) $(PROVIDERS) $(KEYRING_OBJS) $(TPM2_OBJS) $(SYSTEMD_OBJS) $(COMMON_OBJS) \
              $(wildcard src/*.d contrib-keyprov/*/*.d)

# Bitcode would let the planner inline our functions; they are not meant for it.
override with_llvm = no
include $(PGXS)

-include $(wildcard src/*.d contrib-keyprov/*/*.d)

all: $(BIN_PROGRAMS) $(PROVIDERS) $(UNITS)

build/exports: Makefile
	@mkdir -p build
	echo '{ global: $(EXPORTS) local: *; };' >$@

build/%.service: contrib-keyprov/systemd-creds/%.service.in Makefile
	@mkdir -p build
	sed 's|@providerdir@|$(providerdir)|' $< >$@

# The flags left by PGXS have -fPIC, which a PIE may be made of.  PostgreSQL's
# tables of Unicode come from libpgcommon.
$(KEYRING): $(KEYRING_OBJS) $(filter-out src/compress.o,$(LEAF_OBJS))
	$(CC) $(CFLAGS) -pie $^ $(LDFLAGS) -L$(pkglibdir) -lsodium -lpq -lpgcommon -lpgport -o $@

# A provider has nothing of PostgreSQL in it.
$(TPM2_OBJS) $(SYSTEMD_OBJS) $(COMMON_OBJS): override CPPFLAGS = -Isrc -Icontrib-keyprov/common -MMD -MP

$(TPM2): $(TPM2_OBJS) $(COMMON_OBJS)
	$(CC) $(CFLAGS) -pie $^ $(LDFLAGS) \
		-ltss2-esys -ltss2-tctildr -ltss2-mu -o $@

# It runs systemd-creds as we run providers.
$(SYSTEMD): $(SYSTEMD_OBJS) $(COMMON_OBJS) $(filter src/keyprov%,$(LEAF_OBJS))
	$(CC) $(CFLAGS) -pie $^ $(LDFLAGS) -lsodium -o $@

install: install-programs
install-programs: $(BIN_PROGRAMS) $(PROVIDERS) $(UNITS) | not-in-use
	umask 022 && $(MKDIR_P) '$(DESTDIR)$(bindir)' '$(DESTDIR)$(providerdir)' '$(DESTDIR)$(unitdir)'
	$(foreach p,$(BIN_PROGRAMS),$(INSTALL_PROGRAM) $(p) '$(DESTDIR)$(bindir)/'$(newline))
	$(foreach p,$(PROVIDERS),$(INSTALL_PROGRAM) $(p) '$(DESTDIR)$(providerdir)/'$(newline))
	$(foreach p,$(PROVIDER_SCRIPTS),$(INSTALL_SCRIPT) $(p) '$(DESTDIR)$(providerdir)/'$(newline))
	$(INSTALL_DATA) $(UNITS) '$(DESTDIR)$(unitdir)/'

uninstall: uninstall-programs
uninstall-programs: | not-in-use
	rm -f $(addprefix '$(DESTDIR)$(bindir)'/,$(notdir $(KEYRING)))
	rm -f $(addprefix '$(DESTDIR)$(providerdir)'/,$(notdir $(TPM2) $(SYSTEMD) $(COMMAND)))
	rm -f $(addprefix '$(DESTDIR)$(unitdir)'/,$(notdir $(UNITS)))
	-rmdir '$(DESTDIR)$(providerdir)' '$(DESTDIR)$(unitdir)' '$(DESTDIR)$(dir $(unitdir))'

define newline


endef

# A server keeps the library it preloaded, beside the new scripts and programs.
# So not under somebody's feet; servers of test/cluster do not count.
install-lib-shared: | not-in-use
not-in-use:
	@test -n '$(FORCE)' || test/lib/not-in-use '$(DESTDIR)$(pkglibdir)/$(shlib)'

.PHONY: install-programs uninstall-programs not-in-use

endif

# PGXS brings a "check" that only says no, and exits with 0.
ifneq ($(filter check,$(MAKECMDGOALS)),)
check:
	@test/run check
endif
