# deepq plot and report of a search's storage: pictures and a page of studies that Optuna wrote, and every mistake one
# sentence that leaves no file.
fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}
says() { grep -q -E -e "$1" "$2" || fail "'$1' is not in $2: $(head -c 2000 "$2")"; }

# wrong STATUS SENTENCE VERB ARGUMENT...
wrong() {
    local status=0 wanted=$1 sentence=$2 before
    shift 2
    before=$(ls -A)
    "$DEEPQ" "$@" >out.txt 2>err.txt || status=$?
    [ $status = "$wanted" ] || fail "$*: status $status, not $wanted: $(cat err.txt)"
    says "$sentence" err.txt
    [ "$(grep -c '^deepq' err.txt)" = 1 ] || fail "$*: $(cat err.txt)"
    [ "$(ls -A)" = "$before" ] || fail "$* left $(ls -A)"
}
: >out.txt >err.txt
cp "$DQ_TEST_DATA/tune/two_studies.log" studies.log

"$DEEPQ" plot studies.log --study one -o one >out.txt
for kind in history importance slice contour parallel intermediate; do
    says "^one/$kind.svg$" out.txt
    [ "$(head -c 5 "one/$kind.svg")" = "<?xml" ] || fail "one/$kind.svg is no SVG"
done
[ ! -e one/front.svg ] || fail "a study of one objective has no front"
"$DEEPQ" plot studies.log --study two -o two >out.txt
says "^two/front.svg$" out.txt
says "^two/history-2.svg$" out.txt
[ ! -e two/intermediate.svg ] || fail "no trial of study two has an intermediate value"
"$DEEPQ" plot studies.log --study one -y contour -o contour.png
[ "$(head -c 4 contour.png | tail -c 3)" = PNG ] || fail "contour.png is no PNG"
"$DEEPQ" plot studies.log --study one -o again >/dev/null
cmp one/slice.svg again/slice.svg || fail "the same study gives another picture"

"$DEEPQ" report studies.log --study one -o one.html
for text in 'A search for hyper-parameters' 'highest' 'Best trials' 'learning_rate' 'Importance of the parameters' \
    'Contours' '<dd[^>]*>20' 'pruned'; do
    says "$text" one.html
done
"$DEEPQ" report studies.log --study two -o two.html
says 'Trials that no other one beats' two.html
says 'History: objective 2' two.html
"$DEEPQ" report studies.log --study two >out.txt
says '^./report.html$' out.txt

wrong 2 'holds 2 studies; say which one with --study: one, two' plot studies.log
wrong 2 'holds 2 studies' report studies.log
wrong 1 'three' plot studies.log --study three
wrong 2 'no such picture of a study' plot studies.log --study one -y pie -o pie.svg
wrong 1 'two objectives' plot studies.log --study one -y front -o front.svg
wrong 2 'say which with --y' plot studies.log --study one -o all.svg
wrong 2 'learning curves' plot studies.log --study one --x seconds
wrong 2 'one word too many' report studies.log studies.log
wrong 2 'for a STORAGE' plot two --study one
printf 'nonsense\n' >nonsense.log
wrong 1 'nonsense.log:1' plot nonsense.log
wrong 1 'nonsense.log:1' report nonsense.log
