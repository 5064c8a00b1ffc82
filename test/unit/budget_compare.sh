#!/bin/bash
#
# budget_compare.sh
#	  test/budget/compare and test/budget/base, on profiles and repositories
#	  made up here.
#
# Goal of this test:
# - A function that takes more for each row is found and named, as are rows.
# - What is done once for a statement, what a compiler inlines or splits, and
#   growth of a few instructions are not.
# - What hooks hand on to PostgreSQL is not ours.
# - Growth passes by a line that the change itself adds, and only so far.
# - The base is the merge base, or the last commit; or it is said why there is none.
#
# Prints TAP.
#
# test/unit/budget_compare.sh

set -u
budget=$(cd "$(dirname "$0")/../budget" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
n=0

ok() {	# exit code, what
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else
		sed 's/^/# /' out
		echo "not ok $n - $2"
	fi
}

# --- profiles -------------------------------------------------------------------

# The row "open" over 100 and 200 rows: PostgreSQL calls cast, cast calls find and
# a library; all of it takes 5000 once.  For each row: cast 100 (and what it
# calls), find as told, the library 500, PostgreSQL 400.  Names and numbers as
# callgrind abbreviates them; "find" stands in two files, one is called once.
profile() {	# folder, find's name, its instructions for each row, calls for each row, once
	local rows find
	mkdir -p "$1"
	for rows in 100 200; do
		find=$(($3 * rows))
		cat >"$1/$rows" <<-END
		# callgrind format
		desc: Trigger: Client Request: open $rows
		summary: $((${5:-5000} + 1000 * rows + find))

		ob=(1) /lib/themis_crypt.so
		fl=(1) /src/cast.c
		fn=(1) cast
		10 $((60 * rows))
		fi=(2) /src/bytes.h
		+2 $((40 * rows))
		fe=(1)
		cfi=(3) /src/find.c
		cfn=(2) $2
		calls=$(($4 * rows)) 5
		* $find
		cob=(2) /lib/libsodium.so
		cfi=(4) ???
		cfn=(3) crypto_aead
		calls=$rows 0
		* $((500 * rows))

		fl=(3)
		fn=(2)
		5 $find

		fl=(5) /src/hook.c
		fn=(4) find
		7 77
		cob=(3) /bin/postgres
		cfi=(4)
		cfn=(5) execute
		calls=1 0
		* $((5000 + 1000 * rows + find))

		ob=(3)
		fl=(4)
		fn=(5)
		0 $((${5:-5000} - 77 + 400 * rows))
		cob=(1)
		cfi=(1)
		cfn=(1)
		calls=$rows 10
		* $((600 * rows + find))

		ob=(2)
		fn=(3)
		0 $((500 * rows))
		END
	done
}

compare() { "$budget/compare" "$@" >out 2>&1; }

# What a row of the table says: name, base, head.
shows() { grep -qE "^# +$(sed 's/[()]/\\&/g' <<<"$1") +$2 +$3 " out; }

passes() { compare "${@:2}"; ok $? "$1"; }

# The names that are found, in the order of the table
finds() {	# what, names, arguments
	local names
	compare "${@:3}" && names="nothing" ||
		names=$(sed -n 's/^not ok - open: \(.*\) takes .*/\1/p' out | tr '\n' ' ')
	[ "${names% }" = "$2" ]
	ok $? "$1"
}

profile base find 200 1
passes "a tree is not worse than itself" base base
shows "(statement)" 1200 1200 && shows "(themis_crypt)" 800 800 && shows cast 800 800 &&
	shows find 200 200
ok $? "what is done for each row, with what is called by it"
! grep -q 'hook' out
ok $? "functions that are called once are not shown"

for name in begin standard_begin; do
	cp -r base $name
	for rows in 100 200; do
		sed -i "s/^7 77/&\ncob=(2)\ncfn=(6) $name\ncalls=$rows 0\n* $((300 * rows))/" $name/$rows
	done
done
compare begin && shows "(themis_crypt)" - 1100
ok $? "what a hook calls for each row is ours"
compare standard_begin && shows "(themis_crypt)" - 800
ok $? "but for what PostgreSQL does there itself, or what calls us again"

cp -r base two
sed -i 's/^fn=(1) cast/fn=(1) find/' two/*
compare two && shows "find (find.c)" - 200 && shows "find (cast.c)" - 800
ok $? "two functions of one name are told apart"

profile slower find 300 1
finds "a function that takes more is named, and who calls it" \
	"(statement) (themis_crypt) cast find" slower base
passes "one that takes less is fine" base slower
profile some find 215 1
finds "its growth counts where the row's is below 5 %" find some base
profile few find 208 1
passes "8 instructions more are fine" few base
profile nine find 211 1
finds "11 and over 5 % are not" find nine base
profile once find 200 1 90000
passes "what is done once for a statement is not counted" once base

sed -i '/^cfi=(3)/,/^\* /d; s/^10 .*/&\n11 20000/' base/100
sed -i '/^cfi=(3)/,/^\* /d; s/^10 .*/&\n11 40000/' base/200
sed -i '/^fn=(2)/,/^5 /d' base/*
sed -i 's/^fl=(3)$/fl=(3) find.c/' base/*
cp -r base inlined
profile base find 200 1
passes "a function that was inlined is missed by nobody" inlined base
passes "nor is one that no longer is" base inlined
profile split find.constprop.0 200 1
passes "a part that the compiler made of a function is that function" split base
shows find 200 200
ok $? "under its name"

profile moved find 300 1
sed -i 's|/src/find.c|/src/moved.c|' moved/*
finds "a function that moved to another file is that function" \
	"(statement) (themis_crypt) cast find" moved base

cp -r base seal
sed -i 's/Request: open/Request: seal/' seal/*
compare base seal
[ $? -eq 1 ] && grep -q '^ok - open # SKIP' out &&
	grep -q '^not ok - seal could be measured in the base only' out
ok $? "a row that the base has not is skipped, one that only the base has is an error"
compare base
[ $? -eq 0 ] && grep -q '^ok - open # SKIP' out && shows cast - 800
ok $? "without a base the counts are shown"
cp -r base with_failed
sed 's/Request: open 100/Request: failed 100/' base/100 >with_failed/3
sed 's/Request: open 200/Request: failed 200/' base/200 >with_failed/4
passes "a statement that fails in the base is no row of it" base with_failed
cp -r base half
rm half/100
compare slower half
[ $? -gt 1 ] && grep -q 'one number of rows only' out
ok $? "a row of the base that was measured by half is an error"
compare half base
[ $? -gt 1 ]
ok $? "one of HEAD, too"
mkdir empty
compare empty base
[ $? -gt 1 ]
ok $? "profiles that are not there are an error"
compare base empty
[ $? -gt 1 ]
ok $? "those of the base, too"

# --- what is accepted -----------------------------------------------------------

for name in "(statement)" "(themis_crypt)" cast find; do
	echo "open $name +60% it finds more"
done >accepted
: >before
passes "growth that the change accepts" slower base accepted before
grep -q 'accepted up to +60 %' out
ok $? "is told"
passes "also if the base has no such file" slower base accepted none
sed 's/^open/*/' accepted >all
passes "also for every row" slower base all before
finds "lines that the base has accept nothing" \
	"(statement) (themis_crypt) cast find" slower base accepted accepted
grep -v 'open find' accepted >fewer
finds "nor does a line about another function" find slower base fewer before
sed 's/60/40/' accepted >less
finds "growth beyond what is accepted" find slower base less before
sed 's/^open/seal/' accepted >other
finds "another row" "(statement) (themis_crypt) cast find" slower base other before
echo "open cast +60%" >wrong
compare slower base wrong before
[ $? -gt 1 ] && grep -q 'wrong, line 1' out
ok $? "a line without a reason is an error"
grep -vE '^(#|$)' "$budget/accepted" | grep -vqE '^\S+ +\S+( \(\S+\))? +\+[0-9.]+% +\S'
[ $? -eq 1 ]
ok $? "the file of this tree is in order"

# --- the base -------------------------------------------------------------------

if ! command -v git >/dev/null; then
	ok 0 "the base # SKIP missing git"
	echo "1..$n"
	exit 0
fi
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a
unset GIT_DIR GIT_WORK_TREE BASE

repo() { git -C "$dir/repo" -c advice.detachedHead=false "$@" >>git.log 2>&1; }

commit() {	# what
	echo "$1" >repo/file
	repo add . && repo commit -m "$1"
}

base_is() {	# commit's name, what, repository
	rm -rf found
	"${3:-repo}/test/budget/base" "$dir/found" >out 2>&1 &&
		grep -q "\"$1\"" found/which && [ "$(cat found/src/file)" = "$1" ] && [ ! -e found/none ]
	ok $? "$2"
}

no_base() {	# reason, what, repository
	rm -rf found
	"${3:-repo}/test/budget/base" "$dir/found" >out 2>&1 &&
		grep -q "$1" found/none && [ ! -e found/src ]
	ok $? "$2"
}

mkdir -p repo/test/budget
cp "$budget/base" repo/test/budget
no_base "not a git repository" "a tree without history"
repo init -b main
no_base "nothing is committed" "a history without a commit"
commit first
no_base "no parent" "a first commit"
commit second
base_is first "on the main branch: the parent of HEAD"
echo changed >repo/file
base_is second "with changes that are not committed: HEAD"
repo checkout -f -b branch
commit third
commit fourth
base_is second "on a branch: where it left the main branch"
repo checkout main
commit fifth
repo checkout branch
base_is second "also if that went on"
repo checkout main
repo merge -s ours -m merged branch
echo merged >repo/file
repo commit -a --amend -m merged
base_is fifth "a merge: the first parent"
BASE=branch~1 base_is third "what BASE names"
BASE=tenth repo/test/budget/base found >out 2>&1
[ $? -eq 1 ] && grep -q 'no revision "tenth"' out
ok $? "what it names must be there"
git clone -q "file://$dir/repo" clone && git clone -q --depth 1 "file://$dir/repo" shallow
base_is fifth "a clone of the main branch" clone
no_base "no parent" "a clone of one commit" shallow
git clone -q --depth 1 --no-single-branch --branch branch "file://$dir/repo" shallower
no_base "does not reach" "a clone of one commit of a branch" shallower
mkdir -p repo/inner/test/budget
cp "$budget/base" repo/inner/test/budget
no_base "not a git repository" "a folder in somebody else's repository" repo/inner

echo "1..$n"
