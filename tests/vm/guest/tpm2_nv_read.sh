# tpm2_nv_read INDEX: the content of the index.
tpm2 nvread -C o -o content "$1"
say content "$(xxd -p -c 4096 content)"
