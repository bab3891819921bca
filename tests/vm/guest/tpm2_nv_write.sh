# tpm2_nv_write INDEX HEX [existing]: defines the index (unless told that it exists), writes HEX.
echo "$2" | xxd -r -p >content
[ "$3" = existing ] || tpm2 nvdefine -Q -C o -s "$(stat -c %s content)" "$1"
tpm2 nvwrite -Q -C o -i content "$1"
