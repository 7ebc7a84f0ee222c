# Every row of bytes that preload/FORMAT.md shows is one of the golden trace.
page=$TEST_GOLDEN/../../preload/FORMAT.md
grep -Eo '^    [0-9a-f]{8}: ([0-9a-f]{2} ){15}[0-9a-f]{2}' "$page" | sed 's/^ *//' >rows
[ "$(wc -l <rows)" -gt 30 ] || echo "only $(wc -l <rows) rows"
! grep -Fxv -f "$TEST_GOLDEN/v1.hex" rows
